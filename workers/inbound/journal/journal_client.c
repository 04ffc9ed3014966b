/* Mail for the journal, as a worker sees it. */
#include "workers/inbound/journal/journal_client.h"

#include "workers/inbound/delivery_client.h"

bool journal_client_takes(const struct worker *worker, const struct message *message)
{
        return worker->journal != NULL && recipient_journal(message->recipients) != JOURNAL_NEVER;
}

static bool is_own(const struct message *message)
{
        const struct recipient *recipient = message->recipients;

        while (recipient != NULL && recipient_deliver(recipient) == &recipient->domain->deliver)
                recipient = recipient->next;
        return recipient != NULL;
}

void journal_client_fill(struct journal_job *job, const struct connection *connection)
{
        const struct session *session = &connection->session;

        address_write_string(&session->peer.client, job->client);
        span_copy_cut(session->helo, job->helo, sizeof job->helo);
        job->origin = (struct journal_origin){
            .client = span_from(job->client),
            .helo = span_from(job->helo),
            .destination = span_from(recipient_deliver(job->delivery.message->recipients)->destination),
            .is_own = is_own(job->delivery.message),
        };
}

/* ---- what a next hop has left -------------------------------------------------------------------------- */

/* Whether it is to be kept here. All alike refused or put off: the client is told so. Where nobody has it, and not all
 * for the same reason, the client comes again as well. */
static bool is_to_be_kept(const struct transfer *transfer)
{
        uint32_t lost = transfer_count(transfer, FATE_BROKEN) + transfer_count(transfer, FATE_UNKNOWN);

        return transfer_count(transfer, FATE_DELIVERED) > 0 || lost == transfer->recipient_count;
}

/* The message for those who do not have it; NULL when memory is out. Recipients of both are in the same order. */
static struct message *make_rest(const struct message *message, const struct transfer *transfer)
{
        size_t count = transfer->recipient_count - transfer_count(transfer, FATE_DELIVERED);
        struct message *rest = malloc(sizeof *rest + count * sizeof(struct recipient));
        const struct transfer_recipient *asked = transfer->recipients;

        if (rest == NULL)
                return NULL;
        *rest = *message;
        rest->recipients = (struct recipient *)(rest + 1);
        rest->recipient_count = 0;
        for (const struct recipient *recipient = message->recipients; recipient != NULL;
             recipient = recipient->next) {
                if (recipient->is_left_out || asked++->fate == FATE_DELIVERED)
                        continue;
                struct recipient *copy = &rest->recipients[rest->recipient_count++];
                *copy = *recipient;
                copy->next = rest->recipient_count < count ? copy + 1 : NULL;
        }
        return rest;
}

bool journal_client_rescue(struct worker *worker, struct connection *connection,
                           const struct transfer *transfer, struct content *content)
{
        const struct message *message = session_message(&connection->session);

        if ((transfer->is_in_pieces && !transfer->keeps) || !journal_client_takes(worker, message) ||
            !is_to_be_kept(transfer))
                return false;
        struct message *rest = make_rest(message, transfer);
        if (rest == NULL)
                return false;
        rest->content = content_detach(content);
        if (delivery_client_keep(worker, connection, rest))
                return true;
        *content = content_detach(&rest->content);
        free(rest);
        return false;
}
