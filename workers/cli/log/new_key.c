/* Makes keys by chance, and forgets old ones. */
#include "workers/cli/log/new_key.h"

#include "conf/build/log_keys.h"
#include "core/base/date.h"
#include "dns/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_S       86400
#define DAY_LENGTH  10 /* 2026-11-29 */
#define SECRET_SIZE (PSEUDONYM_SECRET_HEX / 2)

static bool complain(const char *path)
{
        fprintf(stderr, "gatepost: %s: %s\n", path, strerror(errno));
        return false;
}

/* In the form of a key's day. */
static uint32_t day_of(int64_t wall_s)
{
        char octets[DATE_TEXT_LENGTH];
        struct text date;
        uint32_t day = 0;

        text_over(&date, octets, sizeof octets);
        date_write(&date, wall_s);
        pseudonym_day_read(text_span(&date), &day);
        return day;
}

/* False when there are keys, but they cannot be read. */
static bool read_keys(struct pseudonym_keys *keys, const char *path)
{
        struct conf_complaints complaints = {0};
        bool is_read = access(path, F_OK) != 0 && errno == ENOENT;

        if (!is_read)
                is_read = log_keys_read_any(keys, path, &(struct place){path, 0}, &complaints);
        if (complaints.text != NULL)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        return is_read;
}

/* Comments stay, and of the keys all but the first `skipped`. */
static void copy(FILE *out, const char *path, size_t skipped)
{
        FILE *in = fopen(path, "re");
        char *line = NULL;
        size_t size = 0;
        uint32_t day;

        for (ssize_t length; in != NULL && (length = getline(&line, &size, in)) > 0;) {
                bool is_key = pseudonym_day_read(span_trim(span_of(line, (size_t)length)), &day);
                if (is_key && skipped > 0)
                        skipped--;
                else
                        fprintf(out, "%s%s", line, line[length - 1] == '\n' ? "" : "\n");
        }
        if (line != NULL)
                explicit_bzero(line, size);
        free(line);
        if (in != NULL)
                fclose(in);
}

static bool put_key(FILE *out, int64_t from_s)
{
        char octets[DAY_LENGTH + DATE_TEXT_LENGTH + 2 + PSEUDONYM_SECRET_HEX];
        uint8_t secret[SECRET_SIZE];
        struct text line;

        if (getentropy(secret, sizeof secret) != 0)
                return false;
        text_over(&line, octets, sizeof octets);
        date_write(&line, from_s);
        line.length = DAY_LENGTH;
        text_put_char(&line, ':');
        text_put_hex(&line, secret, sizeof secret);
        text_put_char(&line, '\n');
        bool is_put = fwrite(line.at, 1, line.length, out) == line.length;
        explicit_bzero(octets, sizeof octets);
        explicit_bzero(secret, sizeof secret);
        return is_put;
}

/* A file that is to take the place of `path`, with its owner and mode. */
static FILE *open_beside(const char *path, const char *beside)
{
        struct stat status;
        bool is_there = stat(path, &status) == 0;

        unlink(beside);
        int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        bool is_own = is_there && status.st_uid == geteuid() && status.st_gid == getegid();
        if (fd < 0 || (is_there && !is_own && fchown(fd, status.st_uid, status.st_gid) != 0) ||
            (is_there && fchmod(fd, status.st_mode & 0770) != 0)) {
                if (fd >= 0)
                        close(fd);
                return NULL;
        }
        return fdopen(fd, "w");
}

static bool write_keys(const char *path, size_t skipped, int64_t from_s)
{
        char beside[PATH_MAX];

        if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) {
                errno = ENAMETOOLONG;
                return complain(path);
        }
        FILE *out = open_beside(path, beside);
        if (out == NULL)
                return complain(beside);
        copy(out, path, skipped);
        bool is_written = put_key(out, from_s) && fflush(out) == 0 && fsync(fileno(out)) == 0;
        is_written &= fclose(out) == 0;
        return (is_written && rename(beside, path) == 0) || complain(beside);
}

bool new_key_add(const struct new_key_wish *wish)
{
        struct pseudonym_keys *keys = calloc(1, sizeof *keys);
        int64_t now_s = clock_wall_s(), tomorrow_s = now_s + DAY_S;
        uint32_t last_day = day_of(tomorrow_s - (int64_t)(wish->period_ms / 1000));

        if (keys == NULL || !read_keys(keys, wish->path)) {
                free(keys);
                return false;
        }
        size_t count = keys->count;
        bool is_due = count == 0 || keys->keys[count - 1].day <= last_day;
        bool is_of_future = count > 0 && keys->keys[count - 1].day > day_of(tomorrow_s);
        free(keys);
        if (is_of_future) {
                fprintf(
                    stderr,
                    "gatepost: the last key of %s is from a day to come, as of a clock that was ahead: no "
                    "other can follow it until then; take its line out\n",
                    wish->path);
                return false;
        }
        if (!is_due) {
                printf("no key is due\n");
                return true;
        }
        /* A server that goes over to another key does so at midnight, when it has read this in time. */
        int64_t from_s = count == 0 ? now_s : tomorrow_s;
        if (!write_keys(wish->path, count < wish->kept ? 0 : count + 1 - wish->kept, from_s))
                return false;
        printf("a key for %u and later, and %zu before it\n", day_of(from_s),
               count < wish->kept ? count : (size_t)wish->kept - 1);
        return true;
}
