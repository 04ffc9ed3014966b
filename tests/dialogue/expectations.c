/* Directives that expect something, and the failures of all. */
#include "core/smtp/internal.h"
#include "tests/dialogue/play.h"

#define REPLY_LINE_MAX 510 /* without CRLF, RFC 5321 4.5.3.1.5 */

void play_fail(struct play *play, const struct step *step, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        script_fail(play->script, step, &play->failure, format, arguments);
        va_end(arguments);
}

void play_fail_differs(struct play *play, const struct step *step, struct span expected, struct span got)
{
        play_fail(play, step, "expected: %.*s, got: %.*s", (int)expected.length, expected.at, (int)got.length,
                  got.at);
}

struct span play_unexpected(const struct play *play)
{
        return span_skip(text_span(&play->harness.said), play->said_read);
}

void play_reply(struct play *play, const struct step *step)
{
        struct span rest = play_unexpected(play);

        if (span_equals(step->argument, SPAN("none"))) {
                if (rest.length > 0)
                        play_fail_differs(play, step, SPAN("nothing"), rest);
                return;
        }
        struct span line = span_take_line(&rest, SPAN("\r\n"));
        if (!line_matches(line, step->argument))
                play_fail_differs(play, step, step->argument, line);
        if (line.length > REPLY_LINE_MAX)
                play_fail_differs(play, step, SPAN("at most 512 octets"), line);
        play->said_read = play->harness.said.length - rest.length;
}

void play_closed(struct play *play, const struct step *step)
{
        if (play->harness.is_open)
                play_fail(play, step, "expected: session closed, got: session open");
}

void play_message(struct play *play, const struct step *step)
{
        struct span stored = span_skip(text_span(&play->harness.stored), play->harness.stored_last);
        struct span rest = step->body;
        char octets[4096];

        if (play->harness.messages_stored == 0)
                play_fail(play, step, "no message was stored");
        while (rest.length > 0 || stored.length > 0) {
                struct text pattern;
                text_over(&pattern, octets, sizeof octets);
                if (rest.length == 0)
                        text_put(&pattern, SPAN("end of message"));
                else if (!text_put_unescaped(&pattern, span_take_line(&rest, SPAN("\n"))))
                        play_fail(play, step, "bad escape");
                struct span line = span_take_line(&stored, SPAN("\r\n"));
                if (!line_matches(line, text_span(&pattern)))
                        play_fail_differs(play, step, text_span(&pattern), line);
        }
}

void play_recipients(struct play *play, const struct step *step)
{
        struct span got = span_skip(text_span(&play->harness.mailboxes), 1);
        if (!span_equals(got, step->argument))
                play_fail_differs(play, step, step->argument, got);
}

/* "N TEXT": a record with this text and count; "nothing"; or "none TEXT". */
void play_remembers(struct play *play, const struct step *step)
{
        struct span text = step->argument, word = span_take_line(&text, SPAN(" "));
        const struct sender_row *row = scripted_senders_find(&play->harness.senders, text);
        uint64_t count;

        if (span_equals(word, SPAN("nothing"))) {
                if (play->harness.senders.row_count > 0)
                        play_fail(play, step, "%zu records are remembered", play->harness.senders.row_count);
        } else if (span_equals(word, SPAN("none"))) {
                if (row != NULL)
                        play_fail(play, step, "it is remembered");
        } else if (!span_number(word, &count) || row == NULL || row->record.count != count) {
                play_fail(play, step, "not remembered so: count %d",
                          row == NULL ? -1 : (int)row->record.count);
        }
}

/* The oldest notice that was not looked at; "nothing": there is none. */
void play_told(struct play *play, const struct step *step)
{
        struct text *told = &play->harness.senders.told;
        struct span rest = text_span(told), notice = span_take_line(&rest, SPAN("\n"));

        if (span_equals(step->argument, SPAN("nothing")) ? notice.length > 0
                                                         : !line_matches(notice, step->argument))
                play_fail_differs(play, step, step->argument, notice);
        memmove(told->at, rest.at, rest.length);
        told->length = rest.length;
}

static const _Atomic uint64_t *find_counter(const struct counters *counters, struct span name)
{
        for (size_t i = 0; i < METRIC_COUNT; i++)
                if (span_equals(name, span_from(metric_names[i])))
                        return &counters->metrics[i];
        enum check_id check = check_by_name(span_take_line(&name, SPAN(".")));
        if (check == CHECK_COUNT)
                return NULL;
        if (span_equals(name, SPAN("refused")))
                return &counters->refused[check];
        if (span_equals(name, SPAN("deferred")))
                return &counters->deferred[check];
        if (span_equals(name, SPAN("observed")))
                return &counters->observed[check];
        const struct check_cost *cost = &counters->costs.of[check];
        const struct {
                struct span name;
                const _Atomic uint64_t *counter;
        } costs[] = {{SPAN("questions"), &cost->questions}, {SPAN("waited_ms"), &cost->waited_ms},
                     {SPAN("alone_ms"), &cost->alone_ms},   {SPAN("busy_ns"), &cost->busy_ns},
                     {SPAN("against"), &cost->against},     {SPAN("alone"), &cost->alone}};
        for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++)
                if (span_equals(name, costs[i].name))
                        return costs[i].counter;
        enum check_id other = check_by_name(name); /* spf.dnsbl: both were against */
        return other == CHECK_COUNT ? NULL : &counters->costs.together[check][other];
}

void play_count(struct play *play, const struct step *step)
{
        struct span rest = step->argument;
        const _Atomic uint64_t *counter =
            find_counter(&play->harness.counters, span_take_line(&rest, SPAN(" ")));
        uint64_t expected;

        if (counter == NULL || !span_number(rest, &expected))
                play_fail(play, step, "expected a counter and a number");
        else if (counter_read(counter) != expected)
                play_fail(play, step, "expected: %.*s, got: %ju", (int)rest.length, rest.at,
                          (uintmax_t)counter_read(counter));
}

static bool is_logged(const struct play *play, struct span piece)
{
        return memmem(play->harness.logged.at, play->harness.logged.length, piece.at, piece.length) != NULL;
}

void play_log(struct play *play, const struct step *step)
{
        if (!is_logged(play, step->argument))
                play_fail_differs(play, step, step->argument, text_span(&play->harness.logged));
}

void play_log_not(struct play *play, const struct step *step)
{
        if (is_logged(play, step->argument))
                play_fail(play, step, "not expected in: %.*s", (int)play->harness.logged.length,
                          play->harness.logged.at);
}

/* Of "550 5.7.1 ... [1BS0T7G1VBQC]" the id; empty where the line has none. */
static struct span id_of(struct span line)
{
        size_t open = span_find_last(line, '[');
        struct span id = open == SIZE_MAX ? SPAN("") : span_skip(line, open + 1);

        if (id.length != ID_TEXT_SIZE || id.at[id.length - 1] != ']' || line.at[0] < '4')
                return SPAN("");
        id.length--;
        for (size_t i = 0; i < id.length; i++)
                if (!ascii_is_alnum(id.at[i]))
                        return SPAN("");
        return id;
}

void play_check_ids(struct play *play, const struct step *step)
{
        struct span said = text_span(&play->harness.said), logged = text_span(&play->harness.logged);
        const char *found = logged.at; /* ids come in the order of the log, nearly all of them */
        char octets[64];
        struct text field;

        while (said.length > 0) {
                struct span line = span_take_line(&said, SPAN("\r\n")), id = id_of(line);
                if (id.length == 0)
                        continue;
                text_over(&field, octets, sizeof octets);
                text_printf(&field, "\"reject_id\":\"%.*s\"", (int)id.length, id.at);
                size_t behind = (size_t)(logged.at + logged.length - found);
                const char *place = memmem(found, behind, field.at, field.length);
                if (place == NULL)
                        place = memmem(logged.at, logged.length, field.at, field.length);
                if (place == NULL)
                        play_fail_differs(play, step, SPAN("the reject id in the log"), line);
                else
                        found = place;
        }
}
