/* Reading a list anew: when, and whether what comes of it is fit to be asked. */
#include "workers/feed/internal.h"

#include "core/base/thread_sanitizer.h"
#include "dns/clock.h"
#include "workers/log/console.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>

#define RETRY_MS   600000
#define UNREST_MAX 10

/* ---- the table in use ----------------------------------------------------------------------------------- */

static void table_free(struct feed_table *table)
{
        if (table != NULL)
                feed_free(table->feed);
        free(table);
}

/* NULL: there is none any more. */
static void swap(struct feed_slot *slot, struct feed_table *table)
{
        struct feed_table *before = atomic_exchange_explicit(&slot->table, table, memory_order_acq_rel);

        atomic_store(&slot->entries, table != NULL ? feed_entries(table->feed) : 0);
        atomic_store(&slot->octets, table != NULL ? feed_octets(table->feed) : 0);
        atomic_store(&slot->made_s, table != NULL ? table->stamp.made_s : 0);
        if (before == NULL)
                return;
        urcu_memb_synchronize_rcu();
        order_acquire(&slot->table);
        table_free(before);
}

void feed_slot_free(struct feed_slot *slot)
{
        table_free(atomic_load(&slot->table));
        for (size_t i = 0; i < slot->patterns.count; i++)
                free((char *)(uintptr_t)slot->patterns.texts[i]);
        free(slot->patterns.texts);
        free(slot);
}

/* ---- whether it is fit ---------------------------------------------------------------------------------- */

/* Why it is not; NULL: it may be asked now. */
static const char *age_fault(const struct feed_slot *slot, const struct feed *feed,
                             const struct feed_stamp *stamp, int64_t now_s)
{
        uint64_t max_age_s = atomic_load(&slot->max_age_s);

        if (feed_expires_s(feed) != 0 && now_s > feed_expires_s(feed))
                return "is no longer valid, by its $TIMESTAMP";
        if (max_age_s != 0 && now_s - stamp->made_s > (int64_t)max_age_s)
                return "is older than max_age";
        return NULL;
}

static void put_age_fault(struct feed_slot *slot, const char *fault)
{
        snprintf(slot->reason, sizeof slot->reason, "the list %s", fault);
}

/* The owner of the slot may look at its table without RCU. */
static bool is_fit(struct feed_slot *slot, const struct feed *feed, const struct feed_stamp *stamp)
{
        const struct feed_table *before = atomic_load(&slot->table);
        const char *fault = age_fault(slot, feed, stamp, clock_wall_s());

        if (fault != NULL)
                put_age_fault(slot, fault);
        else if (before != NULL && feed_entries(feed) * 2 < feed_entries(before->feed))
                snprintf(slot->reason, sizeof slot->reason,
                         "the list has shrunk from %" PRIu64 " entries to %" PRIu64
                         ", by more than half; a restart takes it",
                         feed_entries(before->feed), feed_entries(feed));
        else
                slot->reason[0] = '\0';
        return slot->reason[0] == '\0';
}

/* The first faults of a list, in one line. */
static void put_reason(struct feed_slot *slot, const struct feed_report *report)
{
        struct text reason;

        text_over(&reason, slot->reason, sizeof slot->reason - 1);
        for (size_t i = report->told_count; i-- > 0;) {
                text_put_string(&reason, reason.length > 0 ? "; " : "");
                text_put_printable(&reason, span_from(report->told[i]), true);
        }
        slot->reason[reason.length] = '\0';
}

bool feed_slot_read(struct feed_slot *slot, const _Atomic bool *gives_up)
{
        struct feed_wish wish = slot->wish;
        struct feed_report report;
        struct feed_stamp stamp;

        uint64_t began_ms = clock_monotonic_ms();

        wish.now_s = clock_wall_s();
        struct feed *feed = feed_files_load(&slot->patterns, &wish, gives_up, &report, &stamp);
        if (stamp.digest != slot->seen || slot->first_s > wish.now_s)
                slot->first_s = wish.now_s;
        /* Whose clock is ahead would make a list that never gets old: not by being read again, either. */
        if (stamp.made_s > wish.now_s)
                stamp.made_s = slot->first_s;
        slot->seen = stamp.digest;
        slot->took_ms = clock_monotonic_ms() - began_ms;
        slot->retry_at_ms = began_ms + slot->took_ms + RETRY_MS;
        struct feed_table *table = feed == NULL ? NULL : malloc(sizeof *table);
        if (feed == NULL)
                put_reason(slot, &report);
        else if (table == NULL)
                snprintf(slot->reason, sizeof slot->reason, "no memory");
        if (table != NULL && is_fit(slot, feed, &stamp)) {
                *table = (struct feed_table){feed, stamp};
                swap(slot, table);
                atomic_store(&slot->has_failed, false);
                return true;
        }
        atomic_store(&slot->has_failed, true);
        atomic_fetch_add(&slot->failures, 1);
        feed_free(feed);
        free(table);
        return false;
}

/* ---- when ----------------------------------------------------------------------------------------------- */

static void tell_fault(const struct feed_keeper *keeper, const struct feed_slot *slot, const char *event)
{
        if (keeper->log != NULL)
                log_event(keeper->log, event, "zone", slot->zone, "reason", slot->reason, NULL);
}

void feed_slot_tell(const struct feed_keeper *keeper, const struct feed_slot *slot)
{
        if (atomic_load(&slot->has_failed))
                tell_fault(keeper, slot, "feed_failed");
        else
                log_event(keeper->log, "feed_loaded", "zone", slot->zone,
                          LOG_NUMBER("entries", atomic_load(&slot->entries)),
                          LOG_NUMBER("octets", atomic_load(&slot->octets)),
                          LOG_NUMBER("took_ms", slot->took_ms), NULL);
}

static void warn(const struct feed_slot *slot, const char *event)
{
        console_warn("gatepost: %s: %s: %s", event, slot->zone, slot->reason);
}

/* The same fault of the same files is told once. */
static void read_anew(struct feed_keeper *keeper, struct feed_slot *slot)
{
        char reason[FEED_REASON_MAX];
        uint64_t seen = slot->seen;

        memcpy(reason, slot->reason, sizeof reason);
        bool is_taken = feed_slot_read(slot, &slot->gives_up);
        if (!is_taken &&
            (atomic_load(&slot->gives_up) || (slot->seen == seen && strcmp(slot->reason, reason) == 0)))
                return;
        if (!is_taken)
                warn(slot, "feed_failed");
        feed_slot_tell(keeper, slot);
}

/* Of several files the others may follow: what has changed is read when it is the same at the next look, unless it
 * never is. */
static bool is_settled(struct feed_slot *slot, const struct feed_stamp *stamp)
{
        bool is_same = stamp->digest == slot->seen || stamp->digest == slot->changed;

        slot->changed = stamp->digest;
        slot->unrest = is_same || slot->unrest == UNREST_MAX ? 0 : slot->unrest + 1;
        return slot->unrest == 0;
}

void feed_slot_look(struct feed_keeper *keeper, struct feed_slot *slot, uint64_t now_ms)
{
        uint64_t interval_ms = atomic_load(&keeper->interval_ms);
        bool is_asked = atomic_exchange(&slot->is_asked, false);
        struct feed_stamp stamp;

        if (!is_asked && slot->unrest == 0 && (interval_ms == 0 || now_ms < slot->look_at_ms))
                return;
        feed_files_look(&slot->patterns, &stamp);
        if (!is_settled(slot, &stamp))
                return;
        slot->look_at_ms = now_ms + interval_ms;
        bool is_due = is_asked || now_ms >= slot->retry_at_ms;
        if (stamp.digest != slot->seen || (is_due && atomic_load(&slot->has_failed)))
                read_anew(keeper, slot);
}

void feed_slot_age(struct feed_keeper *keeper, struct feed_slot *slot)
{
        const struct feed_table *table = atomic_load(&slot->table);
        const char *fault =
            table == NULL ? NULL : age_fault(slot, table->feed, &table->stamp, clock_wall_s());

        if (fault == NULL)
                return;
        put_age_fault(slot, fault);
        warn(slot, "feed_expired");
        tell_fault(keeper, slot, "feed_expired");
        atomic_store(&slot->has_failed, true);
        swap(slot, NULL);
        /* Its age may have been taken by a clock that was wrong; the files know it. */
        atomic_store(&slot->is_asked, true);
}
