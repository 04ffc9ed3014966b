/* The handler runs in any thread at any moment: it takes no lock and no memory. What it keeps is read by the main
 * thread, which may see the name of one thread and the number of calls of two. */
#include "workers/process/sandbox/refused.h"

#include "core/base/text.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef SYS_SECCOMP /* the C library's headers may be older than the kernel's, and both cannot be had */
#define SYS_SECCOMP 1
#endif

#define CALLS_MAX 600 /* higher numbers share the last place */

static const char *names[CALLS_MAX]; /* NULL: it was not asked for, or there is none */
static bool refusals_are_deadly;

static struct {
        _Atomic uint64_t count;
        _Atomic uint64_t thread[REFUSED_THREAD_MAX / sizeof(uint64_t)]; /* its name */
} refused[CALLS_MAX];
static uint64_t given[CALLS_MAX]; /* owner: the main thread */

/* Takes memory, which the handler may not. */
static void learn_name(unsigned number)
{
        if (names[number] == NULL && number < CALLS_MAX - 1)
                names[number] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);
}

static const char *name_of(unsigned number)
{
        return names[number] != NULL ? names[number] : "?";
}

/* The signal is blocked in its handler, and ends the process when that returns. */
static void die(unsigned number)
{
        char octets[160];
        struct text message;

        text_over(&message, octets, sizeof octets);
        text_put_string(&message, "gatepost: killed: the sandbox forbids the system call ");
        text_put_string(&message, name_of(number));
        text_put_string(&message, " (");
        text_put_number(&message, number);
        text_put_string(&message, ")\n");
        ssize_t ignored = write(STDERR_FILENO, octets, message.length);
        (void)ignored;
        signal(SIGSYS, SIG_DFL);
        raise(SIGSYS);
}

static void keep(unsigned number)
{
        union {
                char name[REFUSED_THREAD_MAX];
                uint64_t words[REFUSED_THREAD_MAX / sizeof(uint64_t)];
        } thread = {{0}};

        prctl(PR_GET_NAME, thread.name);
        for (size_t i = 0; i < sizeof thread.words / sizeof *thread.words; i++)
                atomic_store_explicit(&refused[number].thread[i], thread.words[i], memory_order_relaxed);
        atomic_fetch_add_explicit(&refused[number].count, 1, memory_order_release);
}

static void let_fail(ucontext_t *context)
{
#if defined(__x86_64__)
        context->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
        context->uc_mcontext.regs[0] = (unsigned long long)-EPERM;
#else
        (void)context;
#endif
}

/* Whoever sends the signal himself achieves nothing. A negative number is no call: a tracer has skipped one, and says
 * what came of it. */
static void handle(int signal_number, siginfo_t *info, void *context)
{
        (void)signal_number;
        if (info->si_code != SYS_SECCOMP || info->si_syscall < 0)
                return;
        unsigned number = info->si_syscall < CALLS_MAX ? (unsigned)info->si_syscall : CALLS_MAX - 1;
        keep(number);
        if (refusals_are_deadly)
                die(number);
        let_fail(context);
}

/* Where the signal is blocked the kernel ends the process instead, and whoever started us may have blocked it. */
bool refused_begin(bool is_deadly)
{
        struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART};
        sigset_t unblocked;

        refusals_are_deadly = is_deadly;
        for (unsigned i = 0; is_deadly && i < CALLS_MAX; i++)
                learn_name(i);
        sigfillset(&action.sa_mask);
        sigemptyset(&unblocked);
        sigaddset(&unblocked, SIGSYS);
        return sigaction(SIGSYS, &action, NULL) == 0 && pthread_sigmask(SIG_UNBLOCK, &unblocked, NULL) == 0;
}

bool refused_next(struct refusals *ret_refusals)
{
        for (unsigned i = 0; i < CALLS_MAX; i++) {
                uint64_t count = atomic_load_explicit(&refused[i].count, memory_order_acquire);
                if (count == given[i])
                        continue;
                learn_name(i);
                *ret_refusals = (struct refusals){.call = name_of(i), .number = i, .count = count - given[i]};
                for (size_t word = 0; word < REFUSED_THREAD_MAX / sizeof(uint64_t); word++) {
                        uint64_t octets =
                            atomic_load_explicit(&refused[i].thread[word], memory_order_relaxed);
                        memcpy(ret_refusals->thread + word * sizeof octets, &octets, sizeof octets);
                }
                given[i] = count;
                return true;
        }
        return false;
}
