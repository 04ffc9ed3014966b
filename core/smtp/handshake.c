/* From STARTTLS to the first command under TLS (RFC 3207): what a handshake means for the session. TLS itself is
 * the caller's. */
#include "core/smtp/internal.h"

#define SERVER_NAME_MAX 255 /* octets kept; what is longer is no host's name */
#define CERTIFICATE_MAX 100

enum session_wish session_secure(struct session *session, bool is_ready, struct text *out)
{
        expect(session->state == SESSION_STATE_SECURE);
        session->state = SESSION_STATE_COMMAND;
        if (session->came_early)
                return session_close_behind_starttls(session, SPAN(""), out);
        session->tls->stand = is_ready ? TLS_UNDER_WAY : TLS_NOT_READY;
        session_reply(session, out, is_ready ? REPLY_tls_go_ahead : REPLY_tls_not_ready);
        if (is_ready)
                session->state = SESSION_STATE_HANDSHAKE;
        else
                counter_add(&session->host->counters->metrics[METRIC_tls_not_ready], 1);
        session_wait(session);
        return is_ready ? SESSION_HANDSHAKE : SESSION_READ;
}

/* ---- the handshake ------------------------------------------------------------------------------------- */

uint64_t handshake_deadline_ms(const struct session *session)
{
        return session->waiting_since_ms +
               session_patience_ms(session, session->snapshot->options.tls_handshake_timeout_ms);
}

static struct span keep(struct session *session, struct span octets, size_t max)
{
        return octets.length == 0 ? SPAN("")
                                  : arena_copy(&session->arena,
                                               span_of(octets.at, octets.length < max ? octets.length : max));
}

/* RFC 3207 4.2. Errors, counts and what is known of the client's address stay: TLS washes nothing off. */
static void forget_what_was_said(struct session *session)
{
        transaction_end(session);
        stage_forget_helo(session);
        session->helo = (struct span){0};
        session->is_esmtp = false;
        /* Who speaks TLS with us is the client itself. */
        if (session->naming == NAMING_OPEN)
                session->naming = NAMING_NOBODY;
}

static void count_facts(struct session *session, const struct tls_facts *facts)
{
        _Atomic uint64_t *metrics = session->host->counters->metrics;

        counter_add(&metrics[METRIC_tls_sessions], 1);
        counter_add(&metrics[METRIC_tls_1_2], strcmp(facts->version, "TLSv1.2") == 0);
        counter_add(&metrics[METRIC_tls_1_3], strcmp(facts->version, "TLSv1.3") == 0);
        counter_add(&metrics[METRIC_tls_resumed], facts->is_resumed);
}

enum session_wish session_secured(struct session *session, const struct tls_facts *facts, struct text *out)
{
        (void)out; /* the client speaks next */
        expect(session->state == SESSION_STATE_HANDSHAKE);
        struct session_tls *tls = session->tls;
        if (session->tape != NULL)
                tape_secured(session);
        *tls = (struct session_tls){
            .stand = TLS_STANDS,
            .is_resumed = facts->is_resumed,
            .commands_before = session->commands_total,
            .version = facts->version,
            .cipher = facts->cipher,
            .group = facts->group,
            .server_name = keep(session, facts->server_name, SERVER_NAME_MAX),
            .client_certificate = keep(session, facts->client_certificate, CERTIFICATE_MAX),
        };
        count_facts(session, facts);
        follow_note(session, "tls", span_from(facts->version));
        forget_what_was_said(session);
        session->state = SESSION_STATE_COMMAND;
        session_wait(session);
        return SESSION_READ;
}

/* ---- failures ------------------------------------------------------------------------------------------ */

void handshake_keep_reason(struct session_tls *tls, const char *reason)
{
        span_copy_cut(span_from(reason), tls->reason, sizeof tls->reason);
}

/* By the first of these words that stands in the reason, in any letter case: OpenSSL's names of its errors and of
 * alerts have them. */
static const struct {
        const char *word;
        enum metric_id metric;
} reason_classes[] = {
    {"timeout", METRIC_tls_failed_timeout},
    {"closed", METRIC_tls_failed_closed},
    {"unexpected eof", METRIC_tls_failed_closed},
    {"reset", METRIC_tls_failed_closed},
    {"memory", METRIC_tls_failed_ours},
    {"malloc", METRIC_tls_failed_ours},
    {"internal", METRIC_tls_failed_ours},
    {"wrong version number", METRIC_tls_failed_nonsense}, /* of a record, not of the protocol */
    {"http", METRIC_tls_failed_nonsense},
    {"version", METRIC_tls_failed_version},
    {"protocol", METRIC_tls_failed_version},
    {"cert", METRIC_tls_failed_certificate},
    {"unknown ca", METRIC_tls_failed_certificate},
    {"cipher", METRIC_tls_failed_cipher},
    {"group", METRIC_tls_failed_cipher},
    {"signature", METRIC_tls_failed_cipher},
    {"key share", METRIC_tls_failed_cipher},
    {"handshake failure", METRIC_tls_failed_cipher},
    {"bad", METRIC_tls_failed_nonsense},
    {"decode", METRIC_tls_failed_nonsense},
    {"record", METRIC_tls_failed_nonsense},
    {"length", METRIC_tls_failed_nonsense},
    {"unexpected", METRIC_tls_failed_nonsense},
    {"invalid", METRIC_tls_failed_nonsense},
    {"illegal", METRIC_tls_failed_nonsense},
};

static enum metric_id class_of_reason(const char *reason)
{
        for (size_t i = 0; i < sizeof reason_classes / sizeof reason_classes[0]; i++)
                if (strcasestr(reason, reason_classes[i].word) != NULL)
                        return reason_classes[i].metric;
        return METRIC_tls_failed_other;
}

static enum metric_id class_of_offer(const char *version)
{
        if (version[0] == '\0')
                return METRIC_tls_offered_nothing;
        return strcmp(version, "TLSv1.3") == 0   ? METRIC_tls_offered_1_3
               : strcmp(version, "TLSv1.2") == 0 ? METRIC_tls_offered_1_2
                                                 : METRIC_tls_offered_old;
}

/* Who fails for a fault of ours may try again, and so may a balancer, which stands for others too: one of them must
 * not keep the rest from TLS. */
static void keep_from_tls(struct session *session, enum metric_id reason)
{
        const struct session_host *host = session->host;
        const struct options *options = &session->snapshot->options;
        uint64_t keep_ms = options->tls_no_go_ms;

        if (network_list_contains(&options->proxy_networks, &session->peer.client))
                return;
        if (reason != METRIC_tls_failed_ours && keep_ms != 0 && host->tls_no_go != NULL)
                tls_no_go_add(host->tls_no_go, &session->peer.client, host->now_ms, keep_ms);
}

static void fail(struct session *session, const struct tls_failure *failure)
{
        _Atomic uint64_t *metrics = session->host->counters->metrics;
        struct session_tls *tls = session->tls;

        tls->stand = TLS_FAILED;
        handshake_keep_reason(tls, failure->reason);
        span_copy_cut(span_from(failure->offered), tls->offered, sizeof tls->offered);
        tls->server_name = keep(session, failure->server_name, SERVER_NAME_MAX);
        enum metric_id reason = class_of_reason(tls->reason);
        follow_note(session, "tls_failed", span_from(tls->reason));
        counter_add(&metrics[METRIC_tls_failed], 1);
        counter_add(&metrics[reason], 1);
        keep_from_tls(session, reason);
        counter_add(&metrics[class_of_offer(tls->offered)], 1);
}

static enum session_wish leave(struct session *session)
{
        session->state = SESSION_STATE_CLOSED;
        session->ending = SESSION_ENDED_BY_US;
        return SESSION_CLOSE;
}

enum session_wish session_handshake_failed(struct session *session, const struct tls_failure *failure,
                                           struct text *out)
{
        (void)out;
        expect(session->state == SESSION_STATE_HANDSHAKE);
        fail(session, failure);
        return leave(session);
}

enum session_wish handshake_timeout(struct session *session, struct text *out)
{
        (void)out;
        counter_add(&session->host->counters->metrics[METRIC_sessions_timed_out], 1);
        fail(session, &(struct tls_failure){.reason = "timeout", .offered = ""});
        return leave(session);
}

/* The client went away before there was TLS. */
void handshake_note_end(struct session *session)
{
        if (session->state == SESSION_STATE_HANDSHAKE && session->ending == SESSION_ENDED_BY_CLIENT)
                fail(session, &(struct tls_failure){.reason = "closed", .offered = ""});
}
