/* Answers from DNS outside of the server: waiting for them, showing them. */
#include "workers/cli/dns.h"

#include "core/base/address.h"
#include "dns/clock.h"
#include "dns/pool/client.h"
#include "dns/pool/settings.h"

#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

#define RECORDS_SHOWN 8
#define OCTETS_SHOWN  600 /* of a text */
#define FAILURE_TTL_S 300 /* longer than any subcommand runs */

static bool open_with(struct cli_dns *dns, const struct dns_cache_options *cache_options,
                      struct dns_pool_options options)
{
        *dns = (struct cli_dns){.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        urcu_memb_register_thread();
        dns->cache = dns_cache_create(cache_options);
        options.cache = dns->cache;
        options.threads = 1;
        options.clients = 1;
        if (dns->event_fd >= 0 && dns->cache != NULL)
                dns->pool = dns_pool_create(&options);
        if (dns->pool == NULL) {
                cli_dns_close(dns);
                return false;
        }
        dns->client = dns_pool_client(dns->pool, 0, dns->event_fd, &dns->is_asleep);
        dns->source = dns_client_source(dns->client);
        return true;
}

bool cli_dns_open(struct cli_dns *dns, const struct endpoint *resolvers, size_t count)
{
        struct dns_cache_options cache_options = dns_cache_defaults();
        struct dns_pool_options options = dns_pool_defaults();

        options.upstreams = resolvers;
        options.upstream_count = count;
        return open_with(dns, &cache_options, options);
}

bool cli_dns_open_configured(struct cli_dns *dns, const struct options *options)
{
        struct dns_cache_options cache_options = dns_cache_settings(options);

        cache_options.failure_ttl_s = FAILURE_TTL_S;
        return open_with(dns, &cache_options, dns_pool_settings(options));
}

static int within(const struct cli_dns *dns, int timeout_ms)
{
        uint64_t now_ms = clock_monotonic_ms();

        if (dns->until_ms == 0 || now_ms + (uint64_t)timeout_ms <= dns->until_ms)
                return timeout_ms;
        return now_ms < dns->until_ms ? (int)(dns->until_ms - now_ms) : 0;
}

const struct dns_reply_message *cli_dns_wait(struct cli_dns *dns, int timeout_ms)
{
        const struct dns_reply_message *message;
        struct pollfd event = {.fd = dns->event_fd, .events = POLLIN};
        uint64_t count;

        if (dns->client == NULL)
                return NULL;
        dns_client_flush(dns->client);
        while ((message = dns_client_receive(dns->client)) == NULL) {
                atomic_store(&dns->is_asleep, true);
                if (dns_client_has_answers(dns->client))
                        continue;
                if (poll(&event, 1, within(dns, timeout_ms)) <= 0)
                        return NULL;
                if (read(dns->event_fd, &count, sizeof count) < 0)
                        continue;
        }
        return message;
}

const char *cli_dns_fact_name(enum fact fact)
{
        static const char *const names[] = {[FACT_FOUND] = "found",
                                            [FACT_ABSENT] = "absent",
                                            [FACT_FAILED] = "failed",
                                            [FACT_PENDING] = "not answered"};
        return names[fact];
}

void cli_dns_put_record(struct text *text, enum dns_type type, const struct dns_record *record)
{
        struct address address = {.octets = {[10] = 0xff, [11] = 0xff}};
        struct span data = record->data;

        if (type == DNS_A || type == DNS_AAAA) {
                memcpy(address.octets + 16 - data.length, data.at, data.length);
                address_write(text, &address);
                return;
        }
        if (type == DNS_MX)
                text_printf(text, "%u ", record->preference);
        if (data.length > OCTETS_SHOWN)
                data.length = OCTETS_SHOWN;
        if (type == DNS_TXT)
                text_put_char(text, '"');
        text_put_printable(text, data.length > 0 || type == DNS_TXT ? data : SPAN("."), false);
        if (type == DNS_TXT)
                text_put_string(text, data.length < record->data.length ? "...\"" : "\"");
}

void cli_dns_print(const char *label, const struct dns_question *question, const struct dns_answer *answer)
{
        char octets[RECORDS_SHOWN * (OCTETS_SHOWN + 16)];
        struct text text;

        text_over(&text, octets, sizeof octets);
        for (size_t i = 0; i < answer->record_count && i < RECORDS_SHOWN; i++) {
                text_put_string(&text, i == 0 ? ": " : ", ");
                cli_dns_put_record(&text, question->type, &answer->records[i]);
        }
        if (answer->record_count > RECORDS_SHOWN)
                text_put_string(&text, ", ...");
        printf("%s: %.*s %s %s, %u record%s, ttl %u s, %u ms%.*s\n", label, (int)question->name.length,
               question->name.at, dns_type_name(question->type), cli_dns_fact_name(answer->fact),
               answer->record_count, answer->record_count == 1 ? "" : "s", answer->ttl_s, answer->took_ms,
               (int)text.length, text.at);
}

void cli_dns_close(struct cli_dns *dns)
{
        if (dns->pool != NULL)
                dns_pool_destroy(dns->pool);
        if (dns->cache != NULL)
                dns_cache_destroy(dns->cache);
        if (dns->event_fd >= 0)
                close(dns->event_fd);
        urcu_memb_unregister_thread();
}
