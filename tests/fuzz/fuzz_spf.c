/* Fuzzes SPF: the input is a client, HELO, sender, and a zone that answers, each a line; a zone line is "NAME
 * TYPE DATA", NAME "*" stands for any, DATA "!" is a failure. Answers in time, and late with their records
 * from last to first, must lead to the same end. */
#include "core/base/expect.h"
#include "core/check/spf/evaluate.h"
#include "core/check/spf/received.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

#define QUESTIONS_MAX 200
#define RECORDS_MAX   40

struct zone {
        struct dns_source source; /* first */
        struct span lines;
        bool is_late;
        struct dns_question waiting[QUESTIONS_MAX];
        size_t waiting_count, asked;
};

static struct span take(struct span *rest, char end)
{
        size_t at = span_find(*rest, end);
        struct span taken = span_of(rest->at, at == SIZE_MAX ? rest->length : at);
        *rest = span_skip(*rest, taken.length + 1);
        return taken;
}

static bool data_is_given(struct span data, enum dns_type type, struct arena *arena,
                          struct dns_record *ret_record)
{
        struct address address;

        if (type == DNS_A || type == DNS_AAAA) {
                size_t offset = type == DNS_A ? 12 : 0;
                if (!address_parse(data, &address))
                        return false;
                data = span_of((const char *)address.octets + offset, 16 - offset);
        }
        *ret_record = (struct dns_record){.data = arena_copy(arena, data)};
        return true;
}

static struct dns_answer zone_find(const struct zone *zone, const struct dns_question *question,
                                   struct arena *arena)
{
        struct dns_record *records = arena_take(arena, RECORDS_MAX * sizeof *records);
        struct dns_answer answer = {.fact = FACT_ABSENT, .records = records};

        expect(records != NULL);
        for (struct span rest = zone->lines; rest.length > 0;) {
                struct span line = take(&rest, '\n'), name = take(&line, ' '), type = take(&line, ' ');
                if ((!span_equals(name, question->name) && !span_equals(name, SPAN("*"))) ||
                    !span_equals(type, span_from(dns_type_name(question->type))))
                        continue;
                if (span_equals(line, SPAN("!")))
                        return (struct dns_answer){.fact = FACT_FAILED};
                if (answer.record_count < RECORDS_MAX &&
                    data_is_given(line, question->type, arena, &records[answer.record_count]))
                        answer.record_count++;
        }
        if (answer.record_count > 0)
                answer.fact = FACT_FOUND;
        for (size_t i = 0, j = answer.record_count; zone->is_late && i + 1 < j; i++) {
                struct dns_record swapped = records[i];
                records[i] = records[--j];
                records[j] = swapped;
        }
        return answer;
}

static enum fact zone_ask(struct dns_source *source, const struct dns_question *question,
                          const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer)
{
        struct zone *zone = (struct zone *)source;

        (void)asker;
        /* The policy, 10 mx of 11 questions, the client's 11 names, and the explanation, is the most there
         * can be. */
        expect(++zone->asked <= 130);
        if (zone->is_late) {
                zone->waiting[zone->waiting_count++] = *question;
                return FACT_PENDING;
        }
        *ret_answer = zone_find(zone, question, arena);
        return ret_answer->fact;
}

static void check_complaints(const struct spf_request *request, enum spf_result result,
                             const struct spf_detail *detail)
{
        char octets[SPF_RECEIVED_MAX];
        struct text field;

        expect(result == SPF_FAIL || detail->explanation.length == 0);
        expect(detail->explanation.length <= SPF_EXPLANATION_MAX);
        for (size_t i = 0; i < detail->explanation.length; i++)
                expect(detail->explanation.at[i] >= 0x20 && detail->explanation.at[i] < 0x7f);
        expect((detail->problem.length > 0) == (result == SPF_TEMPERROR || result == SPF_PERMERROR));
        text_over(&field, octets, sizeof octets);
        spf_write_received(&field, request, result, detail);
        expect(!field.overflowed);
        for (size_t i = 0; i < field.length; i++) {
                char c = field.at[i];
                expect((c >= 0x20 && c < 0x7f) || c == '\r' || c == '\n' || c == '\t');
                expect(c != '\n' ||
                       (field.at[i - 1] == '\r' && (i + 1 == field.length || field.at[i + 1] == '\t')));
        }
}

static enum spf_result evaluate(const struct spf_request *request, struct span lines, bool is_late)
{
        struct zone zone = {.source.ask = zone_ask, .lines = lines, .is_late = is_late};
        struct block_pool pool;
        struct arena arena;
        struct memo memo;
        struct spf_detail detail = {0};
        enum spf_result result;

        block_pool_init(&pool, 65536, 4);
        arena_init(&arena, &pool, 64 << 20);
        memo_init(&memo, &arena, &zone.source, 1, 1000);
        while ((result = spf_evaluate(request, &memo, &arena, &detail)) == SPF_WAIT) {
                expect(zone.waiting_count > 0);
                struct dns_question question = zone.waiting[--zone.waiting_count];
                struct dns_answer answer = zone_find(&zone, &question, &arena);
                memo_settle(&memo, &question, &answer);
        }
        check_complaints(request, result, &detail);
        arena_end(&arena);
        block_pool_end(&pool);
        return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        char *copy = malloc(length + 1); /* of its exact size, so that reading past the end is seen */
        struct spf_request request = {.receiver = SPAN("mx.receiver.example"), .now_s = 1700000000};

        expect(copy != NULL);
        memcpy(copy, octets, length);
        struct span rest = span_of(copy, length);
        if (!address_parse(take(&rest, '\n'), &request.client))
                request.client = (struct address){.octets = {[10] = 0xff, [11] = 0xff, [12] = 192, [15] = 1}};
        request.helo = take(&rest, '\n');
        struct span sender = take(&rest, '\n');
        size_t at = span_find_last(sender, '@');
        if (at != SIZE_MAX) {
                request.sender_local = span_of(sender.at, at);
                request.sender_domain = span_skip(sender, at + 1);
        }
        expect(evaluate(&request, rest, false) == evaluate(&request, rest, true));
        free(copy);
        return 0;
}
