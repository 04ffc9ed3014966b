/* Both tapes have the same commands, up to where one of the sessions was closed. */
#include "core/rehearse/compare.h"

#include "core/smtp/command/path.h"

const char *const rehearse_outcome_names[REHEARSE_OUTCOMES] = {[OUTCOME_TAKEN] = "taken",
                                                               [OUTCOME_DEFERRED] = "deferred",
                                                               [OUTCOME_REFUSED] = "refused",
                                                               [OUTCOME_UNKNOWN] = "unknown"};
const char *const rehearse_change_names[REHEARSE_CHANGES] = {[CHANGE_NONE] = "none",
                                                             [CHANGE_REFUSES_MORE] = "refuses_more",
                                                             [CHANGE_REFUSES_LESS] = "refuses_less",
                                                             [CHANGE_DEFERS_MORE] = "defers_more",
                                                             [CHANGE_DEFERS_LESS] = "defers_less",
                                                             [CHANGE_UNKNOWN] = "unknown"};

/* ---- sides --------------------------------------------------------------------------------------------- */

static const struct rehearse_side taken = {OUTCOME_TAKEN, REPLY_NONE, CHECK_COUNT, {"", 0}};

static struct rehearse_side side_of(const struct taped_answer *answer)
{
        enum rehearse_outcome outcome = answer->code >= 500   ? OUTCOME_REFUSED
                                        : answer->code >= 400 ? OUTCOME_DEFERRED
                                                              : OUTCOME_TAKEN;

        return (struct rehearse_side){outcome, answer->reply, answer->check, answer->id};
}

/* What no rule of the configuration has said: of another one it would have been the same, unless that refuses
 * before. */
static bool is_circumstance(enum reply_id reply)
{
        static const enum reply_id replies[] = {REPLY_too_many_connections,
                                                REPLY_rate_connections,
                                                REPLY_too_many_questions,
                                                REPLY_no_room,
                                                REPLY_overloaded_client,
                                                REPLY_overloaded_mail,
                                                REPLY_server_closing,
                                                REPLY_configuration_old,
                                                REPLY_idle,
                                                REPLY_session_too_long,
                                                REPLY_data_too_slow,
                                                REPLY_text_took_too_long,
                                                REPLY_out_of_memory,
                                                REPLY_memory_spent,
                                                REPLY_storage_full,
                                                REPLY_storage_failed,
                                                REPLY_filter_refused,
                                                REPLY_filter_deferred,
                                                REPLY_filter_failed,
                                                REPLY_filter_closed,
                                                REPLY_hop_refused,
                                                REPLY_hop_deferred,
                                                REPLY_hop_not_ready,
                                                REPLY_tls_not_ready,
                                                REPLY_tls_required_not_ready};

        for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
                if (replies[i] == reply)
                        return true;
        return false;
}

/* In a session that is played again these say that the tape has no answer. */
static bool is_unknown(const struct rehearse_side *live, const struct rehearse_side *other)
{
        return (other->reply == REPLY_overloaded_mail || other->reply == REPLY_recipient_unsure) &&
               other->reply != live->reply;
}

static enum rehearse_change change_of(const struct rehearsed *rehearsed)
{
        enum rehearse_outcome live = rehearsed->live.outcome, other = rehearsed->other.outcome;

        if (other == OUTCOME_UNKNOWN)
                return CHANGE_UNKNOWN;
        if (live == other)
                return CHANGE_NONE;
        if (other == OUTCOME_REFUSED)
                return CHANGE_REFUSES_MORE;
        if (live == OUTCOME_REFUSED)
                return CHANGE_REFUSES_LESS;
        return other == OUTCOME_DEFERRED ? CHANGE_DEFERS_MORE : CHANGE_DEFERS_LESS;
}

/* ---- commands ------------------------------------------------------------------------------------------ */

enum verb { VERB_OTHER, VERB_HELO, VERB_MAIL, VERB_RCPT, VERB_DATA, VERB_RSET };

static enum verb verb_of(const struct taped_step *step)
{
        static const struct {
                struct span word;
                enum verb verb;
        } verbs[] = {{{"HELO", 4}, VERB_HELO}, {{"EHLO", 4}, VERB_HELO}, {{"MAIL", 4}, VERB_MAIL},
                     {{"RCPT", 4}, VERB_RCPT}, {{"DATA", 4}, VERB_DATA}, {{"RSET", 4}, VERB_RSET}};
        struct span rest = step->line, word = span_take_word(&rest);

        for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
                if (span_equals_nocase(word, verbs[i].word))
                        return verbs[i].verb;
        return VERB_OTHER;
}

/* That of MAIL or RCPT; empty where it is none. */
static struct span address_of(const struct taped_step *step)
{
        size_t open = span_find(step->line, '<');
        struct span rest = span_skip(step->line, open == SIZE_MAX ? step->line.length : open);
        struct path path = {0};

        return path_parse(&rest, true, true, true, &path) ? path.address : SPAN("");
}

static const struct taped_step *behind(const struct taped_step *step)
{
        return step == NULL ? NULL : step->next;
}

/* ---- one of the two sides, on its way ------------------------------------------------------------------ */

/* What keeps mail away before a recipient is named. */
struct way {
        const struct taped_step *step; /* NULL: it was closed before */
        struct rehearse_side gate;     /* of HELO, then of MAIL */
        struct rehearse_side end;      /* of the whole session, where it was closed */
        bool is_closed;                /* before the client had said all that it said to the other */
};

/* The answer with which the session was closed is the last one of its last command; a refusal that closes it may stand
 * behind another answer. */
static struct rehearse_side end_of(const struct taped *taped)
{
        const struct taped_step *step = taped->steps;

        while (step->next != NULL)
                step = step->next;
        return side_of(&step->last);
}

static size_t count_of(const struct taped *taped)
{
        size_t count = 0;

        for (const struct taped_step *step = taped->steps; step != NULL; step = step->next)
                count++;
        return count;
}

static bool is_out_of_order(const struct taped_answer *answer)
{
        return answer->reply == REPLY_mail_first || answer->reply == REPLY_helo_first;
}

/* The command's own answer, or what kept it from being in order. */
static struct rehearse_side answer_of(const struct way *way)
{
        if (way->step == NULL || way->step->first.code == 0)
                return way->end;
        return is_out_of_order(&way->step->first) && way->gate.outcome != OUTCOME_TAKEN
                   ? way->gate
                   : side_of(&way->step->first);
}

/* That a whole session ends with a command which nobody refused says nothing against what comes behind it. */
static struct rehearse_side against(struct rehearse_side side)
{
        return side.outcome == OUTCOME_TAKEN ? taken : side;
}

static bool ends_mail(enum verb verb)
{
        return verb == VERB_MAIL || verb == VERB_HELO || verb == VERB_RSET;
}

/* What came of the text of the mail whose recipient this is: the answer to DATA, or the one behind it. */
static struct rehearse_side final_of(const struct taped_step *recipient, const struct way *way)
{
        const struct taped_step *step = recipient->next;

        for (; step != NULL && !ends_mail(verb_of(step)); step = step->next) {
                if (verb_of(step) != VERB_DATA || step->first.code == 0)
                        continue;
                if (step->first.code != 354)
                        return side_of(&step->first);
                return step->of_text.code == 0 ? taken : side_of(&step->of_text);
        }
        return step == NULL && way->is_closed ? against(way->end) : taken;
}

/* ---- comparing ----------------------------------------------------------------------------------------- */

/* Who says something of a mail. */
enum { LIVE, OTHER, MILDEST, WAYS };

struct comparison {
        const struct taped *tape;
        struct way ways[WAYS];
        size_t way_count;      /* without the mildest one it is one less */
        struct rehearsed mail; /* the texts of the one under way */
        uint32_t mails, recipients;
        rehearse_visit *visit;
        void *context;
};

/* What counts in the end. */
static struct rehearse_side settle(const struct comparison *comparison, const struct rehearse_side *sides)
{
        struct rehearse_side other = sides[OTHER];

        if (is_unknown(&sides[LIVE], &other)) {
                other.outcome = OUTCOME_UNKNOWN;
                if (comparison->way_count > MILDEST && sides[MILDEST].outcome == OUTCOME_REFUSED)
                        other = sides[MILDEST];
        }
        if (sides[LIVE].outcome != OUTCOME_TAKEN && is_circumstance(sides[LIVE].reply) &&
            (other.outcome == OUTCOME_TAKEN || other.outcome == OUTCOME_UNKNOWN))
                other = sides[LIVE];
        return other;
}

static void tell(struct comparison *comparison, enum rehearse_matter matter, struct span recipient,
                 const struct rehearse_side *sides)
{
        struct rehearsed rehearsed = {.matter = matter,
                                      .sender = comparison->mail.sender,
                                      .recipient = recipient,
                                      .client = &comparison->tape->client,
                                      .mail = comparison->mail.mail,
                                      .live = sides[LIVE],
                                      .other = settle(comparison, sides)};

        rehearsed.change = change_of(&rehearsed);
        comparison->visit(comparison->context, &rehearsed);
}

/* A mail, or a session, nobody was named in: it matters where one side has something against it. */
static void tell_whole(struct comparison *comparison, enum rehearse_matter matter)
{
        struct rehearse_side sides[WAYS];
        bool is_against = false;

        for (size_t i = 0; i < comparison->way_count; i++) {
                sides[i] = against(comparison->ways[i].gate);
                is_against |= sides[i].outcome != OUTCOME_TAKEN;
        }
        if (is_against)
                tell(comparison, matter, SPAN(""), sides);
}

static void end_mail(struct comparison *comparison)
{
        if (comparison->mails > 0 && comparison->recipients == 0)
                tell_whole(comparison, MATTER_MAIL);
        comparison->recipients = 0;
}

static void compare_recipient(struct comparison *comparison)
{
        struct rehearse_side sides[WAYS];

        for (size_t i = 0; i < comparison->way_count; i++) {
                const struct way *way = &comparison->ways[i];
                sides[i] = answer_of(way);
                if (way->step != NULL && sides[i].outcome == OUTCOME_TAKEN)
                        sides[i] = final_of(way->step, way);
        }
        comparison->recipients++;
        tell(comparison, MATTER_RECIPIENT, address_of(comparison->ways[LIVE].step), sides);
}

static void set_gates(struct comparison *comparison)
{
        for (size_t i = 0; i < comparison->way_count; i++)
                comparison->ways[i].gate = answer_of(&comparison->ways[i]);
}

static void note_mail(struct comparison *comparison)
{
        const struct taped_step *step = comparison->ways[LIVE].step;

        end_mail(comparison);
        comparison->mails++;
        comparison->mail.sender = address_of(step);
        comparison->mail.mail = step->first.code < 400 ? step->first.id : SPAN("");
        set_gates(comparison);
}

static void compare_step(struct comparison *comparison)
{
        switch (verb_of(comparison->ways[LIVE].step)) {
        case VERB_HELO:
                set_gates(comparison);
                break;
        case VERB_MAIL:
                note_mail(comparison);
                break;
        case VERB_RCPT:
                compare_recipient(comparison);
                break;
        case VERB_DATA:
        case VERB_RSET:
        case VERB_OTHER:
                break;
        }
}

/* A session that was closed without a mail; one that the client left says nothing. */
static void compare_session(struct comparison *comparison)
{
        for (size_t i = 0; i < comparison->way_count; i++) {
                struct way *way = &comparison->ways[i];
                if (way->gate.outcome == OUTCOME_TAKEN &&
                    (way->end.check == CHECK_early_talker || way->end.reply == REPLY_overloaded_mail))
                        way->gate = way->end;
        }
        tell_whole(comparison, MATTER_SESSION);
}

void rehearse_compare(const struct taped *live, const struct taped *other, const struct taped *mildest,
                      rehearse_visit *visit, void *context)
{
        const struct taped *tapes[WAYS] = {live, other, mildest};
        struct comparison comparison = {
            .tape = live, .way_count = mildest == NULL ? MILDEST : WAYS, .visit = visit, .context = context};
        size_t live_count = count_of(live);

        for (size_t i = 0; i < comparison.way_count; i++)
                comparison.ways[i] = (struct way){.step = tapes[i]->steps,
                                                  .gate = taken,
                                                  .end = end_of(tapes[i]),
                                                  .is_closed = count_of(tapes[i]) < live_count};
        for (const struct taped_step *step = live->steps; step->next != NULL; step = step->next) {
                for (size_t i = 0; i < comparison.way_count; i++)
                        comparison.ways[i].step = behind(comparison.ways[i].step);
                compare_step(&comparison);
        }
        end_mail(&comparison);
        if (comparison.mails == 0)
                compare_session(&comparison);
}

const struct rehearse_side *rehearse_blamed(const struct rehearsed *rehearsed)
{
        return rehearsed->change == CHANGE_REFUSES_LESS || rehearsed->change == CHANGE_DEFERS_LESS
                   ? &rehearsed->live
                   : &rehearsed->other;
}
