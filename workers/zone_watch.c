/* The watch over DNS lists. */
#include "workers/zone_watch.h"

#include "workers/server.h"

#include <sys/eventfd.h>
#include <unistd.h>

#define TEST_INTERVAL_MS 600000
#define RETEST_MS        60000 /* of a zone that is suspended */
#define SUSPICION_MS     600000
#define CLIENTS_MIN      100  /* fewer in a look say nothing */
#define SHARE_ALARMING   0.98 /* of clients listed ... */
#define SHARE_USUAL_MAX  0.90 /* ... where it was less than this before */

bool zone_watch_init(struct zone_watch *watch, struct dns_pool *pool, uint32_t client)
{
        *watch = (struct zone_watch){.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        if (watch->event_fd < 0)
                return false;
        block_pool_init(&watch->pool, 4096, 4);
        watch->client = dns_pool_client(pool, client, watch->event_fd, &watch->is_asleep);
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

static void say(struct server *server, const struct dnsbl_zone *zone, const char *event, const char *reason)
{
        char name[256];

        snprintf(name, sizeof name, "%.*s", (int)zone->name.length, zone->name.at);
        fprintf(stderr, "gatepost: %s: %s: %s\n", event, name, reason);
        log_event(&server->log, event, "zone", name, "reason", reason, NULL);
}

/* Suspends or releases the zone; `reason` is told when that changes anything. */
static void set_suspended(struct server *server, struct dnsbl_zone *zone, bool is_suspended,
                          const char *reason)
{
        if (atomic_exchange(&zone->is_suspended, is_suspended) != is_suspended)
                say(server, zone, is_suspended ? "zone_suspended" : "zone_released", reason);
}

/* ---- the test points of RFC 5782 5
 * ----------------------------------------------------------------------------- */

static enum fact ask_point(struct watched_zone *watched, const struct dnsbl_zone *zone, const char *point,
                           const struct dns_answer **ret_answer)
{
        char octets[512];
        struct text name;

        text_over(&name, octets, sizeof octets);
        text_put_string(&name, point);
        text_put_char(&name, '.');
        text_put(&name, zone->name);
        return memo_ask(&watched->memo, text_span(&name), DNS_A, ret_answer);
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

static void start_test(struct zone_watch *watch, struct watched_zone *watched, uint64_t handle,
                       uint64_t now_ms)
{
        arena_init(&watched->arena, &watch->pool, 65536);
        memo_init(&watched->memo, &watched->arena, dns_client_source(watch->client), handle, 2);
        watched->is_tested = true;
        watched->test_at_ms = now_ms + TEST_INTERVAL_MS;
}

/* Looks whether the answers are in; a test that DNS fails says nothing of the zone. */
static void go_on_testing(struct server *server, struct watched_zone *watched, struct dnsbl_zone *zone,
                          uint64_t now_ms)
{
        const struct dns_answer *listed, *silent;
        enum fact must_list = ask_point(watched, zone, zone->options.names ? "test" : "2.0.0.127", &listed);
        enum fact must_not = ask_point(watched, zone, zone->options.names ? "invalid" : "1.0.0.127", &silent);

        if (must_list == FACT_PENDING || must_not == FACT_PENDING)
                return;
        if (must_list != FACT_FAILED && must_not != FACT_FAILED) {
                bool lists = must_list == FACT_FOUND && is_listing(zone, listed);
                watched->fails_test = !lists || must_not == FACT_FOUND;
                if (watched->fails_test)
                        set_suspended(server, zone, true,
                                      lists
                                          ? "lists the test point that must not be listed (RFC 5782 5)"
                                          : "does not list the test point that must be listed (RFC 5782 5)");
                else if (watched->suspended_until_ms == 0)
                        set_suspended(server, zone, false, "its test points are as they must be");
        }
        arena_end(&watched->arena);
        watched->is_tested = false;
        if (watched->fails_test)
                watched->test_at_ms = now_ms + RETEST_MS;
}

/* ---- the share of clients
 * -------------------------------------------------------------------------------------- */

static void look_at_share(struct server *server, struct watched_zone *watched, struct dnsbl_zone *zone,
                          size_t i, uint64_t now_ms)
{
        uint64_t asked = 0, listed = 0;

        for (uint32_t w = 0; w < server->worker_count; w++) {
                asked += counter_read(&server->workers[w].counters.zone_asked[i]);
                listed += counter_read(&server->workers[w].counters.zone_listed[i]);
        }
        uint64_t more_asked = asked - watched->asked, more_listed = listed - watched->listed;
        if (watched->suspended_until_ms != 0 && now_ms >= watched->suspended_until_ms) {
                watched->suspended_until_ms = 0;
                if (!watched->fails_test)
                        set_suspended(server, zone, false,
                                      "another trial after it listed nearly every client");
        }
        if (more_asked < CLIENTS_MIN)
                return;
        double share = (double)more_listed / (double)more_asked;
        watched->asked = asked;
        watched->listed = listed;
        if (zone->options.weight > 0 && watched->usual >= 0 && watched->usual < SHARE_USUAL_MAX &&
            share >= SHARE_ALARMING) {
                watched->suspended_until_ms = now_ms + SUSPICION_MS;
                set_suspended(server, zone, true, "lists nearly every client of a sudden");
                return;
        }
        watched->usual = watched->usual < 0 ? share : 0.9 * watched->usual + 0.1 * share;
}

/* ---- each second
 * ----------------------------------------------------------------------------------------------- */

/* Another snapshot: its zones are looked at afresh, from the counters as they are now. */
static void take_snapshot(struct zone_watch *watch, struct server *server, struct snapshot *snapshot)
{
        watch->snapshot = snapshot;
        watch->generation++;
        for (size_t i = 0; i < DNSBL_ZONES_MAX; i++) {
                struct watched_zone *watched = &watch->zones[i];
                if (watched->is_tested)
                        arena_end(&watched->arena);
                *watched = (struct watched_zone){.usual = -1};
                for (uint32_t w = 0; w < server->worker_count; w++) {
                        watched->asked += counter_read(&server->workers[w].counters.zone_asked[i]);
                        watched->listed += counter_read(&server->workers[w].counters.zone_listed[i]);
                }
        }
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

void zone_watch_look(struct zone_watch *watch, struct server *server, uint64_t now_ms)
{
        struct snapshot *snapshot = atomic_load(&server->current.published)->snapshot;

        if (snapshot != watch->snapshot)
                take_snapshot(watch, server, snapshot);
        take_answers(watch);
        if (snapshot->options.resolvers.count == 0)
                return;
        for (size_t i = 0; i < snapshot->zone_count; i++) {
                struct watched_zone *watched = &watch->zones[i];
                struct dnsbl_zone *zone = &snapshot->zones[i];
                look_at_share(server, watched, zone, i, now_ms);
                if (!watched->is_tested && zone->options.self_test && now_ms >= watched->test_at_ms)
                        start_test(watch, watched, watch->generation * DNSBL_ZONES_MAX + i, now_ms);
                if (watched->is_tested)
                        go_on_testing(server, watched, zone, now_ms);
        }
        dns_client_flush(watch->client);
}
