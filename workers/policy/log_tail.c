/* Files are known by device and inode, so that a name that wanders is no matter. */
#include "workers/policy/log_tail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files --------------------------------------------------------------------------------------------- */

static void forget(struct log_tail *tail, size_t i)
{
        close(tail->files[i].fd);
        tail->count--;
        memmove(tail->files + i, tail->files + i + 1, (tail->count - i) * sizeof *tail->files);
}

void log_tail_end(struct log_tail *tail)
{
        while (tail->count > 0)
                forget(tail, tail->count - 1);
        free(tail->octets);
        *tail = (struct log_tail){.opened = tail->opened};
}

static bool is_open(const struct log_tail *tail, const struct stat *status)
{
        for (size_t i = 0; i < tail->count; i++)
                if (tail->files[i].device == status->st_dev && tail->files[i].inode == status->st_ino)
                        return true;
        return false;
}

/* As the newest one, or else the oldest, which is left out when there is no room. The caller has looked that it is a
 * plain file: the opening of a FIFO would be heard at its other end. */
static bool open_file(struct log_tail *tail, const char *path, bool is_newest, uint64_t most)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat status;

        if (fd < 0)
                return false;
        if (tail->count == LOG_TAIL_FILES && is_newest)
                forget(tail, 0);
        if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || is_open(tail, &status) ||
            tail->count == LOG_TAIL_FILES) {
                close(fd);
                return false;
        }
        size_t at = is_newest ? tail->count : 0;
        uint64_t size = (uint64_t)status.st_size;
        memmove(tail->files + at + 1, tail->files + at, (tail->count - at) * sizeof *tail->files);
        tail->files[at] = (struct log_tail_file){
            .fd = fd,
            .device = status.st_dev,
            .inode = status.st_ino,
            .number = tail->opened++ % LOG_PLACE_FILES,
            .offset = size > most ? size - most : 0,
        };
        tail->count++;
        return true;
}

/* ---- what was there before ----------------------------------------------------------------------------- */

/* What a rotation has made of the log, and has not compressed. */
static bool is_earlier(const char *folder, const struct dirent *entry, struct span log,
                       struct stat *ret_status, char ret_path[static PATH_MAX])
{
        static const char begin[] = "{\"time\":";
        char head[sizeof begin - 1];
        struct span name = span_from(entry->d_name);

        if (name.length <= log.length || !span_equals(span_of(name.at, log.length), log) ||
            (name.at[log.length] != '.' && name.at[log.length] != '-') ||
            snprintf(ret_path, PATH_MAX, "%s/%s", folder, entry->d_name) >= PATH_MAX ||
            stat(ret_path, ret_status) != 0 || !S_ISREG(ret_status->st_mode))
                return false;
        int fd = open(ret_path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        bool is_ours = fd >= 0 && pread(fd, head, sizeof head, 0) == sizeof head &&
                       memcmp(head, begin, sizeof head) == 0;
        if (fd >= 0)
                close(fd);
        return is_ours;
}

/* Of those that are not open, the one that was written to last. */
static bool find_earlier(const struct log_tail *tail, const char *folder, struct span log,
                         char ret_path[static PATH_MAX])
{
        DIR *directory = opendir(folder);
        struct timespec latest = {0};
        struct stat status;
        char path[PATH_MAX];

        for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
                if (is_earlier(folder, entry, log, &status, path) && !is_open(tail, &status) &&
                    (status.st_mtim.tv_sec > latest.tv_sec ||
                     (status.st_mtim.tv_sec == latest.tv_sec && status.st_mtim.tv_nsec > latest.tv_nsec))) {
                        latest = status.st_mtim;
                        memcpy(ret_path, path, sizeof path);
                }
        if (directory != NULL)
                closedir(directory);
        return latest.tv_sec != 0;
}

static uint64_t octets_ahead(const struct log_tail *tail)
{
        uint64_t octets = 0;
        struct stat status;

        for (size_t i = 0; i < tail->count; i++)
                if (fstat(tail->files[i].fd, &status) == 0 &&
                    (uint64_t)status.st_size > tail->files[i].offset)
                        octets += (uint64_t)status.st_size - tail->files[i].offset;
        return octets;
}

static void open_earlier(struct log_tail *tail, const char *log)
{
        char folder[PATH_MAX], path[PATH_MAX];
        const char *slash = strrchr(log, '/');
        struct span name = span_from(slash == NULL ? log : slash + 1);

        snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - log + 1),
                 slash == NULL ? "." : log);
        for (uint64_t ahead; tail->count < LOG_TAIL_FILES && (ahead = octets_ahead(tail)) < LOG_TAIL_START;)
                if (!find_earlier(tail, folder, name, path) ||
                    !open_file(tail, path, false, LOG_TAIL_START - ahead))
                        return;
}

/* ---- following ----------------------------------------------------------------------------------------- */

/* Opens the log where it is not open yet. A file that was renamed is still written to until the server has heard of
 * that, and is read on. */
static void find_log(struct log_tail *tail, const char *path)
{
        bool is_first = tail->count == 0;
        struct stat status;

        tail->error = 0;
        if (stat(path, &status) != 0) {
                tail->error = errno == ENOENT ? 0 : errno;
                return;
        }
        if (!S_ISREG(status.st_mode)) {
                log_tail_end(tail);
                return;
        }
        if (is_open(tail, &status))
                return;
        if (!open_file(tail, path, true, is_first ? LOG_TAIL_START : UINT64_MAX))
                tail->error = errno;
        else if (is_first)
                open_earlier(tail, path);
}

static void visit_lines(struct log_tail_file *file, struct span octets, log_tail_visit *visit, void *context)
{
        for (size_t end; (end = span_find(octets, '\n')) < octets.length;) {
                visit(context, span_of(octets.at, end), (struct log_place){file->number, file->offset});
                file->offset += end + 1;
                octets = span_skip(octets, end + 1);
        }
}

/* True when there may be more: whoever writes all the time must not keep us from all else. A line that is not whole yet
 * is read again later. */
static bool read_piece(struct log_tail *tail, struct log_tail_file *file, log_tail_visit *visit,
                       void *context)
{
        uint64_t before = file->offset;
        ssize_t length = pread(file->fd, tail->octets, LOG_TAIL_PIECE, (off_t)before);

        if (length <= 0)
                return false;
        visit_lines(file, span_of(tail->octets, (size_t)length), visit, context);
        if (file->offset == before && (size_t)length == LOG_TAIL_PIECE)
                file->offset += LOG_TAIL_PIECE;
        return (size_t)length == LOG_TAIL_PIECE;
}

/* The same of what is new; what has been cut off (copytruncate) begins anew. */
static bool follow(struct log_tail *tail, struct log_tail_file *file, log_tail_visit *visit, void *context)
{
        struct stat status;

        if (fstat(file->fd, &status) != 0)
                return false;
        if ((uint64_t)status.st_size < file->offset)
                file->offset = 0;
        return (uint64_t)status.st_size > file->offset && read_piece(tail, file, visit, context);
}

/* So that their room on the disk is free. */
static void let_removed_go(struct log_tail *tail)
{
        struct stat status;

        for (size_t i = tail->count; i > 0; i--)
                if (fstat(tail->files[i - 1].fd, &status) == 0 && status.st_nlink == 0)
                        forget(tail, i - 1);
}

bool log_tail_turn(struct log_tail *tail, const char *path, log_tail_visit *visit, void *context)
{
        find_log(tail, path);
        if (tail->octets == NULL && (tail->octets = malloc(LOG_TAIL_PIECE)) == NULL)
                return false;
        for (size_t i = 0; i < tail->count; i++)
                if (follow(tail, &tail->files[i], visit, context))
                        return true;
        let_removed_go(tail);
        return false;
}

struct span log_tail_line(struct log_tail *tail, struct log_place place)
{
        for (size_t i = 0; i < tail->count && tail->octets != NULL; i++) {
                if (tail->files[i].number != place.file)
                        continue;
                ssize_t length = pread(tail->files[i].fd, tail->octets, LOG_TAIL_PIECE, (off_t)place.offset);
                struct span octets = span_of(tail->octets, length > 0 ? (size_t)length : 0);
                size_t end = span_find(octets, '\n');
                return span_of(octets.at, end < octets.length ? end : 0);
        }
        return SPAN("");
}
