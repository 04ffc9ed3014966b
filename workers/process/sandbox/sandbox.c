/* The filter of system calls. */
#include "workers/process/sandbox/sandbox.h"

#include "core/base/address_sanitizer.h"
#include "core/base/thread_sanitizer.h"
#include "workers/log/console.h"
#include "workers/process/sandbox/refused.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Sanitizers trace the process by another one, which blocks the signal that tells of a refusal: with them the sandbox
 * only observes. */
#if defined(IS_THREAD_SANITIZED) || defined(IS_ADDRESS_SANITIZED)
#define ENFORCED_ACTION SCMP_ACT_LOG
#else
#define ENFORCED_ACTION REFUSED_ACTION
#endif

struct row {
        int call;
        bool has_condition;
        struct scmp_arg_cmp condition;
};

static const struct row rows[] = {
#define CALL(name) {.call = SCMP_SYS(name)},
#define CALL_WITH(name, argument, mask, value)                                                               \
        {SCMP_SYS(name), true, {argument, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(mask), (scmp_datum_t)(value)}},
#include "workers/process/sandbox/calls.def"
};

const char *sandbox_mode_word(enum sandbox_mode mode)
{
        static const char *const words[] = {"off", "observe", "enforce", "kill"};
        return words[mode];
}

/* A negative number stands for a call that this architecture does not have. Of two rows of one call the second may say
 * what the first has said already. */
static int add(scmp_filter_ctx filter, uint32_t action, const struct row *row)
{
        if (row->call < 0)
                return 0;
        int error = row->has_condition ? seccomp_rule_add(filter, action, row->call, 1, row->condition)
                                       : seccomp_rule_add(filter, action, row->call, 0);
        return error == -EEXIST ? 0 : error;
}

/* What cannot stand in the table. The C library starts threads and processes while it blocks all signals, so that a
 * refusal by signal would end the program: these two are refused without a word. clone3() seems not to be there, and
 * then the library calls clone(). */
static int add_special(scmp_filter_ctx filter)
{
        const struct row own_thread = {
            SCMP_SYS(tgkill), true, {0, SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)getpid()}};
        const struct row anything = {.call = SCMP_SYS(clone3)};
        int error = add(filter, SCMP_ACT_ALLOW, &own_thread);

        if (error == 0)
                error = add(filter, SCMP_ACT_ERRNO(ENOSYS), &anything);
        const struct row process = {
            SCMP_SYS(clone), true, {0, SCMP_CMP_MASKED_EQ, (scmp_datum_t)CLONE_THREAD, 0}};
        return error == 0 && ENFORCED_ACTION != SCMP_ACT_LOG ? add(filter, SCMP_ACT_ERRNO(EPERM), &process)
                                                             : error;
}

static int fill(scmp_filter_ctx filter)
{
        int error = add_special(filter);

        for (size_t i = 0; i < sizeof rows / sizeof *rows && error == 0; i++)
                error = add(filter, SCMP_ACT_ALLOW, &rows[i]);
        return error;
}

/* A binary tree (OPTIMIZE 2) is quicker than a list of a hundred comparisons. TSYNC, though no other thread is meant to
 * be there: one that a library has started would otherwise be free. */
static int load(scmp_filter_ctx filter, enum sandbox_mode mode)
{
        int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);

        if (error == 0)
                error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
        if (error == 0)
                error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
                                         mode == SANDBOX_OBSERVE ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS);
        if (error == 0)
                error = fill(filter);
        return error == 0 ? seccomp_load(filter) : error;
}

bool sandbox_enter(enum sandbox_mode mode)
{
        if (mode == SANDBOX_OFF)
                return true;
        scmp_filter_ctx filter = seccomp_init(mode == SANDBOX_OBSERVE ? SCMP_ACT_LOG : ENFORCED_ACTION);
        int error = filter == NULL ? -ENOMEM : load(filter, mode);

        seccomp_release(filter);
        if (error == 0 && (mode == SANDBOX_OBSERVE || refused_begin(mode == SANDBOX_KILL)))
                return true;
        console_fail("gatepost: this kernel has no sandbox for us (%s); sandbox = off serves without one",
                     strerror(error == 0 ? errno : -error));
        return false;
}
