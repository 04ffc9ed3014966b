/* What the pool, its clients and its threads share. Only dns/pool/ includes this. */
#pragma once

#include "core/base/expect.h"
#include "core/base/ring.h"
#include "dns/answer.h"
#include "dns/name.h"
#include "dns/pool/places.h"
#include "dns/pool/pool.h"
#include "dns/pool/reply.h"
#include "dns/pool/upstream.h"
#include "dns/pool/client.h"

#include <pthread.h>

#define QUERY_BUCKETS 4096

/* A question on its way to a thread and back. The client makes it and frees it; in between it is the
 * thread's. */
struct ask {
        struct waiting waiting; /* first; for a place on the way, with the share that holds there and later */
        struct ask *next;       /* of those that wait for the same query */
        struct dns_client *client;
        uint64_t handle, asked_ms;
        uint64_t account[2];          /* of the client and of its network; 0: none */
        struct shared_answer *answer; /* one reference */
        bool is_refresh;              /* nobody waits: the answer is for the cache */
        enum dns_type type;
        size_t name_length;
        char name[];
};

struct ask_slot {
        struct ask *ask;
};

#define LANE_SLOTS  4096
#define LANE_PLACES (LANE_SLOTS - 1) /* one slot of a ring stays empty */
RING(ask_ring, ask_slot, LANE_SLOTS);

/* The two rings between one client and one thread. */
struct lane {
        struct ask_ring questions, answers;
        /* owner: the client. Asks between the two rings' ends, so few that neither is ever full */
        struct places places;
        bool is_announced; /* owner: the client. No question since the thread was last told */
        bool has_answers;  /* owner: the thread. Answers since the client was last told */
};

struct dns_client {
        struct dns_source source; /* first */
        struct dns_pool *pool;
        struct lane *lanes; /* one for each thread */
        int event_fd;
        _Atomic bool *is_asleep;
        _Atomic uint64_t overloaded; /* written by the client */
        uint32_t next_lane;          /* where to look first for answers */
        struct ask *received;        /* whose answer `message` shows */
        struct dns_reply_message message;
};

/* What a question needs once it is begun, because those that wait for a place are many. */
struct run {
        size_t target_length; /* what is asked for now: the name, or the target of its CNAMEs */
        char target[DNS_NAME_MAX + 1];
        uint32_t chain_ttl_s;
        uint8_t targets, attempts;
        bool by_tcp;
        int upstream;               /* -1: none yet */
        uint32_t refused_by, tried; /* upstreams, a bit each */
        uint32_t generation;        /* of upstreams when asked */
        struct resolver *resolver;
        struct dns_reply reply;
        struct shared_answer *refusal; /* the last one */
};

/* One question that is being resolved for all who ask it. It belongs to one thread. */
struct query {
        struct waiting waiting; /* first */
        struct query *bucket_next;
        struct query *next; /* in the list of done ones */
        struct dns_thread *thread;
        struct ask *asks;
        struct run *run; /* NULL: not begun */
        uint64_t hash;
        enum dns_type type;
        uint8_t name_length;
        char name[];
};

struct query_list {
        struct query *first, **last;
};

enum thread_counter {
#define POOL_METRIC(name, kind, help) COUNT_##name,
#include "dns/metrics.def"
        COUNTERS
};

/* A list of upstreams on its way to a thread. */
struct upstream_news {
        size_t count;
        struct endpoint endpoints[DNS_UPSTREAMS_MAX];
};

struct dns_thread {
        struct dns_pool *pool;
        uint32_t number;
        pthread_t thread;
        int wake_fd;
        _Alignas(64) _Atomic bool is_asleep;
        _Atomic(struct upstream_news *) news; /* NULL: none; the thread takes and frees it */
        _Atomic uint64_t counters[COUNTERS];  /* written by the thread */
        struct histogram times;               /* written by the thread: of asks, until they are answered */
        /* The thread's own. */
        struct dns_loop loop;
        struct upstream_set upstreams;
        uint64_t now_ms; /* of the turn */
        struct query_list done;
        struct places places;         /* of questions at a resolver */
        uint64_t waiting_deadline_ms; /* of the first that will have waited too long */
        uint64_t starved_until_ms;    /* no question is begun before */
        struct block_pool blocks;     /* for reading the cache */
        struct query *buckets[QUERY_BUCKETS];
};

struct dns_pool {
        struct dns_pool_options options; /* limits aside, fixed */
        struct {
                _Atomic uint32_t attempt_timeout_ms, deadline_ms, waiting_max;
        } limits; /* written by the owner, read by the threads at each question */
        _Atomic bool is_stopping;
        uint32_t started, joined; /* threads */
        struct dns_thread *threads;
        struct dns_client *clients;
};

/* There is room, see struct lane's `places`. */
static inline void ask_send(struct ask_ring *ring, struct ask *ask)
{
        expect(ask_ring_put(ring, &(struct ask_slot){ask}));
}

/* NULL when nothing is there. */
static inline struct ask *ask_receive(struct ask_ring *ring)
{
        struct ask_slot slot;
        return ask_ring_take(ring, &slot) ? slot.ask : NULL;
}

/* Frees an ask with its answer. */
void ask_free(struct ask *ask);
/* Wakes a sleeper. It is called after something has been made visible to it. */
void sleeper_wake(_Atomic bool *is_asleep, int event_fd);

void *dns_thread_run(void *thread);
void thread_count(struct dns_thread *thread, enum thread_counter counter, int64_t by);
/* Sends the answer back, or a failure when `answer` is NULL. The ask is the client's again. */
void thread_reply(struct dns_thread *thread, struct ask *ask, struct shared_answer *answer);

/* Makes a query for `ask` and those that are linked to it. NULL when memory is out. */
struct query *query_create(struct dns_thread *thread, struct ask *ask, uint64_t hash);
void query_list_init(struct query_list *list);
void query_list_add(struct query_list *list, struct query *query);
struct query *query_list_take(struct query_list *list);
/* Asks an upstream for a query that has a place. The query comes into thread->done when there is a reply, or
 * none in time; query_continue() then asks another one, or tells all who wait and frees the query. */
void query_start(struct query *query, uint64_t now_ms);
void query_continue(struct query *query, uint64_t now_ms);
/* Tells all who wait that the query failed, and frees it. The cache is told nothing, because the fault is
 * ours and not that of DNS. */
void query_abandon(struct query *query);
