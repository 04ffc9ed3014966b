/* Keys, the memory of rulings, and the question that is under way. */
#include "core/smtp/command/asking.h"

#include "core/mail/tag.h"
#include "core/smtp/command/own_checks.h"

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

static bool is_callout(const struct asked_recipient *recipient)
{
        return domain_of_mailboxes(recipient->domain)->origin == RECIPIENTS_AT_HOP;
}

static bool has_directory(const struct asked_recipient *recipient)
{
        return domain_of_mailboxes(recipient->domain)->origin == RECIPIENTS_AT_SOCKETMAP;
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

        if (remembered == NULL ||
            (settings_deliver(settings, recipient->domain)->hops == NULL && !is_callout(recipient)))
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

/* Appends the local part as a directory knows it: as mailboxes are compared, and without a tag of ours. */
static bool put_directory_name(const struct session *session, const struct asked_recipient *recipient,
                               struct text *name)
{
        const struct domain *mailboxes = domain_of_mailboxes(recipient->domain);
        struct span local_part = text_span(&recipient->local_part);
        struct tag_sender tag;

        if (session->snapshot->tag_key_count > 0 && tag_sender_parse(local_part, &tag))
                local_part = tag.local_part;
        return local_part_normalise(local_part, mailboxes->options.local_part_case == LOCAL_PART_FOLD, name);
}

/* An alias is known as the domain that has the mailboxes. A reload may change how this is asked about, and then what
 * was said before answers another question. */
static struct key128 directory_key(const struct session *session, const struct asked_recipient *recipient,
                                   struct span name)
{
        const struct domain *mailboxes = domain_of_mailboxes(recipient->domain);
        const struct domain_options *options = &mailboxes->options;
        const struct span whom[] = {span_from(options->recipients), mailboxes->name,
                                    options->socketmap_settings ? SPAN("settings") : SPAN(""),
                                    span_from(options->extension), name};
        const struct remembered *remembered = session->host->remembered;

        return remembered == NULL ? (struct key128){0}
                                  : keyed_hash(&remembered->secret, whom, sizeof whom / sizeof whom[0]);
}

/* ---- the memory ---------------------------------------------------------------------------------------- */

/* For whoever plays the session again. */
static enum fact note_ruling(struct session *session, enum fact fact, const struct ruling *ruling)
{
        if (session->tape != NULL && fact != FACT_PENDING)
                tape_ruling(session, fact, ruling);
        return fact;
}

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
        if (recipient->is_ruled)
                note_ruling(session, FACT_FOUND, &recipient->ruling);
        return recipient->is_ruled && recipient->ruling.kind == RULING_REFUSES ? REPLY_hop_refused
                                                                               : REPLY_NONE;
}

/* ---- the question -------------------------------------------------------------------------------------- */

/* Its memory serves all recipients of the transaction. NULL when there is none. */
static struct asking *begin(struct session *session, const struct key128 *key)
{
        struct transaction *transaction = session->transaction;

        if (transaction->asking == NULL)
                transaction->asking = arena_take(&transaction->arena, sizeof *transaction->asking);
        if (transaction->asking != NULL)
                *transaction->asking = (struct asking){.key = *key, .fact = FACT_FAILED};
        return transaction->asking;
}

static uint64_t patience_ms(const struct session *session, enum recipient_origin origin)
{
        const struct options *options = &session->snapshot->options;
        return origin == RECIPIENTS_AT_HOP ? options->next_hops_callout_timeout_ms
                                           : options->socketmap_timeout_ms;
}

static enum fact ask(struct session *session, enum recipient_origin origin,
                     const struct recipient_question *question)
{
        struct recipient_source *source = session->host->recipient_sources[origin];
        struct asking *asking = begin(session, &question->key);

        if (asking == NULL || source == NULL)
                return FACT_FAILED;
        asking->fact = source->ask(source, question, session->peer.dns_handle, &asking->ruling);
        /* When the session gives up. The source has the same time, and begins earlier. */
        asking->due_ms = session->host->now_ms + patience_ms(session, origin);
        return asking->fact;
}

/* By the command that runs again now. */
static bool is_asked(const struct session *session, const struct key128 *key)
{
        const struct asking *asking = session->transaction->asking;
        return session->parked == PARKED_RCPT && asking != NULL && key128_equals(&asking->key, key);
}

/* A command that runs again hears what it has asked for. */
static enum fact hear(struct session *session, enum recipient_origin origin,
                      const struct recipient_question *question, struct ruling *ret_ruling)
{
        enum fact fact = is_asked(session, &question->key) ? session->transaction->asking->fact
                                                           : ask(session, origin, question);
        const struct asking *asking = session->transaction->asking;

        if (fact != FACT_PENDING && asking != NULL)
                *ret_ruling = asking->ruling;
        return note_ruling(session, fact == FACT_PENDING && asking->is_late ? FACT_FAILED : fact, ret_ruling);
}

/* ---- directories --------------------------------------------------------------------------------------- */

bool asking_is_first(const struct asked_recipient *recipient)
{
        return has_directory(recipient) && domain_of_mailboxes(recipient->domain)->options.socketmap_settings;
}

static enum reply_id take_what_is_known(struct session *session, struct asked_recipient *recipient)
{
        recipient->is_found = true;
        recipient->whom = recipient->ruling.whom;
        if (recipient->ruling.text_length == 0)
                return REPLY_NONE;
        recipient->settings =
            own_settings(session, recipient->domain, ruling_text(&recipient->ruling), &recipient->fault);
        return recipient->settings == NULL ? REPLY_recipient_unsure : REPLY_NONE;
}

/* What it has said before, or says now. */
static enum fact look_up(struct session *session, struct asked_recipient *recipient,
                         const struct recipient_question *question)
{
        struct ruling *ruling = &recipient->ruling;
        bool was_asked = is_asked(session, &question->key);

        if (!was_asked && session->host->remembered != NULL && recall(session, &question->key, ruling)) {
                counter_add(&session->host->counters->metrics[METRIC_rulings_recalled], 1);
                return note_ruling(session, ruling->kind == RULING_TAKES ? FACT_FOUND : FACT_ABSENT, ruling);
        }
        recipient->is_unserved = session_looks_only(session) && !was_asked;
        return recipient->is_unserved ? FACT_FAILED
                                      : hear(session, RECIPIENTS_AT_SOCKETMAP, question, ruling);
}

static enum reply_id doubt(struct session *session, struct asked_recipient *recipient)
{
        const struct asking *asking = session->transaction->asking;

        if (recipient->is_unserved) {
                session_note_deferral(session);
                return REPLY_overloaded_mail;
        }
        if (asking != NULL && asking->is_late)
                recipient->fault = "no answer in time";
        return REPLY_recipient_unsure;
}

enum reply_id asking_learn(struct session *session, struct asked_recipient *recipient)
{
        char octets[LOCAL_PART_MAX];
        struct text name;

        text_over(&name, octets, sizeof octets);
        if (!put_directory_name(session, recipient, &name))
                return REPLY_recipient_unknown;
        const struct recipient_question question = {
            .options = &session->snapshot->options,
            .domain = domain_of_mailboxes(recipient->domain),
            .address = recipient->address,
            .local_part = text_span(&name),
            .key = directory_key(session, recipient, text_span(&name)),
        };
        switch (look_up(session, recipient, &question)) {
        case FACT_FOUND:
                return take_what_is_known(session, recipient);
        case FACT_ABSENT:
                return REPLY_recipient_unknown;
        case FACT_FAILED:
                return doubt(session, recipient);
        case FACT_PENDING:
                break;
        }
        recipient->waits = true;
        return REPLY_NONE;
}

void asking_set_mailbox(const struct session *session, const struct asked_recipient *recipient,
                        struct text *mailbox)
{
        if (!recipient->is_found || recipient->whom == RULING_OF_MAILBOX)
                return;
        mailbox->length = 0;
        if (recipient->whom == RULING_OF_ANYBODY)
                text_put_char(mailbox, '*');
        else
                (void)put_directory_name(session, recipient, mailbox); /* it had room before */
}

/* ---- next hops ----------------------------------------------------------------------------------------- */

bool asking_is_due(const struct asked_recipient *recipient)
{
        return recipient->is_ruled || is_callout(recipient) ||
               (has_directory(recipient) && !recipient->is_found);
}

static enum fact hear_hop(struct session *session, struct asked_recipient *recipient)
{
        const struct recipient_question question = {
            .options = &session->snapshot->options,
            .domain = recipient->domain,
            .address = recipient->address,
            .local_part = text_span(&recipient->local_part),
            .key = recipient->keys.recipient,
        };
        enum fact fact = hear(session, RECIPIENTS_AT_HOP, &question, &recipient->ruling);

        recipient->is_ruled = fact == FACT_FOUND;
        recipient->waits = fact == FACT_PENDING;
        return fact;
}

enum reply_id asking_hear(struct session *session, struct asked_recipient *recipient)
{
        enum fact fact = FACT_FOUND;

        if (has_directory(recipient) && !recipient->is_found) {
                struct ruling of_hop = recipient->ruling;
                enum reply_id reply = asking_learn(session, recipient);
                if (reply != REPLY_NONE || recipient->waits)
                        return reply;
                recipient->ruling = of_hop;
        }
        if (!recipient->is_ruled && !is_callout(recipient))
                return REPLY_NONE;
        if (!recipient->is_ruled && session_looks_only(session)) {
                session_note_deferral(session);
                return REPLY_overloaded_mail;
        }
        if (!recipient->is_ruled)
                fact = hear_hop(session, recipient);
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
        if (reply == REPLY_recipient_unsure)
                about->subject =
                    recipient->fault != NULL ? span_from(recipient->fault) : ruling_text(&recipient->ruling);
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
        if (!is_unsure)
                measure_rule(session, CHECK_recipient);
}

bool asking_is_unknown(const struct asked_recipient *recipient, enum reply_id reply)
{
        return reply == REPLY_recipient_unknown || (reply == REPLY_hop_refused && is_callout(recipient));
}
