/* Ids lead to their lines, and nothing else that stands in the log does. */
#include "workers/policy/seen_log.h"

#include "tests/unit/workers/policy/fixture.h"
#include "workers/policy/seen.h"

TestSuite(seen_log, .init = folder_make, .fini = folder_remove);

static struct seen_log log_seen;

static void read_log(uint64_t count)
{
        while (seen_log_turn(&log_seen, "log", count))
                ;
}

/* True when the id leads to a line, and the page of it can be made. */
static bool is_known(const char *id)
{
        struct refusal refusal;
        json_t *line = seen_log_find(&log_seen, id);
        bool is_read = line != NULL && seen_read(line, id, &refusal);

        json_decref(line);
        return is_read;
}

#define LINE(id)                                                                                             \
        "{\"time\":\"2026-01-01T00:00:00.000Z\",\"event\":\"session\",\"reply\":\"early_talker\",\"reject_"  \
        "id\":\"" id "\"}\n"

#define RECIPIENT(id) "{\"code\":\"550 5.7.1\",\"reject_id\":\"" id "\"}"

Test(seen_log, each_id_of_a_line_leads_to_it)
{
        append("log", LINE("AAAAAAAAAAA1"));
        append("log", "{\"transactions\":[{\"rcpts\":[" RECIPIENT("AAAAAAAAAAA2") "," RECIPIENT(
                          "AAAAAAAAAAA3") "]}]}\n");
        read_log(100);
        cr_expect(is_known("AAAAAAAAAAA1") && is_known("AAAAAAAAAAA2") && is_known("AAAAAAAAAAA3"));
        cr_expect_not(is_known("AAAAAAAAAAA4"));
        cr_expect_not(is_known("000000000000"));
        read_log(200);
        cr_expect(is_known("AAAAAAAAAAA1"), "of another size");
        read_log(0);
        cr_expect_not(seen_log_is_open(&log_seen) || is_known("AAAAAAAAAAA1"));
        read_log(100);
        cr_expect(seen_log_is_open(&log_seen) && is_known("AAAAAAAAAAA1"));
        seen_log_end(&log_seen);
}

Test(seen_log, what_a_line_is_made_of_opens_nothing)
{
        static const char *const lines[] = {
            "{\"helo\":\"x\\\",\\\"reject_id\\\":\\\"BBBBBBBBBBB1\\\"\"}\n", /* of a stranger, escaped */
            "{\"helo\":{\"reject_id\":\"BBBBBBBBBBB1\"}}\n",
            "{\"reject_id\":\"BBBBBBBBBBB1",
            "\n\"reject_id\":\"BBBBBBBBBBB1\"\n",
            "{\"reject_id\":\"BBBBBBBBBBB1\",\"reject_id\":\"BBBBBBBBBBB1\"}\n",
            "[[[[\"reject_id\":\"BBBBBBBBBBB1\"]]]]\n",
            "{\"reject_id\":\"BBBBBBBBBBB1\"}}\n",
            "{\"reject_id\":\"BBB\"}\n{\"reject_id\":\"\n\"reject_id\":\"BBBBBBBBBB\xc3\xa9\"}\n",
            "{\"id\":\"BBBBBBBBBBB1\"}\n",
        };

        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
                append("log", lines[i]);
                read_log(100);
                cr_expect_not(is_known("BBBBBBBBBBB1"), "%s", lines[i]);
        }
        append("log", LINE("BBBBBBBBBBB1"));
        read_log(100);
        cr_expect(is_known("BBBBBBBBBBB1"));
        seen_log_end(&log_seen);
}

Test(seen_log, a_place_that_is_out_of_date_opens_nothing)
{
        append("log", LINE("CCCCCCCCCCC1"));
        read_log(100);
        cr_assert_eq(truncate("log", 0), 0);
        append("log", LINE("CCCCCCCCCCC2"));
        cr_expect_not(is_known("CCCCCCCCCCC1"), "another line stands there");
        cr_assert_eq(truncate("log", 10), 0);
        cr_expect_not(is_known("CCCCCCCCCCC1"), "nothing stands there");
        seen_log_end(&log_seen);
}
