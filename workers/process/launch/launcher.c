/* Both sides of the launcher's socket. */
#include "workers/process/launch/launcher.h"

#include "workers/process/powers.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FD      3                                       /* as systemd hands sockets over */
#define FREE_FD       (FIRST_FD + LAUNCH_DESCRIPTORS_MAX + 2) /* behind all of them */
#define LEAVE_MS      1000
#define ARGUMENTS_MAX 32
#define CANNOT_RUN    127 /* as shells tell it */

/* ---- the program --------------------------------------------------------------------------------------- */

struct program {
        const char *path;
        char *const *arguments;
        sigset_t signals; /* those that it finds blocked */
};

static void put_number(const char *variable, unsigned long number)
{
        char text[24];

        snprintf(text, sizeof text, "%lu", number);
        setenv(variable, text, 1);
}

/* A watchdog that watches us is to watch the program. */
static void put_environment(const struct launch_message *message)
{
        char names[LAUNCH_DESCRIPTORS_MAX * sizeof LAUNCH_NAME_CHANNEL] = "";
        size_t length = 0;

        for (uint32_t i = 0; i < message->kept + message->own; i++)
                length += (size_t)snprintf(names + length, sizeof names - length,
                                           "%s:", i < message->kept ? "kept" : LAUNCH_NAME_OWN);
        snprintf(names + length, sizeof names - length, LAUNCH_NAME_CHANNEL ":" LAUNCH_NAME_STDERR);
        put_number("LISTEN_FDS", (unsigned long)message->kept + message->own + 2);
        setenv("LISTEN_FDNAMES", names, 1);
        put_number("LISTEN_PID", (unsigned long)getpid());
        if (getenv("WATCHDOG_USEC") != NULL)
                put_number("WATCHDOG_PID", (unsigned long)getpid());
}

/* Up first, because one may lie where another one is to be; dup2() then gives what survives execve(). The last one
 * becomes the standard error, and what that was takes its place. */
static void put_descriptors(int *descriptors, size_t count)
{
        for (size_t i = 0; i < count; i++)
                descriptors[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, FREE_FD);
        int output = descriptors[count - 1];
        descriptors[count - 1] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FREE_FD);
        for (size_t i = 0; i < count; i++)
                dup2(descriptors[i], FIRST_FD + (int)i);
        dup2(output, STDERR_FILENO);
}

static _Noreturn void run_program(const struct program *program, const struct launch_message *message,
                                  int *descriptors)
{
        const char *arguments[ARGUMENTS_MAX + 2] = {program->path};

        for (size_t i = 0; i < ARGUMENTS_MAX && program->arguments[i] != NULL; i++)
                arguments[i + 1] = program->arguments[i];
        put_descriptors(descriptors, launch_descriptor_count(message));
        put_environment(message);
        powers_pass_on();
        sigprocmask(SIG_SETMASK, &program->signals, NULL);
        execv(program->path, (char *const *)(uintptr_t)arguments);
        fprintf(stderr, "gatepost: cannot run %s: %s\n", program->path, strerror(errno));
        _exit(CANNOT_RUN);
}

/* ---- the launcher -------------------------------------------------------------------------------------- */

struct started {
        pid_t pid; /* 0: none runs */
        int pid_fd;
};

static void report(int fd, enum launch_news news, int value)
{
        const struct launch_report report = {.news = news, .value = value};
        send(fd, &report, sizeof report, MSG_NOSIGNAL);
}

static void start(int fd, const struct program *program, const struct launch_message *message,
                  int *descriptors, struct started *started)
{
        int error = EBUSY;

        if (started->pid == 0) {
                started->pid = fork();
                error = errno;
                if (started->pid == 0)
                        run_program(program, message, descriptors);
                started->pid_fd = started->pid < 0 ? -1 : pidfd_open(started->pid, 0);
                if (started->pid < 0)
                        started->pid = 0;
                else
                        error = 0;
        }
        for (size_t i = 0; i < launch_descriptor_count(message); i++)
                close(descriptors[i]);
        report(fd, error == 0 ? LAUNCH_HAS_STARTED : LAUNCH_REFUSED, error == 0 ? started->pid : error);
}

static void reap(int fd, struct started *started)
{
        int status = 0;

        waitpid(started->pid, &status, 0);
        close(started->pid_fd);
        *started = (struct started){.pid_fd = -1};
        report(fd, LAUNCH_HAS_ENDED, status);
}

static void obey(int fd, const struct program *program, struct started *started)
{
        int descriptors[LAUNCH_DESCRIPTORS_MAX];
        struct launch_message message;
        enum launch_receipt receipt = launch_message_receive(fd, &message, descriptors);

        if (receipt == LAUNCH_MALFORMED) {
                report(fd, LAUNCH_REFUSED, EBADMSG);
                return;
        }
        if (receipt == LAUNCH_GONE || message.order == LAUNCH_LEAVE)
                _exit(0);
        if (message.order == LAUNCH_START)
                start(fd, program, &message, descriptors, started);
        else if (started->pid != 0)
                kill(started->pid, SIGKILL);
}

static _Noreturn void run(int fd, const struct program *program)
{
        struct started started = {.pid_fd = -1};

        for (;;) {
                struct pollfd events[] = {{.fd = fd, .events = POLLIN},
                                          {.fd = started.pid_fd, .events = POLLIN}};
                if (poll(events, 2, -1) < 0)
                        continue;
                if (events[1].revents != 0)
                        reap(fd, &started);
                if (events[0].revents != 0)
                        obey(fd, program, &started);
        }
}

/* A signal for all processes of a terminal, or of a unit, is meant for the server; the launcher ends with that. Whoever
 * is in the sandbox may not leave it through the memory of a process that is not. */
static _Noreturn void become_launcher(int fd, const struct program *program)
{
        sigset_t all;

        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        prctl(PR_SET_DUMPABLE, 0);
        prctl(PR_SET_NAME, "launcher");
        close_range(FIRST_FD, (unsigned)fd - 1, 0);
        close_range((unsigned)fd + 1, ~0u, 0);
        malloc_trim(0);
        run(fd, program);
}

/* ---- the server's side --------------------------------------------------------------------------------- */

bool launcher_begin(struct launcher *launcher, char *const *arguments, int standard_error,
                    void (*forget)(void *argument), void *argument)
{
        /* As it was named at the start: what lies there after an installation is meant, and not what runs. */
        struct program program = {.path = (const char *)(uintptr_t)getauxval(AT_EXECFN),
                                  .arguments = arguments};
        int pair[2];

        launcher->fd = -1;
        sigprocmask(SIG_SETMASK, NULL, &program.signals);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
                return false;
        pid_t pid = fork();
        if (pid == 0) {
                forget(argument);
                if (standard_error >= 0)
                        dup2(standard_error, STDERR_FILENO);
                become_launcher(pair[1], &program);
        }
        int error = errno;
        close(pair[1]);
        if (pid > 0)
                launcher->fd = pair[0];
        else
                close(pair[0]);
        errno = error;
        return pid > 0;
}

bool launcher_order(const struct launcher *launcher, const struct launch_message *message,
                    const int *descriptors)
{
        return launch_message_send(launcher->fd, message, descriptors, launch_descriptor_count(message));
}

bool launcher_hear(const struct launcher *launcher, int wait_ms, struct launch_report *ret_report)
{
        struct pollfd event = {.fd = launcher->fd, .events = POLLIN};

        return poll(&event, 1, wait_ms) == 1 && recv(launcher->fd, ret_report, sizeof *ret_report,
                                                     MSG_DONTWAIT) == (ssize_t)sizeof *ret_report;
}

void launcher_dismiss(struct launcher *launcher)
{
        struct launch_report ignored;

        if (launcher->fd < 0)
                return;
        if (launcher_order(launcher, &(struct launch_message){.order = LAUNCH_LEAVE}, NULL))
                launcher_hear(launcher, LEAVE_MS, &ignored);
        close(launcher->fd);
        launcher->fd = -1;
}
