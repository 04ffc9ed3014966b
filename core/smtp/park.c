/* The one waiting place of the program: a command, or the end of a text, whose verdict needs an answer that is not
 * in yet. */
#include "core/smtp/command/asking.h"
#include "core/smtp/internal.h"

#define ARGUMENTS_ROOM_MIN 48 /* usual arguments fit; a line has at most LINE_KEEP_MAX octets */
#define HELD_LOOK_MIN_MS   20
#define HELD_LOOK_MAX_MS   1000

/* The store's time begins when somebody first waits for it. */
static void wait_for_store(struct session *session)
{
        struct sender_memo *state = session->transaction == NULL ? NULL : &session->transaction->senders;

        if (state == NULL)
                return;
        if (state->pending == 0)
                state->due_ms = 0;
        else if (state->due_ms == 0)
                state->due_ms = session->host->now_ms + session->snapshot->options.sender_timeout_ms;
}

static bool waits_for_store(const struct session *session)
{
        const struct transaction *transaction = session->transaction;
        return transaction != NULL && transaction->senders.due_ms != 0 && !transaction->senders.is_late;
}

static uint64_t dns_due_ms(const struct session *session)
{
        return session->waiting_since_ms + session->snapshot->options.dns_timeout_ms;
}

/* Of other sessions nobody tells: who is held looks again, the less often the longer it waits. */
static uint64_t held_deadline_ms(const struct session *session, uint64_t due_ms)
{
        uint64_t waited_ms = session->host->now_ms - session->waiting_since_ms;
        uint64_t pause_ms = waited_ms < HELD_LOOK_MIN_MS   ? HELD_LOOK_MIN_MS
                            : waited_ms > HELD_LOOK_MAX_MS ? HELD_LOOK_MAX_MS
                                                           : waited_ms;
        uint64_t look_ms = session->host->now_ms + pause_ms;

        return look_ms < due_ms ? look_ms : due_ms;
}

uint64_t parked_deadline_ms(const struct session *session)
{
        uint64_t due_ms = dns_due_ms(session);

        if (session->is_held)
                return held_deadline_ms(session, due_ms);
        if (asking_waits(session)) /* then all of DNS and of the store has been heard */
                return session->transaction->asking->due_ms;
        if (waits_for_store(session) && session->transaction->senders.due_ms < due_ms)
                return session->transaction->senders.due_ms;
        return due_ms;
}

static enum session_wish wait_in(struct session *session, enum session_state state)
{
        session->state = state;
        wait_for_store(session);
        session_set_deadline(session);
        return SESSION_PARK;
}

/* In the session's arena, for the command may end its transaction when it runs again. The buffer is used
 * again; it grows by doubling, so that all that it has been takes less than twice the longest line. */
static bool keep_arguments(struct session *session, struct span arguments)
{
        if (session->parked_arguments == NULL || arguments.length > session->parked_room) {
                size_t room = ARGUMENTS_ROOM_MIN;
                while (room < arguments.length)
                        room *= 2;
                char *buffer = arena_take(&session->arena, room);
                if (buffer == NULL)
                        return false;
                session->parked_arguments = buffer;
                session->parked_room = (uint16_t)room;
        }
        if (arguments.length > 0)
                memcpy(session->parked_arguments, arguments.at, arguments.length);
        session->parked_length = (uint16_t)arguments.length;
        return true;
}

enum session_wish session_park(struct session *session, enum parked parked, struct span arguments,
                               struct text *out)
{
        if (session->parked == PARKED_NOTHING) {
                if (!keep_arguments(session, arguments)) {
                        session_reply(session, out, REPLY_out_of_memory);
                        return SESSION_READ;
                }
                session->parked = parked;
                session->waiting_since_ms = session->host->now_ms;
        }
        return wait_in(session, SESSION_STATE_PARKED);
}

/* ---- commands that are not waited for ------------------------------------------------------------------ */

static bool has_unasked(const struct session *session)
{
        return tape_lacks_answer(session) || memo_has_unasked(&session->memo) ||
               (session->transaction != NULL && memo_has_unasked(&session->transaction->memo));
}

bool session_defers(const struct session *session)
{
        bool is_over = session->parked != PARKED_NOTHING && !session->is_held &&
                       session->host->now_ms >= dns_due_ms(session);

        return (session_looks_only(session) || is_over) && has_unasked(session);
}

void session_note_deferral(struct session *session)
{
        counter_add(&session->host->counters->metrics[METRIC_mails_unserved], 1);
}

/* ---- commands that must not ask yet -------------------------------------------------------------------- */

void questions_set_client(struct session *session)
{
        const struct options *options = &session->snapshot->options;
        const struct address *client = &session->peer.client;
        const struct sketch *questions = session->host->questions;
        struct client_limits limits = {options->dns_in_flight_per_client, options->dns_in_flight_per_network};
        struct client_seat seat = client_seat_of(client, options, &limits);

        session->account.client = session->account.network = 0;
        /* A balancer is not one client, and who is trusted asks nothing. */
        if (questions == NULL || session->is_trusted ||
            network_list_contains(&options->proxy_networks, client))
                return;
        session->account.client = sketch_hash(questions, client, seat.prefix);
        if (seat.network_prefix != 0)
                session->account.network = sketch_hash(questions, client, seat.network_prefix);
}

static bool has_too_many(const struct session *session, uint64_t account, uint64_t max)
{
        return account != 0 && max != 0 && sketch_count(session->host->questions, account) >= max;
}

static bool asks_too_much(const struct session *session)
{
        const struct options *options = &session->snapshot->options;
        struct client_limits limits = {options->dns_in_flight_per_client, options->dns_in_flight_per_network};

        if (session->is_trusted)
                return false;
        client_seat_of(&session->peer.client, options, &limits);
        return (options->dns_in_flight_per_session != 0 &&
                session->account.in_flight >= options->dns_in_flight_per_session) ||
               has_too_many(session, session->account.client, limits.client) ||
               has_too_many(session, session->account.network, limits.network);
}

bool session_holds(struct session *session, enum parked parked, struct span arguments, struct text *out,
                   enum session_wish *ret_wish)
{
        bool was_held = session->is_held;
        uint64_t now_ms = session->host->now_ms;

        session->is_held = asks_too_much(session);
        /* What it waits for from now on is another thing. */
        if (session->is_held != was_held)
                session->waiting_since_ms = now_ms;
        if (!session->is_held)
                return false;
        if (was_held && now_ms >= dns_due_ms(session)) {
                session->is_held = false;
                *ret_wish = session_close(session, out, REPLY_too_many_questions);
                return true;
        }
        counter_add(&session->host->counters->metrics[METRIC_commands_held], !was_held);
        *ret_wish = session_park(session, parked, arguments, out);
        session->is_held = *ret_wish == SESSION_PARK;
        return true;
}

/* ---- the end of a text --------------------------------------------------------------------------------- */

enum session_wish session_park_text(struct session *session)
{
        if (session->state != SESSION_STATE_TEXT_PARKED)
                session->waiting_since_ms = session->host->now_ms;
        return wait_in(session, SESSION_STATE_TEXT_PARKED);
}

static const enum time_id times_of[] = {[PARKED_HELO] = TIME_stage_helo,
                                        [PARKED_EHLO] = TIME_stage_helo,
                                        [PARKED_MAIL] = TIME_stage_mail,
                                        [PARKED_RCPT] = TIME_stage_rcpt};

enum session_wish parked_resume(struct session *session, struct text *out)
{
        enum session_wish wish;

        session->state = SESSION_STATE_COMMAND;
        if (session->came_early && session_is_too_early(session, SPAN(""), out, &wish))
                return wish;
        wish = command_resume(session, session->parked,
                              span_of(session->parked_arguments, session->parked_length), out);
        if (wish == SESSION_PARK)
                return wish;
        /* DATA is no stage: it waits for no verdict. */
        if (session->parked != PARKED_DATA)
                histogram_add(&session->host->counters->times[times_of[session->parked]],
                              session->host->now_ms - session->waiting_since_ms);
        session->parked = PARKED_NOTHING;
        session->came_early = false;
        if (wish == SESSION_READ)
                session_wait(session);
        return wish;
}

static void give_up_store(struct session *session)
{
        if (session->transaction != NULL)
                session->transaction->senders.is_late = true;
}

static void give_up_dns(struct session *session)
{
        session->memo.is_late = true;
        if (session->transaction != NULL)
                session->transaction->memo.is_late = true;
}

static void give_up_asking(struct session *session)
{
        if (asking_waits(session))
                session->transaction->asking->is_late = true;
}

/* What is not answered by now counts as failed, for each check to make of it what it must. What nobody was asked,
 * because there was no place for the question, is no failure of DNS: see session_defers(). */
enum session_wish parked_timeout(struct session *session, struct text *out)
{
        uint64_t now_ms = session->host->now_ms;

        if (asking_waits(session)) {
                give_up_asking(session);
                return session_resume(session, out);
        }
        if (waits_for_store(session) && now_ms >= session->transaction->senders.due_ms)
                give_up_store(session);
        if (!session->is_held && now_ms >= dns_due_ms(session) && !session_defers(session))
                give_up_dns(session);
        return session_resume(session, out);
}

enum session_wish session_hurry(struct session *session, struct text *out)
{
        give_up_asking(session);
        give_up_store(session);
        give_up_dns(session);
        return session_resume(session, out);
}
