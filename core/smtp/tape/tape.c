/* Writes a tape while its session goes on. */
#include "core/smtp/tape/tape.h"

#include "conf/value/rate.h"
#include "core/lookup/ruling.h"
#include "core/smtp/internal.h"
#include "core/smtp/tape/internal.h"

#define EARLY_MAX 100 /* octets */

/* ---- the head ------------------------------------------------------------------------------------------ */

/* What was said before another client was named counts for nothing. */
void tape_client(struct session *session)
{
        struct tape *tape = session->tape;
        struct text *text = &tape->text;

        text->length = 0;
        text->overflowed = false;
        *tape = (struct tape){.sink = tape->sink,
                              .arena = tape->arena,
                              .is_for_log = tape->is_for_log,
                              .text = *text,
                              .begun_ms = session->host->now_ms,
                              .blame = CHECK_COUNT};
        tape_put_record(text = &tape->text, RECORD_head);
        tape_put_number(text, TAPE_VERSION);
        tape_put_number(text, (uint64_t)session->host->wall_ms);
        tape_put_address(text, &session->peer.client);
        tape_put_number(text, session->peer.client_port);
        tape_put_address(text, &session->peer.server);
        tape_put_number(text, session->peer.server_port);
        tape_put_number(
            text, (session->client_has_good_history ? TAPE_HAD_HISTORY : 0u) |
                      (address_equals(&session->connected, &session->peer.client) ? 0u : TAPE_WAS_NAMED));
}

/* One in so many, without a draw: each session adds its share, and whoever makes that a whole has a tape. */
static bool is_chosen(uint32_t *due, uint32_t share_ppm)
{
        *due += share_ppm;
        if (*due < SHARE_WHOLE)
                return false;
        *due -= SHARE_WHOLE;
        return true;
}

static uint32_t share_of_sink(const struct session_host *host)
{
        return host->sink == NULL ? 0 : atomic_load_explicit(&host->sink->share_ppm, memory_order_relaxed);
}

bool tape_is_wished(const struct session *session)
{
        return session->snapshot->options.log_facts_ppm > 0 || session->host->recall != NULL ||
               share_of_sink(session->host) > 0;
}

/* Of what the sink has to lend nobody pays: who wants tapes takes no room from those who send mail. */
static struct tape *from_sink(struct session_host *host, bool is_for_log)
{
        uint32_t share_ppm = share_of_sink(host);
        struct tape *tape =
            share_ppm > 0 && is_chosen(&host->sink->due, share_ppm) ? host->sink->lend(host->sink) : NULL;

        if (tape != NULL)
                *tape = (struct tape){.sink = host->sink, .is_for_log = is_for_log};
        return tape;
}

static struct tape *from_pool(struct session_host *host)
{
        struct arena arena;

        arena_init(&arena, &host->session_pool, sizeof(struct tape) + 2 * (size_t)TAPE_MAX);
        struct tape *tape = arena_take(&arena, sizeof *tape + TAPE_MAX);
        if (tape == NULL)
                arena_end(&arena);
        else
                *tape = (struct tape){.arena = arena, .is_for_log = true};
        return tape;
}

void tape_begin(struct session *session)
{
        struct session_host *host = session->host;
        bool is_for_log = host->recall != NULL ||
                          is_chosen(&host->facts_due, (uint32_t)session->snapshot->options.log_facts_ppm);
        struct tape *tape = from_sink(host, is_for_log);

        if (tape == NULL && is_for_log)
                tape = from_pool(host);
        if (tape == NULL)
                return;
        text_over(&tape->text, (char *)(tape + 1), TAPE_MAX);
        session->tape = tape;
        tape_client(session);
}

/* ---- commands and answers ------------------------------------------------------------------------------ */

static void settle_answer(struct tape *tape)
{
        const struct tape_answer *answer = &tape->answer;

        if (answer->code == 0)
                return;
        tape_put_record(&tape->text, RECORD_answer);
        tape_put_number(&tape->text, answer->code);
        tape_put_reply(&tape->text, answer->reply);
        tape_put_check(&tape->text, answer->check);
        tape_put_field(&tape->text, span_from(answer->id));
        tape->answer = (struct tape_answer){0};
        tape->has_early = false;
}

void tape_command(struct session *session, struct span line, enum reply_id fault)
{
        struct tape *tape = session->tape;
        enum rung rung = session->host->rung;

        settle_answer(tape);
        tape->blame = CHECK_COUNT;
        tape->has_early = false;
        if (rung != tape->rung) {
                tape->rung = rung;
                tape_put_record(&tape->text, RECORD_rung);
                tape_put_number(&tape->text, rung);
        }
        tape_put_record(&tape->text, RECORD_command);
        tape_put_number(&tape->text, session->host->now_ms - tape->begun_ms);
        tape_put_field(&tape->text, line);
        tape_put_reply(&tape->text, fault);
}

void tape_helo(struct session *session, struct span name)
{
        char octets[LINE_KEEP_MAX];
        struct text line;

        text_over(&line, octets, sizeof octets);
        text_put_string(&line, "HELO ");
        text_put(&line, name);
        tape_command(session, text_span(&line), REPLY_NONE);
}

/* Those that are no verdict's. */
static enum check_id check_of(const struct tape *tape, enum reply_id reply)
{
        if (reply_infos[reply].is_syntax)
                return CHECK_syntax;
        return reply == REPLY_early_talker ? CHECK_early_talker : tape->blame;
}

void tape_reply(struct session *session, enum reply_id reply)
{
        struct tape *tape = session->tape;
        struct tape_answer *answer = &tape->answer;

        settle_answer(tape);
        *answer = (struct tape_answer){
            .code = session->last_code,
            .reply = reply,
            .check = session->last_code < 400 ? CHECK_COUNT : check_of(tape, reply),
        };
        if (session->last_code >= 400)
                memcpy(answer->id, session->reject_id, sizeof answer->id);
        else if (reply == REPLY_sender_ok && session->transaction != NULL)
                span_copy_cut(span_from(session->transaction->message.id), answer->id, sizeof answer->id);
}

void tape_blame(struct session *session, enum check_id check)
{
        session->tape->blame = check;
}

void tape_blame_answer(struct session *session, const char *check)
{
        session->tape->answer.check = check == NULL ? CHECK_COUNT : check_by_name(span_from(check));
}

void tape_early(struct session *session, struct span octets)
{
        struct tape *tape = session->tape;

        settle_answer(tape);
        if (tape->has_early)
                return;
        tape->has_early = true;
        tape_put_record(&tape->text, RECORD_early);
        tape_put_field(&tape->text,
                       span_of(octets.at, octets.length < EARLY_MAX ? octets.length : EARLY_MAX));
}

void tape_excess(struct session *session, enum rate_kind kind)
{
        tape_put_record(&session->tape->text, RECORD_excess);
        tape_put_field(&session->tape->text, span_from(rate_kind_name(kind)));
}

void tape_secured(struct session *session)
{
        settle_answer(session->tape);
        tape_put_record(&session->tape->text, RECORD_secured);
}

void tape_ruling(struct session *session, enum fact fact, const struct ruling *ruling)
{
        struct text *text = &session->tape->text;

        tape_put_record(text, RECORD_ruling);
        tape_put_field(text, span_of(&tape_facts[fact], 1));
        tape_put_number(text, ruling->kind);
        tape_put_number(text, ruling->whom);
        tape_put_number(text, ruling->code);
        tape_put_field(text, span_from(ruling->enhanced));
        tape_put_field(text, ruling_text(ruling));
}

/* ---- facts --------------------------------------------------------------------------------------------- */

void tape_envelope(struct session *session)
{
        tape_put_facts(session);
}

void tape_text(struct session *session, enum reply_id fault)
{
        settle_answer(session->tape);
        tape_put_text(session, fault);
}

void tape_transaction_end(struct session *session)
{
        struct tape *tape = session->tape;

        settle_answer(tape);
        tape_put_facts(session);
        tape->has_facts = false;
        tape->transactions++;
}

struct span tape_finish(struct session *session)
{
        struct tape *tape = session->tape;

        settle_answer(tape);
        if (session->host->recall == NULL && !tape->is_finished)
                tape_put_memo(session, &session->memo, 0);
        tape->is_finished = true;
        return tape->text.overflowed ? SPAN("") : text_span(&tape->text);
}

void tape_end(struct session *session, bool is_of_use)
{
        struct tape *tape = session->tape;
        struct arena arena;

        if (tape == NULL)
                return;
        if (tape->sink != NULL) {
                tape->sink->give_back(tape->sink, tape, is_of_use ? tape_finish(session) : SPAN(""));
                session->tape = NULL;
                return;
        }
        arena = tape->arena; /* the tape lies in it */
        session->tape = NULL;
        arena_end(&arena);
}
