/* The one waiting place of the program: a command, or the end of a text, whose verdict needs an answer that is not
 * in yet. */
#include "core/smtp/internal.h"

#define ARGUMENTS_ROOM_MIN 48 /* usual arguments fit; a line has at most LINE_KEEP_MAX octets */

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

uint64_t parked_deadline_ms(const struct session *session)
{
        uint64_t due_ms = session->waiting_since_ms + session->snapshot->options.dns_timeout_ms;

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

enum session_wish session_park_text(struct session *session)
{
        if (session->state != SESSION_STATE_TEXT_PARKED)
                session->waiting_since_ms = session->host->now_ms;
        return wait_in(session, SESSION_STATE_TEXT_PARKED);
}

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

/* What is not answered by now counts as failed, for each check to make of it what it must. */
enum session_wish parked_timeout(struct session *session, struct text *out)
{
        uint64_t now_ms = session->host->now_ms;

        if (waits_for_store(session) && now_ms >= session->transaction->senders.due_ms)
                give_up_store(session);
        if (now_ms >= session->waiting_since_ms + session->snapshot->options.dns_timeout_ms)
                give_up_dns(session);
        return session_resume(session, out);
}

enum session_wish session_hurry(struct session *session, struct text *out)
{
        give_up_store(session);
        give_up_dns(session);
        return session_resume(session, out);
}
