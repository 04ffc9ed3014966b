/* The pool: who asks what next, and what becomes of a connection that ends. */
#include "workers/inbound/recipient/pool.h"

#include <stdlib.h>

#define IDLE_MS       60000 /* then a connection that nobody needs is closed */
#define PAUSE_MIN_MS  100
#define PAUSE_MAX_MS  5000
#define PAUSE_DOUBLES 6 /* then it is the longest */

/* One connection. */
struct link {
        struct stream stream; /* first */
        TAILQ_ENTRY(link) entry;
        struct pool *pool;
        struct lookup *lookup; /* NULL: idle, or not connected yet */
        bool is_begun;         /* the connection stands */
        bool has_answered;
        struct socketmap map;
};

TAILQ_HEAD(links, link);

struct pool {
        struct streams *streams;
        struct daemon_address address;
        struct pool_terms terms;
        TAILQ_HEAD(, lookup) waiting;
        uint32_t waiting_count;
        struct links idle, others; /* the one used last first */
        uint32_t link_count;
        uint32_t unproven; /* that have not answered yet */
        uint32_t connecting;
        uint32_t failures; /* of new connections, in a row */
        uint64_t closed_until_ms;
        uint32_t telling; /* askers that are told something now, and may ask more from within */
        bool is_running;
        char path[SOCKETMAP_PATH_MAX + 1];
};

static uint64_t now_of(const struct pool *pool)
{
        return pool->streams->now_ms;
}

static void run(struct pool *pool, bool may_answer);
static void act(struct stream *stream, enum stream_event event);

/* ---- connections --------------------------------------------------------------------------------------- */

static void note_failure(struct pool *pool)
{
        uint32_t doubled = pool->failures < PAUSE_DOUBLES ? pool->failures : PAUSE_DOUBLES;
        uint64_t pause_ms = (uint64_t)PAUSE_MIN_MS << doubled;

        pool->failures++;
        pool->closed_until_ms = now_of(pool) + (pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS);
}

/* It came about, and ended at its first question: that may be the fault of what was asked, and no other question is to
 * pay for it. */
static void note_doubt(struct pool *pool)
{
        if (pool->failures == 0)
                pool->failures = 1;
}

/* One that has to prove itself goes alone after a failure. */
static bool may_open(const struct pool *pool)
{
        if (pool->link_count >= pool->terms.links_max || now_of(pool) < pool->closed_until_ms)
                return false;
        return pool->failures > 0 ? pool->unproven == 0 : pool->connecting < pool->waiting_count;
}

static bool open_link(struct pool *pool)
{
        struct link *link = malloc(sizeof *link);
        uint64_t due_ms = now_of(pool) + pool->terms.connect_ms;
        const struct lookup *first = TAILQ_FIRST(&pool->waiting);

        if (link == NULL)
                return false;
        link->pool = pool;
        link->lookup = NULL;
        link->is_begun = link->has_answered = false;
        counter_add(pool->terms.connections, 1);
        if (!stream_open(&link->stream, pool->streams, &pool->address, act)) {
                free(link);
                note_failure(pool);
                return false;
        }
        stream_set_deadline(&link->stream, first->due_ms < due_ms ? first->due_ms : due_ms);
        TAILQ_INSERT_HEAD(&pool->others, link, entry);
        pool->link_count++;
        pool->unproven++;
        pool->connecting++;
        return true;
}

static bool is_idle(const struct link *link)
{
        return link->is_begun && link->lookup == NULL;
}

static void close_link(struct link *link)
{
        struct pool *pool = link->pool;

        TAILQ_REMOVE(is_idle(link) ? &pool->idle : &pool->others, link, entry);
        pool->link_count--;
        pool->unproven -= !link->has_answered;
        pool->connecting -= !link->is_begun;
        stream_close(&link->stream);
}

/* It is among the others. */
static void become_idle(struct link *link)
{
        TAILQ_REMOVE(&link->pool->others, link, entry);
        TAILQ_INSERT_HEAD(&link->pool->idle, link, entry);
        stream_set_deadline(&link->stream, now_of(link->pool) + IDLE_MS);
}

/* ---- questions ----------------------------------------------------------------------------------------- */

static void put(struct pool *pool, struct lookup *lookup, bool is_first)
{
        if (is_first)
                TAILQ_INSERT_HEAD(&pool->waiting, lookup, entry);
        else
                TAILQ_INSERT_TAIL(&pool->waiting, lookup, entry);
        pool->waiting_count++;
}

static void take_out(struct pool *pool, struct lookup *lookup)
{
        TAILQ_REMOVE(&pool->waiting, lookup, entry);
        pool->waiting_count--;
}

static void tell(struct pool *pool, struct lookup *lookup, enum fact fact, struct span text)
{
        pool->telling++;
        lookup->answered(lookup, fact, text);
        pool->telling--;
}

static void fail(struct pool *pool, struct lookup *lookup, const char *reason)
{
        tell(pool, lookup, FACT_FAILED, span_from(reason));
}

/* The first that waits. One that the socket does not take waits on, and the connection is gone. */
static void ask_next(struct link *link)
{
        struct pool *pool = link->pool;
        struct lookup *lookup = TAILQ_FIRST(&pool->waiting);
        char octets[SOCKETMAP_OUT_ROOM];
        struct text out;

        text_over(&out, octets, sizeof octets);
        if (!socketmap_ask(&link->map, lookup->map, lookup->key, lookup->due_ms, &out) ||
            !stream_send(&link->stream, text_span(&out))) {
                if (!link->has_answered)
                        note_failure(pool);
                close_link(link);
                return;
        }
        take_out(pool, lookup);
        TAILQ_REMOVE(&pool->idle, link, entry);
        TAILQ_INSERT_HEAD(&pool->others, link, entry);
        link->lookup = lookup;
        stream_set_deadline(&link->stream, lookup->due_ms);
}

/* False: nothing more can be done for those that wait. */
static bool go_on(struct pool *pool, bool may_answer)
{
        struct lookup *lookup = TAILQ_FIRST(&pool->waiting);
        struct link *link = TAILQ_FIRST(&pool->idle);

        if (lookup == NULL)
                return false;
        if (may_answer && lookup->due_ms <= now_of(pool)) {
                take_out(pool, lookup);
                fail(pool, lookup, "no answer in time");
                return true;
        }
        if (link != NULL) {
                ask_next(link);
                return true;
        }
        if (may_open(pool))
                return open_link(pool);
        return false;
}

/* An answer may bring the next question, which is filed then, and asked here. */
static void run(struct pool *pool, bool may_answer)
{
        struct lookup *lookup;

        if (pool->is_running)
                return;
        pool->is_running = true;
        while (go_on(pool, may_answer))
                ;
        while (may_answer && pool->link_count == 0 && (lookup = TAILQ_FIRST(&pool->waiting)) != NULL) {
                take_out(pool, lookup);
                fail(pool, lookup, "it takes no connection");
        }
        pool->is_running = false;
}

const char *pool_ask(struct pool *pool, const struct pool_terms *terms, struct lookup *lookup)
{
        pool->terms = *terms;
        if (!lookup->is_going_on && pool->waiting_count >= terms->waiting_max)
                return "too many questions wait for it";
        lookup->was_tried = false;
        put(pool, lookup, lookup->is_going_on);
        run(pool, false);
        /* Whoever else waits is told by whoever ended the last connection. */
        if (pool->link_count > 0 || pool->is_running)
                return NULL;
        take_out(pool, lookup);
        return "it takes no connection";
}

/* ---- what a connection tells --------------------------------------------------------------------------- */

/* Of a kept one nothing has come since it was asked: the daemon has closed it before, maybe. */
static bool is_stale(const struct link *link)
{
        return link->has_answered && link->map.state == SOCKETMAP_IN_LENGTH && link->map.digits == 0;
}

/* `reason`: a constant. */
static void end_link(struct link *link, const char *reason, bool was_closed)
{
        struct pool *pool = link->pool;
        struct lookup *lookup = link->lookup;
        bool again = lookup != NULL && was_closed && is_stale(link) && !lookup->was_tried;

        if (!link->is_begun || (lookup != NULL && !link->has_answered && lookup->due_ms <= now_of(pool)))
                note_failure(pool);
        else if (lookup != NULL && !link->has_answered)
                note_doubt(pool);
        close_link(link);
        if (again) {
                lookup->was_tried = true;
                put(pool, lookup, true);
        } else if (lookup != NULL) {
                fail(pool, lookup, reason);
        }
        run(pool, true);
}

static void connected(struct link *link)
{
        socketmap_begin(&link->map);
        link->is_begun = true;
        link->pool->connecting--;
        become_idle(link);
        run(link->pool, true);
}

static void answered(struct link *link)
{
        struct pool *pool = link->pool;
        struct lookup *lookup = link->lookup;
        bool is_failed = link->map.fact == FACT_FAILED;

        if (!link->has_answered) {
                pool->failures = 0;
                pool->unproven--;
        }
        link->has_answered = true;
        link->lookup = NULL;
        become_idle(link);
        tell(pool, lookup, link->map.fact,
             is_failed ? span_of(link->map.octets, link->map.wanted) : link->map.text);
        run(pool, true);
}

/* False: there is nothing to read, or the connection is gone. What stands behind an answer was not asked for, and
 * then that answer may be another one's. */
static bool take_octets(struct link *link)
{
        struct span input;

        switch (stream_receive(&link->stream, &input)) {
        case STREAM_NOTHING:
                return false;
        case STREAM_END:
                end_link(link, "it has closed the connection", true);
                return false;
        case STREAM_OCTETS:
                break;
        }
        switch (socketmap_input(&link->map, &input)) {
        case SOCKETMAP_WAITS:
                return true;
        case SOCKETMAP_ANSWERED:
                if (input.length == 0) {
                        answered(link);
                        return !link->stream.is_closed;
                }
                end_link(link, "it speaks unasked", false);
                return false;
        case SOCKETMAP_BROKEN:
                break;
        }
        end_link(link, link->map.fault, false);
        return false;
}

static void readable(struct link *link)
{
        int left = STREAM_TURN_READS;

        while (left > 0 && take_octets(link))
                left--;
        if (left == 0 && link->stream.is_readable)
                stream_read_later(&link->stream);
}

static void act(struct stream *stream, enum stream_event event)
{
        struct link *link = (struct link *)stream;

        switch (event) {
        case STREAM_CONNECTED:
                connected(link);
                return;
        case STREAM_READABLE:
                readable(link);
                return;
        case STREAM_SENT:
                return;
        case STREAM_LATE:
                end_link(link, link->is_begun ? "no answer in time" : "no connection came about in time",
                         false);
                return;
        case STREAM_LOST:
                end_link(link, link->is_begun ? "it has closed the connection" : "it takes no connection",
                         true);
                return;
        }
}

/* ---- life ---------------------------------------------------------------------------------------------- */

struct pool *pool_create(struct streams *streams, const struct daemon_address *address)
{
        struct pool *pool = calloc(1, sizeof *pool);

        if (pool == NULL)
                return NULL;
        pool->streams = streams;
        daemon_address_copy(address, &pool->address, pool->path, sizeof pool->path);
        TAILQ_INIT(&pool->waiting);
        TAILQ_INIT(&pool->idle);
        TAILQ_INIT(&pool->others);
        return pool;
}

static void close_all(struct links *links)
{
        struct link *link;

        while ((link = TAILQ_FIRST(links)) != NULL)
                close_link(link);
}

void pool_destroy(struct pool *pool)
{
        close_all(&pool->idle);
        close_all(&pool->others);
        free(pool);
}

bool pool_is_of(const struct pool *pool, const struct daemon_address *address)
{
        return daemon_address_equals(address, &pool->address);
}

bool pool_is_empty(const struct pool *pool)
{
        return pool->link_count == 0 && pool->waiting_count == 0 && pool->telling == 0;
}
