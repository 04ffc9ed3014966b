/* The miniature worker. Its calls follow the contract in core/smtp/session.h to the letter, so that a session
 * which leans on anything else shows. */
#include "tests/dialogue/harness.h"

#include "core/base/expect.h"
#include "core/smtp/internal.h"
#include "tests/dialogue/reports.h"

#define WALL_START_MS 1767225600000 /* 2026-01-01 00:00:00 UTC */
#define TIMEOUTS_MAX  1000          /* in one push of the clock: more is a session that never settles */

#define USE_ROOM(harness, text, name) text_over(text, (harness)->room.name, sizeof(harness)->room.name)

void (*harness_look)(const struct snapshot *snapshot, struct span lines);

static struct sketch sketch_over(_Atomic uint32_t counts[2][HARNESS_COUNTS], uint64_t key)
{
        memset(counts, 0, 2 * sizeof counts[0]);
        return (struct sketch){.key = key, .mask = HARNESS_COUNTS - 1, .rows = {counts[0], counts[1]}};
}

/* A microsecond each time that somebody looks. */
static uint64_t tick(void)
{
        static uint64_t now_ns;
        return now_ns += 1000;
}

void harness_init(struct harness *harness, enum cutting cutting, uint32_t seed, enum answering answering)
{
        memset(harness, 0, offsetof(struct harness, room));
        harness->cutting = cutting;
        harness->random = seed;
        harness->host = (struct session_host){.counters = &harness->counters,
                                              .clock_ns = tick,
                                              .now_ms = 1000000,
                                              .wall_ms = WALL_START_MS,
                                              .ids = {.sequence = 1}};
        scripted_dns_init(&harness->dns, answering, seed);
        harness->host.dns = &harness->dns.source;
        scripted_senders_init(&harness->senders, answering);
        harness_init_recipients(harness, answering);
        harness->host.senders = &harness->senders.source;
        memset(harness->room.ledger, 0, sizeof harness->room.ledger);
        ledger_init(&harness->ledger, harness->room.ledger, sizeof harness->room.ledger, seed,
                    harness->host.now_ms);
        harness->host.ledger = &harness->ledger;
        harness->clients.sketch = sketch_over(harness->room.clients, seed);
        harness->questions = sketch_over(harness->room.questions, seed);
        harness->host.questions = harness->dns.questions = &harness->questions;
        harness->host.clients = &harness->clients;
        harness_init_tls(harness, seed);
        harness_init_follower(harness);
        block_pool_init(&harness->host.session_pool, 1024, 4);
        block_pool_init(&harness->host.transaction_pool, 4096, 4);
        content_pool_init(&harness->host.content_pool, 4);
        budget_set(&harness->budget, UINT32_MAX, 80);
        harness->account.budget = &harness->budget;
        harness->host.session_pool.account = harness->host.transaction_pool.account =
            harness->host.content_pool.account = &harness->account;
        USE_ROOM(harness, &harness->host.log, log);
        USE_ROOM(harness, &harness->mailboxes, mailboxes);
        USE_ROOM(harness, &harness->unread, unread);
        USE_ROOM(harness, &harness->pulled, pulled);
        USE_ROOM(harness, &harness->said, said);
        USE_ROOM(harness, &harness->logged, logged);
        USE_ROOM(harness, &harness->stored, stored);
}

void harness_end(struct harness *harness)
{
        harness_drop(harness);
        scripted_dns_end(&harness->dns);
        content_pool_end(&harness->host.content_pool);
        block_pool_end(&harness->host.transaction_pool);
        block_pool_end(&harness->host.session_pool);
        expect(harness->account.held == 0);
}

static void put(struct text *text, struct span octets)
{
        text_put(text, octets);
        expect(!text->overflowed);
}

static void put_content(struct text *text, struct harness *harness, struct content *content)
{
        struct content taken = content_detach(content);
        for (const struct content_block *block = taken.first; block != NULL; block = block->next)
                put(text, span_of(block->octets, block->length));
        content_release(&taken, &harness->host.content_pool);
}

/* Long messages leave the session while they come: in the cut modes every octet does, as early as it can. */
static void pull(struct harness *harness)
{
        struct message *message = session_message(&harness->session);
        if (message == NULL)
                harness->pulled.length = 0;
        else if (harness->cutting != CUT_WHOLE && !message->is_held)
                put_content(&harness->pulled, harness, &message->content);
}

static void keep(struct harness *harness)
{
        struct message *message = session_message(&harness->session);

        expect(message != NULL && message->recipient_count > 0);
        harness->messages_stored++;
        harness->stored_last = harness->stored.length;
        put(&harness->stored, text_span(&harness->pulled));
        put_content(&harness->stored, harness, &message->content);
        harness->mailboxes.length = harness->pulled.length = 0;
        for (const struct recipient *recipient = message->recipients; recipient != NULL;
             recipient = recipient->next) {
                put(&harness->mailboxes, SPAN(" "));
                put(&harness->mailboxes, recipient->mailbox);
        }
}

static void take_log(struct harness *harness)
{
        put(&harness->logged, text_span(&harness->host.log));
        if (harness_look != NULL)
                harness_look(harness->session.snapshot, text_span(&harness->host.log));
        harness->host.log.length = 0;
}

struct text *harness_out(struct harness *harness)
{
        text_over(&harness->out, harness->out_octets,
                  harness->cutting == CUT_WHOLE ? sizeof harness->out_octets : SESSION_OUT_ROOM);
        return &harness->out;
}

/* A parked session waits for the next answer, then it is its turn again. Others take note of it. What an earlier
 * session has asked is of use to nobody. */
static bool answer_parked(struct harness *harness)
{
        struct dns_question question;
        struct dns_answer answer;
        struct arena arena;
        uint64_t handle;
        bool is_there;

        arena_init(&arena, &harness->dns.pool, SIZE_MAX);
        do {
                is_there = scripted_dns_next(&harness->dns, &arena, &handle, &question, &answer);
        } while (is_there && handle != harness->session.peer.dns_handle);
        if (is_there) {
                harness->wish = session_answer(&harness->session, &question, &answer, harness_out(harness));
                harness_settle(harness);
        }
        arena_end(&arena);
        return is_there;
}

/* Last first: the store of senders before DNS, which was asked before it. */
static bool answer_from_store(struct harness *harness)
{
        struct sender_key key;
        enum fact fact;
        struct sender_record record;

        if (!scripted_senders_next(&harness->senders, &key, &fact, &record))
                return false;
        harness->wish = session_sender_answer(&harness->session, &key, fact, &record, harness_out(harness));
        harness_settle(harness);
        return true;
}

static void answer_next(struct harness *harness)
{
        bool is_last_first = harness->dns.answering == ANSWER_LAST_FIRST;
        if (harness_answer_from_source(harness) || (is_last_first && answer_from_store(harness)))
                return;
        if (!answer_parked(harness) && !is_last_first)
                answer_from_store(harness);
}

void harness_settle(struct harness *harness)
{
        put(&harness->said, text_span(&harness->out));
        follow_sent(&harness->session, &harness->out);
        if (harness->wish == SESSION_CLOSE) {
                session_end(&harness->session, harness->session.ending);
                harness->is_open = false;
        } else if (harness->wish != SESSION_STORE) {
                pull(harness);
        }
        take_log(harness);
        if (harness->wish == SESSION_SECURE)
                harness_answer_starttls(harness);
        if (harness->wish == SESSION_PARK)
                answer_next(harness);
        if (harness->wish == SESSION_FILTER && !harness->filters_are_held)
                harness_filter(harness);
        if (harness->wish == SESSION_STORE && !harness->store_is_held)
                harness_report(harness, harness->store_outcome);
        if (harness->wish == SESSION_OPEN && !harness->hop_is_held)
                harness_open(harness);
}

void harness_drain(struct harness *harness)
{
        while (harness->is_open && harness->wish == SESSION_READ && harness->unread.length > 0) {
                struct span input = text_span(&harness->unread);
                harness->wish = session_input(&harness->session, &input, harness_out(harness));
                size_t used = harness->unread.length - input.length;
                memmove(harness->unread.at, input.at, input.length);
                harness->unread.length = input.length;
                harness_settle(harness);
                if (used == 0)
                        break; /* an incomplete line */
        }
        expect(!harness->is_open || harness->wish != SESSION_READ ||
               harness->unread.length <= SESSION_INPUT_MAX);
}

void harness_tell_to_stop(struct harness *harness)
{
        bool at_once = harness->stopping == HARNESS_STOPS_AT_ONCE;

        if (!harness->is_open || harness->stopping == HARNESS_RUNS)
                return;
        if (harness->wish != SESSION_READ && harness->wish != SESSION_HANDSHAKE &&
            ((harness->wish != SESSION_PARK && harness->wish != SESSION_OPEN &&
              harness->wish != SESSION_FILTER) ||
             !at_once))
                return;
        harness->wish = session_stop(&harness->session, at_once, harness_out(harness));
        harness_settle(harness);
}

/* In some of a script's plays: the client cannot tell who has greeted. */
static void greet(struct harness *harness)
{
        struct session_peer *peer = &harness->peer;

        peer->is_greeted = harness->cutting != CUT_WHOLE &&
                           client_is_greeted_at_once(harness->snapshot, peer, harness->host.rung);
        if (peer->is_greeted)
                client_reply_write(&harness->said, harness->snapshot,
                                   &(struct client_reply){.id = REPLY_banner, .client = &peer->client});
}

void harness_connect(struct harness *harness)
{
        expect(!harness->is_open);
        if (!harness_admits(harness))
                return;
        greet(harness);
        harness->peer.dns_handle++;
        if (harness_look != NULL) /* its own, which nobody else goes by */
                ((struct snapshot *)(uintptr_t)harness->snapshot)->options.log_facts_ppm = 1000000;
        harness->is_open = true;
        harness->stopping = HARNESS_RUNS;
        harness->unread.length = 0;
        if (harness->measures_all)
                harness->host.unmeasured = UINT64_MAX / 2;
        harness->wish = session_begin(&harness->session, &harness->host, harness->snapshot, &harness->peer,
                                      harness_out(harness));
        harness_settle(harness);
}

static void arrive(struct harness *harness, struct span octets)
{
        if (!harness->is_open || harness->wish == SESSION_HANDSHAKE)
                return; /* in a handshake they are TLS's */
        put(&harness->unread, octets);
        if (harness->wish == SESSION_READ)
                harness_drain(harness);
        else
                session_note_early_input(&harness->session);
}

static size_t next_piece(struct harness *harness, size_t left)
{
        if (harness->cutting != CUT_PIECES)
                return harness->cutting == CUT_WHOLE ? left : 1;
        uint32_t random = random_next(&harness->random);
        size_t piece = 1 + (random >> 8) % (random & 1 ? 3 : 60);
        return piece < left ? piece : left;
}

void harness_send(struct harness *harness, struct span octets)
{
        while (octets.length > 0) {
                size_t piece = next_piece(harness, octets.length);
                arrive(harness, span_of(octets.at, piece));
                octets = span_skip(octets, piece);
        }
        harness_tell_to_stop(harness);
}

void harness_send_flight(struct harness *harness, struct span octets)
{
        arrive(harness, octets);
        harness_tell_to_stop(harness);
}

static void clock_set(struct harness *harness, uint64_t now_ms)
{
        harness->host.wall_ms += (int64_t)(now_ms - harness->host.now_ms);
        harness->host.now_ms = now_ms;
}

void harness_pass_time(struct harness *harness, uint64_t milliseconds)
{
        uint64_t end_ms = harness->host.now_ms + milliseconds;

        for (int i = 0; harness->is_open && harness->session.deadline_ms <= end_ms; i++) {
                expect(i < TIMEOUTS_MAX);
                if (harness->session.deadline_ms > harness->host.now_ms)
                        clock_set(harness, harness->session.deadline_ms);
                harness->wish = session_timeout(&harness->session, harness_out(harness));
                harness_settle(harness);
                harness_drain(harness);
                harness_tell_to_stop(harness);
        }
        clock_set(harness, end_ms);
}

void harness_stop(struct harness *harness, enum harness_stop stopping)
{
        harness->stopping = stopping;
        harness_tell_to_stop(harness);
        if (!harness->is_open || stopping != HARNESS_STOPS_AT_ONCE)
                return;
        harness->wish = session_hurry(&harness->session, harness_out(harness));
        harness_settle(harness);
        harness_drain(harness);
        harness_tell_to_stop(harness);
}

void harness_load(struct harness *harness, enum rung rung)
{
        harness->host.rung = rung;
        if (harness->is_open)
                session_set_deadline(&harness->session);
}

void harness_report(struct harness *harness, enum store_outcome outcome)
{
        expect(harness->is_open && harness->wish == SESSION_STORE);
        keep(harness);
        harness->wish = session_stored(&harness->session, scripted_report(outcome), harness_out(harness));
        harness_settle(harness);
        harness_drain(harness);
}

void harness_hold_dns(struct harness *harness, bool is_held)
{
        if (harness->is_open && harness->wish != SESSION_STORE)
                while (is_held && harness->is_open && answer_parked(harness))
                        harness_drain(harness);
        harness->dns.is_held = is_held;
        if (is_held || !harness->is_open || harness->wish != SESSION_PARK)
                return;
        answer_next(harness);
        harness_drain(harness);
        harness_tell_to_stop(harness);
}

void harness_bound_memory(struct harness *harness, uint64_t octets)
{
        budget_set(&harness->budget, harness->account.leased + octets, 80);
}

void harness_outdate(struct harness *harness, bool at_once)
{
        if (!harness->is_open || harness->wish != SESSION_READ)
                return;
        harness->wish = session_leave_snapshot(&harness->session, at_once, harness_out(harness));
        harness_settle(harness);
}

void harness_forsake(struct harness *harness)
{
        expect(harness->is_open && harness->wish == SESSION_STORE);
        struct transaction *transaction = harness->session.transaction;
        struct arena arena = transaction->arena;
        content_release(&transaction->message.content, &harness->host.content_pool);
        harness->wish = session_forsake(&harness->session, harness_out(harness));
        harness_settle(harness);
        arena_end(&arena); /* the store ends later than the session */
}

void harness_drop(struct harness *harness)
{
        if (!harness->is_open)
                return;
        if (harness->wish == SESSION_STORE)
                harness_report(harness,
                               harness->store_outcome); /* no session ends while the store has its message */
        if (harness->is_open)
                session_end(&harness->session, SESSION_ENDED_BY_CLIENT);
        harness->is_open = false;
        take_log(harness);
}
