/* Whether resolvers answer, for whoever asks if the server is ready. Each is asked for the servers of the root now and
 * then, which every resolver knows by heart; any answer will do. This goes past pool and cache on purpose: they tell of
 * names that clients have asked about. Owner: the thread of HTTP. */
#pragma once

#include "conf/snapshot.h"

#define RESOLVER_WATCH_MAX 8 /* as many as the pool asks */

struct watched_resolver {
        struct endpoint endpoint;
        int fd; /* connected; -1: it cannot be asked */
        uint16_t id;
        uint64_t answered_ms; /* 0: never */
};

struct resolver_watch {
        struct watched_resolver resolvers[RESOLVER_WATCH_MAX];
        size_t count;
        uint64_t ask_ms; /* when the next questions are due */
};

/* About once a second. `wanted`: of the snapshot in force. */
void resolver_watch_look(struct resolver_watch *watch, const struct endpoint_list *wanted, uint64_t now_ms);
/* True where one of them has answered lately, or there is none to ask. */
bool resolver_watch_is_well(const struct resolver_watch *watch, uint64_t now_ms);
bool resolver_answers(const struct watched_resolver *resolver, uint64_t now_ms);
void resolver_watch_end(struct resolver_watch *watch);
