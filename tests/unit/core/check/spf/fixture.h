/* Zones as text for the tests of SPF, one record a line: "NAME TYPE DATA"; data "!" fails to be answered,
 * "!large" is more than can be kept. Every case runs with all answers at once, and with each
 * answer late, oldest or newest first, then with the records from last to first: nothing may differ. */
#pragma once

#include "core/base/expect.h"
#include "core/check/spf/evaluate.h"
#include "core/check/spf/received.h"

#include <criterion/criterion.h>

#define ZONE_RECORDS_MAX 300

enum zone_order { ZONE_AT_ONCE, ZONE_OLDEST_FIRST, ZONE_NEWEST_FIRST, ZONE_ORDERS };

struct zone {
        struct dns_source source; /* first */
        const char *texts[2];
        enum zone_order order;
        struct dns_question waiting[200];
        size_t waiting_count, asked;
};

struct spf_case {
        const char *record; /* of d.example; NULL: none */
        const char *client;
        const char *expected; /* result; with " MECHANISM" behind it, that is compared too */
};

static inline struct span zone_word(struct span *line)
{
        size_t space = span_find(*line, ' ');
        struct span word = span_of(line->at, space == SIZE_MAX ? line->length : space);
        *line = span_skip(*line, word.length + 1);
        return word;
}

static inline bool zone_data(struct span text, enum dns_type type, struct arena *arena,
                             struct dns_record *ret)
{
        struct address address;

        if (type == DNS_A || type == DNS_AAAA) {
                cr_assert(address_parse(text, &address));
                size_t offset = type == DNS_A ? 12 : 0;
                text = span_of((const char *)address.octets + offset, 16 - offset);
        }
        *ret = (struct dns_record){.data = arena_copy(arena, text)};
        return true;
}

static inline void zone_find(const struct zone *zone, const struct dns_question *question,
                             struct arena *arena, struct dns_answer *ret_answer)
{
        struct dns_record *records = arena_take(arena, ZONE_RECORDS_MAX * sizeof *records);
        struct dns_answer answer = {
            .fact = FACT_ABSENT, .is_nxdomain = true, .ttl_s = 60, .records = records};

        cr_assert(records != NULL);
        for (size_t i = 0; i < 2; i++)
                for (struct span rest = span_from(zone->texts[i]); rest.length > 0;) {
                        size_t end = span_find(rest, '\n');
                        struct span line = span_of(rest.at, end == SIZE_MAX ? rest.length : end);
                        rest = span_skip(rest, line.length + 1);
                        if (!span_equals_nocase(zone_word(&line), question->name))
                                continue;
                        answer.is_nxdomain = false;
                        if (!span_equals(zone_word(&line), span_from(dns_type_name(question->type))))
                                continue;
                        answer.is_too_large = span_equals(line, SPAN("!large"));
                        answer.fact =
                            answer.is_too_large || span_equals(line, SPAN("!")) ? FACT_FAILED : FACT_FOUND;
                        if (answer.fact == FACT_FAILED)
                                break;
                        zone_data(line, question->type, arena, &records[answer.record_count++]);
                }
        if (answer.fact == FACT_FAILED)
                answer.record_count = 0;
        for (size_t i = 0, j = answer.record_count; zone->order == ZONE_NEWEST_FIRST && i + 1 < j; i++) {
                struct dns_record swapped = records[i];
                records[i] = records[--j];
                records[j] = swapped;
        }
        *ret_answer = answer;
}

static inline enum fact zone_ask(struct dns_source *source, const struct dns_question *question,
                                 const struct dns_asker *asker, struct arena *arena,
                                 struct dns_answer *ret_answer)
{
        struct zone *zone = (struct zone *)source;

        (void)asker;
        zone->asked++;
        if (zone->order != ZONE_AT_ONCE) {
                cr_assert(zone->waiting_count < 200);
                zone->waiting[zone->waiting_count++] = *question;
                return FACT_PENDING;
        }
        zone_find(zone, question, arena, ret_answer);
        return ret_answer->fact;
}

static inline void zone_settle_one(struct zone *zone, struct memo *memo)
{
        size_t at = zone->order == ZONE_OLDEST_FIRST ? 0 : zone->waiting_count - 1;
        struct dns_question question = zone->waiting[at];
        struct dns_answer answer;

        zone->waiting_count--;
        memmove(zone->waiting + at, zone->waiting + at + 1, (zone->waiting_count - at) * sizeof question);
        zone_find(zone, &question, memo->arena, &answer);
        memo_settle(memo, &question, &answer);
}

static struct block_pool spf_pool = {.block_size = 65536, .free_max = 8};

/* Runs one order to its end. The detail lives until the arena ends. */
static inline enum spf_result spf_run(const char *zone_text, const char *more,
                                      const struct spf_request *request, enum zone_order order,
                                      struct arena *arena, struct spf_detail *ret_detail)
{
        struct zone zone = {.source.ask = zone_ask, .texts = {zone_text, more}, .order = order};
        struct memo memo;
        enum spf_result result;

        *ret_detail = (struct spf_detail){0};
        arena_init(arena, &spf_pool, 16 << 20);
        memo_init(&memo, arena, &zone.source, 1, 1000);
        while ((result = spf_evaluate(request, &memo, arena, ret_detail)) == SPF_WAIT) {
                cr_assert(zone.waiting_count > 0, "waits for nothing");
                zone_settle_one(&zone, &memo);
        }
        cr_expect(zone.asked <= 130, "%zu questions", zone.asked);
        return result;
}

/* "local@domain", or "" for the null sender */
static inline struct spf_request spf_request_for(const char *client, const char *helo, const char *sender)
{
        struct spf_request request = {
            .helo = span_from(helo), .receiver = SPAN("mx.receiver.example"), .now_s = 1700000000};
        struct span mailbox = span_from(sender);
        size_t at = span_find_last(mailbox, '@');

        cr_assert(address_parse(span_from(client), &request.client));
        if (at != SIZE_MAX) {
                request.sender_local = span_of(mailbox.at, at);
                request.sender_domain = span_skip(mailbox, at + 1);
        }
        return request;
}

/* All orders; false when something is not as expected. `explanation` NULL: any. */
static inline bool spf_check(const char *zone_text, const char *more, const struct spf_request *request,
                             const char *expected, const char *explanation)
{
        for (enum zone_order order = ZONE_AT_ONCE; order < ZONE_ORDERS; order++) {
                struct spf_detail detail;
                struct arena arena;
                char octets[1024];
                struct text got;

                text_over(&got, octets, sizeof octets);
                enum spf_result result = spf_run(zone_text, more, request, order, &arena, &detail);
                text_put_string(&got, spf_result_name(result));
                if (strchr(expected, ' ') != NULL) {
                        text_put_char(&got, ' ');
                        text_put(&got, detail.mechanism);
                }
                bool is_right =
                    span_equals(text_span(&got), span_from(expected)) &&
                    (explanation == NULL || span_equals(detail.explanation, span_from(explanation)));
                cr_expect(is_right, "%s%.*s order %d: expected %s '%s', got %.*s '%.*s' (%.*s)", more,
                          (int)request->sender_domain.length, request->sender_domain.at, (int)order, expected,
                          explanation == NULL ? "any" : explanation, (int)got.length, got.at,
                          (int)detail.explanation.length, detail.explanation.at, (int)detail.problem.length,
                          detail.problem.at);
                arena_end(&arena);
                if (!is_right)
                        return false;
        }
        return true;
}

/* Each record as the policy of d.example, sender user@d.example, HELO helo.example. */
static inline void spf_check_cases(const char *zone_text, const struct spf_case *cases, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                char more[9000] = "";
                struct spf_request request =
                    spf_request_for(cases[i].client, "helo.example", "user@d.example");
                if (cases[i].record != NULL)
                        snprintf(more, sizeof more, "d.example TXT %s\n", cases[i].record);
                spf_check(zone_text, more, &request, cases[i].expected, NULL);
        }
        block_pool_end(&spf_pool);
}

#define SPF_CHECK_CASES(zone_text, cases) spf_check_cases(zone_text, cases, sizeof cases / sizeof *cases)
