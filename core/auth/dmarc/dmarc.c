/* Policy discovery (4.10.1), alignment (4.10.2) and disposition. */
#include "core/auth/dmarc/dmarc.h"

struct evaluation {
        const struct dmarc_request *request;
        struct memo *memo;
        struct span author;
        struct dmarc_verdict *verdict;
        bool is_pending, is_uncertain; /* an identifier may yet be aligned, or nobody knows */
};

static void set(struct dmarc_verdict *verdict, enum auth_result result, const char *reason)
{
        verdict->result = result;
        verdict->reason = reason;
}

/* ---- the record ---------------------------------------------------------------------------------------- */

/* 3.2.13: neither an address nor a mail exchanger. What DNS does not say exists. */
static enum fact existence(struct span domain, struct memo *memo)
{
        static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_MX};
        enum fact all = FACT_ABSENT;

        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
                const struct dns_answer *answer;
                enum fact fact = memo_ask(memo, domain, types[i], &answer);
                if (fact == FACT_FOUND || fact == FACT_FAILED)
                        return FACT_FOUND;
                if (fact == FACT_ABSENT && answer->is_nxdomain)
                        return FACT_ABSENT;
                if (fact == FACT_PENDING)
                        all = FACT_PENDING;
        }
        return all;
}

static enum fact choose_policy(struct evaluation *evaluation)
{
        struct dmarc_verdict *verdict = evaluation->verdict;
        const struct dmarc_record *record = &verdict->record;
        enum fact fact = FACT_FOUND;

        if (verdict->record_domain.length == evaluation->author.length) {
                verdict->published = record->domain;
        } else {
                if (record->has_nonexistent && record->nonexistent != record->subdomains)
                        fact = existence(evaluation->author, evaluation->memo);
                verdict->published = fact == FACT_ABSENT ? record->nonexistent : record->subdomains;
        }
        verdict->policy = verdict->published;
        if (record->is_testing && verdict->policy != DMARC_POLICY_NONE)
                verdict->policy--;
        return fact;
}

/* The author's own record, or that of a walk. */
static enum fact find_record(struct evaluation *evaluation)
{
        struct dmarc_verdict *verdict = evaluation->verdict;
        struct dmarc_walk walk;
        enum fact fact = dmarc_record_ask(evaluation->author, evaluation->memo, &verdict->record);

        if (fact == FACT_FOUND) {
                verdict->has_record = true;
                verdict->record_domain = evaluation->author;
        }
        if (fact != FACT_ABSENT)
                return fact;
        fact = dmarc_walk(evaluation->author, evaluation->memo, &walk);
        if (fact != FACT_FOUND)
                return fact;
        verdict->organisation = walk.organisation;
        if (!walk.has_record)
                return FACT_ABSENT;
        verdict->has_record = true;
        verdict->record = walk.record;
        verdict->record_domain = walk.record_domain;
        return FACT_FOUND;
}

/* False: the verdict stands. */
static bool has_policy(struct evaluation *evaluation)
{
        struct dmarc_verdict *verdict = evaluation->verdict;
        enum fact fact = find_record(evaluation);

        if (fact == FACT_FAILED)
                set(verdict, AUTH_TEMPERROR, "DNS did not answer for the policy");
        else if (fact == FACT_ABSENT)
                set(verdict, AUTH_NONE, "the domain of From has no policy");
        else if (fact == FACT_FOUND && verdict->record.is_unusable)
                set(verdict, AUTH_NONE, "the policy of the domain of From is not valid");
        else if (fact == FACT_FOUND && choose_policy(evaluation) != FACT_PENDING)
                return true;
        return false;
}

/* ---- alignment ----------------------------------------------------------------------------------------- */

static bool fact_counts(struct evaluation *evaluation, enum fact fact)
{
        evaluation->is_pending = evaluation->is_pending || fact == FACT_PENDING;
        evaluation->is_uncertain = evaluation->is_uncertain || fact == FACT_FAILED;
        return fact == FACT_FOUND;
}

/* The author's organisation, of which a walk tells once. */
static bool has_organisation(struct evaluation *evaluation)
{
        struct dmarc_walk walk;

        if (evaluation->verdict->organisation.length > 0)
                return true;
        if (!fact_counts(evaluation, dmarc_walk(evaluation->author, evaluation->memo, &walk)))
                return false;
        evaluation->verdict->organisation = walk.organisation;
        return true;
}

/* `identifier` is authenticated, and in the form of DNS. One outside the author's organisation cannot have the same:
 * nobody is asked. */
static bool is_aligned(struct evaluation *evaluation, struct span identifier, bool is_strict)
{
        struct dmarc_walk walk;

        if (span_equals(identifier, evaluation->author))
                return true;
        if (is_strict || !has_organisation(evaluation) ||
            !domain_name_is_within(identifier, evaluation->verdict->organisation))
                return false;
        return fact_counts(evaluation, dmarc_walk(identifier, evaluation->memo, &walk)) &&
               span_equals(walk.organisation, evaluation->verdict->organisation);
}

static void align_dkim(struct evaluation *evaluation)
{
        const struct dkim *dkim = evaluation->request->dkim;

        for (size_t i = 0; i < dkim->count && !evaluation->verdict->dkim_is_aligned; i++) {
                const struct auth_signature *signature = &dkim->signatures[i];
                bool may_pass = signature->result == AUTH_TEMPERROR || signature->result == AUTH_WAIT;
                if (signature->result != AUTH_PASS && !may_pass)
                        continue;
                if (!is_aligned(evaluation, signature->domain, evaluation->verdict->record.dkim_is_strict))
                        continue;
                evaluation->verdict->dkim_is_aligned = !may_pass;
                evaluation->is_uncertain = evaluation->is_uncertain || may_pass;
        }
}

static void align_spf(struct evaluation *evaluation)
{
        const struct dmarc_request *request = evaluation->request;
        char octets[DOMAIN_NAME_MAX + 1];
        struct text domain;

        text_over(&domain, octets, sizeof octets);
        if ((request->spf != AUTH_PASS && request->spf != AUTH_TEMPERROR) ||
            request->spf_domain.length == 0 ||
            !domain_name_to_ascii(domain_name_without_dot(request->spf_domain), &domain) ||
            domain.overflowed ||
            !is_aligned(evaluation, text_span(&domain), evaluation->verdict->record.spf_is_strict))
                return;
        evaluation->verdict->spf_is_aligned = request->spf == AUTH_PASS;
        evaluation->is_uncertain = evaluation->is_uncertain || request->spf == AUTH_TEMPERROR;
}

static void judge(struct evaluation *evaluation)
{
        struct dmarc_verdict *verdict = evaluation->verdict;

        align_dkim(evaluation);
        align_spf(evaluation);
        if (verdict->dkim_is_aligned || verdict->spf_is_aligned) {
                set(verdict, AUTH_PASS, "");
        } else if (evaluation->is_pending) {
                set(verdict, AUTH_WAIT, "");
        } else if (evaluation->is_uncertain) {
                set(verdict, AUTH_TEMPERROR, "DNS did not answer for an identifier");
        } else {
                set(verdict, AUTH_FAIL, "nothing that is authenticated has the domain of From");
                verdict->disposition = verdict->policy;
        }
}

void dmarc_evaluate(const struct dmarc_request *request, struct memo *memo, struct dmarc_verdict *ret_verdict)
{
        struct evaluation evaluation = {request,     memo,  dmarc_author_domain(request->author),
                                        ret_verdict, false, false};

        *ret_verdict = (struct dmarc_verdict){.result = AUTH_WAIT, .reason = ""};
        if (request->author->kind == DMARC_AUTHOR_NONE)
                set(ret_verdict, AUTH_NONE, request->author->reason);
        else if (request->author->kind != DMARC_AUTHOR_ONE)
                set(ret_verdict, AUTH_PERMERROR, request->author->reason);
        else if (has_policy(&evaluation))
                judge(&evaluation);
}
