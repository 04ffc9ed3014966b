/* The other end of a journal: a thread that hands messages to the threads that speak to next hops, and sees to
 * what came of it. It owns the index of what waits.
 *
 *   drain ══deliveries══> hop thread      struct journal_delivery, with the whole text
 *   hop thread ══returns══> drain         the same, with its outcome; it goes to the writer then, and is freed when the
 *                                         outcome is durable
 *
 * It reads nothing but the disk, and waits for it. Bounds: so many messages per destination at a time, and
 * JOURNAL_IN_HAND_OCTETS of text of all, of which a destination has its share. A message is tried again after
 * retry_min, twice that, and so on up to retry_max; a destination that cannot be reached gets none of its messages for
 * as long. What has waited for the lifetime is given up after a try in vain, or where its destination could not be
 * reached for retry_max: the clock may have been wrong, or the server away. That, and recipients that are refused, go
 * into the Maildir of dead letters; where that fails the message stays, and the log says so. A stop hands out nothing
 * more and waits for what is away: the hop threads stop first and return all they have. */
#pragma once

#include "core/smtp/metrics.h"
#include "dns/clock.h"
#include "workers/journal/journal.h"
#include "workers/journal/disk/read.h"

#define JOURNAL_REASON_MAX   256
#define JOURNAL_DROP_WAIT_MS 10000

enum journal_try {
        JOURNAL_TRIED,  /* states tell what came of it: DONE, DEAD for refused, WAITS for another time */
        JOURNAL_BROKEN, /* the next hop broke off before the text: that may be due to the message alone */
        JOURNAL_UNREACHABLE, /* nothing came of it, because of the destination */
        JOURNAL_UNTRIED,     /* nothing was done, and nobody is to blame */
};

/* Belongs to whom it was sent. */
struct journal_delivery {
        struct parcel parcel;
        /* For the hop thread. */
        struct journal_message message; /* its text is in `content` alone */
        struct content content;
        uint8_t *states; /* one for each recipient; those that are RECIPIENT_WAITS are to be tried */
        /* From the hop thread. */
        enum journal_try result;
        char reason
            [JOURNAL_REASON_MAX]; /* why somebody waits or was refused; terminated, of the next hop's making */
        /* Owner: the drain. */
        uint32_t entry;
        struct journal_copy copy;
        uint8_t *before; /* the states as they were */
        struct journal_order order;
        struct journal_delivery *next; /* whose outcome is not durable yet, and to be tried again */
};

/* What has come of a message that is to be dropped. */
enum journal_drop {
        JOURNAL_DROP_DONE,    /* durably */
        JOURNAL_DROP_UNKNOWN, /* it does not wait */
        JOURNAL_DROP_AWAY,    /* a next hop has it, or its outcome is on the way to the disk */
        JOURNAL_DROP_LATE,    /* the disk has not answered; it may still be done */
};

struct journal_drain_settings {
        const char *dead_letters; /* a Maildir */
        uint64_t lifetime_ms, retry_min_ms, retry_max_ms;
        uint32_t in_flight_max; /* of a destination */
};

struct journal_drain {
        /* Fixed after start. */
        struct journal *journal;
        struct journal_drain_settings settings;
        uint32_t hop_count;
        struct log_writer *log;
        pthread_t thread;
        struct channel *news, *done; /* from the writer */
        struct channel *returns;     /* one for each hop thread */
        struct channel **deliveries; /* to each hop thread; set before start */
        struct waker waker;
        _Atomic bool is_stopping;
        struct counters counters; /* of both threads; this one writes */
        /* What another thread wants dropped: a sequence; 0: nothing. What has come of it stands in `dropped` before. */
        _Atomic uint64_t to_drop;
        enum journal_drop dropped;

        /* Filled by the writer's opening; then the thread's. */
        struct journal_index index;

        /* Owner: the thread. */
        bool is_open;
        uint64_t newest; /* the horizon that the writer has told of last */
        uint32_t free_segments;
        struct journal_news *unread; /* for which there was no memory */
        size_t unread_from;
        uint32_t
            dropping;  /* the entry whose outcome is on the way to the disk, for `to_drop`; or JOURNAL_NONE */
        uint32_t away; /* deliveries that exist */
        uint64_t in_hand; /* octets of their texts */
        uint64_t next_ms; /* something is due then, as on the disk */
        struct journal_delivery *unrecorded;
        uint64_t unrecorded_at_ms; /* monotonic: when they are tried again */
        uint32_t sweep, mover; /* where the searches for old messages, and for what is in the way, go on */
        uint64_t sweep_at_ms;  /* monotonic */
        struct clock_watch clock;
        uint64_t oldest_ms,
            sweep_oldest_ms; /* as on the disk: of what waits, by the last search, and by this one */
        uint64_t moved_for;  /* the generation that was to be emptied */
        struct content_pool pool;
        struct mail_namer namer;
};

/* False when memory or descriptors are out. Paths are lent. */
bool journal_drain_init(struct journal_drain *drain, struct journal *journal,
                        const struct journal_drain_settings *settings, uint32_t hop_count,
                        struct log_writer *log);
/* Before the start. The hop thread sends what it returns to drain->returns[hop]. */
void journal_drain_connect(struct journal_drain *drain, uint32_t hop, struct channel *deliveries);
/* Before the journal's start: its opening fills the index. */
bool journal_drain_start(struct journal_drain *drain);
/* Any one thread: the message with this sequence is to wait no more. Waits for the outcome, JOURNAL_DROP_WAIT_MS at the
 * most. */
enum journal_drop journal_drain_drop(struct journal_drain *drain, uint64_t sequence);
/* After the hop threads have returned all, and before the journal's stop. */
void journal_drain_stop(struct journal_drain *drain);
bool journal_drain_join(struct journal_drain *drain, uint64_t until_ms);
void journal_drain_end(struct journal_drain *drain);
