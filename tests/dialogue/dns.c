/* The scripted DNS. */
#include "tests/dialogue/dns.h"

#include "core/base/address.h"
#include "core/base/expect.h"
#include "tests/dialogue/exchange/cutting.h"
#include "tests/dialogue/script.h"

#define RECORDS_MAX 40

struct line {
        struct span name, data;
        enum dns_type type;
};

static bool type_parse(struct span word, enum dns_type *ret_type)
{
        static const enum dns_type types[] = {DNS_A, DNS_NS, DNS_PTR, DNS_MX, DNS_TXT, DNS_AAAA};
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
                if (span_equals(word, span_from(dns_type_name(types[i])))) {
                        *ret_type = types[i];
                        return true;
                }
        return false;
}

static bool line_parse(struct span text, struct line *ret_line)
{
        ret_line->name = span_take_line(&text, SPAN(" "));
        if (!type_parse(span_take_line(&text, SPAN(" ")), &ret_line->type))
                return false;
        ret_line->data = text;
        return text.length > 0;
}

static bool is_word(struct span data)
{
        return span_equals(data, SPAN("nodata")) || span_equals(data, SPAN("fail")) ||
               span_equals(data, SPAN("silent"));
}

static bool record_parse(const struct line *line, struct arena *arena, struct dns_record *ret_record)
{
        struct address address;
        struct span rest = line->data;
        uint64_t preference = 0;

        if (line->type == DNS_A || line->type == DNS_AAAA) {
                bool is_ipv4 = line->type == DNS_A;
                if (!address_parse(line->data, &address) || address_is_ipv4(&address) != is_ipv4)
                        return false;
                rest = span_of((const char *)address.octets + (is_ipv4 ? 12 : 0), is_ipv4 ? 4 : 16);
        } else if (line->type == DNS_MX) {
                if (!span_number(span_take_line(&rest, SPAN(" ")), &preference))
                        return false;
                if (span_equals(rest, SPAN(".")))
                        rest.length = 0; /* the root, as null MX has it */
        }
        *ret_record =
            (struct dns_record){.data = arena_copy(arena, rest), .preference = (uint16_t)preference};
        return true;
}

/* Failed where the arena has no memory for it, as in the pool. */
static void answer(const struct scripted_dns *dns, const struct dns_question *question, struct arena *arena,
                   struct dns_answer *ret_answer)
{
        struct dns_record *records = arena_take(arena, RECORDS_MAX * sizeof *records);
        struct line line;

        *ret_answer = (struct dns_answer){.fact = FACT_FAILED};
        if (records == NULL)
                return;
        *ret_answer =
            (struct dns_answer){.fact = FACT_ABSENT, .is_nxdomain = true, .ttl_s = 60, .records = records};
        for (size_t i = 0; i < dns->line_count; i++) {
                expect(line_parse(dns->lines[i], &line));
                if (!span_equals(line.name, question->name))
                        continue;
                ret_answer->is_nxdomain = false;
                if (line.type != question->type)
                        continue;
                if (span_equals(line.data, SPAN("fail")))
                        ret_answer->fact = FACT_FAILED;
                if (is_word(line.data))
                        return;
                ret_answer->fact = FACT_FOUND;
                expect(ret_answer->record_count < RECORDS_MAX);
                expect(record_parse(&line, arena, &records[ret_answer->record_count]));
                if (records[ret_answer->record_count++].data.at == NULL) {
                        *ret_answer = (struct dns_answer){.fact = FACT_FAILED};
                        return;
                }
        }
}

/* Whoever answers last first gives records in the opposite order too. */
static void answer_as_told(const struct scripted_dns *dns, const struct dns_question *question,
                           struct arena *arena, struct dns_answer *ret_answer)
{
        answer(dns, question, arena, ret_answer);
        struct dns_record *records = (struct dns_record *)(uintptr_t)ret_answer->records;
        for (size_t i = 0, j = ret_answer->record_count; dns->answering == ANSWER_LAST_FIRST && i + 1 < j;
             i++) {
                struct dns_record swapped = records[i];
                records[i] = records[--j];
                records[j] = swapped;
        }
}

static bool is_silent(const struct scripted_dns *dns, const struct dns_question *question)
{
        struct line line;
        for (size_t i = 0; i < dns->line_count; i++)
                if (line_parse(dns->lines[i], &line) && span_equals(line.name, question->name) &&
                    line.type == question->type && span_equals(line.data, SPAN("silent")))
                        return true;
        return false;
}

static size_t random_below(struct scripted_dns *dns, size_t limit)
{
        return random_next(&dns->random) % limit;
}

static bool is_answered_at_once(struct scripted_dns *dns)
{
        return !dns->is_held && (dns->answering == ANSWER_AT_ONCE ||
                                 (dns->answering == ANSWER_SHUFFLED && random_below(dns, 4) == 0));
}

/* Which of the pending questions is answered next. */
static size_t next_at(struct scripted_dns *dns)
{
        if (dns->answering == ANSWER_SHUFFLED)
                return random_below(dns, dns->pending_count);
        return dns->answering == ANSWER_LAST_FIRST ? dns->pending_count - 1 : 0;
}

/* ---- what a cache would know ---------------------------------------------------------------------------- */

static bool is_known(const struct scripted_dns *dns, const struct dns_question *question)
{
        if (dns->knowing == KNOWS_HALF)
                return (question->name.length + (size_t)question->type) % 2 == 0;
        if (dns->knowing == KNOWS_ALL)
                return true;
        for (size_t i = 0; i < dns->known_count; i++)
                if (dns->known[i].type == question->type && span_equals(dns->known[i].name, question->name))
                        return true;
        return false;
}

/* It has been answered, and whoever only looks finds it. When the table is full it is not. */
static void know(struct scripted_dns *dns, const struct dns_question *question)
{
        if (is_known(dns, question) || dns->known_count == DNS_KNOWN_MAX)
                return;
        dns->known[dns->known_count++] =
            (struct dns_question){.name = arena_copy(&dns->names, question->name), .type = question->type};
}

static void account_change(struct scripted_dns *dns, const uint64_t account[2],
                           void (*change)(struct sketch *sketch, uint64_t hash))
{
        for (int i = 0; i < 2 && dns->questions != NULL; i++)
                if (account[i] != 0)
                        change(dns->questions, account[i]);
}

static void add_one(struct sketch *sketch, uint64_t hash)
{
        sketch_add(sketch, hash);
}

static enum fact ask(struct dns_source *source, const struct dns_question *question,
                     const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer)
{
        struct scripted_dns *dns = (struct scripted_dns *)source;
        uint64_t account[2] = {asker->account == NULL ? 0 : asker->account->client,
                               asker->account == NULL ? 0 : asker->account->network};

        if (asker->looks_only && !is_known(dns, question)) {
                *ret_answer = (struct dns_answer){.fact = FACT_PENDING, .is_unasked = true};
                return FACT_PENDING;
        }
        if (asker->looks_only || (is_answered_at_once(dns) && !is_silent(dns, question))) {
                know(dns, question);
                answer_as_told(dns, question, arena, ret_answer);
                return ret_answer->fact;
        }
        account_change(dns, account, add_one);
        if (!is_silent(dns, question)) {
                expect(dns->pending_count < DNS_PENDING_MAX);
                dns->pending[dns->pending_count++] = (struct scripted_question){
                    .question = {.name = arena_copy(&dns->names, question->name), .type = question->type},
                    .handle = asker->handle,
                    .account = {account[0], account[1]},
                };
        }
        return FACT_PENDING;
}

void scripted_dns_init(struct scripted_dns *dns, enum answering answering, uint32_t seed)
{
        *dns = (struct scripted_dns){.source = {.ask = ask}, .answering = answering, .random = seed};
        block_pool_init(&dns->pool, 4096, 0);
        arena_init(&dns->names, &dns->pool, SIZE_MAX);
}

void scripted_dns_end(struct scripted_dns *dns)
{
        arena_end(&dns->names);
        block_pool_end(&dns->pool);
}

bool scripted_dns_add(struct scripted_dns *dns, struct span text)
{
        struct line line;
        struct dns_record record;
        struct arena arena;
        bool is_good = line_parse(text, &line) && dns->line_count < DNS_LINES_MAX;

        arena_init(&arena, &dns->pool, SIZE_MAX);
        is_good = is_good && (is_word(line.data) || record_parse(&line, &arena, &record));
        arena_end(&arena);
        if (is_good)
                dns->lines[dns->line_count++] = text;
        return is_good;
}

bool scripted_dns_next(struct scripted_dns *dns, struct arena *arena, uint64_t *ret_handle,
                       struct dns_question *ret_question, struct dns_answer *ret_answer)
{
        if (dns->pending_count == 0 || dns->is_held)
                return false;
        size_t at = next_at(dns);
        *ret_question = dns->pending[at].question;
        *ret_handle = dns->pending[at].handle;
        account_change(dns, dns->pending[at].account, sketch_remove);
        dns->pending_count--;
        memmove(&dns->pending[at], &dns->pending[at + 1], (dns->pending_count - at) * sizeof dns->pending[0]);
        know(dns, ret_question);
        answer_as_told(dns, ret_question, arena, ret_answer);
        return true;
}
