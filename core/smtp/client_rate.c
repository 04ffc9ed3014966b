/* The check client_rate in a session: what its client does is counted; over a limit it is deferred, or sent
 * away for a while. */
#include "core/senders/rate_notice.h"
#include "core/smtp/internal.h"

#include <xxhash.h>

#define EARLY_TALKER_ERRORS 10 /* that one counts for */
#define EVIDENCE_MAX        200

/* As of now. */
static struct rates *rates_of(struct session *session)
{
        session->rates.now_ms = session->host->now_ms;
        return &session->rates;
}

static enum check_mode rate_mode(const struct session *session)
{
        return session->snapshot->checks[CHECK_client_rate].mode;
}

static void count_displaced(struct session *session)
{
        counter_add(&session->host->counters->metrics[METRIC_clients_displaced], session->rates.displaced);
        session->rates.displaced = 0;
}

/* The last one is kept, in the same memory. */
static void note_excess(struct session *session, const struct rate_excess *excess)
{
        struct session_oddities *oddities = session_oddities(session);
        char *octets = oddities == NULL ? NULL : (char *)(uintptr_t)oddities->rate_evidence.at;
        struct text text;

        if (oddities == NULL ||
            (octets == NULL && (octets = arena_take(&session->arena, EVIDENCE_MAX)) == NULL))
                return;
        text_over(&text, octets, EVIDENCE_MAX);
        rate_excess_write(&text, excess, &session->peer.client, &session->snapshot->options);
        oddities->rate_evidence = text_span(&text);
}

static void count_excess(struct session *session)
{
        struct counters *counters = session->host->counters;

        counter_add(rate_mode(session) == CHECK_MODE_OBSERVE ? &counters->observed[CHECK_client_rate]
                                                             : &counters->deferred[CHECK_client_rate],
                    1);
}

/* Of what the fleet has not been told. */
static void count_untold(uint16_t *count, size_t more)
{
        *count = more < (size_t)(UINT16_MAX - *count) ? (uint16_t)(*count + more) : UINT16_MAX;
}

/* ---- who the client is --------------------------------------------------------------------------------- */

void rate_client_is_known(struct session *session)
{
        const struct ledger *ledger = session->host->ledger;

        /* A balancer is not one client. */
        session->is_rated =
            ledger != NULL && client_is_rated(session->snapshot, &session->peer.client) &&
            !network_list_contains(&session->snapshot->options.proxy_networks, &session->peer.client);
        if (session->is_rated)
                rates_init(&session->rates, ledger, &session->snapshot->options, &session->peer.client,
                           session->host->now_ms);
        session->client_has_good_history = session->host->recall != NULL
                                               ? tape_had_good_history(session)
                                               : session->is_rated && rates_has_good_history(&session->rates);
        if (session->oddities != NULL)
                session->oddities->rate_evidence.length = 0;
        if (session->is_rated && session->peer.excess != NULL)
                note_excess(session, session->peer.excess);
        session->peer.excess = NULL;
}

bool rate_spares(const struct session *session)
{
        return session->client_has_good_history && rate_mode(session) == CHECK_MODE_ENFORCE;
}

bool rate_refuses_named_client(struct session *session, struct text *out, enum session_wish *ret_wish)
{
        struct rate_excess excess;

        if (!session->is_rated || address_equals(&session->connected, &session->peer.client))
                return false;
        enum reply_id reply = client_admit(session->snapshot, session->host->ledger, session->host->counters,
                                           &session->peer.client, session->host->now_ms, &excess);
        if (excess.is_over)
                note_excess(session, &excess);
        if (reply == REPLY_NONE)
                return false;
        *ret_wish = session_close(session, out, reply);
        return true;
}

/* ---- what it does -------------------------------------------------------------------------------------- */

static enum reply_id reply_about(enum rate_kind kind)
{
        if (kind == RATE_TRANSACTIONS)
                return REPLY_rate_transactions;
        return kind == RATE_MESSAGES ? REPLY_rate_messages : REPLY_rate_recipients;
}

/* REPLY_NONE where the check only observes. */
static enum reply_id too_much(struct session *session, const struct rate_excess *excess)
{
        enum reply_id reply = reply_about(excess->kind);
        struct arena *arena = &session->transaction->arena;
        struct verdict *verdict = arena_take(arena, sizeof *verdict);
        char octets[EVIDENCE_MAX];
        struct text text;

        count_excess(session);
        if (session->tape != NULL)
                tape_excess(session, excess->kind);
        text_over(&text, octets, sizeof octets);
        rate_excess_write(&text, excess, &session->peer.client, &session->snapshot->options);
        if (verdict != NULL) {
                *verdict = (struct verdict){
                    .check = CHECK_client_rate,
                    .result = VERDICT_DEFER,
                    .reply = reply,
                    .evidence = arena_copy(arena, text_span(&text)),
                };
                record_finding(session, verdict, &session->snapshot->checks[CHECK_client_rate]);
        }
        return rate_mode(session) == CHECK_MODE_OBSERVE ? REPLY_NONE : reply;
}

/* What a session that is played again has been told of its limits. */
static enum reply_id recalled(struct session *session, enum rate_kind kind)
{
        return tape_had_excess(session, kind)
                   ? too_much(session, &(struct rate_excess){.is_over = true, .kind = kind})
                   : REPLY_NONE;
}

enum reply_id rate_transaction(struct session *session)
{
        struct rate_excess excess = {0};
        enum reply_id reply = REPLY_NONE;

        if (!session->is_rated)
                return recalled(session, RATE_TRANSACTIONS);
        if (rates_take(rates_of(session), RATE_TRANSACTIONS, 1, &excess))
                count_untold(&session->untold.transactions, 1);
        else
                reply = too_much(session, &excess);
        count_displaced(session);
        return reply;
}

enum reply_id rate_recipient(struct session *session)
{
        struct transaction *transaction = session->transaction;
        struct rates *rates = rates_of(session);
        struct rate_excess excess = {0};
        enum reply_id reply = REPLY_NONE;

        if (!session->is_rated) {
                reply = recalled(session, RATE_MESSAGES);
                return reply != REPLY_NONE ? reply : recalled(session, RATE_RECIPIENTS);
        }
        if (!transaction->is_rated) {
                transaction->is_rated = rates_take(rates, RATE_MESSAGES, 1, &excess);
                count_untold(&session->untold.messages, transaction->is_rated);
                if (!transaction->is_rated)
                        reply = too_much(session, &excess);
        }
        if (reply == REPLY_NONE && !rates_take(rates, RATE_RECIPIENTS, 1, &excess))
                reply = too_much(session, &excess);
        count_untold(&session->untold.recipients, reply == REPLY_NONE);
        count_displaced(session);
        return reply;
}

/* ---- what other machines are told ---------------------------------------------------------------------- */

static bool is_shared(const struct session *session)
{
        return session->is_rated && session->snapshot->options.client_rate_shared &&
               session->host->senders != NULL && session->host->senders->tell != NULL;
}

static void tell_penalty(struct session *session, const struct rate_excess *excess)
{
        char octets[RATE_NOTICE_MAX];
        struct text notice;

        if (!is_shared(session))
                return;
        text_over(&notice, octets, sizeof octets);
        rate_notice_write_penalty(&notice, &session->peer.client, excess, session->host->wall_ms);
        session->host->senders->tell(session->host->senders, text_span(&notice));
}

static uint32_t above(uint32_t left, uint32_t right)
{
        return left > right ? left - right : 0;
}

static void tell_counts(struct session *session, uint32_t errors, uint32_t messages)
{
        uint32_t unknown = session->untold.unknown_recipients, stored = session->untold.stored_recipients;
        const struct rate_counts counts = {
            .taken = {[RATE_CONNECTIONS] = 1,
                      [RATE_MESSAGES] = session->untold.messages,
                      [RATE_RECIPIENTS] = session->untold.recipients,
                      [RATE_UNKNOWN_RECIPIENTS] = above(unknown, stored),
                      [RATE_ERRORS] = above(errors, messages),
                      [RATE_TRANSACTIONS] = session->untold.transactions},
            .given_back =
                {[RATE_UNKNOWN_RECIPIENTS] = above(stored, unknown), [RATE_ERRORS] = above(messages, errors)},
        };
        char octets[RATE_NOTICE_MAX];
        struct text notice;

        memset(&session->untold, 0, sizeof session->untold);
        if (!is_shared(session))
                return;
        text_over(&notice, octets, sizeof octets);
        rate_notice_write_counts(&notice, &session->peer.client, &counts, session->host->wall_ms);
        session->host->senders->tell(session->host->senders, text_span(&notice));
}

/* ---- faults and merits --------------------------------------------------------------------------------- */

/* True: they are too many. */
static bool note_faults(struct session *session, enum rate_kind kind, uint64_t faults)
{
        struct rates *rates = rates_of(session);
        struct rate_excess excess = {0};
        bool is_within = rates_take_fault(rates, kind, faults, &excess);

        count_displaced(session);
        if (is_within)
                return false;
        /* A penalty of before says less than what began it, if that was here. */
        if (excess.count > 0 || session->oddities == NULL || session->oddities->rate_evidence.length == 0)
                note_excess(session, &excess);
        if (excess.count > 0 && excess.penalty_ms > 0) {
                counter_add(&session->host->counters->metrics[METRIC_penalties], 1);
                tell_penalty(session, &excess);
        }
        return true;
}

bool rate_unknown_recipient(struct session *session)
{
        if (!session->is_rated)
                return tape_had_excess(session, RATE_UNKNOWN_RECIPIENTS) &&
                       rate_mode(session) == CHECK_MODE_ENFORCE;
        count_untold(&session->untold.unknown_recipients, 1);
        if (note_faults(session, RATE_UNKNOWN_RECIPIENTS, 1)) {
                if (session->tape != NULL)
                        tape_excess(session, RATE_UNKNOWN_RECIPIENTS);
                count_excess(session);
                if (rate_mode(session) == CHECK_MODE_ENFORCE)
                        return true;
        }
        session->unknown_recipients++;
        return false;
}

static uint64_t mailbox_hash(const struct recipient *recipient)
{
        struct span mailbox = recipient->mailbox;
        return XXH3_64bits_withSeed(mailbox.at, mailbox.length,
                                    (uint64_t)(uintptr_t)domain_of_mailboxes(recipient->domain));
}

/* False: it is there already. 0 marks what is free. */
static bool set_add(uint64_t *set, size_t mask, uint64_t hash)
{
        size_t at = hash & mask;

        while (set[at] != 0 && set[at] != hash)
                at = (at + 1) & mask;
        bool is_new = set[at] == 0;
        set[at] = hash;
        return is_new;
}

/* How many mailboxes got the message. Postmaster, whom policy does not guard, is none of them: mail to him and
 * mail that names a recipient again cost nobody anything. Without memory the message counts for one. */
static uint32_t mailboxes_of(struct session *session, const struct message *message)
{
        size_t size = 2;
        uint32_t count = 0;

        while (size < 2 * message->recipient_count)
                size *= 2;
        uint64_t *set = arena_take(&session->transaction->arena, size * sizeof *set);
        if (set != NULL)
                memset(set, 0, size * sizeof *set);
        for (const struct recipient *recipient = message->recipients; recipient != NULL;
             recipient = recipient->next)
                if (!recipient->is_postmaster)
                        count +=
                            set == NULL ? count == 0 : set_add(set, size - 1, mailbox_hash(recipient) | 1);
        return count;
}

void rate_stored(struct session *session)
{
        struct rates *rates = rates_of(session);
        uint32_t recipients;

        if (!session->is_rated || (recipients = mailboxes_of(session, &session->transaction->message)) == 0)
                return;
        session->merits++;
        count_untold(&session->untold.stored_recipients, recipients);
        rates_give_back(rates, RATE_UNKNOWN_RECIPIENTS, recipients);
        rates_give_back(rates, RATE_ERRORS, 1);
}

void rate_settle(struct session *session)
{
        uint32_t faults = session->errors_total - session->errors_settled;
        uint32_t messages = session->merits;
        uint32_t errors = faults > session->unknown_recipients ? faults - session->unknown_recipients : 0;
        struct rates *rates = rates_of(session);

        if (session->is_rated && session->closed_with == REPLY_early_talker)
                errors += EARLY_TALKER_ERRORS - 1;
        if (session->is_rated && errors > 0)
                note_faults(session, RATE_ERRORS, errors);
        if (session->is_rated && (faults > 0 || messages > 0))
                rates_note_history(rates, messages, faults);
        count_displaced(session);
        tell_counts(session, errors, messages);
        session->errors_settled = session->errors_total;
        session->merits = 0;
        session->unknown_recipients = 0;
}
