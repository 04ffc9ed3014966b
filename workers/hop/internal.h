/* What the files of the hop threads share. */
#pragma once

#include "core/base/expect.h"
#include "core/client/connection.h"
#include "core/client/text.h"
#include "workers/hop/addresses.h"
#include "workers/hop/thread.h"
#include "workers/tls/client/client.h"

#define HOP_OUT_SIZE   ((size_t)64 << 10)
#define HOP_READ_SIZE  ((size_t)64 << 10) /* what TLS_INPUT_MAX octets may hold, see workers/tls/stream.h */
#define HOP_INPUT_SIZE (HOP_INPUT_MAX + HOP_READ_SIZE)

/* What the log knows of TLS with a next hop; static texts. */
struct hop_security {
        const char *version, *cipher; /* NULL: none yet */
        const char *fault;            /* why the hop is not verified; NULL: it is */
};

/* A next hop as this thread sees it. It lives while it has connections or messages, or counts as failing,
 * and some time longer. */
struct hop_target {
        LIST_ENTRY(hop_target) entry;
        struct next_hop hop; /* its name is in `name` */
        struct figures *figures;
        struct transfer_list waiting;
        struct hop_connection_list idle;
        uint32_t waiting_count;
        uint32_t callouts; /* of those that wait or that a connection has */
        uint32_t busy;     /* transfers that a connection of it has */
        uint32_t connection_count,
            connecting_count;           /* all; of these, those that are not ready for the first time */
        uint32_t failures;              /* in a row */
        uint64_t used_ms;               /* when it had a connection or a message last */
        uint64_t down_until_ms;         /* where these are failures_max */
        uint64_t plain_until_ms;        /* TLS that may be and has failed is not tried before */
        uint64_t number;                /* by which DNS answers */
        struct hop_addresses addresses; /* where the hop has a name */
        struct tls_resumption resumption;
        struct hop_security security;
        /* Of the mail at which it broke last, and that counted; empty since it lives. */
        char broken_sender[HOP_ADDRESS_MAX + 1], broken_recipient[HOP_ADDRESS_MAX + 1];
        char failure[HOP_ANSWER_TEXT_MAX]; /* why it has failed last; empty since it lives */
        char name[];
};

enum hop_connection_state {
        CONNECTION_CONNECTS, /* the socket does */
        CONNECTION_BEGINS,   /* the machine has not said READY yet */
        CONNECTION_IDLE,     /* in its target's list */
        CONNECTION_BUSY,     /* it has a transfer, or is done with one that is gone */
        CONNECTION_LEAVES,   /* QUIT was said */
        CONNECTION_DEAD,
};

struct hop_connection {
        struct timer timer;                /* first: the wheel gives it back */
        TAILQ_ENTRY(hop_connection) entry; /* of the thread, or of dead ones */
        TAILQ_ENTRY(hop_connection) idle;
        struct hop_target *target;
        struct transfer *transfer; /* NULL: none */
        enum hop_connection_state state;
        struct address address; /* of the hop; not of one at a path */
        int fd;                 /* -1: while it connects, one that is busy is asked again soon */
        bool waits_for_output;
        bool lacks_memory; /* that is why it ends: ours, and no fault of the hop */
        uint64_t due_ms;   /* while the machine has no deadline of its own */
        struct hop_settings settings;
        struct hop_terms terms;
        struct hop hop;
        struct tls_stream *stream; /* NULL: in plain text */
        size_t counted;            /* octets of the budget */
        char *unsent;              /* what the socket did not take; NULL: nothing */
        size_t unsent_length;
        const struct content_block *block; /* of the job at hand: where the text goes on; NULL: it begins */
        size_t block_offset;
        bool is_text_given; /* all of it: the dot is next */
        size_t unread_length;
        char unread[HOP_INPUT_MAX];
};

/* ---- target.c */

/* The one among those of the transfer that is to be asked next, made if need be; NULL: none takes it. */
struct hop_target *target_choose(struct hop_thread *thread, struct transfer *transfer);
/* A number that is less than `below`, by chance. */
uint32_t target_draw(struct hop_thread *thread, uint32_t below);
void target_enqueue(struct hop_thread *thread, struct hop_target *target, struct transfer *transfer);
void target_dequeue(struct hop_target *target, struct transfer *transfer);
/* Gives waiting transfers to connections, makes more of these, and forgets targets of which nothing is left. */
void targets_serve(struct hop_thread *thread);
/* It has failed, for this reason. Where it is down now, those who wait for it seek another one. */
void target_failed(struct hop_thread *thread, struct hop_target *target, const char *reason);
/* The same where it broke at this transfer: in a row that counts once for a sender, and once for a recipient. */
void target_broke(struct hop_thread *thread, struct hop_target *target, const struct transfer *transfer);
/* Nothing of it is under way. */
void target_free(struct hop_target *target);
/* The same of a connection that does not come about. */
void target_unreachable(struct hop_thread *thread, struct hop_target *target, const char *reason);
/* The same of a connection to this address, behind which a hop that has a name may have others. */
void target_address_failed(struct hop_thread *thread, struct hop_target *target,
                           const struct address *address, const char *reason);
void target_lives(struct hop_thread *thread, struct hop_target *target);
/* Why nobody takes the transfer: what the hop that was asked last, or else the first one, has failed of. */
void target_say_why(const struct hop_thread *thread, const struct transfer *transfer, struct text *text);
static inline bool target_is_failing(const struct hop_thread *thread, const struct hop_target *target)
{
        return target->failures >= thread->settings.failures_max;
}

/* ---- count.c */

/* One more; `figure` is of kind TOTAL. */
void hop_count(struct hop_thread *thread, struct hop_target *target, enum figure figure);
/* The same of each recipient, by its fate. */
void hop_count_fates(struct hop_thread *thread, struct hop_target *target, const struct transfer *transfer);
/* Once a turn: those of kind NOW. */
void hop_count_now(struct hop_thread *thread);
/* The target ends. */
void hop_count_gone(struct hop_target *target);

/* ---- resolve.c: hops that have a name */

/* Whoever is idle at an address that the name has no more is told QUIT. */
void target_leave_gone(struct hop_thread *thread, struct hop_target *target);
/* Asks DNS where its addresses have come to their end; what it says later wakes the thread. */
void target_ask_if_due(struct hop_thread *thread, struct hop_target *target);
/* A connection may be made now. Where DNS has no address that is the target's failure. */
bool target_has_address(struct hop_thread *thread, struct hop_target *target);
void targets_take_answers(struct hop_thread *thread);

/* ---- connect.c */

/* Its socket begins to connect, or is to be tried again, where `fd` is -1 still. False, with errno: it does neither. */
bool hop_connect(struct hop_thread *thread, struct hop_connection *connection);

/* ---- connection.c */

/* One more connection, where the target does not fail at once. */
void hop_connection_begin(struct hop_thread *thread, struct hop_target *target);
void hop_connection_event(struct hop_thread *thread, struct hop_connection *connection, uint32_t events);
void hop_connection_tick(struct hop_thread *thread, struct hop_connection *connection);
/* An idle one is idle no more. */
void hop_connection_take(struct hop_connection *connection, enum hop_connection_state state);
/* A busy one has no transfer any more: it is idle where it is ready. */
void hop_connection_release(struct hop_thread *thread, struct hop_connection *connection);
/* An idle one is over with. */
void hop_connection_leave(struct hop_thread *thread, struct hop_connection *connection);
/* The machine was called and has said `event`, or WAITS where that call says nothing: goes on from there until it
 * waits, and sends what it says. */
void hop_connection_advance(struct hop_thread *thread, struct hop_connection *connection,
                            enum hop_event event);
void hop_connections_free_dead(struct hop_thread *thread);
/* The thread ends: says QUIT to those that are idle, and closes all. No transfer is left. */
void hop_connections_end(struct hop_thread *thread);

/* ---- octets.c: what goes out */

void hop_octets_watch(struct hop_thread *thread, struct hop_connection *connection, bool waits_for_output);
/* The call for its socket, which has failed, did so for want of memory: that is noted. */
void hop_octets_note_failure(struct hop_connection *connection);
/* What the machine has said, and TLS, goes out or is kept. False: the connection is broken, as in the next. */
bool hop_octets_flush(struct hop_thread *thread, struct hop_connection *connection);
bool hop_octets_send_kept(struct hop_thread *thread, struct hop_connection *connection);
/* The same before the connection is closed: what the socket does not take is lost. */
void hop_octets_send_last(struct hop_thread *thread, struct hop_connection *connection);

/* ---- secure.c: TLS */

/* Counts what the connection holds now. False, and nothing is counted, where the budget has no room for it. */
bool hop_connection_count(struct hop_thread *thread, struct hop_connection *connection);
/* What a new connection is to do about STARTTLS. */
enum hop_starttls hop_secure_wish(const struct hop_thread *thread, const struct hop_target *target);
/* The machine has said SECURE. Gives the event that follows, as the next does. */
enum hop_event hop_secure_begin(struct hop_thread *thread, struct hop_connection *connection);
/* Octets of the handshake have come. In *ret_input, which lies in thread->input, is what stands behind it. */
enum hop_event hop_secure_go_on(struct hop_thread *thread, struct hop_connection *connection,
                                struct span octets, struct span *ret_input);
bool hop_secure_is_under_way(const struct hop_connection *connection);
/* The connection ends. True where that is a handshake which may fail, so that the next one goes in plain text; never
 * for want of memory of our own, which shall lower nobody's security. */
bool hop_secure_gives_up(struct hop_thread *thread, struct hop_connection *connection, const char *reason);

/* ---- dialogue.c: between the machine and the transfer */

/* An idle connection gets its next transfer. */
void dialogue_begin(struct hop_thread *thread, struct hop_connection *connection, struct transfer *transfer);
/* Any event but WAITS, SECURE and CLOSE. */
void dialogue_event(struct hop_thread *thread, struct hop_connection *connection, enum hop_event event);
/* As much text goes into thread->out as there is, and has room. */
void dialogue_text(struct hop_thread *thread, struct hop_connection *connection);
/* The transfer leaves its connection, whose machine gives up what it has of it. */
void dialogue_abandon(struct hop_thread *thread, struct transfer *transfer);

/* The next hop may have taken it: all of its text was given. */
bool dialogue_has_all(const struct transfer *transfer);

/* ---- drained.c: what the journal hands out */

void drained_begin(struct hop_thread *thread, struct journal_delivery *delivery);
/* A job of such a transfer is done, which may be the last one. */
void drained_report(struct hop_thread *thread, struct transfer *transfer);
/* Once a turn, when the drain is to get all back. */
void drained_give_back(struct hop_thread *thread);

/* ---- remember.c */

/* Each recipient of the transfer has its fate. */
void remember_fates(struct hop_thread *thread, const struct transfer *transfer);

/* ---- courier.c: what becomes of transfers */

void courier_take(struct hop_thread *thread, struct transfer_job *job, uint32_t worker);
/* It is to ask another hop, in courier_look(). */
void courier_seek(struct hop_thread *thread, struct transfer *transfer);
/* The hop has given its go-ahead. */
void courier_opened(struct hop_thread *thread, struct transfer *transfer);
/* The hop is done with it, and the connection has no part in it any more. `may_repeat`: where it broke, that says
 * nothing about the target, which can be asked again. */
void courier_over(struct hop_thread *thread, struct hop_target *target, struct transfer *transfer,
                  bool may_repeat);
/* It has ended, wherever it was, and nothing is reported. */
void courier_withdraw(struct hop_thread *thread, struct transfer *transfer);
void courier_report(struct hop_thread *thread, struct transfer_job *job);
/* Once a turn: those who seek a target get one, or are told that there is none; and the time of some is up. */
void courier_look(struct hop_thread *thread);
/* Milliseconds until the next of them has its deadline; -1: there is none. */
int courier_wait_ms(const struct hop_thread *thread);
