/* Keys, the memory of rulings, and the question that is under way. */
#include "core/smtp/command/asking.h"

/* Mail of one client may come from neighbours. */
#define NETWORK_PREFIX4 120
#define NETWORK_PREFIX6 64

/* ---- keys ---------------------------------------------------------------------------------------------- */

static struct span client_network(const struct session *session, struct network *network)
{
        const struct address *client = &session->peer.client;

        if (session->snapshot->options.next_hops_naming == HOP_NAMES_NOBODY)
                return SPAN("");
        *network = network_of(client, address_is_ipv4(client) ? NETWORK_PREFIX4 : NETWORK_PREFIX6);
        return span_of((const char *)network->address.octets, sizeof network->address.octets);
}

/* By where its mail goes: another destination has said nothing yet. */
static void set_keys(const struct session *session, struct asked_recipient *recipient)
{
        const struct remembered *remembered = session->host->remembered;
        const struct domain *mailboxes = domain_of_mailboxes(recipient->domain);
        const struct recipient_settings *settings = recipient->settings;
        char octets[LOCAL_PART_MAX];
        struct network network;
        struct text normal;

        if (remembered == NULL || (settings_deliver(settings, recipient->domain)->hops == NULL &&
                                   mailboxes->origin == RECIPIENTS_HERE))
                return;
        text_over(&normal, octets, sizeof octets);
        if (!local_part_normalise(text_span(&recipient->local_part),
                                  mailboxes->options.local_part_case == LOCAL_PART_FOLD, &normal))
                return;
        bool goes_elsewhere = settings != NULL && settings->has_deliver;
        const struct span whom[] = {goes_elsewhere ? settings->text : span_from(mailboxes->options.deliver),
                                    span_from(mailboxes->options.recipients), recipient->domain->name,
                                    text_span(&normal)};
        recipient->keys.recipient = keyed_hash(&remembered->secret, whom, sizeof whom / sizeof whom[0]);
        const struct span mail[] = {key128_span(&recipient->keys.recipient),
                                    session->transaction->message.sender, client_network(session, &network)};
        recipient->keys.pair = keyed_hash(&remembered->secret, mail, 2);
        recipient->keys.mail = keyed_hash(&remembered->secret, mail, sizeof mail / sizeof mail[0]);
}

/* ---- the memory ---------------------------------------------------------------------------------------- */

static bool recall(const struct session *session, const struct key128 *key, struct ruling *ret_ruling)
{
        struct session_host *host = session->host;
        return rulings_find(host->remembered->rulings, key, host->now_ms, &host->session_pool, ret_ruling);
}

enum reply_id asking_recall(struct session *session, struct asked_recipient *recipient)
{
        static const struct key128 none;

        set_keys(session, recipient);
        if (key128_equals(&recipient->keys.recipient, &none))
                return REPLY_NONE;
        recipient->is_ruled = recall(session, &recipient->keys.mail, &recipient->ruling) ||
                              recall(session, &recipient->keys.recipient, &recipient->ruling);
        counter_add(&session->host->counters->metrics[METRIC_rulings_recalled], recipient->is_ruled);
        return recipient->is_ruled && recipient->ruling.kind == RULING_REFUSES ? REPLY_hop_refused
                                                                               : REPLY_NONE;
}

/* ---- the question -------------------------------------------------------------------------------------- */

static enum recipient_origin origin_of(const struct asked_recipient *recipient)
{
        return domain_of_mailboxes(recipient->domain)->origin;
}

/* Its memory serves all recipients of the transaction. NULL when there is none. */
static struct asking *begin(struct session *session, const struct asked_recipient *recipient)
{
        struct transaction *transaction = session->transaction;

        if (transaction->asking == NULL)
                transaction->asking = arena_take(&transaction->arena, sizeof *transaction->asking);
        if (transaction->asking != NULL)
                *transaction->asking = (struct asking){.key = recipient->keys.recipient, .fact = FACT_FAILED};
        return transaction->asking;
}

static enum fact ask(struct session *session, const struct asked_recipient *recipient)
{
        struct recipient_source *source = session->host->recipient_sources[origin_of(recipient)];
        struct asking *asking = begin(session, recipient);
        const struct recipient_question question = {
            .options = &session->snapshot->options,
            .domain = recipient->domain,
            .address = recipient->address,
            .local_part = text_span(&recipient->local_part),
            .key = recipient->keys.recipient,
        };

        if (asking == NULL || source == NULL)
                return FACT_FAILED;
        asking->fact = source->ask(source, &question, session->peer.dns_handle, &asking->ruling);
        /* When the session gives up. The source has the same time, and begins earlier. */
        asking->due_ms = session->host->now_ms + session->snapshot->options.next_hops_callout_timeout_ms;
        return asking->fact;
}

/* A command that runs again hears what it has asked for. */
static enum fact hear(struct session *session, struct asked_recipient *recipient)
{
        const struct asking *asking = session->transaction->asking;
        bool is_asked = session->parked == PARKED_RCPT && asking != NULL &&
                        key128_equals(&asking->key, &recipient->keys.recipient);
        enum fact fact = is_asked ? asking->fact : ask(session, recipient);

        if (fact == FACT_FOUND)
                recipient->ruling = session->transaction->asking->ruling;
        return fact == FACT_PENDING && session->transaction->asking->is_late ? FACT_FAILED : fact;
}

bool asking_is_due(const struct asked_recipient *recipient)
{
        return recipient->is_ruled || origin_of(recipient) != RECIPIENTS_HERE;
}

enum reply_id asking_hear(struct session *session, struct asked_recipient *recipient)
{
        enum fact fact = FACT_FOUND;

        if (!recipient->is_ruled && session_looks_only(session)) {
                session_note_deferral(session);
                return REPLY_overloaded_mail;
        }
        if (!recipient->is_ruled) {
                fact = hear(session, recipient);
                recipient->is_ruled = fact == FACT_FOUND;
                recipient->waits = fact == FACT_PENDING;
        }
        if (fact == FACT_ABSENT)
                return REPLY_recipient_unknown;
        if (fact == FACT_FAILED)
                return REPLY_recipient_unsure;
        if (recipient->waits || recipient->ruling.kind == RULING_TAKES)
                return REPLY_NONE;
        return recipient->ruling.kind == RULING_REFUSES ? REPLY_hop_refused : REPLY_hop_deferred;
}

void asking_tell(const struct asked_recipient *recipient, enum reply_id reply, struct reply_about *about)
{
        if (reply != REPLY_hop_refused && reply != REPLY_hop_deferred)
                return;
        about->subject = ruling_text(&recipient->ruling);
        about->code = recipient->ruling.code;
        about->enhanced = span_from(recipient->ruling.enhanced);
}

bool asking_waits(const struct session *session)
{
        const struct asking *asking = session->transaction == NULL ? NULL : session->transaction->asking;
        return session->parked == PARKED_RCPT && asking != NULL && asking->fact == FACT_PENDING &&
               !asking->is_late;
}

enum session_wish session_ruled(struct session *session, const struct key128 *key, enum fact fact,
                                const struct ruling *ruling, struct text *out)
{
        struct asking *asking = session->transaction == NULL ? NULL : session->transaction->asking;

        if (asking != NULL && asking->fact == FACT_PENDING && key128_equals(&asking->key, key)) {
                asking->fact = asking->is_late ? FACT_FAILED : fact;
                if (fact == FACT_FOUND)
                        asking->ruling = *ruling;
        }
        return session_resume(session, out);
}

void asking_note(struct session *session, enum reply_id reply)
{
        struct counters *counters = session->host->counters;
        bool is_unsure =
            reply == REPLY_recipient_unsure || reply == REPLY_hop_deferred || reply == REPLY_overloaded_mail;

        session->was_refused |= !is_unsure;
        counter_add(is_unsure ? &counters->deferred[CHECK_recipient] : &counters->refused[CHECK_recipient],
                    1);
}

bool asking_is_unknown(const struct asked_recipient *recipient, enum reply_id reply)
{
        return reply == REPLY_recipient_unknown ||
               (reply == REPLY_hop_refused && origin_of(recipient) != RECIPIENTS_HERE);
}
