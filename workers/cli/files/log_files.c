/* zlib reads what is compressed and what is not. */
#include "workers/cli/files/log_files.h"

#include "core/base/text.h"
#include "workers/cli/files/progress.h"
#include "workers/log/line.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define HEAD_SIZE       512 /* octets that tell what a file is */
#define LINE_FIRST      8192
#define PROGRESS_LINES  4096              /* between two looks at the clock */
#define LINE_OCTETS_MAX ((size_t)1 << 20) /* a longer one is none of ours */

/* ---- which files --------------------------------------------------------------------------------------- */

/* Where a file begins, its first line tells: the time of a change may be that of a copy. Files whose beginning is none
 * of ours, and empty ones, go by that. */
static void set_time(struct log_file *file, int fd, time_t changed_s)
{
        static const char mark[] = LOG_LINE_HEAD;
        char head[HEAD_SIZE];
        gzFile stream = fd < 0 ? NULL : gzdopen(fd, "r");
        int length = stream == NULL ? -1 : gzread(stream, head, sizeof head);
        const char *found = length <= 0 ? NULL : memmem(head, (size_t)length, mark, sizeof mark - 1);
        struct text time;

        if (stream != NULL)
                gzclose(stream);
        else if (fd >= 0)
                close(fd);
        text_over(&time, file->time, sizeof file->time - 1);
        file->is_time_told =
            found != NULL && head + length - found >= (ptrdiff_t)(sizeof mark - 1 + sizeof file->time - 1);
        if (file->is_time_told)
                text_put(&time, span_of(found + sizeof mark - 1, sizeof file->time - 1));
        else
                date_write(&time, changed_s > 0 ? changed_s : 0);
        file->time[time.length] = '\0';
}

static bool add(struct log_files *files, const char *folder, const char *name)
{
        struct log_file *grown = realloc(files->files, (files->count + 1) * sizeof *grown);
        struct stat status;
        char *path;

        if (grown == NULL)
                return false;
        files->files = grown;
        if (asprintf(&path, "%s/%s", folder, name) < 0)
                return false;
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        bool is_there = (fd < 0 ? stat(path, &status) : fstat(fd, &status)) == 0;
        if (!is_there || !S_ISREG(status.st_mode)) {
                if (fd >= 0)
                        close(fd);
                free(path);
                return true;
        }
        struct log_file *file = &files->files[files->count++];
        *file = (struct log_file){
            .path = path, .device = status.st_dev, .inode = status.st_ino, .size = status.st_size};
        set_time(file, fd, status.st_mtime);
        return true;
}

static bool is_part_of(const char *name, const char *log)
{
        size_t length = strlen(log);

        return strncmp(name, log, length) == 0 &&
               (name[length] == '\0' || name[length] == '.' || name[length] == '-');
}

static int compare_age(const void *left, const void *right)
{
        const struct log_file *a = left, *b = right;
        int order = strcmp(b->time, a->time);

        return order != 0 ? order : strcmp(a->path, b->path);
}

static bool list(struct log_files *files, const char *folder, const char *log)
{
        DIR *directory = opendir(folder);
        bool is_listed = directory != NULL;

        for (struct dirent *entry; is_listed && (entry = readdir(directory)) != NULL;)
                if (is_part_of(entry->d_name, log))
                        is_listed = add(files, folder, entry->d_name);
        if (directory != NULL)
                closedir(directory);
        return is_listed;
}

bool log_files_find(struct log_files *files, const char *path)
{
        char *folder = strdup(path), *slash = folder == NULL ? NULL : strrchr(folder, '/');

        *files = (struct log_files){0};
        if (slash != NULL)
                *slash = '\0';
        bool is_listed = folder != NULL && list(files,
                                                slash == NULL     ? "."
                                                : slash == folder ? "/"
                                                                  : folder,
                                                slash == NULL ? path : slash + 1);
        if (!is_listed)
                fprintf(stderr, "gatepost: cannot look for the log %s: %s\n", path, strerror(errno));
        else if (files->count == 0)
                fprintf(stderr, "gatepost: there is no log %s\n", path);
        free(folder);
        if (files->count > 1)
                qsort(files->files, files->count, sizeof files->files[0], compare_age);
        return is_listed && files->count > 0;
}

bool log_files_configured(struct log_files *files, const char *log)
{
        *files = (struct log_files){0};
        if (strcmp(log, "stderr") != 0)
                return log_files_find(files, log);
        fputs(
            "gatepost: the log goes to standard error (log = \"stderr\"): name the files where it is kept\n",
            stderr);
        return false;
}

void log_files_end(struct log_files *files)
{
        for (size_t i = 0; i < files->count; i++)
                free(files->files[i].path);
        free(files->files);
        *files = (struct log_files){0};
}

/* ---- reading ------------------------------------------------------------------------------------------- */

struct line {
        char *octets;
        size_t length, size;
};

/* Appends up to the end of the line. False at the end of the file, with what there is of a line. */
static bool read_line(gzFile file, struct line *line)
{
        line->length = 0;
        for (;;) {
                if (line->size - line->length < 2) {
                        size_t size = line->size == 0 ? LINE_FIRST : 2 * line->size;
                        char *grown = size > LINE_OCTETS_MAX ? NULL : realloc(line->octets, size);
                        if (grown == NULL && line->octets == NULL)
                                return false;
                        if (grown == NULL)
                                line->length = 0; /* passed over, piece by piece */
                        else
                                *line = (struct line){grown, line->length, size};
                }
                if (gzgets(file, line->octets + line->length, (int)(line->size - line->length)) == NULL)
                        return false;
                line->length += strlen(line->octets + line->length);
                if (line->length > 0 && line->octets[line->length - 1] == '\n') {
                        line->octets[line->length - 1] = '\0';
                        return true;
                }
        }
}

static bool is_control(char octet)
{
        return ascii_is_control(octet) && octet != '\t' && octet != '\r' && octet != '\n';
}

/* Logs are text, so that controls tell of a compression that zlib does not know. What is short may have none by
 * chance, and then its name tells. */
static bool is_foreign(const char *path, struct span head)
{
        static const char *const names[] = {".gz",   ".xz",  ".zst", ".bz2", ".lz4",
                                            ".lzma", ".lzo", ".br",  ".Z"};
        bool is_named = false;

        for (size_t i = 0; i < head.length; i++)
                if (is_control(head.at[i]))
                        return true;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
                is_named |= span_ends_nocase(span_from(path), span_from(names[i]));
        return is_named && head.length > 0 && head.at[0] != '{';
}

static bool is_text(gzFile stream, const char *path)
{
        char octets[HEAD_SIZE];
        int length = gzread(stream, octets, sizeof octets);
        bool is_text = length < 0 || !gzdirect(stream) || !is_foreign(path, span_of(octets, (size_t)length));

        return is_text && gzrewind(stream) == 0;
}

void log_progress_tell(struct log_progress *progress, int64_t offset)
{
        if (!progress_is_due(&progress->told_ms))
                return;
        progress->is_shown = true;
        progress_show(progress->path, (uint64_t)offset, (uint64_t)progress->size + 1);
}

void log_progress_end(const struct log_progress *progress)
{
        if (!progress->is_shown)
                return;
        progress_show(progress->path, 1, 1);
        fputc('\n', stderr);
}

static void read_lines(const char *path, off_t size, gzFile stream, bool shows_progress, log_visit *visit,
                       void *context)
{
        struct log_progress progress = {.path = path, .size = size, .told_ms = clock_monotonic_ms()};
        struct line line = {0};

        for (uint64_t count = 1; read_line(stream, &line); count++) {
                visit(context, line.octets);
                if (shows_progress && count % PROGRESS_LINES == 0)
                        log_progress_tell(&progress, gzoffset(stream));
        }
        log_progress_end(&progress);
        free(line.octets);
}

static bool is_as_listed(const struct log_file *file, const struct stat *status)
{
        return file->inode == 0 || (status->st_dev == file->device && status->st_ino == file->inode &&
                                    status->st_size >= file->size);
}

/* NULL, with the reason. */
static gzFile open_file(const struct log_file *file, off_t *ret_size, const char **ret_fault)
{
        struct stat status;
        gzFile stream = NULL;
        int fd = open(file->path, O_RDONLY | O_CLOEXEC);
        bool is_open = fd >= 0 && fstat(fd, &status) == 0;

        if (is_open && !is_as_listed(file, &status)) {
                *ret_fault = "it was rotated meanwhile";
        } else {
                stream = is_open ? gzdopen(fd, "r") : NULL;
                *ret_fault = strerror(errno);
                *ret_size = is_open ? status.st_size : 0;
        }
        if (stream == NULL && fd >= 0)
                close(fd);
        return stream;
}

static enum log_file_result complain(const char *path, const char *fault, enum log_file_result result)
{
        fprintf(stderr, "gatepost: cannot read %s: %s\n", path, fault);
        return result;
}

enum log_file_result log_file_read(const struct log_file *file, bool shows_progress, log_visit *visit,
                                   void *context)
{
        const char *fault;
        off_t size;
        gzFile stream = open_file(file, &size, &fault);
        int error;

        if (stream == NULL)
                return complain(file->path, fault, LOG_FILE_UNREAD);
        if (!is_text(stream, file->path)) {
                fprintf(stderr, "gatepost: cannot search %s: it is neither text nor gzip\n", file->path);
                gzclose(stream);
                return LOG_FILE_UNREAD;
        }
        read_lines(file->path, size, stream, shows_progress, visit, context);
        gzerror(stream, &error);
        fault = error == Z_ERRNO ? strerror(errno) : "it is no whole gzip file";
        if (gzclose(stream) != Z_OK && error == Z_OK)
                error = Z_BUF_ERROR; /* cut off */
        if (error == Z_OK || error == Z_STREAM_END)
                return LOG_FILE_WHOLE;
        return complain(file->path, fault, error == Z_ERRNO ? LOG_FILE_UNREAD : LOG_FILE_PART);
}
