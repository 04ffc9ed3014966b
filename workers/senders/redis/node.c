#include "workers/senders/redis/node.h"

#include "conf/value/list.h"
#include "dns/clock.h"
#include "workers/log/console.h"

#define BACKOFF_FIRST_MS 50 /* before the next server; doubled up to: */
#define BACKOFF_LAST_MS  2000
#define GIVE_UP_MS       2000 /* without a reply, or a connection, in this time the server is left */
#define DOUBT_AFTER      4    /* failures of what sentinels tell of, until another one of them is asked */

static bool has_sentinels(const struct redis_node *node)
{
        return node->servers->count == 0;
}

/* ---- what is told -------------------------------------------------------------------------------------- */

static void put_server(const struct endpoint *server, char ret_text[static SENDER_BOARD_TEXT_MAX])
{
        endpoint_write(&server->address, server->port, ret_text);
}

static void set_reachable(struct redis_node *node, bool is_reachable)
{
        if (atomic_exchange(&node->share->is_reachable, is_reachable) == is_reachable)
                return;
        node->told.is_reachable = is_reachable;
        node->told.since_s = clock_wall_s();
        node->is_news = true;
        if (!is_reachable)
                return;
        node->trouble.told_ms = 0; /* the next trouble is news again */
        console_print("gatepost: the store of senders answers: %s", node->told.server);
        log_event(node->store->log, "sender_reachable", "instance", node->name, "server", node->told.server,
                  NULL);
}

static void tell_change(struct redis_node *node)
{
        char before[SENDER_BOARD_TEXT_MAX];

        put_server(&node->link->wire.server, node->told.server);
        node->is_news = true;
        if (node->good.port == 0 || endpoint_equals(&node->good, &node->link->wire.server))
                return;
        put_server(&node->good, before);
        node->told.servers_changed++;
        console_print("gatepost: the store of senders: %s serves in the place of %s", node->told.server,
                      before);
        log_event(node->store->log, "sender_server_changed", "instance", node->name, "server",
                  node->told.server, "former", before, NULL);
}

static void tell_end(struct redis_node *node, const struct redis_link *link)
{
        char octets[SENDER_BOARD_TEXT_MAX + REDIS_WIRE_REASON_MAX + 4];
        char server[SENDER_BOARD_TEXT_MAX];
        const char *event = link->is_refused                      ? "sender_refused"
                            : link->is_ready && !link->must_leave ? "sender_lost"
                                                                  : "sender_unreachable";

        put_server(&link->wire.server, server);
        snprintf(octets, sizeof octets, "%s: %s", server, link->wire.reason);
        sender_complain(&node->trouble, event, octets);
        node->told.failures++;
        node->is_news = true;
}

static void write_board(struct redis_node *node)
{
        char sentinel[SENDER_BOARD_TEXT_MAX] = "";

        if (has_sentinels(node))
                put_server(&node->settings->sentinels.list[node->sentinel.at], sentinel);
        if (strcmp(sentinel, node->told.sentinel) != 0) {
                memcpy(node->told.sentinel, sentinel, sizeof sentinel);
                node->is_news = true;
        }
        if (node->is_news)
                sender_board_write(&node->store->board, node->number, node->settings->instance_count,
                                   &node->told);
        node->is_news = false;
}

/* ---- connections --------------------------------------------------------------------------------------- */

/* What is tried next, after a while that grows as long as none serves. */
static void wait_and_go_on(struct redis_node *node, uint64_t now_ms)
{
        if (!has_sentinels(node))
                node->at = (node->at + 1) % node->servers->count;
        node->failures++;
        node->retry_at_ms = now_ms + node->backoff_ms;
        if (node->backoff_ms < BACKOFF_LAST_MS)
                node->backoff_ms *= 2;
}

/* Another sentinel may know better; what has served is connected to until one does. */
static void doubt_sentinel(struct redis_node *node, bool is_no_master)
{
        bool is_known = node->good.port != 0 && endpoint_equals(&node->target, &node->good);

        if (is_no_master || !is_known || node->failures % DOUBT_AFTER == 0)
                redis_sentinel_reject(&node->sentinel);
        if (node->good.port != 0)
                node->target = node->good;
}

static void give_up_candidate(struct redis_node *node, uint64_t now_ms)
{
        struct redis_link *link = node->candidate;

        node->candidate = NULL;
        wait_and_go_on(node, now_ms);
        tell_end(node, link);
        if (has_sentinels(node))
                doubt_sentinel(node, link->is_no_master);
        redis_link_free(link);
}

static void end_draining(struct redis_node *node)
{
        redis_link_free(node->draining);
        node->draining = NULL;
}

/* The feed's question must not be under way on two connections: what it hears would count twice. Nor must the herald's:
 * the new connection would be blamed for the old one. Workers make keys with the secret of this server before they ask
 * it. */
static void begin_to_serve(struct redis_node *node, uint64_t now_ms)
{
        if (node->feed.is_asked || node->herald.is_asked ||
            !sender_secrets_keep(node->secrets, &node->candidate->secret))
                return;
        end_draining(node);
        node->draining = node->link;
        node->drained_by_ms = now_ms + GIVE_UP_MS;
        node->link = node->candidate;
        node->candidate = NULL;
        tell_change(node);
        node->good = node->target = node->link->wire.server;
        node->failures = 0;
        node->backoff_ms = BACKOFF_FIRST_MS;
        if (has_sentinels(node))
                redis_sentinel_confirm(&node->sentinel);
        set_reachable(node, true);
}

static void look_at_candidate(struct redis_node *node, uint64_t now_ms)
{
        struct redis_link *link = node->candidate;
        bool is_late = now_ms - link->begun_ms >= GIVE_UP_MS + node->settings->timeout_ms;

        if (redis_link_is_open(link)) {
                begin_to_serve(node, now_ms);
                return;
        }
        if (is_late)
                redis_wire_blame(&link->wire, "no answer");
        if (is_late || link->must_leave || link->wire.context == NULL)
                give_up_candidate(node, now_ms);
}

static uint64_t waiting_since_ms(const struct redis_node *node, uint64_t now_ms)
{
        const struct redis_link *link = node->link;
        uint64_t since_ms = now_ms;

        if (link->first != NULL)
                since_ms = link->first->sent_ms;
        if (node->feed.is_asked && node->feed.asked_ms < since_ms)
                since_ms = node->feed.asked_ms;
        if (node->herald.is_asked && node->herald.asked_ms < since_ms)
                since_ms = node->herald.asked_ms;
        return since_ms;
}

/* A server that answers too late is asked no more until it has caught up, and left when it does not. */
static void look_at_link(struct redis_node *node, uint64_t now_ms)
{
        struct redis_link *link = node->link;
        uint64_t waited_ms = now_ms - waiting_since_ms(node, now_ms);
        bool is_late = waited_ms >= GIVE_UP_MS + node->settings->timeout_ms;

        if (is_late)
                redis_wire_blame(&link->wire, "no answer");
        if (link->secret.is_missing) {
                redis_wire_blame(&link->wire, link->secret.fault);
                link->is_refused = true;
        }
        if (is_late || link->must_leave || link->is_refused || link->wire.context == NULL) {
                link->must_leave |= is_late;
                node->link = NULL;
                set_reachable(node, false);
                wait_and_go_on(node, now_ms);
                tell_end(node, link);
                redis_link_free(link);
                return;
        }
        sender_secrets_keep(node->secrets, &link->secret); /* without memory: in the next turn */
        sender_secrets_look(node->secrets, &link->secret, link->wire.context, now_ms);
        set_reachable(node, waited_ms < node->settings->timeout_ms);
}

static void follow_sentinel(struct redis_node *node, uint64_t now_ms)
{
        struct endpoint master;

        redis_sentinel_turn(&node->sentinel,
                            node->link != NULL && endpoint_equals(&node->target, &node->link->wire.server),
                            now_ms);
        if (!redis_sentinel_take(&node->sentinel, &master) || endpoint_equals(&master, &node->target))
                return;
        node->target = master;
        node->retry_at_ms = now_ms;
        redis_link_free(node->candidate);
        node->candidate = NULL;
}

static bool needs_candidate(const struct redis_node *node, uint64_t now_ms)
{
        if (node->candidate != NULL || now_ms < node->retry_at_ms)
                return false;
        if (!has_sentinels(node))
                return node->link == NULL;
        return node->target.port != 0 &&
               (node->link == NULL || !endpoint_equals(&node->target, &node->link->wire.server));
}

static void begin_candidate(struct redis_node *node, uint64_t now_ms)
{
        const struct endpoint *server = has_sentinels(node) ? &node->target : &node->servers->list[node->at];

        node->candidate = redis_link_new(node, server, now_ms);
        if (node->candidate == NULL)
                wait_and_go_on(node, now_ms);
}

void redis_node_turn(struct redis_node *node, const struct redis_record *record, uint64_t now_ms)
{
        if (node->draining != NULL && (node->draining->first == NULL || now_ms >= node->drained_by_ms))
                end_draining(node);
        if (node->is_leaving) {
                if (node->link != NULL)
                        redis_wire_flush(&node->link->wire);
                return;
        }
        if (has_sentinels(node))
                follow_sentinel(node, now_ms);
        if (node->link != NULL)
                look_at_link(node, now_ms);
        if (node->candidate != NULL)
                look_at_candidate(node, now_ms);
        if (needs_candidate(node, now_ms))
                begin_candidate(node, now_ms);
        if (node->link != NULL && redis_link_is_open(node->link) &&
            (!sender_feed_listen(&node->feed, node->link->wire.context) ||
             !redis_herald_turn(&node->herald, node->link->wire.context, record, now_ms)))
                node->link->must_leave = true;
        if (node->link != NULL)
                redis_wire_flush(&node->link->wire); /* at once, without another poll() */
        if (node->feed.is_in_force)
                write_board(node);
}

/* ---- jobs ---------------------------------------------------------------------------------------------- */

bool redis_node_send(struct redis_node *node, struct sender_job *job)
{
        return redis_node_serves(node) && redis_link_send(node->link, job);
}

void redis_node_return(struct redis_node *node, struct sender_job *job)
{
        sender_store_return(node->store, job, job->fact);
}

bool redis_node_is_idle(const struct redis_node *node)
{
        return (node->link == NULL || node->link->first == NULL) &&
               (node->draining == NULL || node->draining->first == NULL);
}

bool redis_node_serves(const struct redis_node *node)
{
        return redis_link_is_open(node->link);
}

/* ---- events -------------------------------------------------------------------------------------------- */

#define LINKS (REDIS_NODE_POLLS - 1) /* and a sentinel */

size_t redis_node_poll(const struct redis_node *node, struct pollfd events[static REDIS_NODE_POLLS])
{
        const struct redis_link *links[LINKS] = {node->link, node->candidate, node->draining};
        size_t count = 0;

        for (size_t i = 0; i < LINKS; i++)
                events[count++] =
                    links[i] == NULL ? (struct pollfd){.fd = -1} : redis_wire_poll(&links[i]->wire);
        events[count++] = redis_wire_poll(&node->sentinel.wire);
        return count;
}

void redis_node_handle(struct redis_node *node, const struct pollfd events[static REDIS_NODE_POLLS])
{
        struct redis_link *links[LINKS] = {node->link, node->candidate, node->draining};
        size_t at = 0;

        for (; at < LINKS; at++)
                if (links[at] != NULL)
                        redis_wire_handle(&links[at]->wire, events[at].revents);
        redis_wire_handle(&node->sentinel.wire, events[at].revents);
}

uint64_t redis_node_wait_ms(const struct redis_node *node, uint64_t now_ms)
{
        uint64_t wait_ms = 1000;

        if (node->is_leaving)
                return 50;
        if (has_sentinels(node) && redis_sentinel_wait_ms(&node->sentinel, now_ms) < wait_ms)
                wait_ms = redis_sentinel_wait_ms(&node->sentinel, now_ms);
        if (node->link == NULL && node->candidate == NULL && node->target.port != 0)
                wait_ms = node->retry_at_ms <= now_ms            ? 0
                          : node->retry_at_ms - now_ms < wait_ms ? node->retry_at_ms - now_ms
                                                                 : wait_ms;
        if ((node->candidate != NULL || node->feed.is_asked || node->herald.is_asked ||
             !redis_node_is_idle(node)) &&
            wait_ms > 50)
                wait_ms = 50; /* replies are due */
        if (node->link != NULL && sender_feed_wait_ms(&node->feed, now_ms) < wait_ms)
                wait_ms = sender_feed_wait_ms(&node->feed, now_ms);
        return wait_ms;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

void redis_node_init(struct redis_node *node, struct sender_store *store,
                     const struct redis_settings *settings, struct redis_shares *shares, size_t number)
{
        const char *name = settings->instances[number].name;

        *node = (struct redis_node){
            .store = store,
            .settings = settings,
            .name = name,
            .servers = &settings->instances[number].servers,
            .share = &shares->placing.shares[number],
            .secrets = &shares->secrets[number],
            .number = number,
            .trouble = {.log = store->log, .instance = name},
            .sentinel_trouble = {.log = store->log, .instance = name},
            .backoff_ms = BACKOFF_FIRST_MS,
            .told.since_s = clock_wall_s(),
            .is_news = true,
        };
        if (node->servers->count > 0)
                node->target = node->servers->list[0];
        span_copy_cut(span_from(name), node->told.name, sizeof node->told.name);
        sender_feed_init(&node->feed, store, &node->trouble, settings->prefix);
        redis_herald_init(&node->herald, &node->trouble, settings->prefix);
        sender_secrets_init(node->secrets, node->share, settings->prefix);
        redis_sentinel_init(&node->sentinel, settings, name, &node->sentinel_trouble);
}

void redis_node_leave(struct redis_node *node)
{
        sender_feed_end(&node->feed);
        redis_link_free(node->candidate);
        node->candidate = NULL;
        redis_wire_close(&node->sentinel.wire);
        node->is_leaving = true;
}

void redis_node_close(struct redis_node *node)
{
        redis_link_free(node->link);
        redis_link_free(node->candidate);
        redis_link_free(node->draining);
        node->link = node->candidate = node->draining = NULL;
        redis_wire_close(&node->sentinel.wire);
}
