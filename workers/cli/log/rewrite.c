/* Rewrites files of the log by way of a file beside them, which a rename puts into their places. */
#include "workers/cli/log/rewrite.h"

#include "core/base/date.h"
#include "dns/clock.h"
#include "workers/cli/files/aside.h"
#include "workers/cli/files/log_files.h"
#include "workers/cli/log/lines.h"
#include "workers/log/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DONE_EVENT "log_pseudonymised"

struct rewrite {
        const char *path;
        const struct log_privacy *privacy;
        char beside[PATH_MAX]; /* the file in the making */
        struct stat status;    /* of the old one */
        int old_fd, new_fd;
        gzFile in, out;
        struct lines lines;
        char *rendered; /* LOG_RENDERED_MAX octets */
        uint64_t line_count;
        struct log_progress progress;
        bool shows_progress;
        const char *fault;
};

static bool fail(struct rewrite *rewrite, const char *fault)
{
        rewrite->fault = fault;
        return false;
}

static bool fail_errno(struct rewrite *rewrite)
{
        return fail(rewrite, strerrordesc_np(errno));
}

/* ---- the old file -------------------------------------------------------------------------------------- */

/* Nobody has it open for writing, or else a lease could not be had (fcntl(2)). File systems without leases, and files
 * of others, cannot be asked. */
static bool is_written_to(int fd)
{
        bool is_taken = fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
        bool is_written = !is_taken && (errno == EAGAIN || errno == EBUSY);

        if (is_taken)
                fcntl(fd, F_SETLEASE, F_UNLCK);
        return is_written;
}

/* It is the file of this name still. */
static bool is_in_place(const struct rewrite *rewrite)
{
        struct stat status;

        return lstat(rewrite->path, &status) == 0 && status.st_ino == rewrite->status.st_ino &&
               status.st_dev == rewrite->status.st_dev && status.st_size == rewrite->status.st_size &&
               status.st_mtim.tv_sec == rewrite->status.st_mtim.tv_sec &&
               status.st_mtim.tv_nsec == rewrite->status.st_mtim.tv_nsec;
}

/* The lock keeps another rewriting of the same file away. */
static bool open_old(struct rewrite *rewrite)
{
        rewrite->old_fd = open(rewrite->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (rewrite->old_fd < 0 || fstat(rewrite->old_fd, &rewrite->status) != 0)
                return fail_errno(rewrite);
        if (!S_ISREG(rewrite->status.st_mode))
                return fail(rewrite, "it is no regular file");
        if (rewrite->status.st_nlink > 1)
                return fail(rewrite, "it has another name as well, under which it would stay as it is");
        if (is_written_to(rewrite->old_fd))
                return fail(rewrite, "somebody has it open for writing");
        if (flock(rewrite->old_fd, LOCK_EX | LOCK_NB) != 0)
                return fail(rewrite, "it is being rewritten already");
        if (!is_in_place(rewrite))
                return fail(rewrite, "it has just been replaced");
        int fd = fcntl(rewrite->old_fd, F_DUPFD_CLOEXEC, 0);
        rewrite->in = fd < 0 ? NULL : gzdopen(fd, "r");
        if (rewrite->in == NULL && fd >= 0)
                close(fd);
        rewrite->lines.file = rewrite->in;
        return rewrite->in != NULL || fail_errno(rewrite);
}

/* ---- the new file -------------------------------------------------------------------------------------- */

/* No name of the log's files, so that neither a rotation nor explain takes it for one. */
static bool name_beside(struct rewrite *rewrite)
{
        const char *slash = strrchr(rewrite->path, '/');
        int folder_length = slash == NULL ? 0 : (int)(slash + 1 - rewrite->path);
        int length = snprintf(rewrite->beside, sizeof rewrite->beside, "%.*s.%s.pseudonymised", folder_length,
                              rewrite->path, rewrite->path + folder_length);
        return length < (int)sizeof rewrite->beside || fail(rewrite, strerrordesc_np(ENAMETOOLONG));
}

/* What an earlier try has left goes: it was never whole, and the lock says that nobody is at it. */
static bool open_new(struct rewrite *rewrite)
{
        if (!name_beside(rewrite))
                return false;
        unlink(rewrite->beside);
        rewrite->new_fd = open(rewrite->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (rewrite->new_fd < 0)
                return fail_errno(rewrite);
        bool is_own = rewrite->status.st_uid == geteuid() && rewrite->status.st_gid == getegid();
        if (!is_own && fchown(rewrite->new_fd, rewrite->status.st_uid, rewrite->status.st_gid) != 0)
                return fail(rewrite, "it belongs to somebody else");
        if (fchmod(rewrite->new_fd, rewrite->status.st_mode & 07777) != 0)
                return fail_errno(rewrite);
        int fd = fcntl(rewrite->new_fd, F_DUPFD_CLOEXEC, 0);
        rewrite->out = fd < 0 ? NULL : gzdopen(fd, gzdirect(rewrite->in) ? "wT" : "w");
        if (rewrite->out == NULL && fd >= 0)
                close(fd);
        return rewrite->out != NULL || fail_errno(rewrite);
}

static bool put(struct rewrite *rewrite, struct span octets)
{
        if (octets.length == 0 || gzwrite(rewrite->out, octets.at, (unsigned)octets.length) > 0)
                return true;
        return fail_errno(rewrite);
}

/* With the time of the first line, by which files are put in order. */
static bool put_mark(struct rewrite *rewrite, struct span first)
{
        char octets[200];
        struct text line;
        bool is_ours = log_line_event(first).length > 0;

        text_over(&line, octets, sizeof octets);
        if (is_ours) {
                text_put(&line, span_of(first.at, span_find(first, ',')));
        } else {
                text_put(&line, SPAN("{\"time\":\""));
                date_write(&line, rewrite->status.st_mtim.tv_sec);
                text_put(&line, SPAN(".000Z\""));
        }
        text_put(&line, SPAN(",\"event\":\"" DONE_EVENT "\"}\n"));
        return put(rewrite, text_span(&line));
}

static bool put_hidden(struct rewrite *rewrite, struct span line)
{
        struct text out;

        text_over(&out, rewrite->rendered, LOG_RENDERED_MAX);
        log_line_hide(rewrite->privacy, line, &out);
        if (out.overflowed)
                return fail(rewrite, "a line is too long");
        rewrite->line_count++;
        if (rewrite->shows_progress)
                log_progress_tell(&rewrite->progress, gzoffset(rewrite->in));
        return put(rewrite, text_span(&out));
}

static enum rewrite_outcome copy(struct rewrite *rewrite)
{
        enum lines_result result;
        struct span line;

        rewrite->progress.size = rewrite->status.st_size;
        while ((result = lines_next(&rewrite->lines, &line, &rewrite->fault)) == LINES_GIVEN) {
                if (rewrite->out == NULL && span_equals(log_line_event(line), SPAN(DONE_EVENT)))
                        return REWRITE_NOT_NEEDED;
                if (rewrite->out == NULL && (!open_new(rewrite) || !put_mark(rewrite, line)))
                        return REWRITE_FAILED;
                if (!put_hidden(rewrite, line))
                        return REWRITE_FAILED;
        }
        log_progress_end(&rewrite->progress);
        if (result == LINES_FAILED)
                return REWRITE_FAILED;
        return rewrite->out == NULL ? REWRITE_NOT_NEEDED
                                    : REWRITE_DONE; /* an empty file has nothing to hide */
}

/* ---- the exchange -------------------------------------------------------------------------------------- */

static bool sync_folder_of(const char *path)
{
        char folder[PATH_MAX];
        const char *slash = strrchr(path, '/');
        int length = slash == NULL ? 0 : (int)(slash + 1 - path);

        snprintf(folder, sizeof folder, "%.*s.", length, path);
        return aside_sync_folder(folder);
}

static bool take_place(struct rewrite *rewrite)
{
        const struct timespec times[] = {rewrite->status.st_atim, rewrite->status.st_mtim};
        int error = gzclose(rewrite->out);

        rewrite->out = NULL;
        if (error != Z_OK || futimens(rewrite->new_fd, times) != 0 || fsync(rewrite->new_fd) != 0)
                return fail_errno(rewrite);
        if (is_written_to(rewrite->old_fd) || !is_in_place(rewrite))
                return fail(rewrite, "somebody has changed it meanwhile");
        if (rename(rewrite->beside, rewrite->path) != 0 || !sync_folder_of(rewrite->path))
                return fail_errno(rewrite);
        return true;
}

static void end(struct rewrite *rewrite, enum rewrite_outcome outcome)
{
        if (rewrite->out != NULL)
                gzclose(rewrite->out);
        if (rewrite->in != NULL)
                gzclose(rewrite->in);
        if (outcome != REWRITE_DONE && rewrite->new_fd >= 0)
                unlink(rewrite->beside);
        if (rewrite->new_fd >= 0)
                close(rewrite->new_fd);
        if (rewrite->old_fd >= 0)
                close(rewrite->old_fd);
        lines_end(&rewrite->lines);
        free(rewrite->rendered);
}

enum rewrite_outcome rewrite_file(const char *path, const struct log_privacy *privacy, bool shows_progress,
                                  uint64_t *ret_lines, const char **ret_fault)
{
        static char fault[256];
        struct rewrite rewrite = {
            .path = path,
            .privacy = privacy,
            .old_fd = -1,
            .new_fd = -1,
            .rendered = malloc(LOG_RENDERED_MAX),
            .progress = {.path = path, .told_ms = clock_monotonic_ms()},
            .shows_progress = shows_progress,
        };
        enum rewrite_outcome outcome = REWRITE_FAILED;

        if (rewrite.rendered == NULL)
                fail(&rewrite, strerrordesc_np(ENOMEM));
        else if (open_old(&rewrite))
                outcome = copy(&rewrite);
        if (outcome == REWRITE_DONE && !take_place(&rewrite))
                outcome = REWRITE_FAILED;
        if (outcome == REWRITE_FAILED)
                snprintf(fault, sizeof fault, "%s", rewrite.fault); /* zlib's words end with its file */
        end(&rewrite, outcome);
        *ret_lines = rewrite.line_count;
        *ret_fault = fault;
        return outcome;
}
