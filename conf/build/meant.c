/* Warnings of what can be read, but cannot be meant. */
#include "conf/build/internal.h"
#include "core/base/address.h"

#include <inttypes.h>

static void warn(struct builder *builder, enum option_at option, const char *reason)
{
        struct place place = build_option_place(builder, option);
        conf_complain(builder->complaints, COMPLAINT_WARNING, &place, "%s: %s", option_rows[option].name,
                      reason);
}

static uint64_t number_of(const struct builder *builder, enum option_at option)
{
        return *(const uint64_t *)((const char *)&builder->snapshot->options + option_rows[option].offset);
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

/* What a client may count on. */
static void warn_of_small_numbers(struct builder *builder)
{
        static const struct {
                enum option_at option;
                uint64_t least;
                bool zero_is_none;
                const char *reason;
        } rows[] = {
            {OPTION_AT_idle_timeout, 300000, false,
             "under 5m (RFC 5321 4.5.3.2.7): slow clients are cut off, and come again and again"},
            {OPTION_AT_data_timeout, 180000, false,
             "under 3m (RFC 5321 4.5.3.2.5): slow clients are cut off, and come again and again"},
            {OPTION_AT_text_time_max, 600000, true,
             "under 10m: long messages of slow clients never come to their end"},
            {OPTION_AT_recipients_max, 100, false,
             "under 100 (RFC 5321 4.5.3.1.8): clients send their mail in pieces, and some give up"},
            {OPTION_AT_hops_max, 100, false,
             "under 100 (RFC 5321 6.3): mail that was forwarded often may be taken for a loop"},
            {OPTION_AT_message_size_max, 65536, false, "under 64k (RFC 5321 4.5.3.1.7)"},
            {OPTION_AT_text_line_max, 1000, true, "under 1000 (RFC 5321 4.5.3.1.6)"},
            {OPTION_AT_commands_max, 110, false,
             "under 110: a mail for 100 recipients (RFC 5321 4.5.3.1.8) does not come to its end"},
            {OPTION_AT_errors_max, 2, false, "under 2: the first recipient that is refused ends the session"},
            {OPTION_AT_junk_max, 2, false, "under 2: the first RSET or NOOP ends the session"},
            {OPTION_AT_session_timeout, 60000, false,
             "under 1m: slow clients are cut off before their mail, and come again and again"},
            {OPTION_AT_connections_max, 2, true, "under 2: one client keeps out all others"},
            {OPTION_AT_client_memory_max, 4194304, true,
             "under 4M: a few texts fill it, and other mail is deferred"},
            {OPTION_AT_log_interval, 1000, true, "under 1s: the log would be all counters"},
            {OPTION_AT_stress_timeout, 5000, false,
             "under 5s: under load clients are cut off before they can have answered"},
            {OPTION_AT_stress_at, 10, false, "under 10: the ladder of load is climbed by ordinary traffic"},
            {OPTION_AT_deliveries_max, 10, true, "under 10: a few messages at a time count as load"},
            {OPTION_AT_tls_handshake_timeout, 5000, false,
             "under 5s: slow clients fail, and send their mail in plain text"},
            {OPTION_AT_tls_handshakes_max, 10, false,
             "under 10: a few slow clients keep all others from TLS"},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                uint64_t number = number_of(builder, rows[i].option);
                if (number < rows[i].least && !(rows[i].zero_is_none && number == 0))
                        warn(builder, rows[i].option, rows[i].reason);
        }
}

#define DATA_RATE_MOST 65536 /* half of what a DSL line of 1 Mbit/s sends */

static void warn_of_large_numbers(struct builder *builder)
{
        static const char reason[] =
            "over 64k: clients with slow lines are cut off, and come again and again";
        const struct options *options = &builder->snapshot->options;

        if (options->data_rate_min_octets > DATA_RATE_MOST)
                warn(builder, OPTION_AT_data_rate_min, reason);
        if (options->text_time_rate_octets > DATA_RATE_MOST && options->text_time_max_ms > 0)
                warn(builder, OPTION_AT_text_time_rate, reason);
}

static void warn_of_small_rates(struct builder *builder)
{
        const struct snapshot *snapshot = builder->snapshot;
        const struct rate *recipients = &snapshot->options.client_rate_recipients;

        if (snapshot->check_is_wanted[CHECK_client_rate] && recipients->events > 0 &&
            recipients->events < 100)
                warn(builder, OPTION_AT_client_rate_recipients,
                     "under 100 (RFC 5321 4.5.3.1.8): a mail for so many does not come to its end");
}

/* Options that say the same in different words, or make each other void. */
static void warn_of_contradictions(struct builder *builder)
{
        const struct options *options = &builder->snapshot->options;

        if (options->connections_per_network > 0 &&
            options->connections_per_client > options->connections_per_network)
                warn(builder, OPTION_AT_connections_per_client,
                     "over connections_per_network: it is never reached");
        if (options->proxy_listen.count > 0 && options->proxy_networks.count == 0)
                warn(builder, OPTION_AT_proxy_listen,
                     "proxy_networks names nobody: whoever connects there is refused");
}

static void warn_of_wrong_order(struct builder *builder)
{
        static const enum option_at pairs[][2] = {
            {OPTION_AT_dns_ttl_min, OPTION_AT_dns_ttl_max},
            {OPTION_AT_dns_attempt_timeout, OPTION_AT_dns_question_timeout},
            {OPTION_AT_dns_question_timeout, OPTION_AT_dns_timeout},
            {OPTION_AT_client_rate_penalty, OPTION_AT_client_rate_penalty_max},
        };
        char reason[128];

        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
                if (number_of(builder, pairs[i][0]) <= number_of(builder, pairs[i][1]))
                        continue;
                snprintf(reason, sizeof reason, "longer than %s", option_rows[pairs[i][1]].name);
                warn(builder, pairs[i][0], reason);
        }
}

/* ---- networks ------------------------------------------------------------------------------------------ */

/* No site has a network of this size: such a prefix says everybody, or lacks a digit. */
static bool is_everybody(const struct network *network)
{
        return address_is_ipv4(&network->address) && network->prefix >= 96 ? network->prefix < 96 + 8
                                                                           : network->prefix < 16;
}

static void warn_of_wide_networks(struct builder *builder)
{
        static const struct {
                enum option_at option;
                const char *effect;
        } rows[] = {
            {OPTION_AT_trusted_networks, "no check of policy would hold for them"},
            {OPTION_AT_proxy_networks, "they could pose as any other client"},
            {OPTION_AT_client_rate_exempt, "no limit would hold for them"},
            {OPTION_AT_spf_forwarders, "SPF would not count for them"},
            {OPTION_AT_greylist_exceptions, "they would always pass"},
        };
        char octets[ADDRESS_TEXT_MAX + 128];
        struct text reason;

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                const struct network_list *list =
                    (const struct network_list *)((const char *)&builder->snapshot->options +
                                                  option_rows[rows[i].option].offset);
                for (size_t j = 0; j < list->count; j++) {
                        if (!is_everybody(&list->networks[j]))
                                continue;
                        text_over(&reason, octets, sizeof octets - 1);
                        network_write(&reason, &list->networks[j]);
                        text_printf(&reason, " is a large part of the Internet: %s", rows[i].effect);
                        octets[reason.length] = '\0';
                        warn(builder, rows[i].option, octets);
                }
        }
}

/* ---- zones --------------------------------------------------------------------------------------------- */

#define LOOPBACK_OCTET                                                                                       \
        127 /* outside of 127.0.0.0/8 each answer is an error of the zone, and in 127.255.255.0/24 */
#define ERROR_OCTET 255

static bool octet_holds(const uint64_t octet[static 4], unsigned value)
{
        return (octet[value / 64] >> value % 64 & 1) != 0;
}

static bool octet_holds_others(const uint64_t octet[static 4], unsigned value)
{
        for (unsigned i = 0; i < 4; i++)
                if ((octet[i] & ~(i == value / 64 ? UINT64_C(1) << value % 64 : 0)) != 0)
                        return true;
        return false;
}

/* Whatever `inner` matches below 127.0.0.0/8, `outer` does. */
static bool filter_covers(const struct answer_filter *outer, const struct answer_filter *inner)
{
        bool covers = octet_holds(outer->octets[0], LOOPBACK_OCTET);
        for (int i = 1; i < 4; i++)
                for (int j = 0; j < 4; j++)
                        covers = covers && (inner->octets[i][j] & ~outer->octets[i][j]) == 0;
        return covers;
}

static bool is_always_error(const struct answer_filter *filter, const struct filter_list *errors)
{
        if (!octet_holds(filter->octets[0], LOOPBACK_OCTET) ||
            (!octet_holds_others(filter->octets[1], ERROR_OCTET) &&
             !octet_holds_others(filter->octets[2], ERROR_OCTET)))
                return true;
        for (size_t i = 0; i < errors->count; i++)
                if (filter_covers(&errors->filters[i], filter))
                        return true;
        return false;
}

static bool are_always_errors(const struct filter_list *filters, const struct filter_list *errors)
{
        for (size_t i = 0; i < filters->count; i++)
                if (!is_always_error(&filters->filters[i], errors))
                        return false;
        return filters->count > 0;
}

static void warn_of_dumb_zones(struct builder *builder)
{
        const struct snapshot *snapshot = builder->snapshot;

        for (size_t i = 0; i < snapshot->zone_count; i++) {
                const struct dnsbl_zone *zone = &snapshot->zones[i];
                const struct filter_list *lists[] = {&zone->options.answers, &zone->options.dynamic};
                static const char *const names[] = {"answers", "dynamic"};

                for (int j = 0; j < 2; j++)
                        if (are_always_errors(lists[j], &zone->options.errors))
                                conf_complain(builder->complaints, COMPLAINT_WARNING, &zone->place,
                                              "zone \"%.*s\": %s: all are errors (by `errors`, outside of "
                                              "127.0.0.0/8 or in 127.255.255.0/24): they never count",
                                              (int)zone->name.length, zone->name.at, names[j]);
        }
}

/* ---- scores -------------------------------------------------------------------------------------------- */

/* The highest score that a client, or a name, can have. */
static int64_t highest_score(const struct snapshot *snapshot, bool of_names)
{
        int64_t sum = 0;
        for (size_t i = 0; i < snapshot->zone_count; i++) {
                const struct zone_options *zone = &snapshot->zones[i].options;
                if (zone->names == of_names && zone->weight > 0)
                        sum += zone->weight;
        }
        return sum;
}

static bool has_zones_of_addresses(const struct snapshot *snapshot)
{
        for (size_t i = 0; i < snapshot->zone_count; i++)
                if (!snapshot->zones[i].options.names)
                        return true;
        return false;
}

static void warn_of_score(struct builder *builder, enum option_at option, int64_t highest, const char *what)
{
        char reason[160];

        if ((int64_t)number_of(builder, option) <= highest)
                return;
        snprintf(reason, sizeof reason,
                 "the weights of all zones of %s sum up to %" PRId64 ": it is never reached", what, highest);
        warn(builder, option, reason);
}

static void warn_of_scores(struct builder *builder)
{
        const struct snapshot *snapshot = builder->snapshot;
        int64_t clients = highest_score(snapshot, false), names = highest_score(snapshot, true);

        if (snapshot->check_is_wanted[CHECK_dnsbl] && has_zones_of_addresses(snapshot))
                warn_of_score(builder, OPTION_AT_dnsbl_threshold, clients, "addresses");
        if (snapshot->check_is_wanted[CHECK_rhsbl] && names > 0)
                warn_of_score(builder, OPTION_AT_dnsbl_threshold, names, "names");
        if (snapshot->check_is_wanted[CHECK_greylist])
                warn_of_score(builder, OPTION_AT_greylist_if_score, clients, "addresses");
}

/* ---- aliases ------------------------------------------------------------------------------------------- */

/* All else is that of the domain which has the mailboxes. */
static bool is_of_alias(enum domain_option_at option)
{
        return option == DOMAIN_OPTION_AT_alias_of || option == DOMAIN_OPTION_AT_mail_filters ||
               option == DOMAIN_OPTION_AT_dmarc_quarantine || option == DOMAIN_OPTION_AT_tls_certificate ||
               option == DOMAIN_OPTION_AT_tls_key;
}

static void warn_of_aliases(struct builder *builder)
{
        for (size_t i = 0; i < builder->snapshot->domain_count; i++) {
                const struct domain *domain = &builder->snapshot->domains[i];
                const struct place *places = builder->domains[i].options;
                for (size_t at = 0; domain->alias_of != NULL && at < DOMAIN_OPTION_AT_END; at++)
                        if (places[at].file != NULL && !is_of_alias((enum domain_option_at)at))
                                conf_complain(builder->complaints, COMPLAINT_WARNING, &places[at],
                                              "%s: without effect here: for an alias that of %.*s counts",
                                              domain_option_rows[at].name, (int)domain->alias_of->name.length,
                                              domain->alias_of->name.at);
        }
}

void build_warn_of_unmeant(struct builder *builder)
{
        warn_of_small_numbers(builder);
        warn_of_large_numbers(builder);
        warn_of_small_rates(builder);
        warn_of_contradictions(builder);
        warn_of_wrong_order(builder);
        warn_of_wide_networks(builder);
        warn_of_dumb_zones(builder);
        warn_of_scores(builder);
        warn_of_aliases(builder);
}
