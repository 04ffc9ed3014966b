/* Whoever publishes a policy can name anybody: so nobody gets reports who has not said so himself. */
#include "workers/cli/dmarc_report/destination.h"

#include "core/auth/dmarc/walk.h"
#include "core/auth/tags.h"
#include "core/base/domain_name.h"
#include "dns/clock.h"

#include <stdio.h>

#define ANSWER_WAIT_MS 20000
#define FAILED_MAX_MS  600000
#define SLOW_MS        2000 /* what a domain takes longer than that costs as much as what fails */
#define TOLD_MAX       100  /* lines of what is left out */
#define MEMORY_MAX     ((size_t)1 << 20)
#define QUESTIONS_MAX  400 /* of one policy domain */

/* ---- addresses ----------------------------------------------------------------------------------------- */

/* %XX (RFC 6068 2). False for half of one, and for what is no dot-string. */
static bool read_local_part(struct span encoded, struct text *local_part)
{
        for (size_t i = 0; i < encoded.length; i++) {
                uint8_t octet = (uint8_t)encoded.at[i];
                if (octet == '%') {
                        if (encoded.length - i < 3 || !span_hex(span_of(encoded.at + i + 1, 2), &octet, 1))
                                return false;
                        i += 2;
                }
                if (!ascii_is_atext((char)octet) && octet != '.')
                        return false;
                text_put_char(local_part, (char)octet);
        }
        return local_part->length > 0 && !local_part->overflowed;
}

static bool has_lone_dot(struct span local_part)
{
        return local_part.at[0] == '.' || local_part.at[local_part.length - 1] == '.' ||
               memmem(local_part.at, local_part.length, "..", 2) != NULL;
}

static bool read_domain(struct span name, struct text *domain)
{
        name = domain_name_without_dot(name);
        if (!domain_name_is_valid(name, false) || !domain_name_is_qualified(name))
                return false;
        text_put_lower(domain, name);
        return !domain->overflowed;
}

bool destination_read(struct span uri, struct destination *ret_destination)
{
        static const struct span scheme = {"mailto:", 7};
        struct destination destination = {0};
        struct text local_part, domain;

        if (!span_starts_nocase(uri, scheme))
                return false;
        uri = span_skip(uri, scheme.length);
        size_t question = span_find(uri, '?');
        if (question != SIZE_MAX)
                uri.length = question;
        size_t at = span_find_last(uri, '@');
        text_over(&local_part, destination.address, DESTINATION_LOCAL_MAX);
        if (at == SIZE_MAX || !read_local_part(span_of(uri.at, at), &local_part) ||
            has_lone_dot(text_span(&local_part)))
                return false;
        destination.address[local_part.length] = '@';
        text_over(&domain, destination.address + local_part.length + 1,
                  sizeof destination.address - local_part.length - 2);
        if (!read_domain(span_skip(uri, at + 1), &domain))
                return false;
        *ret_destination = destination;
        return true;
}

static void add(struct destinations *destinations, const struct destination *destination)
{
        for (size_t i = 0; i < destinations->count; i++)
                if (strcmp(destinations->list[i].address, destination->address) == 0)
                        return;
        if (destinations->count < ENTRY_URIS_MAX)
                destinations->list[destinations->count++] = *destination;
}

bool destination_replace(struct span text, const struct destination *asked,
                         struct destinations *ret_destinations)
{
        struct destination own;
        struct dmarc_record record;
        struct span uri;

        *ret_destinations = (struct destinations){0};
        if (dmarc_record_read(text, &record))
                while (dmarc_uri_next(&record.rua, &uri)) {
                        if (!destination_read(uri, &own))
                                continue;
                        if (!span_equals(destination_domain(&own), destination_domain(asked)))
                                return false;
                        add(ret_destinations, &own);
                }
        if (ret_destinations->count == 0)
                add(ret_destinations, asked);
        return true;
}

/* ---- DNS ----------------------------------------------------------------------------------------------- */

struct consent {
        struct destination_look *look;
        struct span policy_domain;
        struct memo memo;
        bool has_failed; /* something that was asked */
};

static void wait_for_answer(struct consent *consent)
{
        const struct dns_reply_message *message = cli_dns_wait(&consent->look->dns, ANSWER_WAIT_MS);

        if (message != NULL)
                memo_settle(&consent->memo, &message->question, &message->answer);
        else
                consent->memo.is_late = true;
}

static enum fact ask_walk(struct consent *consent, struct span name, struct dmarc_walk *ret_walk)
{
        enum fact fact;

        while ((fact = dmarc_walk(name, &consent->memo, ret_walk)) == FACT_PENDING)
                wait_for_answer(consent);
        return fact;
}

/* FOUND: the policy domain and the host have one organisation. */
static enum fact ask_organisation(struct consent *consent, struct span host)
{
        struct dmarc_walk ours, theirs;

        if (span_equals(host, consent->policy_domain))
                return FACT_FOUND;
        enum fact fact = ask_walk(consent, consent->policy_domain, &ours);
        if (fact == FACT_FOUND)
                fact = ask_walk(consent, host, &theirs);
        if (fact != FACT_FOUND)
                return fact;
        return span_equals(ours.organisation, theirs.organisation) ? FACT_FOUND : FACT_ABSENT;
}

/* FOUND: the host agrees, and *ret_record is what it has, the first one that names somebody. */
static enum fact ask_host(struct consent *consent, struct span host, struct span *ret_record)
{
        static const struct span middle = {"._report._dmarc.", 16};
        char octets[2 * DOMAIN_NAME_MAX + 32];
        const struct dns_answer *answer;
        struct dmarc_record record;
        struct text name;
        enum fact fact;
        bool is_found = false;

        text_over(&name, octets, sizeof octets);
        text_put(&name, consent->policy_domain);
        text_put(&name, middle);
        text_put(&name, host);
        while ((fact = memo_ask(&consent->memo, text_span(&name), DNS_TXT, &answer)) == FACT_PENDING)
                wait_for_answer(consent);
        for (size_t i = 0; fact == FACT_FOUND && i < answer->record_count; i++) {
                if (!dmarc_record_read(answer->records[i].data, &record))
                        continue;
                if (!is_found || record.rua.length > 0)
                        *ret_record = answer->records[i].data;
                is_found = true;
                if (record.rua.length > 0)
                        break;
        }
        return fact == FACT_FOUND && !is_found ? FACT_ABSENT : fact;
}

/* ---- what is told -------------------------------------------------------------------------------------- */

static void leave_out(struct destination_look *look, struct span policy_domain, struct span uri,
                      const char *reason)
{
        if (++look->left_out == TOLD_MAX + 1)
                fprintf(stderr, "gatepost: further destinations that are left out are only counted\n");
        if (look->left_out <= TOLD_MAX)
                fprintf(stderr, "gatepost: %.*s: no report to %.*s: %s\n", (int)policy_domain.length,
                        policy_domain.at, (int)uri.length, uri.at, reason);
}

/* NULL, with what is sent for it, or why nothing is. */
static const char *settle(struct consent *consent, const struct destination *destination,
                          struct destinations *ret_settled)
{
        struct span record = SPAN(""), host = destination_domain(destination);
        enum fact fact = ask_organisation(consent, host);

        if (fact == FACT_ABSENT)
                fact = ask_host(consent, host, &record);
        consent->has_failed |= fact == FACT_FAILED;
        if (fact == FACT_FAILED)
                return !consent->look->has_dns ? "the configuration has no resolvers to ask whether it agrees"
                                               : "DNS does not say whether it agrees";
        if (fact != FACT_FOUND)
                return "it has not agreed to get reports about this domain";
        return destination_replace(record, destination, ret_settled)
                   ? NULL
                   : "it has agreed for another host's address, which may be nobody's";
}

static void find_one(struct consent *consent, struct span uri, struct destinations *destinations)
{
        struct destination destination;
        struct destinations settled;
        const char *fault = "it is no mailto: with one plain address";

        if (destination_read(uri, &destination))
                fault = settle(consent, &destination, &settled);
        if (fault != NULL)
                leave_out(consent->look, consent->policy_domain, uri, fault);
        for (size_t i = 0; fault == NULL && i < settled.count; i++)
                add(destinations, &settled.list[i]);
}

void destinations_find(struct destination_look *look, struct span policy_domain, struct span uris,
                       struct destinations *ret_destinations)
{
        bool may_ask = look->has_dns && look->failed_ms < look->failed_max_ms;
        struct consent consent = {.look = look, .policy_domain = policy_domain};
        uint64_t begun_ms = clock_monotonic_ms();
        struct block_pool pool;
        struct arena arena;

        *ret_destinations = (struct destinations){0};
        block_pool_init(&pool, 65536, 0);
        arena_init(&arena, &pool, MEMORY_MAX);
        memo_init(&consent.memo, &arena, may_ask ? look->dns.source : NULL, 0, QUESTIONS_MAX);
        while (uris.length > 0)
                find_one(&consent, tag_take(&uris, ','), ret_destinations);
        uint64_t took_ms = clock_monotonic_ms() - begun_ms;
        if (consent.has_failed || took_ms > SLOW_MS)
                look->failed_ms += took_ms;
        arena_end(&arena);
        block_pool_end(&pool);
}

bool destination_look_begin(struct destination_look *look, const struct options *options)
{
        if (options->resolvers.count == 0)
                return true;
        look->failed_max_ms = FAILED_MAX_MS;
        look->has_dns = cli_dns_open_configured(&look->dns, options);
        if (!look->has_dns)
                fprintf(stderr, "gatepost: cannot start the resolver\n");
        return look->has_dns;
}

void destination_look_end(struct destination_look *look)
{
        if (look->has_dns)
                cli_dns_close(&look->dns);
}
