/* P16: what authenticates the mail has the domain of From, where that domain asks for it (DMARC, RFC 9989). */
#include "core/check/authorship.h"

#include "core/check/memory.h"

static enum verdict_result say(const struct facts *facts, struct verdict *verdict,
                               const struct authorship *authorship, enum reply_id reply,
                               enum verdict_result result)
{
        verdict->reply = reply;
        verdict->subject = dmarc_author_domain(&authorship->author);
        verdict->evidence = authorship_evidence(facts, authorship);
        return result;
}

static enum verdict_result failed(const struct facts *facts, struct verdict *verdict,
                                  const struct authorship *authorship)
{
        enum dmarc_policy disposition = authorship_disposition(authorship);

        if (disposition == DMARC_POLICY_NONE)
                return VERDICT_PASS;
        verdict->is_quarantine = disposition == DMARC_POLICY_QUARANTINE;
        return say(facts, verdict, authorship, REPLY_dmarc, VERDICT_REFUSE);
}

/* Where nothing would be refused, nobody has to come again. */
static enum verdict_result unsure(const struct facts *facts, struct verdict *verdict,
                                  const struct authorship *authorship)
{
        const struct dmarc_verdict *dmarc = &authorship->dmarc;

        if (dmarc->has_record && dmarc->policy == DMARC_POLICY_NONE)
                return VERDICT_PASS;
        return say(facts, verdict, authorship, REPLY_dmarc_temperror,
                   facts_on_failure(facts->snapshot->options.dmarc_temperror));
}

static enum verdict_result ill_formed(const struct facts *facts, struct verdict *verdict,
                                      const struct authorship *authorship)
{
        enum verdict_result result = say(facts, verdict, authorship, REPLY_dmarc_permerror,
                                         facts_on_failure(facts->snapshot->options.dmarc_permerror));

        verdict->subject = span_from(authorship->dmarc.reason);
        return result;
}

enum verdict_result check_dmarc(const struct facts *facts, struct verdict *verdict)
{
        const struct authorship *authorship = authorship_judge(facts);

        if (check_memory_is_out(facts, CHECK_dmarc))
                return facts_out_of_memory(verdict);
        if (authorship == NULL)
                return VERDICT_PASS;
        if (!authorship->is_judged)
                return VERDICT_WAIT;
        switch (authorship->dmarc.result) {
        case AUTH_FAIL:
                return failed(facts, verdict, authorship);
        case AUTH_TEMPERROR:
                return unsure(facts, verdict, authorship);
        case AUTH_PERMERROR:
                return ill_formed(facts, verdict, authorship);
        case AUTH_NONE:
        case AUTH_PASS:
        case AUTH_POLICY:
        case AUTH_NEUTRAL:
        case AUTH_WAIT:
                break;
        }
        return VERDICT_PASS;
}
