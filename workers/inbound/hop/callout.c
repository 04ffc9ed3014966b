/* Callouts: the questions of sessions, and the answers to them. */
#include "workers/inbound/hop/callout.h"

/* Equal questions go to one thread, where they join. */
static uint32_t thread_of(const struct worker *worker, const struct key128 *key)
{
        uint64_t number;

        memcpy(&number, key->octets, sizeof number);
        return (uint32_t)(number % worker->hop_count);
}

static struct transfer *make(const struct recipient_question *question)
{
        struct recipient recipient = {.address = question->address,
                                      .mailbox = question->local_part,
                                      .domain = question->domain,
                                      .keys.recipient = question->key};
        const struct message message = {.sender = span_from(question->options->next_hops_callout_sender),
                                        .recipients = &recipient,
                                        .recipient_count = 1};
        const struct next_hop_list *hops = question->domain->deliver.hops;

        return transfer_create(&(struct transfer_parts){
            .message = &message,
            .hops = hops->hops,
            .hop_count = hops->count,
            .is_smtputf8 = !span_is_ascii(question->address),
        });
}

static enum fact ask(struct recipient_source *source, const struct recipient_question *question,
                     uint64_t handle, struct ruling *ret_ruling)
{
        struct worker *worker = (struct worker *)(void *)((char *)source - offsetof(struct worker, callouts));
        struct transfer *transfer = make(question);

        (void)ret_ruling;
        if (transfer == NULL)
                return FACT_FAILED;
        transfer->is_callout = true;
        transfer->sender.is_eight_bit = false; /* there is no text */
        transfer->handle = handle;
        transfer->thread = thread_of(worker, &question->key);
        transfer->first_job = (struct transfer_job){.kind = TRANSFER_ASK, .transfer = transfer};
        counter_add(&worker->counters.metrics[METRIC_callouts], 1);
        channel_send(&worker->hops[transfer->thread].jobs[worker->number], &transfer->first_job.parcel);
        return FACT_PENDING;
}

void callout_init(struct worker *worker)
{
        worker->callouts.ask = ask;
        worker->host.recipient_sources[RECIPIENTS_AT_HOP] = &worker->callouts;
}

/* Only what is said at RCPT is said of the recipient. */
static enum fact answer_of(const struct transfer *transfer, struct ruling *ret_ruling)
{
        const struct transfer_recipient *recipient = &transfer->recipients[0];

        *ret_ruling = (struct ruling){.kind = RULING_TAKES};
        if (recipient->is_accepted)
                return FACT_FOUND;
        if (!recipient->is_of_rcpt || recipient->code == 421 ||
            (recipient->fate != FATE_REFUSED && recipient->fate != FATE_DEFERRED))
                return FACT_FAILED;
        *ret_ruling = transfer_ruling(transfer, recipient);
        return FACT_FOUND;
}

void callout_take(struct worker *worker, struct transfer *transfer)
{
        struct ruling ruling;
        enum fact fact = answer_of(transfer, &ruling);

        counter_add(&worker->counters.metrics[METRIC_callouts_joined], transfer->is_joined);
        counter_add(&worker->counters.metrics[METRIC_callouts_failed], fact == FACT_FAILED);
        connection_ruled(worker, transfer->handle, &transfer->recipients[0].keys.recipient, fact, &ruling);
        free(transfer);
}
