/* Old messages, and old segments. */
#include "workers/journal/upkeep.h"

#include "core/smtp/metrics.h"
#include "dns/clock.h"
#include "workers/journal/tries.h"

#include <stdlib.h>

#define SWEEP_EVERY_MS 60000
#define SWEEP_ENTRIES  10000 /* looked at in a turn */
#define SPARE          2     /* segments, and an eighth of all, that are to be free */
#define WRONG_MS       60000 /* by which a clock may be, or a wait longer than retry_max */
#define AWAY_MAX       16    /* messages that are given up or moved at a time */

/* ---- lifetime ------------------------------------------------------------------------------------------ */

void upkeep_heed_clock(struct journal_drain *drain)
{
        int64_t jump_ms = clock_watch_jump_ms(&drain->clock);

        for (uint32_t i = 0; jump_ms != 0 && i < drain->index.used; i++)
                drain->index.entries[i].time_ms += (uint64_t)jump_ms;
}

bool upkeep_sweep(struct journal_drain *drain)
{
        uint64_t now_ms = (uint64_t)clock_wall_ms(), monotonic_ms = clock_monotonic_ms();
        uint64_t latest_ms = now_ms + drain->settings.retry_max_ms + WRONG_MS;
        uint32_t left = SWEEP_ENTRIES, given_up = 0;

        if (drain->sweep == 0 && monotonic_ms < drain->sweep_at_ms)
                return false;
        if (drain->sweep == 0)
                drain->sweep_oldest_ms = UINT64_MAX;
        journal_index_hasten_queues(&drain->index, now_ms, latest_ms);
        for (; drain->sweep < drain->index.used && left > 0 && given_up < AWAY_MAX; drain->sweep++, left--) {
                const struct journal_entry *entry = &drain->index.entries[drain->sweep];
                if (entry->state != JOURNAL_ENTRY_FREE && entry->time_ms < drain->sweep_oldest_ms)
                        drain->sweep_oldest_ms = entry->time_ms;
                journal_index_hasten(&drain->index, drain->sweep, now_ms, latest_ms);
                if (entry->state != JOURNAL_ENTRY_WAITS || entry->due_ms > now_ms ||
                    !try_is_hopeless(drain, entry, now_ms, monotonic_ms))
                        continue;
                struct journal_delivery *delivery = try_begin(drain, drain->sweep);
                if (delivery != NULL)
                        try_give_up(drain, delivery, "it has waited for journal_lifetime");
                given_up++;
        }
        if (drain->sweep < drain->index.used)
                return true;
        drain->sweep = 0;
        drain->oldest_ms = drain->sweep_oldest_ms;
        drain->sweep_at_ms = monotonic_ms + SWEEP_EVERY_MS;
        return false;
}

/* ---- segments ------------------------------------------------------------------------------------------ */

/* Who waits still, as strings, in memory of its own; NULL when there is none. */
static char *list_waiting(const struct journal_delivery *delivery, struct journal_message *message)
{
        struct span recipients = delivery->message.recipients, recipient;
        char *octets = malloc(recipients.length + 1);
        struct text list;

        if (octets == NULL)
                return NULL;
        text_over(&list, octets, recipients.length + 1);
        message->recipient_count = 0;
        for (uint32_t i = 0; journal_string_take(&recipients, &recipient); i++)
                if (delivery->states[i] == RECIPIENT_WAITS && journal_string_write(&list, recipient))
                        message->recipient_count++;
        message->recipients = text_span(&list);
        return octets;
}

static void move(struct journal_drain *drain, uint32_t number)
{
        const struct journal_entry *entry = &drain->index.entries[number];
        struct journal_delivery *delivery = try_begin(drain, number);

        if (delivery == NULL)
                return;
        struct journal_order *order = &delivery->order;
        order->kind = JOURNAL_ORDER_MOVE;
        order->content = delivery->content;
        order->message = delivery->message;
        order->message.replaces = entry->sequence;
        order->message.due_ms = entry->due_ms;
        order->message.attempts = entry->attempts;
        order->message.chain = (struct piece_chain){0};
        if (list_waiting(delivery, &order->message) != NULL) {
                try_send_order(drain, delivery);
                return;
        }
        delivery->result = JOURNAL_UNTRIED;
        try_returned(drain, delivery);
}

/* Few of its octets wait still, for what it keeps from being free, and somebody wants the room. That is the segment,
 * and those behind it of which nothing waits any more. */
static bool is_worth_it(const struct journal_drain *drain)
{
        const struct journal_pin *pins = drain->index.pins;
        size_t count = drain->index.pin_count;

        if (drain->free_segments > SPARE + drain->journal->store.folder.slots_max / 8 || count == 0 ||
            pins[0].generation >= drain->newest)
                return false;
        uint64_t next = count > 1 ? pins[1].generation : drain->newest;
        return pins[0].octets < (next - pins[0].generation) * (drain->journal->settings.segment_size / 2);
}

void upkeep_move(struct journal_drain *drain)
{
        if (!is_worth_it(drain))
                return;
        uint64_t oldest = drain->index.pins[0].generation;
        if (drain->moved_for != oldest)
                drain->mover = 0;
        drain->moved_for = oldest;
        for (uint32_t left = SWEEP_ENTRIES;
             drain->mover < drain->index.used && left > 0 && drain->away < AWAY_MAX; drain->mover++, left--) {
                const struct journal_entry *entry = &drain->index.entries[drain->mover];
                if (entry->state == JOURNAL_ENTRY_WAITS && entry->first_generation == oldest)
                        move(drain, drain->mover);
        }
        /* Those that were away are looked at another time. */
        if (drain->mover >= drain->index.used)
                drain->mover = 0;
}

void upkeep_publish(struct journal_drain *drain)
{
        uint64_t first = journal_index_first_live(&drain->index, drain->newest);

        if (first > atomic_load(&drain->journal->store.first_live))
                atomic_store(&drain->journal->store.first_live, first);
}

/* Seconds; 0: nothing waits. Until the writer tells of its opening, its thread owns the index, and fills it. */
static uint64_t oldest_age(const struct journal_drain *drain)
{
        uint64_t now_ms = (uint64_t)clock_wall_ms();

        if (!drain->is_open)
                return 0;
        return drain->index.waiting > 0 && drain->oldest_ms < now_ms ? (now_ms - drain->oldest_ms) / 1000 : 0;
}

void upkeep_count(struct journal_drain *drain)
{
        const struct journal_counts *counts = &drain->journal->counts;
        const struct {
                enum metric_id metric;
                uint64_t number;
        } rows[] = {
            {METRIC_journal_waiting, drain->is_open ? counts->waiting : 0},
            {METRIC_journal_oldest, oldest_age(drain)},
            {METRIC_journal_free_segments, drain->free_segments},
            {METRIC_journal_messages, counts->messages},
            {METRIC_journal_octets, counts->octets},
            {METRIC_journal_syncs, counts->syncs},
            {METRIC_journal_failures, counts->failures},
            {METRIC_journal_refused, counts->refused},
            {METRIC_journal_settled, counts->settled},
            {METRIC_journal_delivered, counts->delivered},
            {METRIC_journal_deferred, counts->deferred},
            {METRIC_journal_dead, counts->dead},
            {METRIC_journal_damaged, counts->damaged},
            {METRIC_journal_torn, counts->torn},
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
                counter_set(&drain->counters.metrics[rows[i].metric], rows[i].number);
}
