/* What holds of a session, whatever the client and the world do. */
#include "tests/fuzz/session/holds.h"

#include "core/base/expect.h"

#include <jansson.h>

struct span script_take_line(struct span *rest)
{
        size_t end = span_find(*rest, '\n');
        struct span line = span_of(rest->at, end == SIZE_MAX ? rest->length : end);
        *rest = span_skip(*rest, line.length + 1);
        return line;
}

unsigned script_count(struct span whole, struct span part)
{
        unsigned found = 0;
        for (size_t at = 0; at + part.length <= whole.length; at++)
                found += memcmp(whole.at + at, part.at, part.length) == 0;
        return found;
}

void session_check_replies(struct span said)
{
        while (said.length > 0) {
                struct span line = script_take_line(&said);
                expect(line.length >= 5 && line.length < 512 && line.at[line.length - 1] == '\r');
                expect(line.at[0] >= '2' && line.at[0] <= '5' && ascii_is_digit(line.at[1]) &&
                       ascii_is_digit(line.at[2]));
                expect(line.at[3] == ' ' || line.at[3] == '-');
                for (size_t i = 0; i + 1 < line.length; i++)
                        expect(!ascii_is_control(line.at[i]));
        }
}

void session_check_log(const struct harness *harness)
{
        struct span logged = text_span(&harness->logged);
        bool was_probe = counter_read(&harness->counters.metrics[METRIC_probes]) > 0;

        expect((logged.length == 0) == was_probe);
        expect(was_probe || logged.at[logged.length - 1] == '\n');
        while (logged.length > 0) {
                struct span line = script_take_line(&logged);
                json_t *json = json_loadb(line.at, line.length, JSON_REJECT_DUPLICATES, NULL);
                expect(json_is_object(json));
                json_decref(json);
        }
}

/* Whatever the client's line ends are. */
static void check_newlines(struct span stored)
{
        for (size_t i = 0; i < stored.length; i++) {
                expect(stored.at[i] != '\n' || (i > 0 && stored.at[i - 1] == '\r'));
                expect(stored.at[i] != '\r' || (i + 1 < stored.length && stored.at[i + 1] == '\n'));
                expect(stored.at[i] != '\0');
        }
}

void session_check_stored(const struct harness *harness)
{
        struct span said = text_span(&harness->said);
        unsigned accepted = script_count(said, SPAN("250 2.0.0 accepted as "));
        uint64_t discarded = counter_read(&harness->counters.metrics[METRIC_messages_discarded]);

        check_newlines(text_span(&harness->stored));
        expect(harness->messages_stored + discarded >= accepted);
        expect(harness->messages_stored <= script_count(said, SPAN("354 ")));
        expect(script_count(said, SPAN("354 ")) <= script_count(said, SPAN("250 2.1.5 ")));
        expect(counter_read(&harness->counters.metrics[METRIC_messages_accepted]) + discarded == accepted);
}

static uint64_t metric(const struct harness *harness, enum metric_id id)
{
        return counter_read(&harness->counters.metrics[id]);
}

/* A handshake begins with 220 and comes to one end at most. */
void session_check_tls(const struct harness *harness)
{
        uint64_t ends = metric(harness, METRIC_tls_sessions) + metric(harness, METRIC_tls_failed);

        expect(ends <= script_count(text_span(&harness->said), SPAN("220 2.0.0 ready to start TLS\r\n")));
        expect(ends <= 1);
        expect(metric(harness, METRIC_tls_broken) <= metric(harness, METRIC_tls_sessions));
}
