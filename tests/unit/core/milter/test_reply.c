/* Words of filters, as clients are told them. What is no reply is in tests/dialogue/milter/words. */
#include "core/milter/reply.h"

#include <criterion/criterion.h>

Test(reply, is_read)
{
        static const struct {
                const char *words, *enhanced, *text;
                unsigned code;
        } replies[] = {
            {"550 5.7.1 no", "5.7.1", "no", 550},
            {"550 no", "5.7.1", "no", 550},
            {"451 not now", "4.7.1", "not now", 451},
            {"550 ", "5.7.1", "", 550},
            {"550 5.1.1 a\r\n", "5.1.1", "a", 550},
            {"550-5.1.1 a\r\n550-b\r\n550 5.1.1 c\r\n", "5.1.1", "a b c", 550},
            {"452-4.2.2 a\n452 4.2.2 b", "4.2.2", "a b", 452},
            {"550 100%% of 50% %", "5.7.1", "100% of 50 ", 550},
            {"550 %%%%%", "5.7.1", "%%", 550},
            {"554 5.7.1 t\xc3\xbc\xff\x01", "5.7.1", "t\xc3\xbc??", 554},
        };
        for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
                struct milter_reply reply = {0};
                cr_expect(milter_reply_read(span_from(replies[i].words), &reply), "%s", replies[i].words);
                cr_expect_eq(reply.code, replies[i].code, "%s", replies[i].words);
                cr_expect_str_eq(reply.enhanced, replies[i].enhanced, "%s", replies[i].words);
                cr_expect_str_eq(reply.text, replies[i].text, "%s", replies[i].words);
        }
}

Test(reply, is_cut)
{
        static char octets[2000] = "550 5.7.1 ";
        struct milter_reply reply;

        memset(octets + 10, 'a', sizeof octets - 10);
        cr_assert(milter_reply_read(span_of(octets, sizeof octets), &reply));
        cr_expect_eq(strlen(reply.text), MILTER_REPLY_TEXT_MAX - 1);
}
