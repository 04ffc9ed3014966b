/* A list of answers: operators give few. */
#include "workers/cli/explain/made_up/given.h"

#include "core/check/dns/reverse.h"
#include "dns/name.h"

#define GIVEN_RECORDS_MAX 32 /* of one answer */
#define OUT_OF_MEMORY     "out of memory"

struct given_answer {
        struct given_answer *next;
        struct dns_question question;
        enum fact fact;
        uint16_t record_count;
        struct dns_record records[GIVEN_RECORDS_MAX];
};

static struct given_answer *find(const struct given *given, const struct dns_question *question)
{
        struct given_answer *answer = given->answers;

        while (answer != NULL && (answer->question.type != question->type ||
                                  !span_equals(answer->question.name, question->name)))
                answer = answer->next;
        return answer;
}

bool given_has(const struct given *given, const struct dns_question *question)
{
        return find(given, question) != NULL;
}

static enum fact ask(struct dns_source *source, const struct dns_question *question,
                     const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer)
{
        const struct given *given = (const struct given *)source;
        const struct given_answer *answer = find(given, question);

        if (answer == NULL && given->behind != NULL)
                return given->behind->ask(given->behind, question, asker, arena, ret_answer);
        *ret_answer = answer == NULL ? (struct dns_answer){.fact = FACT_FAILED}
                                     : (struct dns_answer){.fact = answer->fact,
                                                           .record_count = answer->record_count,
                                                           .records = answer->records};
        return ret_answer->fact;
}

void given_begin(struct given *given)
{
        *given = (struct given){.source.ask = ask};
        block_pool_init(&given->pool, 8192, 0);
        arena_init(&given->memory, &given->pool, SIZE_MAX);
}

void given_end(struct given *given)
{
        arena_end(&given->memory);
        block_pool_end(&given->pool);
}

/* ---- what is given ------------------------------------------------------------------------------------- */

/* False when there is none of this name that can be given. */
static bool read_type(struct span name, enum dns_type *ret_type)
{
        static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_PTR, DNS_MX, DNS_TXT, DNS_NS};

        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
                if (span_equals_nocase(name, span_from(dns_type_name(types[i])))) {
                        *ret_type = types[i];
                        return true;
                }
        return false;
}

/* In normal form, in the memory; "." is the root, which is empty. False when it is no name. */
static bool keep_name(struct given *given, struct span name, struct span *ret_name)
{
        char octets[DNS_NAME_MAX + 1];
        struct text text;

        text_over(&text, octets, sizeof octets);
        if (!span_equals(name, SPAN(".")) && !dns_name_normalise(name, &text))
                return false;
        *ret_name = arena_copy(&given->memory, text_span(&text));
        return ret_name->at != NULL;
}

static const char *read_address(struct given *given, bool is_ipv4, struct span value,
                                struct dns_record *record)
{
        struct address address;
        size_t length = is_ipv4 ? 4 : 16;

        if (!address_parse(value, &address) || address_is_ipv4(&address) != is_ipv4)
                return is_ipv4 ? "its value is no IPv4 address" : "its value is no IPv6 address";
        record->data =
            arena_copy(&given->memory, span_of((const char *)address.octets + 16 - length, length));
        return record->data.at == NULL ? OUT_OF_MEMORY : NULL;
}

static const char *read_exchange(struct given *given, struct span value, struct dns_record *record)
{
        uint64_t preference;
        struct span number = span_take_word(&value);

        if (!span_number(number, &preference) || preference > UINT16_MAX)
                return "the value of an MX is \"PREFERENCE NAME\"";
        record->preference = (uint16_t)preference;
        return keep_name(given, span_trim(value), &record->data)
                   ? NULL
                   : "the value of an MX is \"PREFERENCE NAME\"";
}

static const char *read_record(struct given *given, enum dns_type type, struct span value,
                               struct dns_record *record)
{
        *record = (struct dns_record){0};
        if (type == DNS_A || type == DNS_AAAA)
                return read_address(given, type == DNS_A, value, record);
        if (type == DNS_MX)
                return read_exchange(given, value, record);
        if (type == DNS_TXT) {
                record->data = arena_copy(&given->memory, value);
                return record->data.at == NULL ? OUT_OF_MEMORY : NULL;
        }
        return keep_name(given, value, &record->data) ? NULL : "its value is no name";
}

static struct given_answer *find_or_add(struct given *given, const struct dns_question *question)
{
        struct given_answer *answer = find(given, question);

        if (answer != NULL || (answer = arena_take(&given->memory, sizeof *answer)) == NULL)
                return answer;
        *answer = (struct given_answer){.next = given->answers, .question = *question, .fact = FACT_ABSENT};
        given->answers = answer;
        return answer;
}

static const char *add(struct given *given, const struct dns_question *question, struct span value)
{
        struct given_answer *answer = find_or_add(given, question);

        if (answer == NULL)
                return OUT_OF_MEMORY;
        bool is_failed = span_equals_nocase(value, SPAN("failed"));
        if (is_failed || span_equals_nocase(value, SPAN("absent"))) {
                answer->fact = is_failed ? FACT_FAILED : FACT_ABSENT;
                answer->record_count = 0;
                return NULL;
        }
        if (answer->record_count == GIVEN_RECORDS_MAX)
                return "has too many records";
        const char *fault = read_record(given, question->type, value, &answer->records[answer->record_count]);
        answer->record_count += fault == NULL;
        answer->fact = fault == NULL ? FACT_FOUND : answer->fact;
        return fault;
}

const char *given_add(struct given *given, const char *fact)
{
        struct span whole = span_from(fact);
        size_t equals = span_find(whole, '=');
        struct span left = span_trim(span_of(whole.at, equals == SIZE_MAX ? 0 : equals));
        struct dns_question question = {0};
        struct span name = span_take_word(&left);

        if (equals == SIZE_MAX || !read_type(span_trim(left), &question.type))
                return "is not \"NAME TYPE=VALUE\", with a TYPE such as A or TXT";
        if (!keep_name(given, name, &question.name) || question.name.length == 0)
                return "begins with no name";
        return add(given, &question, span_trim(span_skip(whole, equals + 1)));
}

const char *given_add_reverse(struct given *given, const struct address *client, const char *name)
{
        bool is_ipv4 = address_is_ipv4(client);
        char octets[DNS_NAME_MAX];
        struct text reverse;
        struct dns_question question = {.type = DNS_PTR}, forward = {.type = is_ipv4 ? DNS_A : DNS_AAAA};
        char address[ADDRESS_TEXT_MAX + 1];

        text_over(&reverse, octets, sizeof octets);
        reverse_put_address(&reverse, client);
        text_put(&reverse, is_ipv4 ? SPAN(".in-addr.arpa") : SPAN(".ip6.arpa"));
        address_write_string(client, address);
        if (!keep_name(given, text_span(&reverse), &question.name) ||
            !keep_name(given, span_from(name), &forward.name) || forward.name.length == 0)
                return "is no name";
        const char *fault = add(given, &question, forward.name);
        return fault != NULL ? fault : add(given, &forward, span_from(address));
}
