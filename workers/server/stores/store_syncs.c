/* Looks at the file system that each domain's Maildirs lie on. */
#include "workers/server/stores/store_syncs.h"

#include "conf/text/access.h"
#include "workers/deliver/file_system.h"
#include "workers/log/console.h"

#include <errno.h>
#include <limits.h>

#define SYSTEMS_MAX 64 /* that are told of */

struct told {
        dev_t devices[SYSTEMS_MAX];
        size_t count;
};

/* True the first time. */
static bool note_device(struct told *told, dev_t device)
{
        for (size_t i = 0; i < told->count; i++)
                if (told->devices[i] == device)
                        return false;
        if (told->count == SYSTEMS_MAX)
                return false;
        told->devices[told->count++] = device;
        return true;
}

static void tell(struct log_writer *log, const struct file_system *system, const char *path)
{
        const char *fault = system->sync_fault;

        log_event(log, "maildir_sync", "path", path, "file_system", system->name, "sync",
                  fault == NULL ? "together" : "each", "reason", fault == NULL ? "" : fault, NULL);
        if (fault != NULL)
                console_print("gatepost: %s (%s): each file is synced, without maildir_sync_together: %s",
                              path, system->name, fault);
}

void store_syncs_tell(struct log_writer *log, const struct snapshot *snapshot)
{
        struct told told = {.count = 0};
        struct file_system system;
        char path[PATH_MAX], denied[ACCESS_TEXT_MAX];

        for (size_t i = 0; i < snapshot->domain_count; i++) {
                const struct deliver_target *deliver = &snapshot->domains[i].deliver;
                if (deliver->kind != DELIVER_MAILDIR)
                        continue;
                if (!file_system_read_template(deliver->path, &system, path, sizeof path)) {
                        const char *reason = strerrordesc_np(errno);
                        console_warn("gatepost: warning: deliver: %s: %s%s: mail is deferred", deliver->path,
                                     reason, access_denied(path, R_OK | X_OK, denied));
                } else if (snapshot->options.maildir_sync_together > 0 && note_device(&told, system.device)) {
                        tell(log, &system, path);
                }
        }
}
