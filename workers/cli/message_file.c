/* Reads a message whole: it is for people who look at one. */
#include "workers/cli/message_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MESSAGE_MAX ((long)64 << 20)

static size_t put_lines(const char *from, size_t length, char *to)
{
        size_t at = 0;
        for (size_t i = 0; i < length; i++) {
                if (from[i] == '\n' && (i == 0 || from[i - 1] != '\r'))
                        to[at++] = '\r';
                to[at++] = from[i];
        }
        return at;
}

bool message_file_read(const char *path, char **ret_octets, size_t *ret_length)
{
        FILE *file = fopen(path, "rb");
        struct stat status;
        long size = -1;

        if (file != NULL && fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) {
                fclose(file);
                errno = EISDIR;
                return false;
        }
        if (file != NULL && fseek(file, 0, SEEK_END) == 0)
                size = ftell(file);
        if (size > MESSAGE_MAX)
                errno = EFBIG;
        bool is_good = size >= 0 && size <= MESSAGE_MAX && fseek(file, 0, SEEK_SET) == 0;
        char *raw = is_good ? malloc((size_t)size + 1) : NULL,
             *lines = is_good ? malloc(2 * (size_t)size + 1) : NULL;
        is_good = raw != NULL && lines != NULL && fread(raw, 1, (size_t)size, file) == (size_t)size;
        if (is_good) {
                *ret_octets = lines;
                *ret_length = put_lines(raw, (size_t)size, lines);
        } else {
                free(lines);
        }
        free(raw);
        if (file != NULL)
                fclose(file);
        return is_good;
}
