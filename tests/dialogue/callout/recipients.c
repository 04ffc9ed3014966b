/* The scripted source: "refused", "deferred", "absent", "failed" and "silent" get that; everybody else is taken. As a
 * directory it has settings for some, and says "*" of "anybody" and "own+x" of that. */
#include "tests/dialogue/harness.h"

static struct ruling ruling_of(enum ruling_kind kind, uint16_t code, const char *enhanced, const char *words)
{
        struct ruling ruling = {.kind = kind, .code = code, .text_length = (uint16_t)strlen(words)};

        span_copy_cut(span_from(enhanced), ruling.enhanced, sizeof ruling.enhanced);
        memcpy(ruling.text, words, ruling.text_length);
        return ruling;
}

static void put_settings(struct span name, struct ruling *ruling)
{
        static const struct {
                const char *name, *settings;
        } rows[] = {{"lenient", "helo_name=off"},
                    {"watched", "helo_name=observe sender_tld=off"},
                    {"moved", "deliver=\"lmtp://192.0.2.9:24\" helo_name=off"},
                    {"astray", "deliver=maildir:/elsewhere/%u helo_name=off"},
                    {"mistyped", "helo_nmae=off"},
                    {"anybody", "helo_name=off"},
                    {"own+x", "helo_name=off"}};

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
                if (span_equals(name, span_from(rows[i].name))) {
                        ruling->text_length = (uint16_t)strlen(rows[i].settings);
                        memcpy(ruling->text, rows[i].settings, ruling->text_length);
                }
        if (span_equals(name, SPAN("anybody")))
                ruling->whom = RULING_OF_ANYBODY;
        if (span_equals(name, SPAN("own+x")))
                ruling->whom = RULING_OF_ADDRESS;
}

static enum fact answer(const struct recipient_question *question, struct ruling *ret_ruling)
{
        struct span name = question->local_part;

        *ret_ruling = (struct ruling){.kind = RULING_TAKES};
        if (question->domain->options.socketmap_settings)
                put_settings(name, ret_ruling);
        if (span_equals(name, SPAN("refused")))
                *ret_ruling = ruling_of(RULING_REFUSES, 550, "5.1.1", "who is that?");
        if (span_equals(name, SPAN("deferred")))
                *ret_ruling = ruling_of(RULING_DEFERS, 452, "4.2.2", "it is full");
        if (span_equals(name, SPAN("absent")))
                return FACT_ABSENT;
        return span_equals(name, SPAN("failed")) ? FACT_FAILED : FACT_FOUND;
}

static enum fact ask(struct recipient_source *source, const struct recipient_question *question,
                     uint64_t handle, struct ruling *ret_ruling)
{
        struct scripted_recipients *recipients = (struct scripted_recipients *)source;
        bool is_silent = span_equals(question->local_part, SPAN("silent"));

        (void)handle;
        if (recipients->answering == ANSWER_AT_ONCE && !is_silent)
                return answer(question, ret_ruling);
        recipients->fact = answer(question, &recipients->ruling);
        recipients->key = question->key;
        recipients->is_pending = !is_silent;
        return FACT_PENDING;
}

void harness_init_recipients(struct harness *harness, enum answering answering)
{
        harness->recipients = (struct scripted_recipients){.source.ask = ask, .answering = answering};
        harness->host.recipient_sources[RECIPIENTS_AT_HOP] =
            harness->host.recipient_sources[RECIPIENTS_AT_SOCKETMAP] = &harness->recipients.source;
}

/* It is asked last, when nothing else is waited for. */
bool harness_answer_from_source(struct harness *harness)
{
        struct scripted_recipients *recipients = &harness->recipients;

        if (!recipients->is_pending)
                return false;
        recipients->is_pending = false;
        harness->wish = session_ruled(&harness->session, &recipients->key, recipients->fact,
                                      &recipients->ruling, harness_out(harness));
        harness_settle(harness);
        return true;
}
