/* Events of the log about one message. */
#include "workers/journal/tell.h"

#define ID_MAX 32

struct names {
        char id[ID_MAX], next_hop[JOURNAL_DESTINATION_MAX + 1];
};

static struct names names_of(const struct journal_delivery *delivery)
{
        struct names names;

        span_copy_cut(delivery->message.id, names.id, sizeof names.id);
        span_copy_cut(delivery->message.destination, names.next_hop, sizeof names.next_hop);
        return names;
}

void tell_tried(const struct journal_drain *drain, const struct journal_delivery *delivery,
                uint32_t delivered, uint32_t waiting)
{
        struct names names = names_of(delivery);

        log_event(drain->log, "journal_tried", "id", names.id, "next_hop", names.next_hop, "reason",
                  delivery->reason, LOG_NUMBER("delivered", delivered), LOG_NUMBER("waiting", waiting), NULL);
}

void tell_dead(const struct journal_drain *drain, const struct journal_delivery *delivery, uint32_t dead,
               const char *fault)
{
        struct names names = names_of(delivery);

        log_event(drain->log, "journal_dead_letter", "id", names.id, "next_hop", names.next_hop, "reason",
                  delivery->reason, "fault", fault, LOG_NUMBER("recipients", dead), NULL);
}
