/* What root may read is read again by the user that it becomes, for so a reload will: what that user may not read is
 * found at the start, and not at the first reload. */
#include "workers/process/first.h"

#include "conf/build/load.h"
#include "workers/log/console.h"
#include "workers/process/powers.h"
#include "workers/process/sandbox/sandbox.h"
#include "workers/process/user.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct snapshot *load(const char *path)
{
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load(path, &complaints);

        console_complaints(complaints.text);
        conf_complaints_end(&complaints);
        return snapshot;
}

/* Before anything is opened for it. */
static bool may_serve(const struct first_wish *wish, const char *user)
{
        const char *fault = user_fault(user);

        if (fault != NULL)
                console_fail("gatepost: user = \"%s\": %s", user, fault);
        else if (user[0] == '\0' && geteuid() == 0 && !wish->may_be_root)
                console_fail(
                    "gatepost: started as root: name the user that it is to become by the option `user` in "
                    "%s, or say --as-root",
                    wish->path);
        else
                return true;
        return false;
}

/* Takes the snapshot, and gives it or the one that the user has read in its place. */
static struct snapshot *become(const char *path, struct snapshot *snapshot)
{
        const struct options *options = &snapshot->options;
        bool has_changed;
        const char *fault = user_become(options->user, options->keep_bind_capability, &has_changed);

        if (fault != NULL)
                console_fail("gatepost: user = \"%s\": %s", options->user, fault);
        else if (!has_changed)
                return snapshot;
        snapshot_free(snapshot);
        return has_changed ? load(path) : NULL;
}

/* The sandbox maps no more code, and modules may be named by the machine's openssl.cnf: FIPS, post-quantum. Where that
 * fails, so does the first use of TLS, which tells why. */
static void load_modules(void)
{
        OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
        ERR_clear_error();
}

/* Root that stays root keeps what root may. */
static bool close_down(const struct first_wish *wish, struct snapshot *snapshot)
{
        const struct options *options = &snapshot->options;

        load_modules();
        if (powers_close(options->core_dumps) &&
            (geteuid() == 0 || powers_drop(options->keep_bind_capability))) {
                wish->prepare(wish->opener, snapshot);
                return sandbox_enter(options->sandbox);
        }
        console_fail("gatepost: the process cannot give up its powers: %s", strerror(errno));
        return false;
}

struct snapshot *first_snapshot(const struct first_wish *wish)
{
        struct snapshot *snapshot = load(wish->path);

        if (snapshot != NULL && may_serve(wish, snapshot->options.user)) {
                wish->open(wish->opener, snapshot);
                snapshot = become(wish->path, snapshot);
                if (snapshot == NULL || close_down(wish, snapshot))
                        return snapshot;
        }
        if (snapshot != NULL)
                snapshot_free(snapshot);
        return NULL;
}
