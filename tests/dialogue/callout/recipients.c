/* The scripted source: "refused", "deferred", "absent", "failed" and "silent" get that; everybody else is taken. */
#include "tests/dialogue/harness.h"

static struct ruling ruling_of(enum ruling_kind kind, uint16_t code, const char *enhanced, const char *words)
{
        struct ruling ruling = {.kind = kind, .code = code, .text_length = (uint16_t)strlen(words)};

        span_copy_cut(span_from(enhanced), ruling.enhanced, sizeof ruling.enhanced);
        memcpy(ruling.text, words, ruling.text_length);
        return ruling;
}

static enum fact answer(struct span name, struct ruling *ret_ruling)
{
        *ret_ruling = (struct ruling){.kind = RULING_TAKES};
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
                return answer(question->local_part, ret_ruling);
        recipients->fact = answer(question->local_part, &recipients->ruling);
        recipients->key = question->key;
        recipients->is_pending = !is_silent;
        return FACT_PENDING;
}

void harness_init_recipients(struct harness *harness, enum answering answering)
{
        harness->recipients = (struct scripted_recipients){.source.ask = ask, .answering = answering};
        harness->host.recipient_sources[RECIPIENTS_AT_HOP] = &harness->recipients.source;
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
