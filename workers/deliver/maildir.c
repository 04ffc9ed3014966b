/* Maildir files: names, writing, linking, moving, syncing. */
#include "workers/deliver/maildir.h"

#include "core/base/expect.h"
#include "dns/clock.h"
#include "workers/deliver/pieces.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#define PIECES_MAX     256
#define MAILBOX_OCTETS 200 /* of a mailbox in a path: a component has 255, and the template may add some */
#define MAILBOX_BEGINS 150 /* of one that is longer, before its digest */

/* ---- names --------------------------------------------------------------------------------------------- */

/* The convention of Maildir for host names in file names: '/' and ':' as octal numbers. */
void mail_namer_init(struct mail_namer *namer, uint32_t thread)
{
        char name[65] = "localhost";
        struct text host;

        *namer = (struct mail_namer){.thread = thread};
        gethostname(name, sizeof name - 1);
        text_over(&host, namer->host, sizeof namer->host - 1);
        for (const char *c = name; *c != '\0'; c++) {
                if (*c == '/' || *c == ':')
                        text_printf(&host, "\\%03o", (unsigned)*c);
                else
                        text_put_char(&host, *c);
        }
}

static void name_mail(struct mail *mail, struct mail_namer *namer)
{
        int64_t now_us = clock_wall_us();
        snprintf(mail->name, sizeof mail->name, "%lld.M%06lldP%ldT%uQ%llu.%s", (long long)(now_us / 1000000),
                 (long long)(now_us % 1000000), (long)getpid(), (unsigned)namer->thread,
                 (unsigned long long)namer->count++, namer->host);
}

/* One path component out of any octets: no '/', no leading '.', nothing that a shell or a terminal could
 * stumble over. */
static void put_component(struct text *path, struct span octets)
{
        for (size_t i = 0; i < octets.length; i++) {
                char c = octets.at[i];
                bool is_plain = ascii_is_alnum(c) || (c != '\0' && strchr("_+=@.-", c) != NULL);
                if (is_plain && !(c == '.' && i == 0))
                        text_put_char(path, c);
                else
                        text_printf(path, "%%%02X", (unsigned)(unsigned char)c);
        }
        if (octets.length == 0)
                text_put(path, SPAN("%"));
}

/* The mailbox that a path shows only the beginning of is told from others by a digest of all of it. No component
 * holds "%=" otherwise: a percent sign has two digits behind it. */
static void put_mailbox(struct text *path, struct span local_part)
{
        size_t before = path->length, kept = MAILBOX_BEGINS;
        XXH128_canonical_t digest;

        put_component(path, local_part);
        if (path->overflowed || path->length - before <= MAILBOX_OCTETS)
                return;
        const char *component = path->at + before;
        while (component[kept - 1] == '%' || component[kept - 2] == '%')
                kept--;
        path->length = before + kept;
        XXH128_canonicalFromHash(&digest, XXH3_128bits(local_part.at, local_part.length));
        text_put(path, SPAN("%="));
        text_put_hex(path, digest.digest, sizeof digest.digest);
}

bool maildir_path_write(struct text *path, const char *path_template, struct span domain,
                        struct span local_part)
{
        size_t before = path->length;

        for (const char *c = path_template; *c != '\0'; c++) {
                if (c[0] == '%' && c[1] == 'd')
                        put_component(path, domain);
                else if (c[0] == '%' && c[1] == 'u')
                        put_mailbox(path, local_part);
                else
                        text_put_char(path, *c);
                if (c[0] == '%' && c[1] != '\0')
                        c++; /* of "%%" the first one was written */
        }
        text_put_char(path, '\0');
        if (!path->overflowed)
                return true;
        path->length = before;
        return false;
}

static bool put_path(char path[static PATH_MAX], const char *mailbox, const char *folder, const char *name)
{
        int length = snprintf(path, PATH_MAX, "%s/%s/%s", mailbox, folder, name);
        if (length < PATH_MAX)
                return true;
        errno = ENAMETOOLONG;
        return false;
}

/* ---- directories --------------------------------------------------------------------------------------- */

static bool directory_sync(const char *path)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return false;
        bool is_synced = fsync(fd) == 0;
        int error = errno;
        close(fd);
        errno = error;
        return is_synced;
}

/* Creates `path` and what is missing above it, durably. Another thread may be at the same work: then both
 * sync. */
static bool directory_make(char *path)
{
        char *slash = strrchr(path, '/');
        bool is_made = mkdir(path, 0700) == 0 || errno == EEXIST;

        if (slash == NULL || slash == path)
                return is_made;
        if (!is_made && errno == ENOENT) {
                *slash = '\0';
                bool has_parent = directory_make(path);
                *slash = '/';
                is_made = has_parent && (mkdir(path, 0700) == 0 || errno == EEXIST);
        }
        if (!is_made)
                return false;
        *slash = '\0';
        bool is_synced = directory_sync(path);
        *slash = '/';
        return is_synced;
}

static bool maildir_make(const char *mailbox)
{
        static const char *const folders[] = {"cur", "new", "tmp"};
        char path[PATH_MAX];

        for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
                if (!put_path(path, mailbox, folders[i], ""))
                        return false;
                path[strlen(path) - 1] = '\0';
                if (!directory_make(path))
                        return false;
        }
        return true;
}

bool maildir_sync_new(const char *mailbox)
{
        char path[PATH_MAX];
        return put_path(path, mailbox, "new", "") && directory_sync(path);
}

/* ---- text ---------------------------------------------------------------------------------------------- */

/* Gathers pieces for one writev(). */
struct gather {
        int fd, count;
        struct iovec pieces[PIECES_MAX];
};

static bool gather_flush(struct gather *gather)
{
        struct iovec *piece = gather->pieces;
        int count = gather->count;

        gather->count = 0;
        while (count > 0) {
                ssize_t written = writev(gather->fd, piece, count);
                if (written < 0 && errno == EINTR)
                        continue;
                if (written < 0)
                        return false;
                pieces_skip(&piece, &count, (size_t)written);
        }
        return true;
}

static bool gather_add(struct gather *gather, const char *at, size_t length)
{
        if (length == 0)
                return true;
        gather->pieces[gather->count++] =
            (struct iovec){.iov_base = (void *)(uintptr_t)at, .iov_len = length};
        return gather->count < PIECES_MAX || gather_flush(gather);
}

/* Each CR in the text is one before a LF: messages with others have been refused. */
static bool gather_without_cr(struct gather *gather, struct span octets)
{
        size_t cr;
        while ((cr = span_find(octets, '\r')) != SIZE_MAX) {
                if (!gather_add(gather, octets.at, cr))
                        return false;
                octets = span_skip(octets, cr + 1);
        }
        return gather_add(gather, octets.at, octets.length);
}

static bool gather_content(struct gather *gather, const struct content *content, enum newline_form newline)
{
        for (const struct content_block *block = content->first; block != NULL; block = block->next) {
                struct span octets = span_of(block->octets, block->length);
                bool is_added = newline == NEWLINE_LF ? gather_without_cr(gather, octets)
                                                      : gather_add(gather, octets.at, octets.length);
                if (!is_added)
                        return false;
        }
        return gather_flush(gather);
}

bool mail_write(struct mail *mail, const struct content *content, enum newline_form newline)
{
        struct gather gather = {.fd = mail->fd, .count = 0};
        return gather_content(&gather, content, newline);
}

/* ---- steps --------------------------------------------------------------------------------------------- */

/* Opens a new file in tmp/ of the copy; makes the Maildir when there is none. */
static int create_in_tmp(const struct mail *mail, struct mail_copy *copy)
{
        char path[PATH_MAX];

        if (!put_path(path, copy->mailbox, "tmp", mail->name))
                return -1;
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno == ENOENT && maildir_make(copy->mailbox))
                fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        copy->is_in_tmp = fd >= 0;
        return fd;
}

bool mail_begin(struct mail *mail, struct mail_namer *namer, struct mail_copy *copy,
                const struct content *content, enum newline_form newline)
{
        name_mail(mail, namer);
        mail->fd = create_in_tmp(mail, copy);
        if (mail->fd < 0)
                return false;
        struct gather gather = {.fd = mail->fd, .count = 0};
        return gather_add(&gather, copy->front.at, copy->front.length) &&
               gather_content(&gather, content, newline);
}

/* Some file systems tell only now what they could not write. */
static bool close_checked(int *fd)
{
        int file = *fd;
        *fd = -1;
        return close(file) == 0;
}

static bool sync_and_close(int *fd)
{
        bool is_synced = fsync(*fd) == 0;
        int error = errno;
        if (!close_checked(fd) && is_synced)
                return false;
        errno = error;
        return is_synced;
}

bool mail_sync(struct mail *mail)
{
        return sync_and_close(&mail->fd);
}

bool mail_close(struct mail *mail)
{
        return close_checked(&mail->fd);
}

static bool copy_octets(int from, int to)
{
        ssize_t copied;
        while ((copied = copy_file_range(from, NULL, to, NULL, SSIZE_MAX, 0)) > 0)
                continue;
        if (copied == 0)
                return true;
        /* Not between these file systems. Nothing has been copied yet. */
        char octets[16384];
        while ((copied = read(from, octets, sizeof octets)) > 0) {
                struct gather gather = {.fd = to, .count = 0};
                if (!gather_add(&gather, octets, (size_t)copied) || !gather_flush(&gather))
                        return false;
        }
        return copied == 0;
}

static bool write_front(int file, struct span front)
{
        struct gather gather = {.fd = file, .count = 0};
        return gather_add(&gather, front.at, front.length) && gather_flush(&gather);
}

/* For fronts that differ, and for file systems without, or with too many, hard links. */
static bool copy_into(const struct mail *mail, const char *first_path, const struct mail_copy *first,
                      struct mail_copy *copy)
{
        copy->is_elsewhere = true;
        int from = open(first_path, O_RDONLY | O_CLOEXEC);
        if (from < 0)
                return false;
        int to = create_in_tmp(mail, copy);
        bool is_copied = to >= 0 && write_front(to, copy->front) &&
                         lseek(from, (off_t)first->front.length, SEEK_SET) >= 0 && copy_octets(from, to);
        int error = errno;
        if (to >= 0 && is_copied) {
                is_copied = sync_and_close(&to);
                error = errno;
        } else if (to >= 0) {
                close(to);
        }
        close(from);
        errno = error;
        return is_copied;
}

bool mail_link(const struct mail *mail, const struct mail_copy *first, struct mail_copy *copy)
{
        char from[PATH_MAX], to[PATH_MAX];

        if (!put_path(from, first->mailbox, "tmp", mail->name) ||
            !put_path(to, copy->mailbox, "tmp", mail->name))
                return false;
        if (!span_equals(first->front, copy->front))
                return copy_into(mail, from, first, copy);
        if (link(from, to) != 0 && (errno != ENOENT || !maildir_make(copy->mailbox) || link(from, to) != 0)) {
                if (errno == EXDEV || errno == EMLINK || errno == EPERM || errno == EOPNOTSUPP)
                        return copy_into(mail, from, first, copy);
                return false;
        }
        copy->is_in_tmp = true;
        return true;
}

bool mail_publish(const struct mail *mail, struct mail_copy *copy)
{
        char from[PATH_MAX], to[PATH_MAX];

        if (!put_path(from, copy->mailbox, "tmp", mail->name) ||
            !put_path(to, copy->mailbox, "new", mail->name))
                return false;
        if (rename(from, to) != 0 &&
            (errno != ENOENT || !maildir_make(copy->mailbox) || rename(from, to) != 0))
                return false;
        copy->is_in_tmp = false;
        copy->is_in_new = true;
        return true;
}

void mail_undo(struct mail *mail, struct mail_copy *copies)
{
        char path[PATH_MAX];

        if (mail->fd >= 0)
                close(mail->fd);
        mail->fd = -1;
        for (struct mail_copy *copy = copies; copy != NULL; copy = copy->next) {
                if ((copy->is_in_tmp || copy->is_in_new) &&
                    put_path(path, copy->mailbox, copy->is_in_new ? "new" : "tmp", mail->name))
                        unlink(path);
                copy->is_in_tmp = copy->is_in_new = false;
        }
}
