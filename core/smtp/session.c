/* The session as a machine: its beginning, its end, and the table of states, which says what an event means in
 * each of them. */
#include "core/smtp/internal.h"
#include "core/smtp/record/measure.h"

#include <assert.h>

#define SESSION_ARENA_MAX 65536
/* Of one answer. The client decides how many addresses its names have: whatever it answers must leave room
 * for what the lists say of it, which may come last. */
#define ADDRESSES_OCTETS_MAX 8192

enum state_stop { STOP_SPEAKS, STOP_LEAVES, STOP_FINISHES, STOP_GOES_ON };

struct state {
        enum session_wish (*read)(struct session *session, struct span *input, struct text *out);
        size_t input_max;
        uint64_t (*deadline_ms)(const struct session *session);
        enum session_wish (*timeout)(struct session *session, struct text *out);
        enum session_wish (*resume)(struct session *session, struct text *out);
        enum state_stop stop;
        enum session_wish wish;
};

static uint64_t state_deadline_never(const struct session *session)
{
        (void)session;
        return UINT64_MAX;
}

#define IS_NULL(pointer) __builtin_types_compatible_p(__typeof__(pointer), void *)
#define STATE(name, read, input_max, deadline, timeout, resume, stop, wish)                                  \
        static_assert((SESSION_##wish == SESSION_READ) != IS_NULL(read), #name ": who reads?");              \
        static_assert((SESSION_##wish == SESSION_PARK) != IS_NULL(resume), #name ": who waits?");
#include "core/smtp/states.def"
#undef STATE

static const struct state states[] = {
#define STATE(name, read, input_max, deadline, timeout, resume, stop, wish)                                  \
        [SESSION_STATE_##name] = {read, input_max, deadline, timeout, resume, STOP_##stop, SESSION_##wish},
#include "core/smtp/states.def"
#undef STATE
};

static const struct state *state_of(const struct session *session)
{
        return &states[session->state];
}

/* ---- time ---------------------------------------------------------------------------------------------- */

uint64_t session_patience_ms(const struct session *session, uint64_t timeout_ms)
{
        uint64_t stressed_ms = session->snapshot->options.stress_timeout_ms;
        return session->host->rung >= RUNG_hurry && stressed_ms < timeout_ms ? stressed_ms : timeout_ms;
}

void session_set_deadline(struct session *session)
{
        session->deadline_ms = state_of(session)->deadline_ms(session);
}

void session_wait(struct session *session)
{
        session->waiting_since_ms = session->host->now_ms;
        session_set_deadline(session);
}

enum session_wish session_timeout(struct session *session, struct text *out)
{
        expect(state_of(session)->timeout != NULL);
        return state_of(session)->timeout(session, out);
}

/* ---- beginning ----------------------------------------------------------------------------------------- */

struct session_oddities *session_oddities(struct session *session)
{
        if (session->oddities == NULL &&
            (session->oddities = arena_take(&session->arena, sizeof *session->oddities)) != NULL)
                *session->oddities = (struct session_oddities){0};
        return session->oddities;
}

static void leave_seat(struct session *session)
{
        if (session->seat.prefix != 0)
                client_table_leave(session->host->clients, &session->peer.client, &session->seat);
        session->seat = (struct client_seat){0};
}

bool session_lacks_memory(struct session *session)
{
        bool is_spent = session->host->memory_is_spent;

        counter_add(&session->host->counters->metrics[METRIC_memory_refused], is_spent);
        return is_spent;
}

static void set_client(struct session *session, const struct address *client, uint16_t port)
{
        transaction_end(session);
        rate_settle(session);
        leave_seat(session);
        session->peer.client = *client;
        session->peer.client_port = port;
        session->is_trusted = network_list_contains(&session->snapshot->options.trusted_networks, client);
        session->terms = snapshot_terms(session->snapshot, session->listener, client);
        rate_client_is_known(session);
        session->is_known =
            session->client_has_good_history || client_is_vouched_for(session->snapshot, client);
        session->helo = (struct span){0};
        session->verdicts = (struct verdict_list){0};
        questions_set_client(session);
        memo_init(&session->memo, &session->arena, session_dns(session), session->peer.dns_handle,
                  (uint32_t)session->snapshot->options.dns_questions_max);
        session->memo.asker.account = &session->account;
}

void session_name_client(struct session *session, const struct address *client, uint16_t port)
{
        session->naming = NAMING_DONE;
        set_client(session, client, port);
        if (session->tape != NULL)
                tape_client(session);
        follow_client(session);
}

enum session_wish session_begin(struct session *session, struct session_host *host,
                                const struct snapshot *snapshot, const struct session_peer *peer,
                                struct text *out)
{
        *session = (struct session){
            .host = host,
            .snapshot = snapshot,
            .connected = peer->client,
            .listener = snapshot_listener_terms(snapshot, &peer->server, peer->server_port),
            .peer = *peer,
            .ending = SESSION_ENDED_BY_CLIENT,
            .closed_with = REPLY_NONE,
        };
        if (peer->accepted_ms == 0 || peer->accepted_ms > host->now_ms)
                session->peer.accepted_ms = host->now_ms;
        arena_init(&session->arena, &host->session_pool,
                   SESSION_ARENA_MAX + (size_t)snapshot->options.dns_questions_max * ADDRESSES_OCTETS_MAX);
        arena_init(&session->record_arena, &host->session_pool, SESSION_ARENA_MAX);
        counter_add(&host->counters->metrics[METRIC_sessions], 1);
        measure_begin(session);
        if (network_list_contains(&snapshot->options.proxy_networks, &peer->client))
                session->naming = NAMING_OPEN;
        set_client(session, &peer->client, peer->client_port);
        if (tape_is_wished(session))
                tape_begin(session);
        follow_client(session);
        if (peer->needs_proxy_header && session->naming != NAMING_OPEN)
                return session_close(session, out, REPLY_proxy_not_trusted);
        session->state = SESSION_STATE_PROXY;
        if (!peer->needs_proxy_header && greeting_begin(session, out) == SESSION_CLOSE)
                return SESSION_CLOSE;
        session->waiting_since_ms = session->peer.accepted_ms;
        session_set_deadline(session);
        return SESSION_READ;
}

/* ---- what the client sends ----------------------------------------------------------------------------- */

/* For another step: the caller has made room in the log before it called, so only what was written since counts. */
static bool has_room(const struct session *session, const struct text *out, uint32_t parts_before)
{
        return text_room(out) >= SESSION_OUT_ROOM &&
               (session->record_part == parts_before || text_room(&session->host->log) >= SESSION_LOG_ROOM);
}

enum session_wish session_input(struct session *session, struct span *input, struct text *out)
{
        enum session_wish wish = SESSION_READ;
        uint32_t parts_before = session->record_part;

        while (wish == SESSION_READ && input->length > 0 && has_room(session, out, parts_before)) {
                size_t before = input->length;
                expect(state_of(session)->read != NULL);
                wish = state_of(session)->read(session, input, out);
                if (wish != SESSION_READ || input->length < before)
                        continue;
                if (input->length > state_of(session)->input_max)
                        return session_close(session, out, REPLY_too_much_input);
                break;
        }
        return wish;
}

void session_note_early_input(struct session *session)
{
        session->came_early |= state_of(session)->read == NULL;
}

/* ---- what others say ----------------------------------------------------------------------------------- */

enum session_wish session_resume(struct session *session, struct text *out)
{
        const struct state *state = state_of(session);

        measure_wait_over(session);
        return state->resume == NULL ? state->wish : state->resume(session, out);
}

enum session_wish session_answer(struct session *session, const struct dns_question *question,
                                 const struct dns_answer *answer, struct text *out)
{
        session->account.in_flight -= session->account.in_flight > 0;
        memo_settle(&session->memo, question, answer);
        if (session->transaction != NULL)
                memo_settle(&session->transaction->memo, question, answer);
        return session_resume(session, out);
}

enum session_wish session_sender_answer(struct session *session, const struct sender_key *key, enum fact fact,
                                        const struct sender_record *record, struct text *out)
{
        if (session->transaction != NULL)
                sender_settle(&session->transaction->senders, key, fact, record);
        return session_resume(session, out);
}

bool session_takes_text_whole(const struct session *session)
{
        return session->transaction != NULL && session->transaction->is_taken_whole;
}

bool session_text_key(const struct session *session, struct key128 *ret_key)
{
        const struct transaction *transaction = session->transaction;

        if (transaction == NULL || transaction->text_hash == NULL)
                return false;
        *ret_key = keyed_end(transaction->text_hash);
        return true;
}

/* Than postmaster, whom anybody may write to as often as they like. */
static bool is_for_others(const struct recipient *recipients)
{
        while (recipients != NULL && recipients->is_postmaster)
                recipients = recipients->next;
        return recipients != NULL;
}

enum session_wish session_stored(struct session *session, const struct store_report *report, struct text *out)
{
        static const enum reply_id replies[] = {[STORE_DONE] = REPLY_accepted,
                                                [STORE_FULL] = REPLY_storage_full,
                                                [STORE_FAILED] = REPLY_storage_failed,
                                                [STORE_REFUSED_BY_HOP] = REPLY_hop_refused,
                                                [STORE_DEFERRED_BY_HOP] = REPLY_hop_deferred,
                                                [STORE_NO_HOP] = REPLY_hop_not_ready};
        static const enum metric_id metrics[] = {[STORE_DONE] = METRIC_messages_accepted,
                                                 [STORE_FULL] = METRIC_messages_deferred,
                                                 [STORE_FAILED] = METRIC_messages_deferred,
                                                 [STORE_REFUSED_BY_HOP] = METRIC_messages_refused,
                                                 [STORE_DEFERRED_BY_HOP] = METRIC_messages_deferred,
                                                 [STORE_NO_HOP] = METRIC_messages_deferred};
        enum store_outcome outcome = report->outcome;
        struct reply_about about = {.code = report->code, .enhanced = report->enhanced};

        expect(session->state == SESSION_STATE_STORE);
        record_stored(session, report);
        counter_add(&session->host->counters->metrics[metrics[outcome]], 1);
        if (outcome == STORE_DONE) {
                stage_stored(session);
                rate_stored(session);
                counter_add(&session->host->counters->metrics[METRIC_messages_quarantined],
                            session->transaction->message.is_quarantined);
                session->messages_total++;
                session->commands = session->junk = 0;
                if (is_for_others(session->transaction->message.recipients))
                        session->errors = 0;
        }
        about.subject = report->code != 0 ? report->reason : span_from(session->transaction->message.id);
        return text_answer(session, replies[outcome], &about, out);
}

/* Not the client ends it. Where a command or a text of its transaction is unanswered, this is the answer. */
static void break_off(struct session *session, enum reply_id reply, struct text *out)
{
        bool is_answer = session->transaction != NULL && session->state != SESSION_STATE_COMMAND;

        session_close(session, out, reply);
        if (is_answer)
                record_final(session, reply);
}

enum session_wish session_forsake(struct session *session, struct text *out)
{
        expect(session->state == SESSION_STATE_STORE);
        counter_add(&session->host->counters->metrics[METRIC_messages_deferred], 1);
        break_off(session, REPLY_server_closing, out);
        session->ending = SESSION_ENDED_BY_STOP;
        record_transaction(session);
        session->transaction = NULL;
        return SESSION_CLOSE;
}

enum session_wish session_stop(struct session *session, bool at_once, struct text *out)
{
        const struct state *state = state_of(session);

        if (state->stop == STOP_GOES_ON || (state->stop == STOP_FINISHES && !at_once))
                return state->wish;
        if (state->stop == STOP_LEAVES)
                session->state = SESSION_STATE_CLOSED;
        else
                break_off(session, REPLY_server_closing, out);
        session->ending = SESSION_ENDED_BY_STOP;
        return SESSION_CLOSE;
}

enum session_wish session_leave_snapshot(struct session *session, bool at_once, struct text *out)
{
        const struct state *state = state_of(session);

        if (state->wish != SESSION_READ || (session->transaction != NULL && !at_once))
                return state->wish;
        if (state->stop == STOP_LEAVES) {
                session->state = SESSION_STATE_CLOSED;
                session->ending = SESSION_ENDED_BY_US;
                return SESSION_CLOSE;
        }
        counter_add(&session->host->counters->metrics[METRIC_sessions_outdated], 1);
        break_off(session, REPLY_configuration_old, out);
        return SESSION_CLOSE;
}

/* ---- TLS ----------------------------------------------------------------------------------------------- */

bool session_is_secured(const struct session *session)
{
        return session->tls != NULL && session->tls->stand == TLS_STANDS;
}

void session_tls_broken(struct session *session, const char *reason)
{
        if (!session_is_secured(session) || session->tls->reason[0] != '\0')
                return;
        handshake_keep_reason(session->tls, reason);
        counter_add(&session->host->counters->metrics[METRIC_tls_broken], 1);
}

/* ---- end ----------------------------------------------------------------------------------------------- */

/* A balancer has looked whether we live: it speaks for nobody, and leaves without a word. */
static bool is_probe(const struct session *session)
{
        bool is_balancer = session->naming == NAMING_OPEN || session->naming == NAMING_NOBODY;
        return is_balancer && session->ending == SESSION_ENDED_BY_CLIENT && session->commands_total == 0 &&
               !session->came_early &&
               (session->oddities == NULL || session->oddities->early_octets.at == NULL);
}

void session_end(struct session *session, enum session_ending ending)
{
        expect(session->state != SESSION_STATE_STORE);
        if (session->state != SESSION_STATE_CLOSED)
                session->ending = ending;
        handshake_note_end(session);
        session->state = SESSION_STATE_CLOSED;
        transaction_end(session);
        follow_note(session, "end", span_from(session_ending_names[session->ending]));
        stage_count_zones(session);
        rate_settle(session);
        leave_seat(session);
        bool is_of_use = !is_probe(session);
        if (!is_of_use)
                counter_add(&session->host->counters->metrics[METRIC_probes], 1);
        else
                record_session(session);
        counter_add(&session->host->counters->metrics[METRIC_sessions_ended], 1);
        if (session->was_refused)
                recent_note(&session->host->refused, &session->peer.client);
        histogram_add(&session->host->counters->times[TIME_session],
                      session->host->now_ms - session->peer.accepted_ms);
        arena_end(&session->record_arena);
        tape_end(session, is_of_use);
        arena_end(&session->arena);
}

struct message *session_message(struct session *session)
{
        struct transaction *transaction = session->transaction;
        bool is_there =
            session->state != SESSION_STATE_CLOSED && transaction != NULL && transaction->is_text_seen;
        return is_there ? &transaction->message : NULL;
}

struct message *session_envelope(struct session *session)
{
        expect(session->state == SESSION_STATE_OPEN);
        return &session->transaction->message;
}
