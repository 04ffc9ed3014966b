/* Root's powers are given up for good: real, effective and saved ids change together. */
#include "workers/process/user.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of the capabilities that have survived the change of user, only this one stays. In containers root may not
 * have it. */
static bool keep_low_ports(void)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) != 0)
                return false;
        data[0].permitted &= 1u << CAP_NET_BIND_SERVICE;
        data[0].effective = data[0].permitted;
        data[1].permitted = data[1].effective = 0;
        data[0].inheritable = data[1].inheritable = 0;
        return syscall(SYS_capset, &header, data) == 0;
}

static bool change(const struct passwd *user)
{
        return prctl(PR_SET_KEEPCAPS, 1) == 0 && initgroups(user->pw_name, user->pw_gid) == 0 &&
               setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
               setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0 && prctl(PR_SET_KEEPCAPS, 0) == 0 &&
               keep_low_ports();
}

const char *user_become(const char *name, bool *ret_has_changed)
{
        *ret_has_changed = false;
        if (name[0] == '\0')
                return NULL;
        errno = 0;
        const struct passwd *user = getpwnam(name);
        if (user == NULL)
                return errno == 0 || errno == ENOENT ? "this machine has no such user"
                                                     : strerrordesc_np(errno);
        if (user->pw_uid == 0)
                return "this is root; --as-root is what keeps a server root";
        if (geteuid() == user->pw_uid)
                return NULL;
        if (geteuid() != 0)
                return "only root can become another user";
        if (!change(user))
                return strerrordesc_np(errno);
        *ret_has_changed = true;
        return NULL;
}
