/* Files that have several names. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

/* True when both are there, and are one. */
static inline bool is_same_file(const char *left_path, const char *right_path)
{
        struct stat left, right;

        return stat(left_path, &left) == 0 && stat(right_path, &right) == 0 && left.st_dev == right.st_dev &&
               left.st_ino == right.st_ino;
}

/* True when one of the paths before that of `index` is the same file. */
static inline bool is_same_file_before(char *const *paths, int index)
{
        for (int i = 0; i < index; i++)
                if (is_same_file(paths[i], paths[index]))
                        return true;
        return false;
}
