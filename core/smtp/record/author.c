/* What the log tells of who wrote a message. */
#include "core/smtp/record/author.h"

#include "core/check/authorship.h"
#include "core/smtp/internal.h"
#include "core/smtp/record/json.h"

#define SIGNATURES_MAX 1536 /* octets of all; one that has no room is left out */
#define DMARC_TEXT_MAX 1024 /* of a DMARC record; a longer one is left out, and gets no report */

static void put_signature(struct text *json, const struct auth_signature *signature)
{
        text_put_char(json, '{');
        put_string(json, "domain", signature->domain);
        put_string(json, "selector", signature->selector);
        put_string(json, "result", span_from(auth_result_name(signature->result)));
        if (signature->result != AUTH_PASS)
                put_string(json, "reason", span_from(signature->reason));
        text_put_char(json, '}');
}

static void put_signatures(struct text *json, const struct dkim *dkim)
{
        size_t begin = json->length;

        if (dkim->count == 0)
                return;
        put_key(json, "dkim");
        text_put_char(json, '[');
        for (uint32_t i = 0; i < dkim->count; i++) {
                char octets[SIGNATURES_MAX];
                struct text one;
                text_over(&one, octets, sizeof octets);
                put_signature(&one, &dkim->signatures[i]);
                if (one.overflowed || json->length - begin + one.length > SIGNATURES_MAX)
                        continue;
                if (json->at[json->length - 1] != '[')
                        text_put_char(json, ',');
                text_put(json, text_span(&one));
        }
        text_put_char(json, ']');
}

/* As it was found: reports tell of the policy that was in force, and go where it says. */
static void put_record(struct text *json, struct span record)
{
        char octets[DMARC_TEXT_MAX];
        struct text one;

        text_over(&one, octets, sizeof octets);
        text_put_json(&one, record);
        if (one.overflowed)
                return;
        put_key(json, "dmarc_text");
        text_put(json, text_span(&one));
}

/* What became of the mail by that policy, which asks and does not order. */
static enum dmarc_policy applied(const struct transaction *transaction)
{
        return transaction->final_code >= 400 && transaction->final_reply == REPLY_dmarc ? DMARC_POLICY_REJECT
               : transaction->is_dmarc_marked ? DMARC_POLICY_QUARANTINE
                                              : DMARC_POLICY_NONE;
}

static void put_policy(struct text *json, const struct transaction *transaction,
                       const struct authorship *authorship)
{
        const struct dmarc_verdict *dmarc = &authorship->dmarc;

        if (authorship->author.kind == DMARC_AUTHOR_ONE)
                put_string(json, "header_from", dmarc_author_domain(&authorship->author));
        if (!dmarc->has_record)
                return;
        put_string(json, "dmarc_record", dmarc->record_domain);
        put_string(json, "dmarc_policy", span_from(dmarc_policy_name(dmarc->published)));
        put_string(json, "dmarc_disposition",
                   span_from(dmarc_policy_name(authorship_disposition(authorship))));
        if (dmarc->dkim_is_aligned || dmarc->spf_is_aligned)
                put_string(json, "dmarc_aligned",
                           span_from(!dmarc->spf_is_aligned    ? "dkim"
                                     : !dmarc->dkim_is_aligned ? "spf"
                                                               : "dkim spf"));
        if (authorship->sealer.length > 0)
                put_string(json, "arc_sealer", authorship->sealer);
        put_string(json, "dmarc_applied", span_from(dmarc_policy_name(applied(transaction))));
        put_record(json, dmarc->record.text);
}

/* NULL: nobody has judged who wrote it. */
static const struct authorship *find(const struct session *session)
{
        struct transaction *transaction = session->transaction;

        if (transaction->scan.reader == NULL)
                return NULL;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);
        const struct authorship *authorship = authorship_find(&facts);
        return authorship->is_judged ? authorship : NULL;
}

void record_put_author(struct text *json, const struct session *session)
{
        const struct authorship *authorship = find(session);

        if (authorship == NULL)
                return;
        put_signatures(json, &authorship->reader.dkim);
        if (!authorship->reader.skips_arc && authorship->reader.arc.result != AUTH_NONE)
                put_string(json, "arc", span_from(auth_result_name(authorship->reader.arc.result)));
        put_string(json, "dmarc", span_from(auth_result_name(authorship->dmarc.result)));
        put_policy(json, session->transaction, authorship);
}

void record_count_author(const struct session *session)
{
        static const enum metric_id metrics[] = {[DMARC_POLICY_NONE] = METRIC_dmarc_none,
                                                 [DMARC_POLICY_QUARANTINE] = METRIC_dmarc_quarantine,
                                                 [DMARC_POLICY_REJECT] = METRIC_dmarc_reject};
        const struct authorship *authorship = find(session);

        if (authorship == NULL || !authorship_has_failed(authorship))
                return;
        counter_add(&session->host->counters->metrics[metrics[authorship_disposition(authorship)]], 1);
}
