/* What client, pool and thread share; for dns/ only. */
#pragma once

#include "dns/answer.h"
#include "dns/name.h"
#include "dns/pool/places.h"
#include "dns/pool/pool.h"
#include "dns/pool/reply.h"
#include "dns/ring.h"
#include "dns/pool/upstream.h"
#include "dns/pool/client.h"

#include <pthread.h>

#define QUERY_BUCKETS 4096

/* A question on its way to a thread and back. Made and freed by the client; the thread's in between. */
struct ask {
        struct waiting waiting; /* first; for a place on the way, with the share that holds there and later */
        struct ask *next;       /* of those that wait for the same query */
        struct dns_client *client;
        uint64_t handle, asked_ms;
        struct shared_answer *answer; /* one reference */
        bool is_refresh;              /* nobody waits: the answer is for the cache */
        enum dns_type type;
        size_t name_length;
        char name[];
};

struct lane {
        struct dns_ring questions, answers;
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

/* What a question needs once it is begun; those that wait for a place are many. */
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

/* One question being resolved for all who ask it. Owner: a thread. */
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
        /* The thread's own. */
        struct dns_loop loop;
        struct upstream_set upstreams;
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
        uint32_t started;
        struct dns_thread *threads;
        struct dns_client *clients;
};

/* Frees an ask with its answer. */
void ask_free(struct ask *ask);
/* After something was made visible to the sleeper. */
void sleeper_wake(_Atomic bool *is_asleep, int event_fd);

void *dns_thread_run(void *thread);
void thread_count(struct dns_thread *thread, enum thread_counter counter, int64_t by);
/* The answer's way back; NULL: failed. The ask is the client's again. */
void thread_reply(struct dns_thread *thread, struct ask *ask, struct shared_answer *answer);

/* With the asks that wait for it; NULL when memory is out. */
struct query *query_create(struct dns_thread *thread, struct ask *ask, uint64_t hash);
void query_list_init(struct query_list *list);
void query_list_add(struct query_list *list, struct query *query);
struct query *query_list_take(struct query_list *list);
/* It has a place. */
void query_start(struct query *query, uint64_t now_ms);
/* Asks an upstream. The query comes into thread->done when there is a reply, or none in time;
 * query_continue() then asks on, or tells all who wait and frees the query. */
void query_continue(struct query *query, uint64_t now_ms);
/* Tells all who wait that it failed, and nothing to the cache: the fault is ours, not DNS's. Frees the
 * query. */
void query_abandon(struct query *query);
