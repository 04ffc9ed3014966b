/* One connection to a Redis or a sentinel: hiredis, asynchronous, in a poll() of the caller's. What the other side says
 * is held to what was asked: more than that, or more than it may hold, ends the connection. */
#pragma once

#include "workers/senders/redis/settings.h"

#include <hiredis/async.h>
#include <poll.h>

#define REDIS_WIRE_REASON_MAX 160

struct redis_wire {
        redisAsyncContext *context; /* its data is the wire; NULL: there is none, or it has ended */
        redisReplyObjectFunctions *usual;
        bool wants_read, wants_write;
        size_t reply_size; /* octets of memory that the reply takes which is being read, about */
        struct endpoint server;
        SSL *ssl;                           /* the context's; NULL: it speaks no TLS */
        char reason[REDIS_WIRE_REASON_MAX]; /* why it has ended, or shall end; empty: nobody has said */
};

/* Begins a connection. The wire stays where it is. False, with the reason. */
bool redis_wire_open(struct redis_wire *wire, const struct redis_settings *settings,
                     const struct endpoint *server);
/* What was asked and not answered comes back without a reply. */
void redis_wire_close(struct redis_wire *wire);
/* Sends user and password, if there are any; done() sees the reply, and redis_wire_is_let_in() judges it. */
bool redis_wire_greet(struct redis_wire *wire, const struct redis_settings *settings, redisCallbackFn *done);
/* False when the reply to user and password lets nobody in. */
bool redis_reply_lets_in(const redisReply *reply);
/* The same, with the reason. One that wants no password lets everybody in. */
bool redis_wire_is_let_in(struct redis_wire *wire, const redisReply *reply);
/* Says why the connection is of no use; the first reason stays. */
void redis_wire_blame(struct redis_wire *wire, const char *reason);
/* For poll(): fd -1 without a connection. */
struct pollfd redis_wire_poll(const struct redis_wire *wire);
/* Calls back. The connection may have ended behind it. */
void redis_wire_handle(struct redis_wire *wire, int revents);
/* Writes what can be written now. */
void redis_wire_flush(struct redis_wire *wire);
/* Holds what comes to what was asked, on a connection that others have made; the data of its context is the wire. */
void redis_wire_guard(struct redis_wire *wire, redisAsyncContext *context);
