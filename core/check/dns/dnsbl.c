/* P2: DNS blocklists and allowlists (RFC 5782), weighed. A zone in error counts nothing. */
#include "core/check/dns/dnsbl.h"

#include "conf/value/filter.h"
#include "core/base/domain_name.h"
#include "core/check/dns/reverse.h"
#include "dns/choice.h"

#include <assert.h>

#define QUESTION_MAX (2 * DOMAIN_NAME_MAX + 2)
#define LISTINGS_MAX 4   /* codes in the evidence */
#define REASON_MAX   120 /* octets of a zone's TXT record in the evidence */

/* An error of the zone, never a listing: the answer means that we may not ask, or that somebody else answers
 * (POLICY P2). */
static bool is_error(const struct dnsbl_zone *zone, const uint8_t *address)
{
        return address[0] != 127 || (address[1] == 255 && address[2] == 255) ||
               filter_list_matches(&zone->options.errors, address);
}

/* Of the zone's feed, or of DNS; about clients before they have said anything, so that no flood of theirs keeps
 * their listing from being known. */
static enum fact ask(struct memo *memo, const struct dnsbl_zone *zone, struct span question,
                     enum dns_type type, bool looks_only, const struct dns_answer **ret_answer)
{
        const struct dns_question asked = {.name = question, .type = type, .is_urgent = !zone->options.names};

        return memo_ask_first(memo, zone->feed, &asked, looks_only, ret_answer);
}

static enum zone_state zone_ask(const struct facts *facts, const struct dnsbl_zone *zone,
                                struct span question, bool *ret_is_dynamic,
                                const struct dns_answer **ret_answer)
{
        enum zone_state state = ZONE_SILENT;

        *ret_is_dynamic = false;
        switch (ask(facts->memo, zone, question, DNS_A, false, ret_answer)) {
        case FACT_ABSENT:
                return ZONE_SILENT;
        case FACT_FAILED:
                return ZONE_FAILED;
        case FACT_PENDING:
                return ZONE_PENDING;
        case FACT_FOUND:
                break;
        }
        for (uint16_t i = 0; i < (*ret_answer)->record_count; i++) {
                const uint8_t *address = (const uint8_t *)(*ret_answer)->records[i].data.at;
                if (is_error(zone, address))
                        return ZONE_IN_ERROR;
                if (filter_list_matches(&zone->options.answers, address))
                        state = ZONE_LISTS;
                *ret_is_dynamic |= filter_list_matches(&zone->options.dynamic, address);
        }
        return state;
}

static bool put_question(struct text *question, char octets[static QUESTION_MAX], struct span subject,
                         const struct dnsbl_zone *zone)
{
        text_over(question, octets, QUESTION_MAX);
        text_put(question, subject);
        text_put_char(question, '.');
        text_put(question, zone->name);
        return question->length <= 253;
}

enum zone_state dnsbl_ask_client(const struct facts *facts, const struct dnsbl_zone *zone,
                                 bool *ret_is_dynamic, const struct dns_answer **ret_answer)
{
        char octets[QUESTION_MAX], reversed_octets[80];
        struct text question, reversed;

        text_over(&reversed, reversed_octets, sizeof reversed_octets);
        reverse_put_address(&reversed, &facts->client);
        put_question(&question, octets, text_span(&reversed), zone);
        return zone_ask(facts, zone, text_span(&question), ret_is_dynamic, ret_answer);
}

/* "zen.spamhaus.org 127.0.0.2 127.0.0.10 (reason)" */
static void put_listing(struct text *evidence, const struct dnsbl_zone *zone, const struct dns_answer *answer,
                        struct span reason)
{
        const struct dns_record *codes[LISTINGS_MAX];
        size_t count = dns_choose(answer, NULL, NULL, codes, LISTINGS_MAX);

        if (evidence->length > 0)
                text_put_string(evidence, ", ");
        text_put(evidence, zone->name);
        for (size_t i = 0; i < count; i++) {
                text_put_char(evidence, ' ');
                address_write_ipv4(evidence, (const uint8_t *)codes[i]->data.at);
        }
        if (reason.length > REASON_MAX)
                reason.length = REASON_MAX;
        if (reason.length > 0) {
                text_put_string(evidence, " (");
                text_put_printable(evidence, reason, false);
                text_put_char(evidence, ')');
        }
}

/* The zone's TXT record; false while it is pending. Not having one matters to nobody, and under load it is not
 * asked for. */
static bool ask_reason(const struct facts *facts, const struct dnsbl_zone *zone, struct span question,
                       struct span *ret_reason)
{
        const struct dns_record *reason = NULL;
        const struct dns_answer *answer;
        enum fact fact = ask(facts->memo, zone, question, DNS_TXT, facts->is_terse, &answer);

        dns_choose(answer, NULL, NULL, &reason, 1);
        *ret_reason = reason != NULL ? reason->data : (struct span){0};
        return fact != FACT_PENDING || facts->is_terse;
}

static enum zone_state count_subject(const struct facts *facts, const struct dnsbl_zone *zone,
                                     struct span subject, struct dnsbl_tally *tally)
{
        char octets[QUESTION_MAX];
        struct text question;
        const struct dns_answer *answer;
        struct span reason;
        bool is_dynamic;

        if (!put_question(&question, octets, subject, zone))
                return ZONE_SILENT;
        enum zone_state state = zone_ask(facts, zone, text_span(&question), &is_dynamic, &answer);
        tally->is_pending |= state == ZONE_PENDING;
        if (state == ZONE_LISTS) {
                tally->is_pending |= !ask_reason(facts, zone, text_span(&question), &reason);
                put_listing(&tally->evidence, zone, answer, reason);
        }
        return state;
}

static void count_missing(const struct dnsbl_zone *zone, struct dnsbl_tally *tally)
{
        if (zone->options.weight > 0)
                tally->missing_for += zone->options.weight;
        else
                tally->missing_against += zone->options.weight;
        if (tally->missing == NULL)
                tally->missing = zone;
}

void dnsbl_count(const struct facts *facts, const struct dnsbl_zone *zone, const struct span *subjects,
                 size_t subject_count, struct dnsbl_tally *tally)
{
        bool lists = false, has_failed = false;

        for (size_t i = 0; i < subject_count; i++) {
                enum zone_state state = count_subject(facts, zone, subjects[i], tally);
                lists |= state == ZONE_LISTS;
                has_failed |= state == ZONE_FAILED;
        }
        if (has_failed && !lists && !zone_is_suspended(zone))
                count_missing(zone, tally);
        if (!lists)
                return;
        tally->score_of_all += zone->options.weight;
        if (tally->first_of_all == NULL && zone->options.weight > 0)
                tally->first_of_all = zone;
        if (zone_is_suspended(zone)) {
                text_put_string(&tally->evidence, " suspended");
                return;
        }
        tally->score += zone->options.weight;
        if (tally->first == NULL && zone->options.weight > 0)
                tally->first = zone;
}

static enum verdict_result refuse(const struct facts *facts, const struct dnsbl_tally *tally,
                                  const struct dnsbl_zone *zone, struct verdict *verdict)
{
        verdict->subject = zone->shown;
        verdict->evidence = arena_copy(facts->arena, text_span(&tally->evidence));
        return VERDICT_REFUSE;
}

enum verdict_result dnsbl_judge(const struct facts *facts, const struct dnsbl_tally *tally,
                                enum failure_action on_failure, enum reply_id unsure, struct verdict *verdict)
{
        int64_t threshold = (int64_t)facts->snapshot->options.dnsbl_threshold;
        bool may_defer = on_failure == ACTION_DEFER && tally->missing != NULL;

        if (tally->is_pending)
                return VERDICT_WAIT;
        if (tally->first != NULL && tally->score + (may_defer ? tally->missing_against : 0) >= threshold)
                return refuse(facts, tally, tally->first, verdict);
        if (may_defer && tally->score + tally->missing_for >= threshold) {
                verdict->reply = unsure;
                verdict->subject = tally->missing->shown;
                verdict->evidence = facts_note(facts, tally->missing->name, "cannot be asked");
                return VERDICT_DEFER;
        }
        if (tally->first_of_all == NULL || tally->score_of_all < threshold)
                return VERDICT_PASS;
        verdict->only_observes = true;
        return refuse(facts, tally, tally->first_of_all, verdict);
}

void dnsbl_count_client(const struct facts *facts, struct dnsbl_tally *tally)
{
        char reversed_octets[80];
        struct text reversed;

        text_over(&reversed, reversed_octets, sizeof reversed_octets);
        reverse_put_address(&reversed, &facts->client);
        struct span subject = text_span(&reversed);
        for (size_t i = 0; i < facts->snapshot->zone_count; i++)
                if (!facts->snapshot->zones[i].options.names)
                        dnsbl_count(facts, &facts->snapshot->zones[i], &subject, 1, tally);
}

enum verdict_result check_dnsbl(const struct facts *facts, struct verdict *verdict)
{
        char octets[DNSBL_EVIDENCE_MAX];
        struct dnsbl_tally tally = {0};

        text_over(&tally.evidence, octets, sizeof octets);
        dnsbl_count_client(facts, &tally);
        verdict->reply = REPLY_dnsbl;
        return dnsbl_judge(facts, &tally, facts->snapshot->options.dnsbl_on_failure, REPLY_dnsbl_unsure,
                           verdict);
}

static_assert(DNSBL_ZONES_MAX <= 32, "marks of zones are 32 bits");

struct zone_marks dnsbl_mark_zones(const struct facts *facts)
{
        const struct snapshot *snapshot = facts->snapshot;
        struct zone_marks marks = {0};

        for (size_t i = 0; i < snapshot->zone_count; i++) {
                const struct dns_answer *answer;
                bool is_dynamic;
                if (snapshot->zones[i].options.names)
                        continue;
                enum zone_state state = dnsbl_ask_client(facts, &snapshot->zones[i], &is_dynamic, &answer);
                marks.asked |= (uint32_t)(state == ZONE_SILENT || state == ZONE_LISTS) << i;
                marks.listed |= (uint32_t)(state == ZONE_LISTS) << i;
        }
        return marks;
}
