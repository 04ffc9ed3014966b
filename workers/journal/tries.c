/* Tries. */
#include "workers/journal/tries.h"

#include "dns/clock.h"
#include "workers/journal/dead_letter.h"
#include "workers/journal/tell.h"

#include <errno.h>
#include <stdlib.h>

#define DAMAGED_RETRY_MS 60000 /* memory is out, or the Maildir of dead letters takes nothing */
#define RECORD_RETRY_MS  1000
#define SHIFT_MAX        20

bool try_is_old(const struct journal_drain *drain, const struct journal_entry *entry, uint64_t now_ms)
{
        return now_ms >= entry->time_ms + drain->settings.lifetime_ms;
}

bool try_is_hopeless(const struct journal_drain *drain, const struct journal_entry *entry, uint64_t now_ms,
                     uint64_t monotonic_ms)
{
        const struct journal_queue *queue = &drain->index.queues[entry->destination];

        return try_is_old(drain, entry, now_ms) && queue->failing_since_ms > 0 &&
               monotonic_ms >= queue->failing_since_ms + drain->settings.retry_max_ms;
}

/* After so many failures in a row, at least one. */
static uint64_t wait_of(const struct journal_drain *drain, uint32_t failures)
{
        uint32_t shift = failures - 1 < SHIFT_MAX ? failures - 1 : SHIFT_MAX;
        uint64_t wait_ms = drain->settings.retry_min_ms << shift;
        return wait_ms < drain->settings.retry_max_ms ? wait_ms : drain->settings.retry_max_ms;
}

/* ---- deliveries ---------------------------------------------------------------------------------------- */

static struct journal_queue *queue_of(struct journal_drain *drain, const struct journal_delivery *delivery)
{
        return &drain->index.queues[drain->index.entries[delivery->entry].destination];
}

static void delivery_free(struct journal_drain *drain, struct journal_delivery *delivery)
{
        drain->away--;
        drain->in_hand -= delivery->content.length;
        queue_of(drain, delivery)->in_hand -= delivery->content.length;
        content_release(&delivery->content, &drain->pool);
        free(delivery->copy.octets);
        free(delivery->states);
        free(delivery);
}

static struct journal_delivery *delivery_create(struct journal_drain *drain, uint32_t entry)
{
        struct journal_delivery *delivery = calloc(1, sizeof *delivery);

        if (delivery == NULL)
                return NULL;
        delivery->entry = entry;
        delivery->order.entry = entry;
        drain->away++;
        return delivery;
}

static enum journal_read delivery_read(struct journal_drain *drain, struct journal_delivery *delivery)
{
        const struct journal_folder *folder = &drain->journal->store.folder;
        const struct journal_entry *entry = &drain->index.entries[delivery->entry];
        enum journal_read result = journal_read_message(
            folder, &entry->message, &drain->pool, &delivery->copy, &delivery->message, &delivery->content);

        drain->in_hand += delivery->content.length;
        queue_of(drain, delivery)->in_hand += delivery->content.length;
        if (result != JOURNAL_READ_DONE)
                return result;
        uint32_t count = delivery->message.recipient_count;
        delivery->states = malloc(2 * (size_t)count + 1);
        if (delivery->states == NULL)
                return JOURNAL_READ_NO_MEMORY;
        delivery->before = delivery->states + count;
        /* Where this is damaged somebody may get it twice, but nobody never. */
        if (journal_read_states(folder, &entry->outcome, delivery->states, count) == JOURNAL_READ_DAMAGED)
                drain->journal->counts.damaged++;
        memcpy(delivery->before, delivery->states, count);
        return JOURNAL_READ_DONE;
}

/* ---- outcomes ------------------------------------------------------------------------------------------ */

void try_send_order(struct journal_drain *drain, struct journal_delivery *delivery)
{
        channel_send(drain->journal->orders, &delivery->order.parcel);
}

/* To the disk, with when it is due if somebody waits. */
static void record(struct journal_drain *drain, struct journal_delivery *delivery, uint64_t due_ms)
{
        const struct journal_entry *entry = &drain->index.entries[delivery->entry];

        delivery->order.kind = JOURNAL_ORDER_OUTCOME;
        delivery->order.outcome = (struct journal_outcome){
            .message = entry->sequence,
            .due_ms = due_ms,
            .attempts = entry->attempts,
            .states = span_of((const char *)delivery->states, delivery->message.recipient_count),
        };
        try_send_order(drain, delivery);
}

/* Nobody waits any more. One state says so for whatever recipients there are, so nothing needs to be read. */
static void record_dropped(struct journal_drain *drain, struct journal_delivery *delivery)
{
        static const char dropped[] = {RECIPIENT_DROPPED};

        delivery->order.kind = JOURNAL_ORDER_OUTCOME;
        delivery->order.outcome = (struct journal_outcome){
            .message = drain->index.entries[delivery->entry].sequence, .states = span_of(dropped, 1)};
        try_send_order(drain, delivery);
}

/* A message that cannot be read is lost: that is told, counted, and settled. */
static void record_damage(struct journal_drain *drain, struct journal_delivery *delivery)
{
        const struct journal_entry *entry = &drain->index.entries[delivery->entry];

        drain->journal->counts.damaged++;
        log_event(drain->log, "journal_damaged", "path", drain->journal->settings.path,
                  LOG_NUMBER("message", entry->sequence), LOG_NUMBER("segment", entry->message.generation),
                  LOG_NUMBER("offset", entry->message.offset), NULL);
        record_dropped(drain, delivery);
}

/* False when there are dead recipients, and their letter could not be written: they wait again then. */
static bool bury(struct journal_drain *drain, struct journal_delivery *delivery)
{
        uint32_t dead = 0, count = delivery->message.recipient_count;

        for (uint32_t i = 0; i < count; i++)
                dead += delivery->states[i] == RECIPIENT_DEAD && delivery->before[i] == RECIPIENT_WAITS;
        if (dead == 0)
                return true;
        bool is_buried =
            dead_letter_write(drain->settings.dead_letters, &drain->namer, &drain->pool, &delivery->message,
                              &delivery->content, delivery->states, delivery->before, delivery->reason);
        tell_dead(drain, delivery, dead, is_buried ? "" : strerrordesc_np(errno));
        if (is_buried)
                drain->journal->counts.dead += dead;
        for (uint32_t i = 0; i < count && !is_buried; i++)
                if (delivery->before[i] == RECIPIENT_WAITS && delivery->states[i] == RECIPIENT_DEAD)
                        delivery->states[i] = RECIPIENT_WAITS;
        return is_buried;
}

static bool somebody_waits(const struct journal_delivery *delivery)
{
        return memchr(delivery->states, RECIPIENT_WAITS, delivery->message.recipient_count) != NULL;
}

void try_give_up(struct journal_drain *drain, struct journal_delivery *delivery, const char *reason)
{
        for (uint32_t i = 0; i < delivery->message.recipient_count; i++)
                if (delivery->states[i] == RECIPIENT_WAITS)
                        delivery->states[i] = RECIPIENT_DEAD;
        span_copy_cut(span_from(reason), delivery->reason, sizeof delivery->reason);
        bool is_buried = bury(drain, delivery);
        record(drain, delivery, is_buried ? 0 : (uint64_t)clock_wall_ms() + DAMAGED_RETRY_MS);
}

static void put_back(struct journal_drain *drain, struct journal_delivery *delivery, uint64_t due_ms)
{
        journal_index_put_back(&drain->index, delivery->entry, due_ms);
        delivery_free(drain, delivery);
}

/* ---- dropping ------------------------------------------------------------------------------------------ */

static void end_drop(struct journal_drain *drain, enum journal_drop outcome)
{
        drain->dropping = JOURNAL_NONE;
        drain->dropped = outcome;
        atomic_store(&drain->to_drop, 0);
}

void tries_drop(struct journal_drain *drain)
{
        uint64_t sequence = atomic_load(&drain->to_drop);

        if (sequence == 0 || drain->dropping != JOURNAL_NONE)
                return;
        uint32_t entry = journal_index_find(&drain->index, sequence);
        if (entry == JOURNAL_NONE || drain->index.entries[entry].state != JOURNAL_ENTRY_WAITS) {
                end_drop(drain, entry == JOURNAL_NONE ? JOURNAL_DROP_UNKNOWN : JOURNAL_DROP_AWAY);
                return;
        }
        struct journal_delivery *delivery = delivery_create(drain, entry);
        if (delivery == NULL) {
                end_drop(drain, JOURNAL_DROP_LATE);
                return;
        }
        journal_index_take(&drain->index, entry);
        drain->dropping = entry;
        record_dropped(drain, delivery);
}

/* ---- handing out --------------------------------------------------------------------------------------- */

struct journal_delivery *try_begin(struct journal_drain *drain, uint32_t entry)
{
        struct journal_delivery *delivery = delivery_create(drain, entry);
        uint64_t later_ms = (uint64_t)clock_wall_ms() + DAMAGED_RETRY_MS;

        journal_index_take(&drain->index, entry);
        if (delivery == NULL) {
                journal_index_put_back(&drain->index, entry, later_ms);
                return NULL;
        }
        switch (delivery_read(drain, delivery)) {
        case JOURNAL_READ_DONE:
                return delivery;
        case JOURNAL_READ_DAMAGED:
                record_damage(drain, delivery);
                break;
        case JOURNAL_READ_NO_MEMORY:
                put_back(drain, delivery, later_ms);
                break;
        }
        return NULL;
}

void tries_hand_out(struct journal_drain *drain)
{
        uint64_t now_ms = (uint64_t)clock_wall_ms(), monotonic_ms = clock_monotonic_ms();
        uint32_t entry;

        drain->next_ms = UINT64_MAX;
        while (drain->in_hand < JOURNAL_IN_HAND_OCTETS &&
               (entry = journal_index_due(&drain->index, now_ms, drain->settings.in_flight_max,
                                          &drain->next_ms)) != JOURNAL_NONE) {
                struct journal_delivery *delivery = try_begin(drain, entry);
                if (delivery == NULL)
                        continue;
                uint32_t hop = drain->index.entries[entry].destination % drain->hop_count;
                if (try_is_hopeless(drain, &drain->index.entries[entry], now_ms, monotonic_ms))
                        try_give_up(drain, delivery, "it has waited for journal_lifetime");
                else
                        channel_send(drain->deliveries[hop], &delivery->parcel);
        }
}

/* ---- what comes back ----------------------------------------------------------------------------------- */

/* The next hop decides what it does with each recipient; whoever it says nothing of waits. */
static void count_states(struct journal_drain *drain, const struct journal_delivery *delivery)
{
        uint32_t delivered = 0, waiting = 0;

        for (uint32_t i = 0; i < delivery->message.recipient_count; i++) {
                delivered += delivery->states[i] == RECIPIENT_DONE && delivery->before[i] == RECIPIENT_WAITS;
                waiting += delivery->states[i] == RECIPIENT_WAITS;
        }
        drain->journal->counts.delivered += delivered;
        drain->journal->counts.deferred += waiting > 0;
        tell_tried(drain, delivery, delivered, waiting);
}

static void returned_tried(struct journal_drain *drain, struct journal_delivery *delivery, uint64_t now_ms)
{
        struct journal_entry *entry = &drain->index.entries[delivery->entry];

        entry->attempts++;
        count_states(drain, delivery);
        if (somebody_waits(delivery) && try_is_old(drain, entry, now_ms)) {
                try_give_up(drain, delivery, delivery->reason);
                return;
        }
        bury(drain, delivery);
        uint64_t due_ms = now_ms + wait_of(drain, entry->attempts);
        /* A journal that is full of mail for hosts that defer it is not to grow by that. */
        if (memcmp(delivery->states, delivery->before, delivery->message.recipient_count) == 0)
                put_back(drain, delivery, due_ms);
        else
                record(drain, delivery, due_ms);
}

void try_returned(struct journal_drain *drain, struct journal_delivery *delivery)
{
        struct journal_entry *entry = &drain->index.entries[delivery->entry];
        struct journal_queue *queue = queue_of(drain, delivery);
        uint64_t now_ms = (uint64_t)clock_wall_ms();

        switch (delivery->result) {
        case JOURNAL_TRIED:
                /* Those that were kept back while this one was to show whether the hop lives go on at once. */
                queue->failures = 0;
                queue->retry_at_ms = 0;
                queue->failing_since_ms = 0;
                returned_tried(drain, delivery, now_ms);
                return;
        case JOURNAL_BROKEN:
                /* The next one that is to show whether the hop takes mail need not wait longer for that. */
                queue->failures = 0;
                returned_tried(drain, delivery, now_ms);
                return;
        case JOURNAL_UNREACHABLE:
                /* Those that were away together tell one failure. */
                if (queue->failing_since_ms == 0)
                        queue->failing_since_ms = clock_monotonic_ms();
                if (queue->retry_at_ms <= now_ms)
                        queue->retry_at_ms = now_ms + wait_of(drain, ++queue->failures);
                drain->journal->counts.deferred++;
                /* Behind the others: it shall be another one that shows whether the hop lives, but none at which
                 * the hop broke off already. */
                put_back(drain, delivery, entry->due_ms + 1);
                return;
        case JOURNAL_UNTRIED:
                put_back(drain, delivery, entry->due_ms);
                return;
        }
}

static void settle(struct journal_drain *drain, struct journal_delivery *delivery)
{
        struct journal_entry *entry = &drain->index.entries[delivery->entry];
        uint64_t due_ms = delivery->order.outcome.due_ms;

        if (!journal_outcome_waits(&delivery->order.outcome)) {
                if (delivery->entry == drain->dropping) {
                        log_event(drain->log, "journal_dropped", LOG_NUMBER("message", entry->sequence),
                                  NULL);
                        end_drop(drain, JOURNAL_DROP_DONE);
                }
                journal_index_remove(&drain->index, delivery->entry);
                drain->journal->counts.settled++;
                drain->journal->counts.waiting--;
                delivery_free(drain, delivery);
                return;
        }
        entry->outcome = delivery->order.place;
        put_back(drain, delivery, due_ms);
}

void try_recorded(struct journal_drain *drain, struct journal_delivery *delivery)
{
        struct journal_order *order = &delivery->order;
        bool is_done = order->is_durable;

        if (is_done && order->kind == JOURNAL_ORDER_MOVE)
                is_done = journal_index_move(&drain->index, delivery->entry, order->sequence, &order->place,
                                             order->first_generation);
        if (!is_done) {
                delivery->next = drain->unrecorded;
                drain->unrecorded = delivery;
                drain->unrecorded_at_ms = clock_monotonic_ms() + RECORD_RETRY_MS;
                return;
        }
        if (order->kind == JOURNAL_ORDER_OUTCOME) {
                settle(drain, delivery);
                return;
        }
        free((char *)(uintptr_t)order->message.recipients.at);
        order->content = (struct content){0};
        put_back(drain, delivery, drain->index.entries[delivery->entry].due_ms);
}

void tries_record_again(struct journal_drain *drain)
{
        struct journal_delivery *delivery = drain->unrecorded;

        if (delivery == NULL || clock_monotonic_ms() < drain->unrecorded_at_ms)
                return;
        drain->unrecorded = NULL;
        while (delivery != NULL) {
                struct journal_delivery *next = delivery->next;
                delivery->order.message.chain = (struct piece_chain){0};
                try_send_order(drain, delivery);
                delivery = next;
        }
}

void tries_forget_unrecorded(struct journal_drain *drain)
{
        struct journal_delivery *delivery;

        while ((delivery = drain->unrecorded) != NULL) {
                drain->unrecorded = delivery->next;
                if (delivery->order.kind == JOURNAL_ORDER_MOVE)
                        free((char *)(uintptr_t)delivery->order.message.recipients.at);
                delivery_free(drain, delivery);
        }
}
