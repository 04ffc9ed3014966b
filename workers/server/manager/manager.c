/* The words, and who is told when they are not taken. */
#include "workers/server/manager/manager.h"

#include "core/base/date.h"
#include "dns/clock.h"
#include "workers/log/console.h"

#include <string.h>

#define STATUS_SIZE 1024

static void complain_unless(bool is_told, const char *what)
{
        if (!is_told)
                console_fail("gatepost: cannot tell the service manager %s: NOTIFY_SOCKET does not take it",
                             what);
}

void manager_tell_ready(struct server *server)
{
        /* Whom it listened to until now has told it of us. */
        if (server->succession.predecessor == 0)
                complain_unless(notify_ready(&server->notify, SPAN("serving")), "that it is ready");
}

void manager_tell_reload(struct server *server)
{
        complain_unless(notify_reloading(&server->notify, clock_monotonic_us()), "that it reloads");
}

void manager_tell_stop(struct server *server, uint64_t within_ms)
{
        complain_unless(notify_stopping(&server->notify, within_ms), "that it stops");
}

void manager_tell_outcome(struct server *server, const char *reason)
{
        char octets[STATUS_SIZE];
        struct text status;

        text_over(&status, octets, sizeof octets);
        text_put(&status,
                 reason == NULL ? SPAN("serving; reloaded at ") : SPAN("serving; a reload has failed at "));
        date_write(&status, clock_wall_s());
        text_put_char(&status, 'Z');
        if (reason != NULL) {
                text_put(&status, SPAN(": "));
                text_put_string(&status, reason);
        }
        complain_unless(notify_ready(&server->notify, text_span(&status)), "what came of the reload");
}
