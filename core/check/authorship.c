/* The text is read by core/auth; here its results meet SPF, the policy of the domain in From, and the sealers that the
 * configuration trusts. */
#include "core/check/authorship.h"

#include "core/check/memory.h"
#include "core/check/spf/received.h"
#include "core/check/spf/spf.h"

#define EVIDENCE_MAX 400 /* octets */

/* ---- while the text comes ------------------------------------------------------------------------------ */

bool authorship_is_needed(const struct facts *facts, uint64_t checks)
{
        const struct spf_detail *detail;

        if ((checks & check_bit(CHECK_dmarc)) != 0)
                return true;
        return (checks & check_bit(CHECK_spf)) != 0 &&
               facts->snapshot->options.spf_on_fail == FAILURE_LEFT_TO_DMARC && spf_counts(facts) &&
               spf_lookup(facts, &detail) == SPF_FAIL;
}

struct auth_reader *authorship_begin(const struct facts *facts)
{
        const struct options *options = &facts->snapshot->options;
        struct authorship *authorship = check_memory_take(facts, CHECK_dmarc, sizeof *authorship);
        const struct spf_detail *detail;

        if (authorship == NULL)
                return NULL;
        auth_reader_init(&authorship->reader, facts->arena);
        authorship->dmarc = (struct dmarc_verdict){.result = AUTH_WAIT, .reason = ""};
        authorship->reader.skips_arc =
            options->dmarc_arc_trusted.count == 0 && !options->authentication_results;
        if (spf_counts(facts))
                (void)spf_lookup(facts, &detail);
        return &authorship->reader;
}

void authorship_ask(const struct facts *facts)
{
        struct authorship *authorship = check_memory_find(facts, CHECK_dmarc);
        struct dmarc_record record;

        auth_reader_ask(&authorship->reader, facts->memo);
        dmarc_author_read(&authorship->reader.text.header, &authorship->author);
        if (authorship->author.kind == DMARC_AUTHOR_ONE)
                (void)dmarc_record_ask(dmarc_author_domain(&authorship->author), facts->memo, &record);
}

/* ---- at its end ---------------------------------------------------------------------------------------- */

struct trust {
        struct arc_trust trust;
        const struct text_list *sealers;
};

static bool is_trusted(const struct arc_trust *trust, struct span sealer)
{
        const struct text_list *sealers = ((const struct trust *)trust)->sealers;

        for (size_t i = 0; i < sealers->count; i++)
                if (span_equals_nocase(span_from(sealers->texts[i]), sealer))
                        return true;
        return false;
}

/* Who is trusted has seen DMARC pass, and what came later than that was altered by nobody else. */
static void find_sealer(const struct facts *facts, struct authorship *authorship)
{
        const struct trust trust = {{is_trusted}, &facts->snapshot->options.dmarc_arc_trusted};
        const struct auth_reader *reader = &authorship->reader;

        if (trust.sealers->count == 0 || authorship->dmarc.result != AUTH_FAIL)
                return;
        uint16_t instance = arc_trusted_instance(&reader->arc, &trust.trust);
        if (instance > 0 && arc_says_pass(&reader->arc, &reader->text.header, instance, SPAN("dmarc")))
                authorship->sealer = reader->arc.sets[instance - 1].seal.domain;
}

static enum auth_result result_of(enum spf_result spf)
{
        return spf == SPF_PASS ? AUTH_PASS : spf == SPF_TEMPERROR ? AUTH_TEMPERROR : AUTH_NONE;
}

/* A From that nobody could keep might have been any. */
static bool is_beyond_bounds(struct authorship *authorship)
{
        const struct auth_header *header = &authorship->reader.text.header;

        if (auth_header_is_kept(header))
                return false;
        authorship->dmarc = (struct dmarc_verdict){
            .result = header->is_too_large ? AUTH_PERMERROR : AUTH_TEMPERROR,
            .reason = header->is_too_large ? "the header is too large" : "memory is out"};
        return true;
}

static void evaluate(const struct facts *facts, struct authorship *authorship)
{
        struct dmarc_request request = {
            .author = &authorship->author,
            .dkim = &authorship->reader.dkim,
            /* HELO says nothing of an author (RFC 9989 4.4.2). */
            .spf = facts->sender_is_null ? AUTH_NONE : result_of(authorship->spf),
            .spf_domain = facts->sender_domain_ascii,
        };

        if (!is_beyond_bounds(authorship))
                dmarc_evaluate(&request, facts->memo, &authorship->dmarc);
        authorship->is_judged = authorship->dmarc.result != AUTH_WAIT;
        if (authorship->is_judged)
                find_sealer(facts, authorship);
}

const struct authorship *authorship_judge(const struct facts *facts)
{
        struct authorship *authorship = check_memory_find(facts, CHECK_dmarc);
        const struct spf_detail *detail;

        if (authorship == NULL || authorship->is_judged)
                return authorship;
        bool has_signatures = auth_reader_judge(&authorship->reader, facts->memo, facts->wall_s);
        dmarc_author_read(&authorship->reader.text.header, &authorship->author);
        bool needs_spf =
            authorship->author.kind != DMARC_AUTHOR_NONE || facts->snapshot->options.authentication_results;
        authorship->spf = needs_spf && spf_counts(facts) ? spf_lookup(facts, &detail) : SPF_NONE;
        if (has_signatures && authorship->spf != SPF_WAIT)
                evaluate(facts, authorship);
        return authorship;
}

const struct authorship *authorship_find(const struct facts *facts)
{
        return check_memory_find(facts, CHECK_dmarc);
}

/* ---- telling ------------------------------------------------------------------------------------------- */

static void put_signatures(struct text *text, const struct dkim *dkim)
{
        text_put_string(text, "; dkim ");
        if (dkim->count == 0)
                text_put_string(text, "none");
        for (uint32_t i = 0; i < dkim->count && i < 2; i++) {
                const struct auth_signature *signature = &dkim->signatures[i];
                text_put_string(text, i == 0 ? "" : ", ");
                text_put_string(text, auth_result_name(signature->result));
                text_put_string(text, " of ");
                text_put(text, signature->domain);
                if (signature->result != AUTH_PASS)
                        text_printf(text, " (%s)", signature->reason);
        }
}

struct span authorship_evidence(const struct facts *facts, const struct authorship *authorship)
{
        const struct dmarc_verdict *dmarc = &authorship->dmarc;
        char octets[EVIDENCE_MAX];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_string(&text, "From ");
        text_put(&text, dmarc_author_domain(&authorship->author));
        if (dmarc->has_record)
                text_printf(&text, ", policy %s", dmarc_policy_name(dmarc->policy));
        if (dmarc->result != AUTH_FAIL)
                text_printf(&text, ": %s", dmarc->reason);
        put_signatures(&text, &authorship->reader.dkim);
        text_printf(&text, "; spf %s", spf_result_name(authorship->spf));
        if (facts->sender_domain_ascii.length > 0) {
                text_put_string(&text, " of ");
                text_put(&text, facts->sender_domain_ascii);
        }
        return arena_copy(facts->arena, text_span(&text));
}
