/* A fresh folder in TMPDIR or /tmp, and what is in it. */
#pragma once

#include "core/base/expect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[200];

static inline void make_base(const char *name)
{
        const char *tmp = getenv("TMPDIR");

        snprintf(base, sizeof base, "%s/gatepost-%s-XXXXXX", tmp != NULL ? tmp : "/tmp", name);
        expect(mkdtemp(base) != NULL);
}

static inline const char *in_base(const char *path)
{
        static _Thread_local char whole[PATH_MAX];
        snprintf(whole, sizeof whole, "%s/%s", base, path);
        return whole;
}

static inline void make_file(const char *path)
{
        close(open(in_base(path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static inline int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
        (void)status, (void)kind, (void)place;
        return remove(path);
}

static inline void remove_base(void)
{
        expect(nftw(base, remove_one, 10, FTW_DEPTH | FTW_PHYS) == 0);
}

/* Files in a folder below the base; the path of one of them in ret_path. */
static inline size_t count_files(const char *folder, char ret_path[PATH_MAX])
{
        size_t count = 0;
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s", in_base(folder));
        DIR *directory = opendir(path);

        for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
                if (entry->d_name[0] != '.') {
                        count++;
                        if (ret_path != NULL)
                                snprintf(ret_path, PATH_MAX, "%.3000s/%s", path, entry->d_name);
                }
        if (directory != NULL)
                closedir(directory);
        return count;
}
