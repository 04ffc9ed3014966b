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
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                uint64_t number = number_of(builder, rows[i].option);
                if (number < rows[i].least && !(rows[i].zero_is_none && number == 0))
                        warn(builder, rows[i].option, rows[i].reason);
        }
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

        if (snapshot->check_is_wanted[CHECK_dnsbl] && clients > 0)
                warn_of_score(builder, OPTION_AT_dnsbl_threshold, clients, "addresses");
        if (snapshot->check_is_wanted[CHECK_rhsbl] && names > 0)
                warn_of_score(builder, OPTION_AT_dnsbl_threshold, names, "names");
        if (snapshot->check_is_wanted[CHECK_greylist])
                warn_of_score(builder, OPTION_AT_greylist_if_score, clients, "addresses");
}

void build_warn_of_unmeant(struct builder *builder)
{
        warn_of_small_numbers(builder);
        warn_of_wrong_order(builder);
        warn_of_wide_networks(builder);
        warn_of_scores(builder);
}
