/* What the journal's drain hands out: each delivery is a transfer whose jobs the thread has itself, and one that goes
 * on with those recipients that the next hop takes. */
#include "conf/value/next_hop.h"
#include "workers/hop/internal.h"

#include <stdio.h>

/* ---- a transfer ---------------------------------------------------------------------------------------- */

/* Where mail may go. */
struct places {
        const struct snapshot *snapshot;       /* in force */
        const struct next_hop_list *of_record; /* when the mail came */
};

/* Its domain's next hops are those in force, so that mail does not wait for one that is gone for good. */
static const struct next_hop_list *hops_of(const struct places *places,
                                           const struct journal_delivery *delivery, struct span address)
{
        size_t at = span_find_last(address, '@');
        const struct domain *domain = NULL;

        if (!delivery->message.is_own && at != SIZE_MAX)
                domain = snapshot_find_domain(places->snapshot, span_skip(address, at + 1));
        bool has_hops = domain != NULL && domain->deliver.kind == DELIVER_HOPS;
        return has_hops ? domain->deliver.hops : places->of_record;
}

/* Those of one recipient who waits, whoever that is: domains may have parted since the mail came, and each is to have
 * its turn. NULL: nobody waits. */
static const struct next_hop_list *choose(struct hop_thread *thread, const struct places *places,
                                          const struct journal_delivery *delivery)
{
        struct span rest = delivery->message.recipients, address;
        const struct next_hop_list *chosen = NULL;
        uint32_t waiting = 0;

        for (uint32_t i = 0; journal_string_take(&rest, &address); i++)
                if (delivery->states[i] == RECIPIENT_WAITS && target_draw(thread, ++waiting) == 0)
                        chosen = hops_of(places, delivery, address);
        return chosen;
}

/* Those who wait and whose mail goes to `hops`, as an envelope has them; NULL when memory is out. */
static struct recipient *list_recipients(const struct journal_delivery *delivery, const struct places *places,
                                         const struct next_hop_list *hops, struct message *message)
{
        uint32_t count = delivery->message.recipient_count;
        struct span rest = delivery->message.recipients, address;
        struct recipient *recipients = calloc(count, sizeof *recipients);

        for (uint32_t i = 0; recipients != NULL && journal_string_take(&rest, &address); i++) {
                if (delivery->states[i] != RECIPIENT_WAITS ||
                    !next_hops_are_same(hops_of(places, delivery, address), hops))
                        continue;
                struct recipient *recipient = &recipients[message->recipient_count++];
                recipient->address = address;
                if (message->recipient_count > 1)
                        recipient[-1].next = recipient;
        }
        message->recipients = recipients;
        return recipients;
}

static struct transfer *make_of(const struct journal_delivery *delivery, const struct places *places,
                                const struct next_hop_list *hops)
{
        const struct journal_message *record = &delivery->message;
        struct message message = {.sender = record->sender};
        struct recipient *recipients = list_recipients(delivery, places, hops, &message);
        struct transfer *transfer = NULL;
        struct transfer_parts parts = {
            .message = &message,
            .hops = hops->hops,
            .hop_count = hops->count,
            .client = {.helo = record->helo, .is_esmtp = true},
            .size = delivery->content.length,
            .is_smtputf8 = record->is_smtputf8,
        };

        span_copy_cut(record->id, message.id, sizeof message.id);
        if (recipients != NULL && address_parse(record->client, &parts.client.address))
                transfer = transfer_create(&parts);
        free(recipients);
        return transfer;
}

static struct transfer *make_by_snapshot(struct hop_thread *thread, const struct journal_delivery *delivery,
                                         const struct next_hop_list *of_record)
{
        struct published *published = publication_pin(thread->publication, thread->pinner);
        const struct places places = {published->snapshot, of_record};
        const struct next_hop_list *hops = choose(thread, &places, delivery);
        struct transfer *transfer = hops == NULL ? NULL : make_of(delivery, &places, hops);

        publication_unpin(published, thread->pinner);
        return transfer;
}

/* NULL when memory is out, or the record names no next hop that is understood. */
static struct transfer *make(struct hop_thread *thread, const struct journal_delivery *delivery)
{
        char octets[256];
        struct text error;
        struct block_pool pool;
        struct arena arena;
        struct next_hop_list hops;
        struct transfer *transfer = NULL;

        text_over(&error, octets, sizeof octets);
        block_pool_init(&pool, 4096, 0);
        arena_init(&arena, &pool, SIZE_MAX);
        if (next_hops_set(delivery->message.destination, &hops, &arena, "/", &error))
                transfer = make_by_snapshot(thread, delivery, &hops);
        arena_end(&arena);
        block_pool_end(&pool);
        return transfer;
}

/* ---- its end ------------------------------------------------------------------------------------------- */

static void send_back(struct hop_thread *thread, struct journal_delivery *delivery, enum journal_try result)
{
        delivery->result = result;
        channel_send(thread->returns, &delivery->parcel);
}

/* "550 5.1.1 no such user" of the first one that was refused, or else of the first one that waits. */
static void tell_reason(struct journal_delivery *delivery, const struct transfer *transfer)
{
        const struct transfer_recipient *told = NULL;

        for (uint32_t i = 0; i < transfer->recipient_count; i++) {
                const struct transfer_recipient *recipient = &transfer->recipients[i];
                bool is_refused = recipient->fate == FATE_REFUSED;
                if (is_refused || (told == NULL && recipient->fate != FATE_DELIVERED))
                        told = recipient;
                if (is_refused)
                        break;
        }
        if (told == NULL)
                return;
        const char *words = transfer_words(transfer, told).at;
        if (told->code == 0)
                snprintf(delivery->reason, sizeof delivery->reason, "%s", words);
        else
                snprintf(delivery->reason, sizeof delivery->reason, "%u %s %.220s", told->code,
                         told->enhanced, words);
}

/* Recipients of both are in the same order; those of other next hops are not in the transfer. */
static bool is_next(const struct transfer *transfer, uint32_t number, struct span address)
{
        return number < transfer->recipient_count &&
               span_equals(transfer->recipients[number].address, address);
}

/* Where no hop was there that is the destination's fault, and else the message's: others are not to wait for one of
 * which a hop dies. */
static enum journal_try judge(struct journal_delivery *delivery, const struct transfer *transfer)
{
        struct span rest = delivery->message.recipients, address;
        uint32_t number = 0;

        for (uint32_t i = 0; journal_string_take(&rest, &address); i++) {
                if (delivery->states[i] != RECIPIENT_WAITS || !is_next(transfer, number, address))
                        continue;
                enum hop_fate fate = transfer->recipients[number++].fate;
                delivery->states[i] = fate == FATE_DELIVERED ? RECIPIENT_DONE
                                      : fate == FATE_REFUSED ? RECIPIENT_DEAD
                                                             : RECIPIENT_WAITS;
        }
        tell_reason(delivery, transfer);
        bool is_away =
            !transfer->is_open && transfer_count(transfer, FATE_BROKEN) == transfer->recipient_count;
        return !is_away ? JOURNAL_TRIED : transfer->was_broken_off ? JOURNAL_BROKEN : JOURNAL_UNREACHABLE;
}

void drained_report(struct hop_thread *thread, struct transfer *transfer)
{
        struct journal_delivery *delivery = transfer->delivery;

        if (!transfer->is_ended)
                return;
        thread->drained_count--;
        send_back(thread, delivery, judge(delivery, transfer));
        free(transfer);
}

/* ---- its beginning ------------------------------------------------------------------------------------- */

void drained_begin(struct hop_thread *thread, struct journal_delivery *delivery)
{
        struct transfer *transfer;

        if (atomic_load(&thread->gives_back)) {
                send_back(thread, delivery, JOURNAL_UNTRIED);
                return;
        }
        transfer = make(thread, delivery);
        if (transfer == NULL) {
                send_back(thread, delivery, JOURNAL_UNREACHABLE);
                return;
        }
        thread->drained_count++;
        transfer->delivery = delivery;
        transfer->first_job = (struct transfer_job){.kind = TRANSFER_OPEN, .transfer = transfer};
        transfer->last_job =
            (struct transfer_job){.kind = TRANSFER_STORE, .content = delivery->content, .transfer = transfer};
        courier_take(thread, &transfer->first_job, 0);
        courier_take(thread, &transfer->last_job, 0);
}

/* What the next hop has not answered by now may have been taken all the same. */
static void give_back(struct hop_thread *thread, struct transfer *transfer)
{
        struct journal_delivery *delivery = transfer->delivery;
        enum journal_try result = JOURNAL_UNTRIED;
        struct hop_answer answer;

        if (dialogue_has_all(transfer)) {
                courier_withdraw(thread, transfer);
                reply_say(&answer, "", "the server stopped before the next hop had answered");
                transfer_settle_rest(transfer, FATE_UNKNOWN, &answer);
                result = judge(delivery, transfer);
        } else {
                courier_withdraw(thread, transfer);
        }
        thread->drained_count--;
        send_back(thread, delivery, result);
        free(transfer);
}

void drained_give_back(struct hop_thread *thread)
{
        struct transfer *next;

        if (thread->given_back_ms == 0)
                thread->given_back_ms = thread->now_ms + HOP_GIVE_BACK_MS;
        bool is_late = thread->now_ms >= thread->given_back_ms;
        for (struct transfer *transfer = TAILQ_FIRST(&thread->transfers); transfer != NULL; transfer = next) {
                next = TAILQ_NEXT(transfer, entry);
                if (transfer->delivery != NULL && (is_late || !dialogue_has_all(transfer)))
                        give_back(thread, transfer);
        }
}
