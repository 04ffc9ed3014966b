/* What only long sessions show: their memory and their log. */
#include "conf/build/load.h"
#include "core/base/expect.h"
#include "tests/dialogue/harness.h"

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>

static struct harness harness;
static struct snapshot *snapshot;
static size_t said_before;

static void say(const char *line)
{
        said_before = harness.said.length;
        harness_send(&harness, span_from(line));
        harness_send(&harness, SPAN("\r\n"));
}

static void expect_code(const char *code)
{
        struct span said = span_skip(text_span(&harness.said), said_before);
        cr_assert(said.length > 3 && memcmp(said.at, code, 3) == 0, "expected %s, got %.*s", code,
                  (int)said.length, said.at);
}

static void begin_with(const char *options, const char *people_list, enum answering answering)
{
        struct conf_complaints complaints = {0};
        char configuration[512];
        int people = memfd_create("people", MFD_CLOEXEC);

        expect(write(people, people_list, strlen(people_list)) == (ssize_t)strlen(people_list));
        harness_init(&harness, CUT_WHOLE, 1, answering);
        snprintf(configuration, sizeof configuration,
                 "hostname = \"mx.isp.example\"\n %s"
                 "junk_max = 100000\n commands_max = 100000\n errors_max = 100000\n recipients_max = 100000\n"
                 "domain \"isp.example\" { recipients = \"/proc/self/fd/%d\" deliver = \"discard:\" "
                 "allow_no_recipients = yes }\n",
                 options, people);
        snapshot = snapshot_load_text(configuration, "/", &complaints);
        close(people);
        cr_assert(snapshot != NULL, "%s", complaints.text);
        conf_complaints_end(&complaints);
        harness.snapshot = snapshot;
        expect(address_parse(SPAN("192.0.2.7"), &harness.peer.client));
        harness_connect(&harness);
}

/* Nobody but postmaster. */
static void begin(void)
{
        begin_with("", "", ANSWER_AT_ONCE);
}

static void begin_asking(void)
{
        begin_with("resolvers = {\"127.0.0.1:53\"}\n", "alice\n", ANSWER_IN_ORDER);
        expect(scripted_dns_add(&harness.dns, SPAN("example.com MX 10 mx.example.com")));
        expect(scripted_dns_add(&harness.dns, SPAN("mx.example.com A 203.0.113.1")));
}

static void end(void)
{
        harness_end(&harness);
        snapshot_free(snapshot);
}

static unsigned log_lines(void)
{
        unsigned lines = 0;
        for (size_t i = 0; i < harness.logged.length; i++)
                lines += harness.logged.at[i] == '\n';
        return lines;
}

static unsigned logged(const char *words)
{
        struct span rest = text_span(&harness.logged);
        unsigned found = 0;
        const char *at;

        for (; (at = memmem(rest.at, rest.length, words, strlen(words))) != NULL; found++)
                rest = span_skip(rest, (size_t)(at - rest.at) + 1);
        return found;
}

TestSuite(session_long, .init = begin, .fini = end);

/* Some clients greet before each message: a session may be as long as it likes. */
Test(session_long, helo_before_each_message)
{
        for (int i = 0; i < 3000; i++) {
                say(i % 2 == 0 ? "HELO not_qualified" : "EHLO not_qualified");
                expect_code("250");
                say("MAIL FROM:<carol@example.com>");
                expect_code("250");
                say("RCPT TO:<postmaster@isp.example>");
                expect_code("250");
                say("DATA");
                expect_code("354");
                say("text\r\n.");
                expect_code("250");
        }
        cr_assert_eq(harness.messages_stored, 3000);
        harness_drop(&harness);
        /* All of them told, in parts. */
        cr_assert_gt(log_lines(), 10);
        cr_assert_eq(counter_read(&harness.counters.metrics[METRIC_log_lines_dropped]), 0);
}

/* As many recipients as the limit says, and the log has each of them. */
Test(session_long, many_recipients)
{
        say("HELO client.example.com");
        say("MAIL FROM:<carol@example.com>");
        for (int i = 0; i < 5000; i++) {
                say("RCPT TO:<postmaster@isp.example>");
                expect_code("250");
        }
        say("DATA");
        expect_code("354");
        say(".");
        expect_code("250");
        harness_drop(&harness);
        cr_assert_eq(logged("{\"to\":\"postmaster@isp.example\""), 5000);
        cr_assert_eq(logged("\"accepted\":5000"), 1);
        cr_assert_eq(logged("\"continued\":true"), log_lines() - 1);
        cr_assert_eq(counter_read(&harness.counters.metrics[METRIC_log_lines_dropped]), 0);
}

/* Unknown recipients by the thousand, whose names are as odd as they can be: each reject id is in the log, and the
 * session holds no more memory for them. */
Test(session_long, many_odd_recipients)
{
        uint64_t held = 0, ids = 0;

        say("HELO client.example.com");
        say("MAIL FROM:<\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\"@example.com>");
        for (int i = 0; i < 50000; i++) {
                harness.logged.length = harness.said.length = 0;
                say("RCPT "
                    "TO:<\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\"@isp.example>");
                expect_code("550");
                ids += logged("\"reject_id\"");
                if (i == 1000)
                        held = harness.account.held;
        }
        cr_assert_leq(harness.account.held, held + 8192);
        harness.logged.length = 0;
        say("RSET");
        expect_code("250");
        harness_drop(&harness);
        cr_assert_eq(ids + logged("\"reject_id\""), 50000);
        cr_assert_eq(counter_read(&harness.counters.metrics[METRIC_log_lines_dropped]), 0);
}

/* Where there is no memory left to keep them, reject ids are in the log all the same. */
Test(session_long, reject_ids_without_memory)
{
        char line[300];

        say("EHLO client.example.com");
        harness_bound_memory(&harness, 0);
        for (int i = 0; i < 3000; i++) {
                snprintf(line, sizeof line, "EHLO h%d.%.*s.example.com", i, 60,
                         "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh");
                say(line);
        }
        expect_code("452");
        for (int i = 0; i < 20; i++) {
                say("MAIL FROM");
                expect_code("501");
        }
        say("MAIL FROM:<carol@example.com> SIZE=99999999999");
        expect_code("552");
        harness_bound_memory(&harness, 16384); /* so that a mail begins at all */
        say("MAIL FROM:<carol@example.com>");
        expect_code("250");
        for (int i = 0; i < 3000; i++) {
                say("RCPT TO:<a-name-that-nobody-here-has@isp.example>");
                expect_code("550");
        }
        say("DATA");
        expect_code("554");
        harness_drop(&harness);
        cr_assert_eq(logged("\"reject_id\""), 20 + 1 + 3000 + 1);
        cr_assert_eq(logged("a-name-that-nobody-here-has"), 3000);
        cr_assert_eq(counter_read(&harness.counters.metrics[METRIC_log_lines_dropped]), 0);
}

TestSuite(session_long_asking, .init = begin_asking, .fini = end);

/* Parked commands by the thousand, longer and shorter: their arguments have one place. */
Test(session_long_asking, many_parked_commands)
{
        uint32_t total = 0;
        char line[200];

        say("HELO client.example.com");
        for (int i = 0; i < 3000; i++) {
                say("MAIL FROM:<carol@example.com>");
                expect_code("250");
                snprintf(line, sizeof line, "RCPT TO:<@%.*s.example:alice@isp.example>", 1 + i % 60,
                         "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
                say(line);
                expect_code("250");
                cr_assert_eq(harness.session.parked_length, strlen(line) - 5);
                say("RSET");
                expect_code("250");
                if (i == 60)
                        total = harness.session.arena.total;
        }
        cr_assert_eq(harness.session.arena.total, total);
        harness_drop(&harness);
}
