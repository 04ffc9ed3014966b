/* Files of feeds, read in pieces: what is mapped could be cut short meanwhile by whoever writes it. */
#include "workers/feed/files.h"
#include "workers/feed/huge_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zlib.h>

#define PIECE 262144

struct feed_reading {
        struct feed_builder *builder;
        char *piece;
        const _Atomic bool *gives_up;
};

static uint64_t moment_of(const struct timespec *time)
{
        return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
}

/* The time of the last change is one that nobody can set: it tells of other content whose writer has set the other
 * time back, and of rights that were given. */
static bool is_same(const struct stat *left, const struct stat *right)
{
        return left->st_size == right->st_size && moment_of(&left->st_mtim) == moment_of(&right->st_mtim) &&
               moment_of(&left->st_ctim) == moment_of(&right->st_ctim);
}

static void add_to_stamp(struct feed_stamp *stamp, const char *path, const struct stat *file)
{
        uint64_t numbers[] = {
            stamp->digest,           XXH3_64bits(path, strlen(path)), (uint64_t)file->st_ino,
            (uint64_t)file->st_size, moment_of(&file->st_mtim),       moment_of(&file->st_ctim)};

        stamp->digest = XXH3_64bits(numbers, sizeof numbers);
        stamp->files++;
        if (file->st_mtim.tv_sec > stamp->made_s)
                stamp->made_s = file->st_mtim.tv_sec;
}

/* Rsync's and editors' files in the making begin with a dot, which patterns do not mean. */
static bool expand(const struct text_list *patterns, glob_t *ret_paths, const char **ret_missing)
{
        *ret_paths = (glob_t){0};
        for (size_t i = 0; i < patterns->count; i++) {
                int flags = i > 0 ? GLOB_APPEND : 0;
                *ret_missing = patterns->texts[i];
                if (glob(patterns->texts[i], flags, NULL, ret_paths) != 0)
                        return false;
        }
        return true;
}

void feed_files_look(const struct text_list *patterns, struct feed_stamp *ret_stamp)
{
        glob_t paths;
        const char *missing;
        struct stat file;

        *ret_stamp = (struct feed_stamp){0};
        expand(patterns, &paths, &missing);
        for (size_t i = 0; i < paths.gl_pathc; i++)
                if (stat(paths.gl_pathv[i], &file) == 0)
                        add_to_stamp(ret_stamp, paths.gl_pathv[i], &file);
        globfree(&paths);
}

/* What ends before its checksum is no error to gzread(), which gives what there is. */
static bool read_all(const struct feed_reading *reading, gzFile file)
{
        int length, error;

        while ((length = gzread(file, reading->piece, PIECE)) > 0) {
                if (reading->gives_up != NULL &&
                    atomic_load_explicit(reading->gives_up, memory_order_relaxed))
                        feed_break(reading->builder, "given up");
                if (!feed_read(reading->builder, span_of(reading->piece, (size_t)length)))
                        return true;
        }
        const char *reason = gzerror(file, &error);
        if (length == 0 && error == Z_OK)
                return true;
        feed_break(reading->builder, error == Z_ERRNO ? strerror(errno) : reason);
        return false;
}

static void read_file(const struct feed_reading *reading, const char *path, struct feed_stamp *stamp)
{
        struct feed_builder *builder = reading->builder;
        int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        const char *fault = descriptor < 0 ? strerror(errno) : NULL;
        struct stat before, after;

        feed_begin_file(builder, path);
        /* As feed_files_look() sees it, also where it cannot be read. */
        if ((descriptor < 0 ? stat(path, &before) : fstat(descriptor, &before)) == 0)
                add_to_stamp(stamp, path, &before);
        else if (fault == NULL)
                fault = strerror(errno);
        if (fault != NULL || !S_ISREG(before.st_mode)) {
                feed_break(builder, fault != NULL ? fault : "no regular file");
                if (descriptor >= 0)
                        close(descriptor);
                return;
        }
        int kept = dup(descriptor);
        gzFile file = gzdopen(descriptor, "r");
        if (file == NULL || kept < 0)
                feed_break(builder, "no memory, or no descriptor");
        else if (read_all(reading, file) && (fstat(kept, &after) != 0 || !is_same(&before, &after)))
                feed_break(builder, "has changed while it was read: write another one and rename it");
        if (file != NULL)
                gzclose(file);
        else
                close(descriptor);
        if (kept >= 0)
                close(kept);
}

static struct feed *load(const struct text_list *patterns, const struct feed_reading *reading,
                         struct feed_report *ret_report, struct feed_stamp *ret_stamp)
{
        struct feed_builder *builder = reading->builder;
        glob_t paths;
        const char *missing;

        if (!expand(patterns, &paths, &missing)) {
                feed_begin_file(builder, missing);
                feed_break(builder, "no such file, or a folder that the server may not read");
        }
        for (size_t i = 0; i < paths.gl_pathc; i++)
                read_file(reading, paths.gl_pathv[i], ret_stamp);
        globfree(&paths);
        return feed_finish(builder, ret_report);
}

struct feed *feed_files_load(const struct text_list *patterns, const struct feed_wish *wish,
                             const _Atomic bool *gives_up, struct feed_report *ret_report,
                             struct feed_stamp *ret_stamp)
{
        struct feed_wish all = *wish;
        all.take_memory = huge_pages_take;
        struct feed_builder *builder = feed_builder_create(&all);
        char *piece = malloc(PIECE);

        *ret_stamp = (struct feed_stamp){0};
        *ret_report = (struct feed_report){.is_broken = true, .told = {"no memory"}, .told_count = 1};
        if (piece == NULL || builder == NULL) {
                free(piece);
                if (builder != NULL)
                        feed_free(feed_finish(builder, ret_report));
                return NULL;
        }
        const struct feed_reading reading = {builder, piece, gives_up};
        struct feed *feed = load(patterns, &reading, ret_report, ret_stamp);
        free(piece);
        return feed;
}
