/* HTTP in the server: which socket it has, and what its thread is given to look at. */
#pragma once

#include "workers/http/server.h"
#include "workers/http/limit.h"
#include "workers/inbound/accept/inherited.h"
#include "workers/policy/seen_log.h"
#include "workers/server/web/view.h"

struct web {
        /* Fixed after start. */
        struct web_parts parts;
        struct http_server http;

        /* Owner: the main thread. */
        struct http_socket early;  /* bound before the user changed, and not used yet */
        int early_error;           /* why that failed; 0: it did not */
        char name[HTTP_PLACE_MAX]; /* of the socket that is served; empty: none */
        struct http_door
            *door; /* that is served, or soon will be: the thread's, but for its socket; NULL: none */

        int64_t start_s; /* since 1970 */

        _Atomic bool is_stopping;
        struct web_board board; /* of both */

        /* Owner: the thread. */
        struct health health;
        struct samples samples;
        struct refused refused;
        struct seen_log seen;
        int seen_error;            /* of it, that the log has been told of */
        struct http_limit lookups; /* of refusals */
};

/* A door that is to be used, if all else succeeds. */
struct web_change {
        bool is_needed;
        struct http_door *door;    /* NULL: there is to be none */
        char name[HTTP_PLACE_MAX]; /* of its socket */
};

/* Before the user changes: binds the address that the snapshot wants. A unix socket is bound later, so that its file is
 * the user's, who has to remove it one day. */
void web_bind_early(struct web *web, const struct snapshot *snapshot, struct inherited_list *inherited);
/* False when descriptors or threads are out. */
bool web_start(struct web *web, const struct web_parts *parts);
/* web_prepare() at the start. False, with the reason told, when the socket cannot be opened. */
bool web_begin(struct web *web, const struct snapshot *snapshot, struct inherited_list *inherited,
               struct web_change *ret_change);
/* A reload: opens what the snapshot wants and is not served yet. False with the name of the place, and errno. */
bool web_prepare(struct web *web, const struct snapshot *snapshot, struct inherited_list *inherited,
                 struct web_change *ret_change);
/* And uses it, or lets it be. */
void web_change(struct web *web, struct web_change *change);
void web_let_be(struct web_change *change);
/* Puts the socket on the list of those that another process is to have, unless the one there is anyway. `target`: of
 * the configuration in force. False: there is no room. */
bool web_offer(const struct web *web, const struct http_target *target, struct inherited_list *list);
/* Nothing is served any more, and a file of the socket stays. */
void web_leave(struct web *web);
/* What came of a reload; see web_board_note(). */
void web_note_reload(struct web *web, bool has_failed, const char *text);
/* At the stop: readiness is over, and the pages are served on. */
void web_note_stop(struct web *web);
/* False when the thread runs still at this moment of clock_monotonic_ms(). */
bool web_stop(struct web *web, uint64_t until_ms);
void web_end(struct web *web);
