/* The watch over DNS lists. */
#include "workers/server/zone_watch.h"

#include "conf/value/filter.h"
#include "dns/pool/client.h"
#include "workers/log/console.h"

#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#define CLIENTS_MIN     100     /* fewer in a look say nothing */
#define SHARE_ALARMING  0.98    /* of clients listed ... */
#define SHARE_USUAL_MAX 0.90    /* ... where it was less than this before */
#define SAMPLES         16      /* addresses at random, asked for when the share is alarming ... */
#define SAMPLES_LISTED  15      /* ... of which a list of everybody lists this many, and no honest one does */
#define SHARE_MEMORY_MS 3600000 /* a list that turns bad within minutes, as caches run out, is seen too */

bool zone_watch_init(struct zone_watch *watch, const struct zone_watch_parts *parts)
{
        *watch = (struct zone_watch){.parts = *parts, .event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        if (watch->event_fd < 0)
                return false;
        block_pool_init(&watch->pool, 4096, 4);
        watch->client = dns_pool_client(parts->pool, parts->client, watch->event_fd, &watch->is_asleep);
        return true;
}

void zone_watch_end(struct zone_watch *watch)
{
        for (size_t i = 0; i < DNSBL_ZONES_MAX; i++)
                if (watch->zones[i].is_tested)
                        arena_end(&watch->zones[i].arena);
        block_pool_end(&watch->pool);
        close(watch->event_fd);
}

static void log_zone_event(const struct zone_watch *watch, const struct dnsbl_zone *zone, const char *event,
                           const char *reason)
{
        char name[256];

        span_copy_cut(zone->name, name, sizeof name);
        console_warn("gatepost: %s: %s: %s", event, name, reason);
        log_event(watch->parts.log, event, "zone", name, "reason", reason, NULL);
}

/* Suspends or releases the zone; `reason` is told when that changes anything. */
static void suspend_or_release(const struct zone_watch *watch, const struct watched_zone *watched,
                               struct dnsbl_zone *zone, const char *reason)
{
        bool is_suspended = watched->fails_test || watched->lists_too_many;

        if (atomic_exchange(&zone->is_suspended, is_suspended) != is_suspended)
                log_zone_event(watch, zone, is_suspended ? "zone_suspended" : "zone_released", reason);
}

/* ---- the test points of RFC 5782 5 --------------------------------------------------------------------- */

static enum fact ask_point(struct watched_zone *watched, const struct dnsbl_zone *zone, const char *point,
                           const struct dns_answer **ret_answer)
{
        char octets[512];
        struct text name;

        text_over(&name, octets, sizeof octets);
        text_put_string(&name, point);
        text_put_char(&name, '.');
        text_put(&name, zone->name);
        const struct dns_question question = {.name = text_span(&name), .type = DNS_A, .is_urgent = true};
        return memo_ask_first(&watched->memo, zone->feed, &question, false, ret_answer);
}

static bool is_listing(const struct dnsbl_zone *zone, const struct dns_answer *answer)
{
        for (uint16_t i = 0; i < answer->record_count; i++) {
                const uint8_t *octets = (const uint8_t *)answer->records[i].data.at;
                if (octets[0] == 127 && !(octets[1] == 255 && octets[2] == 255) &&
                    !filter_list_matches(&zone->options.errors, octets))
                        return true;
        }
        return false;
}

static void start_test(struct zone_watch *watch, struct watched_zone *watched, uint64_t handle)
{
        arena_init(&watched->arena, &watch->pool, 65536);
        memo_init(&watched->memo, &watched->arena, dns_client_source(watch->client), handle, 2 + SAMPLES);
        watched->is_tested = true;
        watched->is_sampled = watched->is_suspicious || watched->lists_too_many;
        if (getrandom(&watched->seed, sizeof watched->seed, 0) != sizeof watched->seed)
                watched->is_sampled = false;
}

/* What the two test points say; NULL: all is well. */
static const char *fault_of(const struct dnsbl_zone *zone, enum fact must_list,
                            const struct dns_answer *listed, enum fact must_not)
{
        if (must_list != FACT_FOUND || !is_listing(zone, listed))
                return "does not list the test point that must be listed (RFC 5782 5)";
        if (must_not == FACT_FOUND)
                return "lists the test point that must not be listed (RFC 5782 5)";
        return NULL;
}

/* False while the answers are not in. A test that DNS fails says nothing of the zone. */
static bool points_settle(struct zone_watch *watch, struct watched_zone *watched, struct dnsbl_zone *zone)
{
        const struct dns_answer *listed, *silent;

        if (!zone->options.self_test)
                return true;
        enum fact must_list = ask_point(watched, zone, zone->options.names ? "test" : "2.0.0.127", &listed);
        enum fact must_not = ask_point(watched, zone, zone->options.names ? "invalid" : "1.0.0.127", &silent);
        if (must_list == FACT_PENDING || must_not == FACT_PENDING)
                return false;
        if (must_list != FACT_FAILED && must_not != FACT_FAILED) {
                const char *fault = fault_of(zone, must_list, listed, must_not);
                watched->fails_test = fault != NULL;
                suspend_or_release(watch, watched, zone,
                                   fault != NULL ? fault : "its test points are as they must be");
        }
        return true;
}

/* ---- addresses at random ------------------------------------------------------------------------------- */

/* Reversed, and in networks that are given out: 11.0.0.0 to 98.255.255.255. The same ones each time that the
 * test goes on. */
static void sample_name(const struct watched_zone *watched, uint32_t number, char name[static 16])
{
        uint32_t octets = watched->seed + number * 0x9e3779b9u;

        octets = (octets ^ octets >> 16) * 0x85ebca6bu;
        octets = (octets ^ octets >> 13) * 0xc2b2ae35u;
        octets ^= octets >> 16;
        snprintf(name, 16, "%u.%u.%u.%u", octets & 255, octets >> 8 & 255, octets >> 16 & 255,
                 11 + (octets >> 24) % 88);
}

/* Whether a zone of which clients make us suspicious lists everybody. Clients alone do not prove it: whoever
 * commands many listed ones could switch the list off by sending from all of them. */
static bool samples_settle(struct zone_watch *watch, struct watched_zone *watched, struct dnsbl_zone *zone)
{
        unsigned listed = 0, failed = 0;
        bool is_pending = false;
        const struct dns_answer *answer;
        char name[16];

        for (uint32_t i = 0; i < SAMPLES && watched->is_sampled; i++) {
                sample_name(watched, i, name);
                enum fact fact = ask_point(watched, zone, name, &answer);
                listed += fact == FACT_FOUND && is_listing(zone, answer);
                failed += fact == FACT_FAILED;
                is_pending |= fact == FACT_PENDING;
        }
        if (is_pending || !watched->is_sampled)
                return !is_pending;
        if (failed <= SAMPLES - SAMPLES_LISTED) {
                watched->is_suspicious = false;
                watched->lists_too_many = listed >= SAMPLES_LISTED;
                suspend_or_release(watch, watched, zone,
                                   watched->lists_too_many ? "lists nearly every client of a sudden"
                                                           : "does not list everybody any more");
        }
        return true;
}

static void go_on_testing(struct zone_watch *watch, struct watched_zone *watched, struct dnsbl_zone *zone,
                          uint64_t now_ms)
{
        uint64_t interval_ms = watch->snapshot->options.dnsbl_self_test_interval_ms;
        bool points_are_in = points_settle(watch, watched, zone);
        bool samples_are_in = samples_settle(watch, watched, zone);

        if (!points_are_in || !samples_are_in)
                return;
        arena_end(&watched->arena);
        watched->is_tested = false;
        bool is_soon = watched->fails_test || watched->lists_too_many || watched->is_suspicious;
        watched->test_at_ms = now_ms + (is_soon ? interval_ms / 10 : interval_ms);
        watched->suspicion_at_ms = now_ms + interval_ms / 10;
}

static bool is_due(const struct watched_zone *watched, const struct dnsbl_zone *zone, uint64_t now_ms)
{
        if (watched->is_suspicious && now_ms >= watched->suspicion_at_ms)
                return true;
        return now_ms >= watched->test_at_ms && (zone->options.self_test || watched->lists_too_many);
}

/* ---- the share of clients ------------------------------------------------------------------------------ */

/* What is usual follows slowly; while the zone is suspended, not at all. */
static void learn(struct watched_zone *watched, double share, uint64_t elapsed_ms)
{
        double part = elapsed_ms < SHARE_MEMORY_MS ? (double)elapsed_ms / SHARE_MEMORY_MS : 1;

        if (watched->usual < 0)
                watched->usual = share;
        else
                watched->usual += part * (share - watched->usual);
}

static void look_at_share(struct watched_zone *watched, const struct dnsbl_zone *zone, uint64_t asked,
                          uint64_t listed, uint64_t now_ms)
{
        if (asked - watched->asked < CLIENTS_MIN || zone->options.weight <= 0)
                return;
        double share = (double)(listed - watched->listed) / (double)(asked - watched->asked);
        uint64_t elapsed_ms = now_ms - watched->looked_at_ms;
        watched->asked = asked;
        watched->listed = listed;
        watched->looked_at_ms = now_ms;
        if (watched->usual >= 0 && watched->usual < SHARE_USUAL_MAX && share >= SHARE_ALARMING)
                watched->is_suspicious = true;
        if (!watched->lists_too_many && !watched->is_suspicious)
                learn(watched, share, elapsed_ms);
}

/* ---- each second --------------------------------------------------------------------------------------- */

static const struct watched_zone *find_former(const struct watched_zone *former, struct span name)
{
        for (size_t i = 0; i < DNSBL_ZONES_MAX; i++)
                if (former[i].name[0] != '\0' && span_equals(span_from(former[i].name), name))
                        return &former[i];
        return NULL;
}

static bool stays_suspended(const struct watched_zone *former, const struct dnsbl_zone *zone)
{
        return (former->lists_too_many && zone->options.weight > 0) ||
               (former->fails_test && zone->options.self_test);
}

void zone_watch_inherit(const struct zone_watch *watch, struct snapshot *snapshot)
{
        for (size_t i = 0; i < snapshot->zone_count; i++) {
                struct dnsbl_zone *zone = &snapshot->zones[i];
                const struct watched_zone *former = find_former(watch->zones, zone->name);
                if (former != NULL)
                        atomic_store(&zone->is_suspended, stays_suspended(former, zone));
        }
}

/* A zone that is there again keeps what is known of it, else each reload would let a broken one count and
 * make what it lists usual. */
static void take_zone(struct zone_watch *watch, struct watched_zone *watched, struct dnsbl_zone *zone,
                      const struct watched_zone *former)
{
        *watched = (struct watched_zone){.usual = -1};
        span_copy_cut(zone->name, watched->name, sizeof watched->name);
        if (former == NULL)
                return;
        watched->usual = former->usual;
        watched->lists_too_many = former->lists_too_many && zone->options.weight > 0;
        watched->fails_test = former->fails_test && zone->options.self_test;
        suspend_or_release(watch, watched, zone, "as before the reload");
}

static void take_snapshot(struct zone_watch *watch, struct snapshot *snapshot, uint64_t now_ms)
{
        struct watched_zone former[DNSBL_ZONES_MAX];
        struct counters counters;

        counters_sum(watch->parts.counters, &counters);
        watch->snapshot = snapshot;
        watch->generation++;
        for (size_t i = 0; i < DNSBL_ZONES_MAX; i++)
                if (watch->zones[i].is_tested)
                        arena_end(&watch->zones[i].arena);
        memcpy(former, watch->zones, sizeof former);
        memset(watch->zones, 0, sizeof watch->zones);
        for (size_t i = 0; i < snapshot->zone_count; i++) {
                struct watched_zone *watched = &watch->zones[i];
                struct dnsbl_zone *zone = &snapshot->zones[i];
                take_zone(watch, watched, zone, find_former(former, zone->name));
                watched->asked = counter_read(&counters.zone_asked[zone->count_index]);
                watched->listed = counter_read(&counters.zone_listed[zone->count_index]);
                watched->looked_at_ms = now_ms;
        }
}

/* Lists that no check asks are not tested either. */
static bool is_wanted(const struct snapshot *snapshot, const struct dnsbl_zone *zone)
{
        if (zone->options.names)
                return snapshot->check_is_wanted[CHECK_rhsbl];
        return snapshot->check_is_wanted[CHECK_dnsbl] || snapshot->check_is_wanted[CHECK_dynamic_client];
}

static void take_answers(struct zone_watch *watch)
{
        const struct dns_reply_message *message;

        while ((message = dns_client_receive(watch->client)) != NULL) {
                struct watched_zone *watched = &watch->zones[message->handle % DNSBL_ZONES_MAX];
                if (watched->is_tested && message->handle / DNSBL_ZONES_MAX == watch->generation)
                        memo_settle(&watched->memo, &message->question, &message->answer);
        }
}

void zone_watch_look(struct zone_watch *watch, uint64_t now_ms)
{
        const struct published *published = atomic_load(&watch->parts.publication->published);
        struct snapshot *snapshot = published->snapshot;
        struct counters counters;

        if (published->number != watch->published) {
                watch->published = published->number;
                take_snapshot(watch, snapshot, now_ms);
        }
        take_answers(watch);
        counters_sum(watch->parts.counters, &counters);
        for (size_t i = 0; i < snapshot->zone_count; i++) {
                struct watched_zone *watched = &watch->zones[i];
                struct dnsbl_zone *zone = &snapshot->zones[i];
                if (!is_wanted(snapshot, zone) ||
                    (snapshot->options.resolvers.count == 0 && zone->feed == NULL))
                        continue;
                look_at_share(watched, zone, counter_read(&counters.zone_asked[zone->count_index]),
                              counter_read(&counters.zone_listed[zone->count_index]), now_ms);
                if (!watched->is_tested && is_due(watched, zone, now_ms))
                        start_test(watch, watched, watch->generation * DNSBL_ZONES_MAX + i);
                if (watched->is_tested)
                        go_on_testing(watch, watched, zone, now_ms);
        }
        dns_client_flush(watch->client);
}
