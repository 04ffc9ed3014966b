/* P11: what comes before the client's turn. */
#include "core/smtp/internal.h"

static enum check_mode early_mode(const struct session *session)
{
        return session->is_trusted ? CHECK_MODE_OFF : session->snapshot->checks[CHECK_early_talker].mode;
}

bool session_minds_early(const struct session *session)
{
        return early_mode(session) != CHECK_MODE_OFF;
}

/* The first time in a session it is counted and kept for the log. */
static void note_early(struct session *session, enum check_mode mode, struct span octets)
{
        struct counters *counters = session->host->counters;

        if (session->oddities != NULL && session->oddities->early_octets.at != NULL)
                return;
        session->was_refused |= mode == CHECK_MODE_ENFORCE;
        counter_add(mode == CHECK_MODE_ENFORCE ? &counters->refused[CHECK_early_talker]
                                               : &counters->observed[CHECK_early_talker],
                    1);
        if (octets.length > LOG_INPUT_MAX)
                octets.length = LOG_INPUT_MAX;
        if (session_oddities(session) != NULL)
                session->oddities->early_octets = arena_copy(&session->arena, octets);
}

enum session_wish session_close_behind_starttls(struct session *session, struct span octets, struct text *out)
{
        if (session->tape != NULL)
                tape_early(session, octets);
        note_early(session, CHECK_MODE_ENFORCE, octets);
        counter_add(&session->host->counters->metrics[METRIC_tls_early], 1);
        counter_add(&session->host->counters->metrics[METRIC_sessions_early], 1);
        return session_close(session, out, REPLY_early_talker);
}

void session_note_behind_text(struct session *session, struct span octets)
{
        enum check_mode mode = early_mode(session);

        session->came_early = true;
        if (mode != CHECK_MODE_OFF)
                note_early(session, mode, octets);
}

bool session_is_too_early(struct session *session, struct span octets, struct text *out,
                          enum session_wish *ret_wish)
{
        enum check_mode mode = early_mode(session);

        if (session->tape != NULL)
                tape_early(session, octets);
        if (mode == CHECK_MODE_OFF)
                return false;
        note_early(session, mode, octets);
        if (mode == CHECK_MODE_OBSERVE)
                return false;
        counter_add(&session->host->counters->metrics[METRIC_sessions_early], 1);
        *ret_wish = session_close(session, out, REPLY_early_talker);
        return true;
}
