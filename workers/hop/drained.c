/* What the journal's drain hands out: each delivery is a transfer whose jobs the thread has itself, and one that goes
 * on with those recipients that the next hop takes. */
#include "conf/value/next_hop.h"
#include "workers/hop/internal.h"

#include <stdio.h>

/* ---- a transfer ---------------------------------------------------------------------------------------- */

/* Those who wait, as an envelope has them; NULL when memory is out. */
static struct recipient *list_recipients(const struct journal_delivery *delivery, struct message *message)
{
        uint32_t count = delivery->message.recipient_count;
        struct span rest = delivery->message.recipients, address;
        struct recipient *recipients = calloc(count, sizeof *recipients);

        for (uint32_t i = 0; recipients != NULL && journal_string_take(&rest, &address); i++) {
                if (delivery->states[i] != RECIPIENT_WAITS)
                        continue;
                struct recipient *recipient = &recipients[message->recipient_count++];
                recipient->address = address;
                if (message->recipient_count > 1)
                        recipient[-1].next = recipient;
        }
        message->recipients = recipients;
        return recipients;
}

static struct transfer *make_of(const struct journal_delivery *delivery, const struct next_hop_list *hops)
{
        const struct journal_message *record = &delivery->message;
        struct message message = {.sender = record->sender};
        struct recipient *recipients = list_recipients(delivery, &message);
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

/* NULL when memory is out, or the record names no next hop that is understood. */
static struct transfer *make(const struct journal_delivery *delivery)
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
                transfer = make_of(delivery, &hops);
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

/* Where no hop was there that is the destination's fault, and else the message's. */
static enum journal_try judge(struct journal_delivery *delivery, const struct transfer *transfer)
{
        uint32_t number = 0;

        for (uint32_t i = 0; i < delivery->message.recipient_count; i++) {
                if (delivery->states[i] != RECIPIENT_WAITS)
                        continue;
                enum hop_fate fate = transfer->recipients[number++].fate;
                delivery->states[i] = fate == FATE_DELIVERED ? RECIPIENT_DONE
                                      : fate == FATE_REFUSED ? RECIPIENT_DEAD
                                                             : RECIPIENT_WAITS;
        }
        tell_reason(delivery, transfer);
        bool is_away =
            !transfer->is_open && transfer_count(transfer, FATE_BROKEN) == transfer->recipient_count;
        return is_away ? JOURNAL_UNREACHABLE : JOURNAL_TRIED;
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
        transfer = make(delivery);
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
