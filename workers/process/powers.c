/* By the system calls themselves: the library for this would be one more to trust. */
#include "workers/process/powers.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPABILITIES_MAX 64 /* so many bits the kernel has for them */

struct capabilities {
        struct __user_cap_header_struct header;
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static bool get(struct capabilities *ret_capabilities)
{
        ret_capabilities->header = (struct __user_cap_header_struct){.version = _LINUX_CAPABILITY_VERSION_3};
        return syscall(SYS_capget, &ret_capabilities->header, ret_capabilities->data) == 0;
}

bool powers_bound(bool keeps_low_ports)
{
        for (unsigned long capability = 0; capability < CAPABILITIES_MAX; capability++) {
                int is_there = prctl(PR_CAPBSET_READ, capability);
                /* The kernel knows fewer. */
                if (is_there < 0)
                        return true;
                bool stays = keeps_low_ports && capability == CAP_NET_BIND_SERVICE;
                if (is_there > 0 && !stays && prctl(PR_CAPBSET_DROP, capability) != 0)
                        return false;
        }
        return true;
}

/* In containers root may not have the capability that is to stay. */
bool powers_drop(bool keeps_low_ports)
{
        const uint32_t kept = keeps_low_ports ? 1u << CAP_NET_BIND_SERVICE : 0;
        struct capabilities capabilities;

        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 || !get(&capabilities))
                return false;
        capabilities.data[0].permitted &= kept;
        capabilities.data[0].effective = capabilities.data[0].permitted;
        capabilities.data[1].permitted = capabilities.data[1].effective = 0;
        capabilities.data[0].inheritable = capabilities.data[1].inheritable = 0;
        return syscall(SYS_capset, &capabilities.header, capabilities.data) == 0;
}

/* Ambient are those that a program keeps which has no capabilities of its own. Root needs none of this. */
void powers_pass_on(void)
{
        struct capabilities capabilities;

        if (geteuid() == 0 || !get(&capabilities))
                return;
        for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
                capabilities.data[i].inheritable = capabilities.data[i].permitted;
        if (syscall(SYS_capset, &capabilities.header, capabilities.data) != 0)
                return;
        for (unsigned long capability = 0; capability < CAPABILITIES_MAX; capability++)
                if ((capabilities.data[capability / 32].permitted & UINT32_C(1) << capability % 32) != 0)
                        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
}

bool powers_has_low_ports(void)
{
        struct capabilities capabilities;

        return get(&capabilities) && (capabilities.data[0].effective & 1u << CAP_NET_BIND_SERVICE) != 0;
}

void powers_hide(void)
{
        prctl(PR_SET_DUMPABLE, 0);
}

/* A change of user has made the process undumpable, so that it must be said in either case. */
bool powers_close(bool may_dump)
{
        struct rlimit limit;

        umask(S_IRWXG | S_IRWXO);
        if (getrlimit(RLIMIT_CORE, &limit) != 0)
                return false;
        limit.rlim_cur = may_dump ? limit.rlim_max : 0;
        return setrlimit(RLIMIT_CORE, &limit) == 0 && prctl(PR_SET_DUMPABLE, may_dump ? 1 : 0) == 0 &&
               prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}
