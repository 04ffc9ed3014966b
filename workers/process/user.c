/* Root's powers are given up for good: real, effective and saved ids change together. */
#include "workers/process/user.h"

#include "workers/process/powers.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The user, whom only root needs to look for in vain: NULL with the reason, or NULL without one for nobody. */
static const struct passwd *find(const char *name, const char **ret_fault)
{
        *ret_fault = NULL;
        if (name[0] == '\0')
                return NULL;
        errno = 0;
        const struct passwd *user = getpwnam(name);
        if (user == NULL)
                *ret_fault =
                    errno == 0 || errno == ENOENT ? "this machine has no such user" : strerrordesc_np(errno);
        else if (user->pw_uid == 0)
                *ret_fault = "this is root; --as-root is what keeps a server root";
        else if (geteuid() != user->pw_uid && geteuid() != 0)
                *ret_fault = "only root can become another user";
        return *ret_fault == NULL ? user : NULL;
}

const char *user_fault(const char *name)
{
        const char *fault;

        find(name, &fault);
        return fault;
}

/* The bounding set can be emptied only while root's capabilities are there. */
static bool change(const struct passwd *user, bool keeps_low_ports)
{
        return powers_bound(keeps_low_ports) && prctl(PR_SET_KEEPCAPS, 1) == 0 &&
               initgroups(user->pw_name, user->pw_gid) == 0 &&
               setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
               setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0 && prctl(PR_SET_KEEPCAPS, 0) == 0 &&
               powers_drop(keeps_low_ports);
}

const char *user_become(const char *name, bool keeps_low_ports, bool *ret_has_changed)
{
        const char *fault;
        const struct passwd *user = find(name, &fault);

        *ret_has_changed = false;
        if (user == NULL || geteuid() == user->pw_uid)
                return fault;
        if (!change(user, keeps_low_ports))
                return strerrordesc_np(errno);
        *ret_has_changed = true;
        return NULL;
}

bool user_become_of(const char *name)
{
        bool has_changed;
        const char *fault = geteuid() != 0 ? NULL : user_become(name, false, &has_changed);

        if (fault != NULL)
                fprintf(stderr, "gatepost: user = \"%s\": %s\n", name, fault);
        return fault == NULL;
}
