/* DATA (RFC 5321 4.1.1.4): message text from 354 to the answer. */
#include "core/smtp/command/filter.h"
#include "core/smtp/command/next_hop.h"
#include "core/smtp/internal.h"
#include "core/smtp/trace.h"

#define RATE_GRACE_MS    30000 /* before the data rate is looked at */
#define RATE_INTERVAL_MS 5000
/* A client that is silent behind a lone dot has ended its text, it believes; behind a bare CR or LF perhaps. */
#define LONE_DOT_WAIT_MS 5000
#define BARE_WAIT_MS     30000

/* What stands against a recipient reaches the whole message. */
static enum session_wish answer_verdict(struct session *session, const struct verdict *verdict,
                                        struct text *out)
{
        if (session->tape != NULL)
                tape_blame(session, verdict->check);
        session_reply_about(session, out, verdict->reply, &(struct reply_about){.subject = verdict->subject});
        record_final(session, verdict->reply);
        return SESSION_READ;
}

static enum session_wish refuse_data(struct session *session, enum reply_id reply, struct text *out)
{
        session_reply(session, out, reply);
        record_final(session, reply);
        return SESSION_READ;
}

/* What strangers say in our name does not get in. False when memory is out. */
static bool scan_begin(struct session *session)
{
        struct transaction *transaction = session->transaction;
        const struct options *options = &session->snapshot->options;

        text_scan_init(&transaction->scan, options->message_size_max_octets, options->text_line_max);
        transaction->scan.mends_bare_lf = options->syntax_bare_newline == REPAIR_NORMALISE;
        transaction->scan.message_id = arena_take(&transaction->arena, sizeof *transaction->scan.message_id);
        if (transaction->scan.message_id == NULL)
                return false;
        message_id_init(transaction->scan.message_id);
        if (session->is_trusted)
                return true;
        transaction->scan.claims = arena_take(&transaction->arena, sizeof *transaction->scan.claims);
        if (transaction->scan.claims != NULL)
                claims_init(transaction->scan.claims, session->snapshot);
        return transaction->scan.claims != NULL;
}

/* Some clients go by this answer alone: where one recipient may be taken later, it must not make them bounce. */
static enum reply_id no_recipient_reply(const struct transaction *transaction)
{
        if (transaction->recipients_deferred > 0)
                return REPLY_recipients_deferred;
        return transaction->attempt_count == 0 ? REPLY_recipient_first : REPLY_no_valid_recipient;
}

enum session_wish text_begin(struct session *session, struct text *out)
{
        struct transaction *transaction = session->transaction;
        uint64_t now_ms = session->host->now_ms;

        if (session->tape != NULL)
                tape_envelope(session);
        text_readers_begin(session);
        transaction->text_begun_ms = transaction->text_last_ms = now_ms;
        transaction->rate_check_ms =
            session->snapshot->options.data_rate_min_octets == 0 ? UINT64_MAX : now_ms + RATE_GRACE_MS;
        transaction->is_text_seen = true;
        session->state = SESSION_STATE_TEXT;
        session_reply(session, out, REPLY_data_go_ahead);
        session_wait(session);
        return SESSION_READ;
}

enum session_wish command_data(struct session *session, struct span arguments, struct text *out)
{
        struct transaction *transaction = session->transaction;

        if (transaction->message.recipient_count == 0)
                return refuse_data(session, no_recipient_reply(transaction), out);
        if (transaction->data_verdict != NULL)
                return answer_verdict(session, transaction->data_verdict, out);
        if (session_lacks_memory(session))
                return refuse_data(session, REPLY_memory_spent, out);
        if (trace_waits(session))
                return session_park(session, PARKED_DATA, arguments, out);
        if (!scan_begin(session) || !trace_write(session)) {
                content_release(&transaction->message.content, &session->host->content_pool);
                return refuse_data(session, REPLY_out_of_memory, out);
        }
        filter_begin_text(session);
        if (next_hop_is_asked(&transaction->message) && !next_hop_begin_text(session))
                return refuse_data(session, REPLY_out_of_memory, out);
        if (!next_hop_is_asked(&transaction->message) || transaction->is_taken_whole)
                return text_begin(session, out);
        session->state = SESSION_STATE_OPEN;
        session_wait(session);
        return SESSION_OPEN;
}

/* The client has its answer to DATA or to the text. What came before that may be text, which must not be taken for
 * commands. */
static enum session_wish end_answer(struct session *session, struct text *out)
{
        enum session_wish wish;

        if (session->came_early && session_is_too_early(session, SPAN(""), out, &wish))
                return wish;
        session->came_early = false;
        return SESSION_READ;
}

enum session_wish session_opened(struct session *session, const struct store_report *report, struct text *out)
{
        struct reply_about about = {
            .subject = report->reason, .code = report->code, .enhanced = report->enhanced};

        expect(session->state == SESSION_STATE_OPEN);
        if (session->transaction->is_taken_whole) {
                session->state = SESSION_STATE_STORE;
                session_set_deadline(session);
                return report->outcome == STORE_DONE ? SESSION_STORE : session_stored(session, report, out);
        }
        session->state = SESSION_STATE_COMMAND;
        if (report->outcome == STORE_DONE) {
                session->came_early = false;
                return text_begin(session, out);
        }
        record_stored(session, report);
        session_reply_about(session, out, next_hop_reply(report), &about);
        record_final(session, next_hop_reply(report));
        next_hop_record(session, &about);
        content_release(&session->transaction->message.content, &session->host->content_pool);
        session_wait(session);
        return end_answer(session, out);
}

enum session_wish text_answer(struct session *session, enum reply_id reply, const struct reply_about *about,
                              struct text *out)
{
        session_reply_about(session, out, reply, about);
        record_final(session, reply);
        next_hop_record(session, about);
        session->state = SESSION_STATE_COMMAND;
        transaction_end(session);
        session_wait(session);
        return end_answer(session, out);
}

/* REPLY_NONE when the text can be taken. */
static enum reply_id text_fault(const struct session *session)
{
        const struct text_scan *scan = &session->transaction->scan;

        if (scan->is_too_large)
                return REPLY_message_too_large;
        if (text_scan_flaw(scan) != TEXT_FLAW_NONE)
                return syntax_text_reply(text_scan_flaw(scan));
        if (scan->hops > session->snapshot->options.hops_max)
                return REPLY_message_loops;
        if (scan->is_out_of_memory)
                return REPLY_out_of_memory;
        return REPLY_NONE;
}

/* Nothing of a refused message is stored, and the session goes on. */
static enum session_wish refuse_text(struct session *session, enum reply_id reply, struct span subject,
                                     struct text *out)
{
        bool is_deferred = session->snapshot->replies[reply].code < 500;

        counter_add(&session->host->counters
                         ->metrics[is_deferred ? METRIC_messages_deferred : METRIC_messages_refused],
                    1);
        return text_answer(session, reply, &(struct reply_about){.subject = subject}, out);
}

/* What the checks say of the whole text, now or when answers are in. */
static enum session_wish obey_judgement(struct session *session, const struct judgement *judgement,
                                        struct text *out)
{
        uint64_t now_ms = session->host->now_ms;

        if (judgement->result == VERDICT_WAIT && !session_defers(session))
                return session_park_text(session);
        histogram_add(&session->host->counters->times[TIME_stage_data],
                      session->state == SESSION_STATE_TEXT_PARKED ? now_ms - session->waiting_since_ms : 0);
        if (judgement->result == VERDICT_WAIT) {
                session_note_deferral(session);
                return refuse_text(session, REPLY_overloaded_mail, SPAN(""), out);
        }
        if (judgement->verdict != NULL)
                return refuse_text(session, judgement->verdict->reply, judgement->verdict->subject, out);
        if (!text_readers_write_fields(session))
                return refuse_text(session, REPLY_out_of_memory, span_from(session->transaction->message.id),
                                   out);
        enum session_wish wish;
        return filter_takes_text(session, out, &wish) ? wish : text_deliver(session, out);
}

enum session_wish text_deliver(struct session *session, struct text *out)
{
        if (session->transaction->is_taken_whole)
                return next_hop_deliver_rest(session, out);
        session->state = SESSION_STATE_STORE;
        session_set_deadline(session);
        return SESSION_STORE;
}

enum session_wish text_resume(struct session *session, struct text *out)
{
        struct judgement judgement = stage_data_again(session);
        return obey_judgement(session, &judgement, out);
}

/* What follows a whole message is no reason to lose it: who did not wait for its answer gets that first. */
static enum session_wish end_text(struct session *session, struct span rest, struct text *out)
{
        if (rest.length > 0)
                session_note_behind_text(session, rest);
        enum reply_id fault = tape_text_fault(session, text_fault(session));
        if (fault != REPLY_NONE && session->tape != NULL)
                tape_text(session, fault);
        if (fault != REPLY_NONE && reply_infos[fault].is_syntax)
                return refuse_text(session, fault, syntax_note_text(session, fault), out);
        if (fault != REPLY_NONE)
                return refuse_text(session, fault, span_from(session->transaction->message.id), out);
        struct judgement judgement = stage_data(session);
        return obey_judgement(session, &judgement, out);
}

/* A client that goes on for ever after the limit is not listened to for ever. */
static bool is_endless(const struct session *session)
{
        uint64_t limit = session->snapshot->options.message_size_max_octets;
        return session->transaction->scan.size > 2 * limit + (1u << 20);
}

/* Looks at the rate when it is time to: however often something comes, that time is not put off. */
static bool is_too_slow(const struct session *session)
{
        struct transaction *transaction = session->transaction;
        uint64_t now_ms = session->host->now_ms, elapsed_ms = now_ms - transaction->text_begun_ms;
        uint64_t rate_min = session->snapshot->options.data_rate_min_octets;

        if (now_ms < transaction->rate_check_ms)
                return false;
        transaction->rate_check_ms =
            now_ms + RATE_INTERVAL_MS - (elapsed_ms - RATE_GRACE_MS) % RATE_INTERVAL_MS;
        return transaction->scan.size < rate_min * elapsed_ms / 1000;
}

/* When the text as a whole is late. The first minutes are given, the rest has to be earned, by octets that can be
 * kept: so a client cannot hold our memory for days, one octet at a time. */
static uint64_t whole_ends_ms(const struct session *session)
{
        const struct transaction *transaction = session->transaction;
        const struct options *options = &session->snapshot->options;
        uint64_t given_ms = options->text_time_max_ms, earning = transaction->scan.size;

        if (given_ms == 0)
                return UINT64_MAX;
        if (session->host->rung >= RUNG_hurry && given_ms > RATE_GRACE_MS)
                given_ms = RATE_GRACE_MS;
        if (earning > options->message_size_max_octets)
                earning = options->message_size_max_octets;
        return transaction->text_begun_ms + given_ms + earning * 1000 / options->text_time_rate_octets;
}

/* REPLY_NONE while the text comes quickly enough. */
static enum reply_id pace_fault(const struct session *session)
{
        if (session->host->now_ms >= whole_ends_ms(session))
                return REPLY_text_took_too_long;
        return is_too_slow(session) ? REPLY_data_too_slow : REPLY_NONE;
}

/* Why a client that has no more time has to be told that its message cannot be taken: it would come again for days.
 * Of silence it is a reason too. REPLY_NONE: there is no reason to think so. */
static enum reply_id lasting_fault(const struct session *session)
{
        const struct text_scan *scan = &session->transaction->scan;
        enum text_flaw flaw = text_scan_flaw(scan);

        if (text_scan_stops_at_lone_dot(scan))
                return REPLY_message_bad_end;
        return flaw == TEXT_FLAW_BARE_CR || flaw == TEXT_FLAW_BARE_LF ? syntax_text_reply(flaw) : REPLY_NONE;
}

/* Whatever the client may say now would be text to it: the session is over. */
static enum session_wish close_text(struct session *session, enum reply_id fault, struct text *out)
{
        struct span place = syntax_note_text(session, fault);
        if (session->tape != NULL)
                tape_text(session, fault);
        enum session_wish wish =
            session_close_about(session, out, fault, &(struct reply_about){.subject = place});

        counter_add(&session->host->counters->metrics[METRIC_messages_refused], 1);
        record_final(session, fault);
        return wish;
}

/* The time is up. What stands against the text itself goes before that. */
static enum session_wish end_late(struct session *session, enum reply_id reply, struct text *out)
{
        enum reply_id fault = lasting_fault(session);

        if (fault != REPLY_NONE)
                return close_text(session, fault, out);
        counter_add(&session->host->counters->metrics[METRIC_sessions_timed_out], 1);
        record_final(session, reply);
        return session_close(session, out, reply);
}

static enum session_wish read_text(struct session *session, struct span *input, struct text *out)
{
        struct transaction *transaction = session->transaction;
        struct content *content = &transaction->message.content;
        struct content_pool *pool = &session->host->content_pool;
        const struct content_block *block = content->last;
        size_t offset = block == NULL ? 0 : block->length;
        uint64_t size = transaction->scan.size;

        transaction->text_last_ms = session->host->now_ms;
        bool is_end = text_scan_read(&transaction->scan, input, content, pool);
        counter_add(&session->host->counters->metrics[METRIC_octets_read], transaction->scan.size - size);
        if (is_end && transaction->scan.claims != NULL)
                counter_add(&session->host->counters->metrics[METRIC_claims_removed],
                            transaction->scan.claims->removed);
        if (text_scan_is_bad(&transaction->scan))
                content_release(content, pool);
        else
                text_readers_read(session, block, offset);
        filter_look_at_length(session);
        if (is_end)
                return end_text(session, *input, out);
        if (is_endless(session)) {
                if (session->tape != NULL)
                        tape_text(session, REPLY_message_too_large);
                enum session_wish wish = session_close(session, out, REPLY_message_too_large);
                record_final(session, REPLY_message_too_large);
                return wish;
        }
        enum reply_id fault = pace_fault(session);
        return fault == REPLY_NONE ? SESSION_READ : end_late(session, fault, out);
}

enum session_wish text_read(struct session *session, struct span *input, struct text *out)
{
        enum session_wish wish = read_text(session, input, out);
        if (wish == SESSION_READ)
                session_wait(session);
        return wish;
}

static uint64_t silence_ends_ms(const struct session *session)
{
        uint64_t wait_ms = session_patience_ms(session, session->snapshot->options.data_timeout_ms);
        enum reply_id fault = lasting_fault(session);
        uint64_t bad_ms = fault == REPLY_message_bad_end ? LONE_DOT_WAIT_MS : BARE_WAIT_MS;

        return session->transaction->text_last_ms +
               (fault != REPLY_NONE && bad_ms < wait_ms ? bad_ms : wait_ms);
}

/* The look at the rate is on a grid from the beginning, so that no octet puts it off. */
uint64_t text_deadline_ms(const struct session *session)
{
        uint64_t first_ms = silence_ends_ms(session), whole_ms = whole_ends_ms(session);

        if (whole_ms < first_ms)
                first_ms = whole_ms;
        return session->transaction->rate_check_ms < first_ms ? session->transaction->rate_check_ms
                                                              : first_ms;
}

enum session_wish text_timeout(struct session *session, struct text *out)
{
        bool is_silent = session->host->now_ms >= silence_ends_ms(session);
        enum reply_id late = is_silent ? REPLY_idle : pace_fault(session);

        if (late != REPLY_NONE)
                return end_late(session, late, out);
        session_set_deadline(session);
        return SESSION_READ;
}
