/* What root may read is read again by the user that it becomes, for so a reload will: what that user may not read is
 * found at the start, and not at the first reload. */
#include "workers/process/first.h"

#include "conf/build/load.h"
#include "workers/log/console.h"
#include "workers/process/user.h"

#include <stdio.h>
#include <unistd.h>

static struct snapshot *load(const char *path)
{
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load(path, &complaints);

        if (complaints.text != NULL)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        return snapshot;
}

struct snapshot *first_snapshot(const char *path, bool may_be_root)
{
        struct snapshot *snapshot = load(path);
        bool has_changed = false;

        if (snapshot == NULL)
                return NULL;
        const char *user = snapshot->options.user, *fault = user_become(user, &has_changed);
        if (fault != NULL)
                console_print("gatepost: user = \"%s\": %s", user, fault);
        else if (user[0] == '\0' && geteuid() == 0 && !may_be_root)
                console_print(
                    "gatepost: started as root: name the user that it is to become by the option `user` in "
                    "%s, or say --as-root",
                    path);
        else if (!has_changed)
                return snapshot;
        snapshot_free(snapshot);
        return has_changed ? load(path) : NULL;
}
