/* STARTTLS (RFC 3207): when it is in order. What comes of it is in core/smtp/handshake.c. */
#include "core/smtp/internal.h"

static struct session_tls *session_tls(struct session *session)
{
        if (session->tls == NULL &&
            (session->tls = arena_take(&session->arena, sizeof *session->tls)) != NULL)
                *session->tls = (struct session_tls){.version = "", .cipher = "", .group = ""};
        return session->tls;
}

/* Where TLS is demanded there is no way but TLS, so nobody is kept from it. */
static bool is_demanded(const struct session *session)
{
        return session->terms.starttls == STARTTLS_REQUIRE;
}

const char *const starttls_withheld_names[] = {
    [WITHHELD_NOT] = "",
    [WITHHELD_NO_CERTIFICATE] = "no_certificate",
    [WITHHELD_OFF] = "off",
    [WITHHELD_KEYWORD] = "ehlo_without",
    [WITHHELD_NO_GO] = "tls_no_go",
};

/* By the configuration. */
static enum starttls_withheld withheld(const struct session *session)
{
        if (!snapshot_has_tls(session->snapshot))
                return WITHHELD_NO_CERTIFICATE;
        if (session->terms.starttls == STARTTLS_OFF)
                return WITHHELD_OFF;
        return !is_demanded(session) && (session->terms.ehlo_without >> EHLO_STARTTLS & 1) != 0
                   ? WITHHELD_KEYWORD
                   : WITHHELD_NOT;
}

/* A handshake of this client has failed of late. */
static bool is_no_go(const struct session *session)
{
        const struct session_host *host = session->host;

        return !is_demanded(session) && session->snapshot->options.tls_no_go_ms != 0 &&
               host->tls_no_go != NULL && tls_no_go_has(host->tls_no_go, &session->peer.client, host->now_ms);
}

bool starttls_is_offered(struct session *session)
{
        if (session_is_secured(session))
                return false;
        enum starttls_withheld why = withheld(session);
        if (why == WITHHELD_NOT && is_no_go(session)) {
                why = WITHHELD_NO_GO;
                counter_add(&session->host->counters->metrics[METRIC_tls_no_go], 1);
        }
        session->starttls_withheld = why;
        if (why != WITHHELD_NOT)
                follow_note(session, "no_starttls", span_from(starttls_withheld_names[why]));
        return why == WITHHELD_NOT;
}

enum reply_id starttls_demand(struct session *session)
{
        if (!is_demanded(session) || session_is_secured(session))
                return REPLY_NONE;
        counter_add(&session->host->counters->metrics[METRIC_tls_required], 1);
        /* It is not the client's fault, and must not cost its mail. */
        return session->tls != NULL && session->tls->stand == TLS_NOT_READY ? REPLY_tls_required_not_ready
                                                                            : REPLY_tls_required;
}

/* REPLY_NONE when a handshake may begin. */
static enum reply_id starttls_fault(struct session *session)
{
        if (session_is_secured(session))
                return REPLY_tls_already;
        if (withheld(session) != WITHHELD_NOT)
                return REPLY_command_not_implemented;
        if (session->transaction != NULL)
                return REPLY_mail_already;
        return is_no_go(session) || session_tls(session) == NULL ? REPLY_tls_not_ready : REPLY_NONE;
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
