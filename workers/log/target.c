/* Opens logs, and gives lines the form that they have there. */
#include "workers/log/target.h"

#include "conf/build/log_keys.h"
#include "workers/log/console.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <syslog.h>
#include <unistd.h>

/* ---- opening ------------------------------------------------------------------------------------------- */

const char *log_file_fault(int fd)
{
        struct stat status;
        struct statfs system;

        if (fstat(fd, &status) != 0 || fstatfs(fd, &system) != 0)
                return strerrordesc_np(errno);
        if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
                return "neither a file nor a FIFO nor a character device";
        /* What calls itself a file there is the kernel, or memory of a process. */
        if (S_ISREG(status.st_mode) && (system.f_type == PROC_SUPER_MAGIC || system.f_type == SYSFS_MAGIC))
                return "not a file, but a part of the kernel";
        return NULL;
}

/* Where we were started without one, what stands in its place takes nothing. */
static const char *stderr_fault(int fd)
{
        return (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY ? strerrordesc_np(EBADF) : NULL;
}

static int open_path(const char *path, const char **ret_fault)
{
        bool is_stderr = strcmp(path, "stderr") == 0;
        /* A FIFO that nobody reads is an error, and not waited for. */
        int fd = is_stderr ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
                           : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640);

        *ret_fault = fd < 0 ? strerrordesc_np(errno) : is_stderr ? stderr_fault(fd) : log_file_fault(fd);
        if (fd >= 0 && *ret_fault != NULL) {
                close(fd);
                return -1;
        }
        if (fd >= 0 && !is_stderr)
                fcntl(fd, F_SETFL, O_WRONLY | O_APPEND);
        return fd;
}

struct log_target *log_target_of(int fd)
{
        struct log_target *target = calloc(1, sizeof *target);

        if (target == NULL) {
                close(fd);
                return NULL;
        }
        target->fd = fd;
        return target;
}

/* Those of the snapshot where the file cannot be read now. */
static void read_keys(struct log_target *target, const struct snapshot *snapshot)
{
        const char *path = snapshot->options.log_pseudonym_key_file;
        struct conf_complaints complaints = {0};

        if (!log_keys_read(&target->keys, path, &(struct place){path, 0}, &complaints)) {
                console_warn("gatepost: %s: the former keys stay in use", path);
                target->keys = *snapshot->log_keys;
        }
        conf_complaints_end(&complaints);
}

static bool give_form(struct log_target *target, const struct snapshot *snapshot)
{
        const struct options *options = &snapshot->options;

        target->has_priorities = console_is_journal(target->fd);
        if (snapshot->log_keys != NULL) {
                read_keys(target, snapshot);
                target->privacy = (struct log_privacy){.keys = &target->keys,
                                                       .prefix4 = (uint8_t)options->log_prefix4,
                                                       .prefix6 = (uint8_t)options->log_prefix6};
        }
        if (log_target_has_form(target))
                target->rendered = malloc(LOG_RENDERED_MAX);
        return !log_target_has_form(target) || target->rendered != NULL;
}

struct log_target *log_open(const struct snapshot *snapshot, const char **ret_fault)
{
        int fd = open_path(snapshot->options.log, ret_fault);
        struct log_target *target = fd < 0 ? NULL : log_target_of(fd);

        if (target != NULL && give_form(target, snapshot))
                return target;
        if (fd >= 0)
                *ret_fault = strerrordesc_np(ENOMEM);
        log_target_free(target);
        return NULL;
}

void log_target_free(struct log_target *target)
{
        if (target == NULL)
                return;
        close(target->fd);
        explicit_bzero(&target->keys, sizeof target->keys);
        free(target->rendered);
        free(target);
}

/* ---- rendering ----------------------------------------------------------------------------------------- */

static const struct {
        const char *name;
        int priority;
} events[] = {
#define LOG_EVENT(name, priority) {#name, LOG_##priority},
#include "workers/log/events.def"
};

static int priority_of(struct span line)
{
        struct span event = log_line_event(line);

        for (size_t i = 0; i < sizeof events / sizeof *events; i++)
                if (span_equals(event, span_from(events[i].name)))
                        return events[i].priority;
        return LOG_INFO;
}

bool log_target_has_form(const struct log_target *target)
{
        return target->has_priorities || target->privacy.keys != NULL;
}

void log_target_render(const struct log_target *target, struct span line, struct text *out)
{
        if (target->has_priorities) {
                text_put_char(out, '<');
                text_put_number(out, (uint64_t)priority_of(line));
                text_put_char(out, '>');
        }
        if (target->privacy.keys != NULL)
                log_line_hide(&target->privacy, line, out);
        else
                text_put(out, line);
}
