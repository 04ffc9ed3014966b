/* Chooses the files that are rewritten, and tells what became of them. */
#include "workers/cli/log/pseudonymise.h"

#include "dns/clock.h"
#include "workers/cli/files/log_files.h"
#include "workers/cli/files/same.h"
#include "workers/cli/log/rewrite.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool rewrite(const struct log_privacy *privacy, const char *path)
{
        const char *fault;
        uint64_t lines;

        switch (rewrite_file(path, privacy, isatty(STDERR_FILENO) == 1, &lines, &fault)) {
        case REWRITE_DONE:
                printf("%s: %llu lines\n", path, (unsigned long long)lines);
                return true;
        case REWRITE_NOT_NEEDED:
                printf("%s: nothing to do\n", path);
                return true;
        case REWRITE_FAILED:
                fprintf(stderr, "gatepost: %s: %s; it is as it was\n", path, fault);
                break;
        }
        return false;
}

int log_pseudonymise_files(const struct snapshot *snapshot, const struct log_privacy *privacy,
                           char *const *paths, int count)
{
        bool is_good = true;

        for (int i = 0; i < count; i++)
                if (is_same_file(paths[i], snapshot->options.log)) {
                        fprintf(stderr, "gatepost: %s: the server writes to it\n", paths[i]);
                        is_good = false;
                } else {
                        is_good &= rewrite(privacy, paths[i]);
                }
        return is_good ? 0 : 1;
}

/* Its last line is older than that: nothing was written behind it. */
static bool is_old(const char *path, uint64_t after_ms)
{
        struct stat status;

        return stat(path, &status) == 0 &&
               status.st_mtim.tv_sec < clock_wall_s() - (int64_t)(after_ms / 1000);
}

int log_pseudonymise_old(const struct snapshot *snapshot, const struct log_privacy *privacy)
{
        const struct options *options = &snapshot->options;
        struct log_files files;
        bool is_good = log_files_find(&files, options->log);

        for (size_t i = 0; i < files.count; i++) {
                const char *path = files.files[i].path;
                if (!is_same_file(path, options->log) && is_old(path, options->log_pseudonymise_after_ms))
                        is_good &= rewrite(privacy, path);
        }
        log_files_end(&files);
        return is_good ? 0 : 1;
}
