/* What is looked at, and how it is told. */
#include "workers/server/web/health.h"

#define OVERSEER_LATE_MS 5000 /* it looks twenty times a second */

static void begin(struct health_faults *faults)
{
        text_over(&faults->text, faults->octets, sizeof faults->octets);
}

static void add_fault(struct health_faults *faults, const char *fault, int number)
{
        text_put_string(&faults->text, faults->text.length == 0 ? "\"" : ",\"");
        text_put_string(&faults->text, fault);
        if (number >= 0)
                text_put_number(&faults->text, (uint64_t)number);
        text_put_string(&faults->text, "\"");
}

void health_look(struct health *health, const struct health_parts *parts, uint64_t now_ms)
{
        uint64_t overseer_ms = atomic_load_explicit(&parts->overseer->looked_ms, memory_order_relaxed);

        begin(&health->health);
        begin(&health->readiness);
        if (now_ms > overseer_ms + OVERSEER_LATE_MS)
                add_fault(&health->health, "the overseer does not turn", -1);
        for (uint32_t i = 0; i < parts->worker_count && text_room(&health->health.text) > 64; i++)
                if (atomic_load_explicit(&parts->workers[i].heartbeat.is_stalled, memory_order_relaxed))
                        add_fault(&health->health, "does not turn: worker ", (int)i);
        resolver_watch_look(&health->resolvers, parts->resolvers, now_ms);
        if (!resolver_watch_is_well(&health->resolvers, now_ms))
                add_fault(&health->readiness, "no resolver answers", -1);
}

bool health_is_well(const struct health *health)
{
        return health->health.text.length == 0;
}

bool readiness_is_well(const struct health *health)
{
        return health->readiness.text.length == 0;
}

static bool write(struct text *out, const char *well, const char *ill, const struct health_faults *faults,
                  const char *leaving)
{
        bool is_well = faults->text.length == 0 && leaving == NULL;

        text_printf(out, "{\"status\":\"%s\"", is_well ? well : ill);
        if (!is_well) {
                text_put(out, SPAN(",\"faults\":["));
                text_put(out, text_span(&faults->text));
                if (leaving != NULL)
                        text_printf(out, "%s\"%s\"", faults->text.length == 0 ? "" : ",", leaving);
                text_put(out, SPAN("]"));
        }
        text_put(out, SPAN("}\n"));
        return is_well;
}

bool health_write(const struct health *health, struct text *out)
{
        return write(out, "healthy", "ill", &health->health, NULL);
}

bool readiness_write(const struct health *health, const char *leaving, struct text *out)
{
        return write(out, "ready", "not ready", &health->readiness, leaving);
}

void health_end(struct health *health)
{
        resolver_watch_end(&health->resolvers);
}
