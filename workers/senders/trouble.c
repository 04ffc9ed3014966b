#include "workers/senders/trouble.h"

#include "dns/clock.h"
#include "workers/log/console.h"

#define TELL_EVERY_MS 60000
#define REASON_MAX    512 /* octets on standard error, with a NUL */

/* The reason may hold what the other side has said, which is not to reach a terminal as it is. */
void sender_complain(struct sender_trouble *trouble, const char *event, const char *reason)
{
        uint64_t now_ms = clock_monotonic_ms();
        char shown[REASON_MAX];
        struct text text;

        if (trouble->told_ms != 0 && now_ms - trouble->told_ms < TELL_EVERY_MS)
                return;
        trouble->told_ms = now_ms;
        text_over(&text, shown, sizeof shown - 1);
        text_put_printable(&text, span_from(reason), true);
        shown[text.length] = '\0';
        if (trouble->instance == NULL) {
                console_warn("gatepost: %s: %s", event, shown);
                log_event(trouble->log, event, "reason", reason, NULL);
        } else {
                console_warn("gatepost: %s: %s: %s", event, trouble->instance, shown);
                log_event(trouble->log, event, "instance", trouble->instance, "reason", reason, NULL);
        }
}
