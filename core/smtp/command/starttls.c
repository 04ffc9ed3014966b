/* STARTTLS (RFC 3207): when it is in order. What comes of it is in core/smtp/handshake.c. */
#include "core/smtp/internal.h"

static struct session_tls *session_tls(struct session *session)
{
        if (session->tls == NULL &&
            (session->tls = arena_take(&session->arena, sizeof *session->tls)) != NULL)
                *session->tls = (struct session_tls){.version = "", .cipher = "", .group = ""};
        return session->tls;
}

/* REPLY_NONE when a handshake may begin. */
static enum reply_id starttls_fault(struct session *session)
{
        if (session_is_secured(session))
                return REPLY_tls_already;
        if (!snapshot_has_tls(session->snapshot))
                return REPLY_command_not_implemented;
        if (session->transaction != NULL)
                return REPLY_mail_already;
        return session_tls(session) == NULL ? REPLY_tls_not_ready : REPLY_NONE;
}

enum session_wish command_starttls(struct session *session, struct span arguments, struct text *out)
{
        enum reply_id fault = starttls_fault(session);

        (void)arguments;
        if (fault != REPLY_NONE) {
                session_reply(session, out, fault);
                return SESSION_READ;
        }
        session->came_early = false;
        session->state = SESSION_STATE_SECURE;
        session_set_deadline(session);
        return SESSION_SECURE;
}
