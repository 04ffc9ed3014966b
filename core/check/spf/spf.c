/* P12: the sender's domain lets this client send its mail (RFC 7208). The evaluation is in
 * core/check/spf/. */
#include "core/check/spf/spf.h"

#include "core/base/domain_name.h"
#include "core/base/local_part.h"
#include "core/check/authorship.h"
#include "core/check/memory.h"
#include "core/check/pipeline.h"
#include "core/check/spf/received.h"

#include <assert.h>

#define TERM_TOLD_MAX 100 /* octets of a term in evidence */

struct spf_memory {
        bool is_evaluated;
        enum spf_result result;
        struct spf_detail detail;
};

/* Quotes are spelling, not part of the name (RFC 5321 4.1.2). */
static struct span without_quotes(const struct facts *facts, struct span local)
{
        struct text unquoted;

        if (local.length == 0 || local.at[0] != '"')
                return local;
        char *octets = arena_take(facts->arena, local.length);
        if (octets == NULL)
                return local;
        text_over(&unquoted, octets, local.length);
        return local_part_parse(local, true, &unquoted) ? text_span(&unquoted) : local;
}

/* Points into the facts and their arena. */
static struct spf_request request_of(const struct facts *facts)
{
        struct spf_request request = {
            .client = facts->client,
            .helo = domain_name_without_dot(facts->helo),
            .receiver = span_from(facts->snapshot->options.hostname),
            .now_s = facts->wall_s,
        };
        if (facts->sender_domain.length > 0) {
                size_t at = (size_t)(facts->sender_domain.at - facts->sender.at) - 1;
                request.sender_local = without_quotes(facts, span_of(facts->sender.at, at));
                request.sender_domain = facts->sender_domain_ascii;
        }
        return request;
}

bool spf_counts(const struct facts *facts)
{
        return !network_list_contains(&facts->snapshot->options.spf_forwarders, &facts->client) &&
               (facts->sender_is_null || facts->sender_domain.length > 0);
}

enum spf_result spf_lookup(const struct facts *facts, const struct spf_detail **ret_detail)
{
        static const struct spf_detail out_of_memory = {.problem = {"out of memory", 13}};
        struct spf_memory *memory = check_memory_take(facts, CHECK_spf, sizeof *memory);

        if (memory == NULL) {
                *ret_detail = &out_of_memory;
                return SPF_TEMPERROR;
        }
        if (!memory->is_evaluated) {
                struct spf_request request = {0};
                if (memory->detail.evaluation == NULL)
                        request = request_of(facts);
                memory->result = spf_evaluate(&request, facts->memo, facts->arena, &memory->detail);
                memory->is_evaluated = memory->result != SPF_WAIT;
        }
        *ret_detail = &memory->detail;
        return memory->result;
}

/* Whose record it is. */
static struct span judged_domain(const struct facts *facts)
{
        return facts->sender_is_null ? facts->helo : facts->sender_domain;
}

/* "-all of example.com makes it fail: " and the domain's own words: the log tells as much as the reply does. */
static struct span fail_evidence(const struct facts *facts, const struct spf_detail *detail)
{
        struct span parts[] = {detail->mechanism,      SPAN(" of "), judged_domain(facts),
                               SPAN(" makes it fail"), SPAN(": "),   detail->explanation};
        size_t count = detail->explanation.length > 0 ? 6 : 4, length = 0;
        struct text text;

        if (parts[0].length > TERM_TOLD_MAX)
                parts[0].length = TERM_TOLD_MAX;
        for (size_t i = 0; i < count; i++)
                length += parts[i].length;
        char *octets = arena_take(facts->arena, length);
        if (octets == NULL)
                return SPAN("");
        text_over(&text, octets, length);
        for (size_t i = 0; i < count; i++)
                text_put(&text, parts[i]);
        return text_span(&text);
}

static enum verdict_result error(const struct facts *facts, struct verdict *verdict, enum reply_id reply,
                                 enum failure_action action, struct span problem)
{
        verdict->reply = reply;
        verdict->subject = judged_domain(facts);
        verdict->evidence = facts_remark(facts, judged_domain(facts), problem);
        return facts_on_failure(action);
}

static enum verdict_result refuse(const struct facts *facts, struct verdict *verdict,
                                  const struct spf_detail *detail)
{
        verdict->reply = REPLY_spf_fail;
        verdict->subject = detail->explanation;
        if (detail->explanation.length == 0)
                verdict->subject =
                    facts_note(facts, judged_domain(facts), "does not permit your address to send for it");
        verdict->evidence = fail_evidence(facts, detail);
        return VERDICT_REFUSE;
}

static bool leaves_fail_to_dmarc(const struct facts *facts)
{
        return facts->snapshot->options.spf_on_fail == FAILURE_LEFT_TO_DMARC;
}

enum verdict_result check_spf(const struct facts *facts, struct verdict *verdict)
{
        const struct options *options = &facts->snapshot->options;
        const struct spf_detail *detail;

        if (!spf_counts(facts))
                return VERDICT_PASS;
        switch (spf_lookup(facts, &detail)) {
        case SPF_WAIT:
                return VERDICT_WAIT;
        case SPF_FAIL:
                return leaves_fail_to_dmarc(facts) ? VERDICT_PASS : refuse(facts, verdict, detail);
        case SPF_PERMERROR:
                return error(facts, verdict, REPLY_spf_permerror, options->spf_permerror, detail->problem);
        case SPF_TEMPERROR:
                return error(facts, verdict, REPLY_spf_temperror, options->spf_temperror, detail->problem);
        case SPF_NONE:
        case SPF_NEUTRAL:
        case SPF_PASS:
        case SPF_SOFTFAIL:
                break;
        }
        return VERDICT_PASS;
}

/* Where the domain in From has a policy, its word counts, and else SPF's own. */
static bool is_refused_by_dmarc(const struct authorship *authorship)
{
        const struct dmarc_verdict *dmarc = &authorship->dmarc;

        if (dmarc->result == AUTH_FAIL)
                return authorship_disposition(authorship) == DMARC_POLICY_REJECT;
        if (dmarc->result == AUTH_TEMPERROR)
                return !dmarc->has_record || dmarc->policy == DMARC_POLICY_REJECT;
        return dmarc->result != AUTH_PASS;
}

enum verdict_result spf_judge_text(const struct facts *facts, struct verdict *verdict)
{
        const struct authorship *authorship;
        const struct spf_detail *detail;

        if (!leaves_fail_to_dmarc(facts) || !spf_counts(facts) || spf_lookup(facts, &detail) != SPF_FAIL)
                return VERDICT_PASS;
        authorship = authorship_judge(facts);
        if (check_memory_is_out(facts, CHECK_dmarc))
                return facts_out_of_memory(verdict);
        if (authorship != NULL && !authorship->is_judged)
                return VERDICT_WAIT;
        if (authorship == NULL || !is_refused_by_dmarc(authorship))
                return VERDICT_PASS;
        refuse(facts, verdict, detail);
        if (authorship->dmarc.result != AUTH_TEMPERROR)
                return VERDICT_REFUSE;
        verdict->reply = REPLY_dmarc_temperror;
        verdict->subject = dmarc_author_domain(&authorship->author);
        return VERDICT_DEFER;
}

static_assert(SPF_RECEIVED_MAX <= CHECK_FIELD_MAX, "the field must fit");

/* Received-SPF (RFC 7208 9.1); nothing where SPF does not count, is off for all recipients, or is not known. Where it
 * is off nobody waits for it, so that the field would be there by chance. */
void spf_write_field(const struct facts *facts, struct text *field)
{
        const struct spf_detail *detail;

        if (!facts->snapshot->options.spf_received_spf || !spf_counts(facts) ||
            (pipeline_asked_for(facts, STAGE_MAIL) & check_bit(CHECK_spf)) == 0)
                return;
        enum spf_result result = spf_lookup(facts, &detail);
        struct spf_request request = request_of(facts);
        if (result != SPF_WAIT)
                spf_write_received(field, &request, result, detail);
}

struct span spf_log_result(const struct facts *facts)
{
        const struct spf_memory *memory = check_memory_find(facts, CHECK_spf);

        return memory == NULL || !memory->is_evaluated ? SPAN("")
                                                       : span_from(spf_result_name(memory->result));
}
