/* Of a line of the log, the page gets what the one reply was about. */
#include "workers/policy/seen.h"

#include <criterion/criterion.h>

#define SESSION                                                                                              \
        "{\"time\":\"2026-11-28T16:53:35.866Z\",\"event\":\"session\",\"client\":\"192.0.2.66\",\"helo\":"   \
        "\"client.example\","                                                                                \
        "\"transactions\":[{\"id\":\"1BS0T7G1VBQA\",\"from\":\"me@example.com\",\"rcpts\":["                 \
        "{\"to\":\"alice@isp.example\",\"code\":\"554 "                                                      \
        "5.7.1\",\"check\":\"dnsbl\",\"reject_id\":\"1BS0T7G1VBQB\",\"reply\":\"dnsbl\"},"                   \
        "{\"to\":\"bob@other.example\",\"code\":\"550 "                                                      \
        "5.7.1\",\"check\":\"recipient\",\"reject_id\":\"1BS0T7G1VBQC\","                                    \
        "\"reply\":\"recipient_unknown\"},"                                                                  \
        "{\"to\":\"eve@third.example\",\"code\":\"250 2.1.5\"}],"                                            \
        "\"verdicts\":[{\"check\":\"dnsbl\",\"mode\":\"enforce\",\"reply\":\"dnsbl\",\"evidence\":\"zen "    \
        "127.0.0.2\"}],"                                                                                     \
        "\"code\":\"550 5.5.2\",\"reply\":\"message_nul\",\"reject_id\":\"1BS0T7G1VBQD\"},"                  \
        "{\"id\":\"1BS0T7G1VBQF\",\"from\":\"\",\"rcpts\":[{\"to\":\"<postmaster>\",\"code\":\"451 4.7.1\"," \
        "\"check\":\"greylist\",\"reject_id\":\"1BS0T7G1VBQG\"}]}],"                                         \
        "\"syntax\":[{\"command\":3,\"reply\":\"line_bare_lf\",\"evidence\":\"octet "                        \
        "5\",\"reject_id\":\"1BS0T7G1VBQE\"}],"                                                              \
        "\"end\":\"closed\",\"reply\":\"early_talker\",\"code\":554,\"reject_id\":\"1BS0T7G1VBQH\","         \
        "\"early\":\"EHLO\"}"

#define DOOR                                                                                                 \
        "{\"time\":\"2026-11-28T16:53:35.866Z\",\"event\":\"client_refused\",\"client\":\"192.0.2.66\","     \
        "\"reason\":\"listed\","                                                                             \
        "\"check\":\"dnsbl\",\"reply\":\"dnsbl_busy\",\"code\":\"421 "                                       \
        "4.7.1\",\"reject_id\":\"1BS0T7G1VBQI\",\"evidence\":\"zen\"}"

static void expect_equal(struct span span, const char *text, const char *id)
{
        cr_expect(span_equals(span, span_from(text)), "%s: \"%.*s\" and not \"%s\"", id, (int)span.length,
                  span.at, text);
}

Test(seen, each_reply_is_found_with_what_it_was_about)
{
        static const struct {
                const char *line, *id, *code, *evidence, *sender, *recipient;
                enum check_id check;
                enum reply_id reply;
                size_t recipients;
        } cases[] = {
            {SESSION, "1BS0T7G1VBQB", "554 5.7.1", "zen 127.0.0.2", "example.com", "isp.example", CHECK_dnsbl,
             REPLY_dnsbl, 1},
            {SESSION, "1BS0T7G1VBQC", "550 5.7.1", "", "example.com", "other.example", CHECK_recipient,
             REPLY_recipient_unknown, 1},
            {SESSION, "1BS0T7G1VBQD", "550 5.5.2", "", "example.com", "isp.example", CHECK_syntax,
             REPLY_message_nul, 3},
            {SESSION, "1BS0T7G1VBQE", "", "octet 5", "", "", CHECK_syntax, REPLY_line_bare_lf, 0},
            {SESSION, "1BS0T7G1VBQG", "451 4.7.1", "", "", "", CHECK_greylist, REPLY_NONE, 0},
            {SESSION, "1BS0T7G1VBQH", "", "EHLO", "", "", CHECK_early_talker, REPLY_early_talker, 0},
            {DOOR, "1BS0T7G1VBQI", "421 4.7.1", "zen", "", "", CHECK_dnsbl, REPLY_dnsbl_busy, 0},
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                const char *id = cases[i].id;
                json_t *line = json_loads(cases[i].line, 0, NULL);
                struct refusal refusal;
                cr_assert(line != NULL && seen_read(line, id, &refusal), "%s", id);
                expect_equal(refusal.id, id, id);
                expect_equal(refusal.client, "192.0.2.66", id);
                expect_equal(refusal.code, cases[i].code, id);
                expect_equal(refusal.evidence, cases[i].evidence, id);
                expect_equal(refusal.sender, cases[i].sender, id);
                cr_assert_eq(refusal.recipient_count, cases[i].recipients, "%s", id);
                expect_equal(refusal.recipient_count == 0 ? SPAN("") : refusal.recipients[0],
                             cases[i].recipient, id);
                cr_expect_eq(refusal.check, cases[i].check, "%s", id);
                cr_expect_eq(refusal.reply, cases[i].reply, "%s", id);
                cr_expect_eq(refusal.has_null_sender, strcmp(id, "1BS0T7G1VBQG") == 0, "%s", id);
                json_decref(line);
        }
}

Test(seen, only_a_reject_id_opens_it)
{
        static const char *const ids[] = {"1BS0T7G1VBQA", "1BS0T7G1VBQF", "1BS0T7G1VBQZ", "", "dnsbl"};
        json_t *line = json_loads(SESSION, 0, NULL);
        struct refusal refusal;

        for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
                cr_expect_not(seen_read(line, ids[i], &refusal), "%s", ids[i]);
        json_decref(line);
}

Test(seen, a_line_may_be_anything)
{
        static const char *const lines[] = {"[]",
                                            "7",
                                            "\"1BS0T7G1VBQB\"",
                                            "{\"reject_id\":7}",
                                            "{\"transactions\":7}",
                                            "{\"transactions\":[7]}",
                                            "{\"reject_id\":\"1BS0T7G1VBQB\",\"client\":[],\"helo\":{},"
                                            "\"time\":1,\"check\":2,\"reply\":3,\"code\":[]}",
                                            "{\"transactions\":[{\"rcpts\":[{\"reject_id\":\"1BS0T7G1VBQB\","
                                            "\"to\":7,\"check\":\"no such\",\"reply\":\"banner\"}],"
                                            "\"verdicts\":{}}]}"};

        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
                json_t *line = json_loads(lines[i], JSON_DECODE_ANY, NULL);
                struct refusal refusal;
                cr_assert_not_null(line);
                if (seen_read(line, "1BS0T7G1VBQB", &refusal))
                        cr_expect(refusal.check == CHECK_COUNT && refusal.reply == REPLY_NONE, "%s",
                                  lines[i]);
                json_decref(line);
        }
}
