/* Message text on its way past: for the checks that read it, where a recipient's policy asks for one, for the key of
 * what the client sends, and for whoever wants to know who wrote it, be that a check or a field on top of the text. */
#include "core/auth/results.h"
#include "core/check/authorship.h"
#include "core/check/hooks.h"
#include "core/check/spf/received.h"
#include "core/check/spf/spf.h"
#include "core/smtp/internal.h"
#include "core/smtp/trace.h"

#define QUARANTINE_MAX 400 /* octets */

static struct facts facts_of(struct session *session)
{
        struct transaction *transaction = session->transaction;

        return stage_facts(session, &transaction->arena, &transaction->memo);
}

/* ---- who wrote it -------------------------------------------------------------------------------------- */

/* Not where postmaster alone gets it. */
static bool tells_results(const struct session *session)
{
        return session->snapshot->options.authentication_results && session_dns(session) != NULL &&
               session->transaction->is_judged;
}

static bool may_mark(const struct session *session)
{
        for (const struct recipient *recipient = session->transaction->message.recipients; recipient != NULL;
             recipient = recipient->next)
                if (!recipient->is_postmaster &&
                    recipient_checks(recipient)[CHECK_dmarc].mode == CHECK_MODE_ENFORCE &&
                    recipient->domain->options.dmarc_quarantine == QUARANTINE_FIELD)
                        return true;
        return false;
}

/* Has the text read where a check needs it, or a field is to tell of it. Where a field may come to stand in front of
 * the text, none of it leaves before its end. */
static void author_begin(struct session *session)
{
        struct transaction *transaction = session->transaction;
        struct facts facts = facts_of(session);

        if (!tells_results(session) && !authorship_is_needed(&facts, transaction->text_checks))
                return;
        /* What was late before is late no more: the keys have their own time. */
        memo_begin_stage(&transaction->memo);
        transaction->scan.reader = authorship_begin(&facts);
        transaction->is_author_told =
            transaction->scan.reader != NULL &&
            (tells_results(session) ||
             ((transaction->text_checks & check_bit(CHECK_dmarc)) != 0 && may_mark(session)));
        transaction->message.is_held |= transaction->is_author_told;
}

/* As soon as the header is over, so that answers are there at the end. */
static void author_ask(struct session *session)
{
        struct transaction *transaction = session->transaction;
        const struct auth_reader *reader = transaction->scan.reader;

        if (reader == NULL || !reader->is_parsed || transaction->is_author_asked)
                return;
        transaction->is_author_asked = true;
        struct facts facts = facts_of(session);
        authorship_ask(&facts);
}

static void author_end(struct session *session)
{
        if (session->transaction->scan.reader != NULL)
                auth_reader_end(session->transaction->scan.reader);
}

/* ---- the text ------------------------------------------------------------------------------------------ */

void text_readers_begin(struct session *session)
{
        struct transaction *transaction = session->transaction;

        if (session->is_trusted)
                return;
        struct facts facts = facts_of(session);
        transaction->text_checks = pipeline_asked_for(&facts, STAGE_DATA);
        transaction->text_readers = hooks_text_begin(&facts, transaction->text_checks);
        author_begin(session);
}

void text_readers_read(struct session *session, const struct content_block *block, size_t offset)
{
        struct transaction *transaction = session->transaction;

        author_ask(session);
        if (transaction->text_readers == 0 && transaction->text_hash == NULL)
                return;
        struct facts facts = facts_of(session);
        for (block = block == NULL ? transaction->message.content.first : block; block != NULL;
             block = block->next, offset = 0) {
                struct span octets = span_of(block->octets + offset, block->length - offset);
                if (transaction->text_hash != NULL)
                        keyed_add(transaction->text_hash, octets);
                transaction->text_readers = hooks_text_read(&facts, transaction->text_readers, octets);
        }
}

void text_readers_end(struct session *session)
{
        struct transaction *transaction = session->transaction;

        author_end(session);
        if (transaction->text_readers == 0)
                return;
        struct facts facts = facts_of(session);
        hooks_text_end(&facts, transaction->text_readers);
        transaction->text_readers = 0;
}

/* ---- fields -------------------------------------------------------------------------------------------- */

bool text_readers_wait(struct session *session)
{
        if (session->transaction->scan.reader == NULL || !tells_results(session) || session_defers(session))
                return false;
        struct facts facts = facts_of(session);
        return !authorship_judge(&facts)->is_judged;
}

static const char *iprev_name(enum reverse_result result)
{
        static const char *const names[] = {[REVERSE_VERIFIED] = "pass",
                                            [REVERSE_UNVERIFIED] = "fail",
                                            [REVERSE_NONE] = "permerror",
                                            [REVERSE_FAILED] = "temperror",
                                            [REVERSE_PENDING] = "temperror"};
        return names[result];
}

static void write_results(struct session *session, const struct facts *facts,
                          const struct authorship *authorship, struct text *field)
{
        char octets[ADDRESS_TEXT_MAX + 1];
        struct text client;

        text_over(&client, octets, sizeof octets);
        address_write(&client, &session->peer.client);
        auth_results_write(field, &(struct auth_results){
                                      .server = span_from(session->snapshot->options.hostname),
                                      .iprev = iprev_name(trace_iprev(session)),
                                      .client = text_span(&client),
                                      .spf = !spf_counts(facts)            ? NULL
                                             : authorship->spf == SPF_WAIT ? "temperror"
                                                                           : spf_result_name(authorship->spf),
                                      .mail_from = facts->sender,
                                      .helo = facts->helo,
                                      .dkim = &authorship->reader.dkim,
                                      .author = &authorship->author,
                                      .dmarc = &authorship->dmarc,
                                      .arc = &authorship->reader.arc,
                                  });
}

static void write_quarantine(const struct authorship *authorship, struct text *field)
{
        text_put_string(field, QUARANTINE_MARK ": dmarc: the policy of ");
        text_put(field, dmarc_author_domain(&authorship->author));
        text_put_string(field, " asks for it\r\n");
}

bool text_readers_write_fields(struct session *session)
{
        struct transaction *transaction = session->transaction;
        char octets[AUTH_RESULTS_MAX + QUARANTINE_MAX];
        struct text fields;

        if (!transaction->is_author_told)
                return true;
        struct facts facts = facts_of(session);
        const struct authorship *authorship = authorship_judge(&facts);
        text_over(&fields, octets, sizeof octets);
        if (may_mark(session) && authorship_disposition(authorship) == DMARC_POLICY_QUARANTINE) {
                write_quarantine(authorship, &fields);
                transaction->message.is_quarantined = transaction->is_dmarc_marked = true;
        }
        if (tells_results(session))
                write_results(session, &facts, authorship, &fields);
        transaction->message.is_held = transaction->filters.want_text;
        if (fields.length == 0 || fields.overflowed)
                return true;
        transaction->own_length += fields.length;
        return content_insert(&transaction->message.content, &session->host->content_pool,
                              transaction->front_length, text_span(&fields));
}
