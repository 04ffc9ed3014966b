/* Connections to daemons of the site, such as mail filters, in the epoll loop of a worker. They are edge-triggered
 * and never make it wait; each has a deadline. Owner: the worker.
 *
 * A stream is the first member of what its owner makes of it, in memory of malloc(). It is closed once, by its owner
 * and at any time; streams_turn() frees it when no event of the turn can name it any more. */
#pragma once

#include "conf/snapshot.h"
#include "core/base/budget.h"
#include "core/base/text.h"
#include "workers/thread/wheel.h"

#include <sys/queue.h>

#define STREAM_READ_SIZE  65536u
#define STREAM_UNREAD_MAX 131072u             /* octets that the owner may leave for want of more */
#define EVENT_OF_STREAM   (UINT64_C(1) << 62) /* in what epoll says an event is of, with the stream's address */
#define STREAM_TURN_READS 16                  /* then others have their turn */

/* What a stream tells its owner, who may close it meanwhile. */
enum stream_event {
        STREAM_CONNECTED, /* the first; what was sent before goes out now */
        STREAM_READABLE,  /* stream_receive() may have something */
        STREAM_SENT,      /* nothing is left unsent */
        STREAM_LOST,      /* it could not be connected, or is broken */
        STREAM_LATE,      /* the deadline has passed */
};

/* What had to be kept between two events. */
struct stream_octets {
        char *at;
        size_t length, room;
};

struct stream {
        struct timer timer;        /* first */
        TAILQ_ENTRY(stream) entry; /* of those that are closed, or queue */
        struct streams *streams;
        const struct daemon_address *address;
        void (*act)(struct stream *stream, enum stream_event event);
        uint64_t due_ms;
        int fd;          /* -1: there is none yet */
        bool is_queuing; /* the queue of its unix socket was full */
        bool is_connected, is_closed;
        bool is_readable; /* an edge has come and not everything behind it has been read */
        bool is_hung_up;  /* the daemon will send no more: read on to the end of file */
        struct stream_octets unread, unsent;
};

/* Those of one worker. */
struct streams {
        int epoll_fd;
        struct account *account; /* of what is kept; NULL: nobody counts it */
        uint64_t now_ms;         /* monotonic; of the turn */
        size_t open_count;
        TAILQ_HEAD(stream_list, stream) closed, queuing;
        uint64_t queuing_ms; /* when those that queue are tried again */
        char *input;         /* STREAM_UNREAD_MAX + STREAM_READ_SIZE; of the stream at hand */
        struct wheel wheel;
};

/* NULL when memory is out. */
struct streams *streams_create(int epoll_fd, struct account *account, uint64_t now_ms);
/* All are closed. */
void streams_destroy(struct streams *streams);
/* At the beginning of a turn, before any event: frees those that were closed in the last one. */
void streams_turn(struct streams *streams, uint64_t now_ms);
/* What epoll reports of the stream in data.u64. */
void streams_event(uint64_t of, uint32_t events);
/* Tells those whose time is up, and tries those again that queue. */
void streams_expire(struct streams *streams);
/* Milliseconds until somebody's time may be up; -1: nobody's. */
int streams_wait_ms(const struct streams *streams);

/* Of what a daemon is to bear of all workers, such as connections, the part that one of them may ask for. */
static inline uint32_t stream_share(uint64_t of_all, uint32_t worker_count)
{
        uint64_t share = of_all / worker_count;
        return share == 0 ? 1 : (uint32_t)share;
}

/* Begins to connect; CONNECTED or LOST follows in a later turn. Its deadline is never. False, with nothing to close,
 * where that fails at once. Where the queue of a unix socket is full it is tried again up to the deadline. `address`
 * lives as long as the stream. */
bool stream_open(struct stream *stream, struct streams *streams, const struct daemon_address *address,
                 void (*act)(struct stream *stream, enum stream_event event));
void stream_close(struct stream *stream);
/* UINT64_MAX: never. */
void stream_set_deadline(struct stream *stream, uint64_t due_ms);
/* Sends what the socket takes, and keeps the rest. False: it is broken, or memory is out. */
bool stream_send(struct stream *stream, struct span octets);
static inline size_t stream_unsent(const struct stream *stream)
{
        return stream->unsent.length;
}

enum stream_received { STREAM_OCTETS, STREAM_NOTHING, STREAM_END };

/* Once for STREAM_READABLE, then again after each STREAM_OCTETS. *ret_input has what was left before, and more; it is
 * valid up to the next call of any stream. What the owner does not use is kept by stream_keep(), at most
 * STREAM_UNREAD_MAX octets. */
enum stream_received stream_receive(struct stream *stream, struct span *ret_input);
/* False when memory is out, or it is too much. */
bool stream_keep(struct stream *stream, struct span rest);
/* The owner has read often enough for this turn: READABLE comes again. */
void stream_read_later(struct stream *stream);
