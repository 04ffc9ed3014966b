/* Batches that become durable, or fail. */
#include "workers/journal/commit.h"

#include "dns/clock.h"

#include <errno.h>
#include <string.h>

/* After a failure nothing is tried for so long: a broken disk would spend a segment for each message. */
#define BLOCKED_MS 1000

/* ---- failures ------------------------------------------------------------------------------------------ */

void journal_complain(struct journal *journal, const char *reason)
{
        uint64_t now_s = clock_monotonic_coarse_ms() / 1000 + 1;

        if (now_s == journal->complaint_s)
                return;
        journal->complaint_s = now_s;
        log_event(journal->log, "journal_failed", "path", journal->settings.path, "reason", reason, NULL);
}

void journal_fail_item(struct journal_item *item, enum store_outcome outcome, const char *reason)
{
        item->is_done = true;
        item->is_put = false;
        if (item->job == NULL) {
                item->order->is_durable = false;
                return;
        }
        struct delivery_job *job = &item->job->delivery;
        job->outcome = outcome;
        job->reason = reason;
        if (job->kind == DELIVERY_APPEND && job->spool->outcome == STORE_DONE) {
                job->spool->outcome = outcome;
                job->spool->reason = reason;
        }
}

static void note_fault(struct journal *journal, bool is_bound)
{
        int error = errno;
        const char *reason = strerrordesc_np(error);

        journal->fault_outcome =
            error == ENOSPC || error == EDQUOT || error == EFBIG ? STORE_FULL : STORE_FAILED;
        journal->fault = is_bound ? "the journal has reached journal_size" : reason;
        if (journal->fault == NULL)
                journal->fault = "unknown error";
        if (!is_bound)
                journal->blocked_until_ms = clock_monotonic_ms() + BLOCKED_MS;
        journal->counts.failures += !is_bound;
        journal_complain(journal, journal->fault);
}

/* ---- commit -------------------------------------------------------------------------------------------- */

static void finish_item(struct journal *journal, struct journal_item *item)
{
        item->is_put = false;
        item->is_done = true;
        if (item->order != NULL)
                item->order->is_durable = true;
        else
                item->job->delivery.outcome = STORE_DONE;
        bool is_message = item->job != NULL && item->job->delivery.kind == DELIVERY_STORE;
        journal->counts.messages += is_message;
        journal->counts.waiting += is_message;
}

bool journal_commit(struct journal *journal)
{
        struct journal_store *store = &journal->store;
        uint32_t octets = store->length;
        bool is_durable = journal_store_commit(store);

        if (!is_durable)
                note_fault(journal, false);
        /* What failed is no news. */
        if (journal->gathered != NULL && is_durable)
                journal->durable_news = journal->gathered->count;
        else if (journal->gathered != NULL)
                journal->gathered->count = journal->durable_news;
        journal->counts.octets += is_durable ? octets : 0;
        journal->counts.syncs += is_durable && octets > 0;
        for (size_t i = 0; i < journal->count; i++) {
                struct journal_item *item = &journal->items[i];
                if (!item->is_put)
                        continue;
                if (is_durable)
                        finish_item(journal, item);
                else
                        journal_fail_item(item, journal->fault_outcome, journal->fault);
        }
        return is_durable;
}

bool journal_note_full(struct journal *journal)
{
        if (clock_monotonic_ms() < journal->blocked_until_ms)
                return false; /* for the reason that stands */
        errno = ENOSPC;
        note_fault(journal, true);
        return false;
}

void journal_look_for_room(struct journal *journal)
{
        journal->takes_mail = journal_store_free_segments(&journal->store) > 0 &&
                              clock_monotonic_ms() >= journal->blocked_until_ms;
        if (!journal->takes_mail || journal_store_has_spare(&journal->store))
                return;
        note_fault(journal, false);
        journal->takes_mail = false;
}

bool journal_takes_mail(struct journal *journal)
{
        if (!journal->takes_mail)
                journal_look_for_room(journal);
        return journal->takes_mail;
}

bool journal_make_room(struct journal *journal, enum journal_put full, bool is_order)
{
        bool is_bound = true;

        if (!journal_commit(journal))
                return false;
        if (full == JOURNAL_PUT_FULL_BATCH)
                return true;
        if (!is_order && journal_store_free_segments(&journal->store) <= 1)
                return journal_note_full(journal);
        bool is_made = journal_store_advance(&journal->store, is_order, &is_bound);
        if (!is_made)
                note_fault(journal, is_bound);
        journal_look_for_room(journal);
        return is_made;
}
