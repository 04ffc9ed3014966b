/* The log line of a session: one JSON object, a view of the verdicts and answers that the session gave.
 * Transactions are rendered as they end and kept as text; a session with more than a line holds writes lines in
 * parts. */
#include "core/smtp/internal.h"
#include "core/smtp/record/json.h"

#include <time.h>

#define FACTS_FRAME 64   /* octets around the facts of a line */
#define RECORD_MAX  8192 /* octets of ended transactions kept for one line; a longer one is kept alone */

/* The JSON object of a transaction, or of one of its pieces. */
struct record_piece {
        struct record_piece *next;
        struct span json;
};

const char *const session_ending_names[] = {
    [SESSION_ENDED_BY_QUIT] = "quit",
    [SESSION_ENDED_BY_US] = "closed",
    [SESSION_ENDED_BY_CLIENT] = "lost",
    [SESSION_ENDED_BY_STOP] = "stop",
};

/* "2026-11-25T01:02:03.123Z"; all but the fraction is written once a second. */
static void put_time(struct text *json, struct session_host *host)
{
        int64_t second = host->wall_ms / 1000;
        uint64_t ms = (uint64_t)(host->wall_ms % 1000);

        if (second != host->log_second || host->log_time[0] == '\0') {
                struct text date;
                text_over(&date, host->log_time, sizeof host->log_time);
                date_write(&date, second);
                host->log_second = second;
        }
        put_key(json, "time");
        text_put_char(json, '"');
        text_put(json, span_of(host->log_time, sizeof host->log_time));
        text_put(json, span_of((char[]){'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
                                        (char)('0' + ms % 10), 'Z', '"'},
                               6));
}

static void put_head(struct text *json, struct session *session, const struct address *connected)
{
        text_put_char(json, '{');
        put_time(json, session->host);
        put_string(json, "event", SPAN("session"));
        put_address(json, "client", &session->peer.client);
        put_number(json, "port", session->peer.client_port);
        if (!address_equals(connected, &session->peer.client))
                put_address(json, "proxy", connected);
        if (session->is_trusted) {
                put_key(json, "trusted");
                text_put(json, SPAN("true"));
        }
        put_string(json, "helo", session->helo);
        put_string(json, "protocol", session->is_esmtp ? SPAN("ESMTP") : SPAN("SMTP"));
}

static void put_transactions(struct text *json, struct session *session)
{
        put_key(json, "transactions");
        text_put_char(json, '[');
        const struct record_piece *piece = session->record_last;
        while (piece != NULL) {
                piece = piece->next;
                text_put(json, piece->json);
                if (piece == session->record_last)
                        break;
                text_put_char(json, ',');
        }
        text_put_char(json, ']');
        arena_end(&session->record_arena);
        session->record_last = NULL;
        session->record_length = 0;
}

static void put_client_rate(struct text *json, const struct session *session)
{
        const struct check_setting *setting = &session->snapshot->checks[CHECK_client_rate];

        if (session->client_has_good_history) {
                put_key(json, "good_history");
                text_put(json, SPAN("true"));
        }
        if (session->oddities == NULL || session->oddities->rate_evidence.length == 0)
                return;
        put_key(json, "client_rate");
        text_put_char(json, '{');
        put_string(json, "mode", span_from(check_mode_name(setting->mode)));
        put_string(json, "evidence", session->oddities->rate_evidence);
        record_put_place(json, setting);
        text_put_char(json, '}');
}

/* What the client chose is bounded by what was kept of it. */
static void put_tls(struct text *json, const struct session_tls *tls)
{
        static const char *const stands[] = {[TLS_NOT_READY] = "not_ready",
                                             [TLS_UNDER_WAY] = "unfinished",
                                             [TLS_STANDS] = "secured",
                                             [TLS_FAILED] = "failed"};

        put_key(json, "tls");
        text_put_char(json, '{');
        put_string(json, "state", span_from(stands[tls->stand]));
        if (tls->stand == TLS_STANDS) {
                put_string(json, "version", span_from(tls->version));
                put_string(json, "cipher", span_from(tls->cipher));
                put_string(json, "group", span_from(tls->group));
                put_key(json, "resumed");
                text_put_string(json, tls->is_resumed ? "true" : "false");
        }
        if (tls->server_name.length > 0)
                put_string(json, "sni", tls->server_name);
        if (tls->client_certificate.length > 0)
                put_string(json, "client_certificate", tls->client_certificate);
        if (tls->reason[0] != '\0')
                put_string(json, "reason", span_from(tls->reason));
        if (tls->offered[0] != '\0')
                put_string(json, "offered", span_from(tls->offered));
        text_put_char(json, '}');
}

static void put_end(struct text *json, const struct session *session)
{
        put_string(json, "end", span_from(session_ending_names[session->ending]));
        if (session->closed_with != REPLY_NONE)
                put_string(json, "reply", span_from(reply_infos[session->closed_with].name));
        if (session->closed_with != REPLY_NONE && reply_infos[session->closed_with].is_policy)
                put_string(json, "reject_id", span_from(session->reject_id));
        if (session->oddities != NULL && session->oddities->limit != NULL)
                put_string(json, "limit", span_from(session->oddities->limit));
        put_client_rate(json, session);
        if (session->tls != NULL)
                put_tls(json, session->tls);
        if (session->starttls_withheld != WITHHELD_NOT)
                put_string(json, "no_starttls",
                           span_from(starttls_withheld_names[session->starttls_withheld]));
        if (session->oddities != NULL && session->oddities->foreign != NULL)
                put_string(json, "foreign", span_from(session->oddities->foreign));
        if (session->oddities != NULL && session->oddities->early_octets.at != NULL)
                put_string(json, "early", session->oddities->early_octets);
        if (session->oddities != NULL && session->oddities->bad_line.at != NULL)
                put_string(json, "bad_line", session->oddities->bad_line);
        put_number(json, "code", session->last_code);
        put_number(json, "commands", session->commands_total);
        put_number(json, "errors", session->errors_total);
        put_number(json, "messages", session->messages_total);
        put_number(json, "ms", session->host->now_ms - session->peer.accepted_ms);
}

/* Whole or not at all: a part of what was known is not known. */
static void put_facts(struct text *json, struct session *session, size_t before)
{
        if (session->tape == NULL || !session->tape->is_for_log || session->host->recall != NULL)
                return;
        struct span facts = tape_finish(session);
        bool has_room = json->length - before + facts.length + FACTS_FRAME <= LOG_LINE_MAX;

        if (facts.length > 0 && has_room) {
                put_string(json, "facts", facts);
        } else {
                put_key(json, "facts_cut");
                text_put(json, SPAN("true"));
        }
}

static void write_line(struct session *session, bool is_last)
{
        struct text *log = &session->host->log;
        size_t before = log->length;

        log->overflowed = false;
        put_head(log, session, &session->connected);
        put_transactions(log, session);
        record_put_faults(log, session);
        if (!is_last || session->record_part > 0)
                put_number(log, "part", ++session->record_part);
        if (is_last) {
                put_end(log, session);
                put_facts(log, session, before);
        }
        text_put(log, SPAN("}\n"));
        if (log->overflowed) {
                log->length = before;
                log->overflowed = false;
                counter_add(&session->host->counters->metrics[METRIC_log_lines_dropped], 1);
        }
}

static void add_piece(struct session *session, struct record_piece *piece)
{
        if (session->record_last == NULL) {
                piece->next = piece;
        } else {
                piece->next = session->record_last->next;
                session->record_last->next = piece;
        }
        session->record_last = piece;
        session->record_length += piece->json.length;
}

static bool has_room(const struct session *session, const struct text *json)
{
        return session->record_length == 0 || session->record_length + json->length <= RECORD_MAX;
}

static bool keep_piece(struct session *session, struct span json)
{
        struct record_piece *piece = arena_take(&session->record_arena, sizeof *piece);
        struct span copy = arena_copy(&session->record_arena, json);

        if (piece == NULL || copy.at == NULL)
                return false;
        piece->json = copy;
        add_piece(session, piece);
        return true;
}

void record_write(struct session *session, const struct text *json)
{
        struct record_piece piece = {.json = text_span(json)};

        if (!has_room(session, json))
                write_line(session, false);
        add_piece(session, &piece);
        write_line(session, false);
}

void record_keep(struct session *session, const struct text *json)
{
        if (json->overflowed) {
                counter_add(&session->host->counters->metrics[METRIC_log_lines_dropped], 1);
                return;
        }
        if (!has_room(session, json))
                write_line(session, false);
        /* Where memory is out, or what clients may make us hold is spent, it is told at once. */
        if (!keep_piece(session, text_span(json)))
                record_write(session, json);
}

void record_part(struct session *session)
{
        write_line(session, false);
}

void record_session(struct session *session)
{
        write_line(session, true);
}
