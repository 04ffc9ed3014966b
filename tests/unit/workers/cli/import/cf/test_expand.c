/* Postfix's main.cf: its lines, its variables, its lists. What is expected is what Postfix does (postconf -x). */
#include "workers/cli/import/cf/expand.h"
#include "workers/cli/import/cf/words.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct keep keep;
static struct cf cf;
static struct cf_fault fault;

static void begin(void)
{
        keep_init(&keep);
        cf_init(&cf, &keep, "main.cf", SPAN("mx.host.example"));
}

static void end(void)
{
        keep_end(&keep);
}

TestSuite(cf, .init = begin, .fini = end);

static const char *value_of(const char *text, const char *name)
{
        struct span value;

        cf_init(&cf, &keep, "main.cf", SPAN("mx.host.example"));
        if (!cf_read(&cf, span_from(text), &fault) || !cf_value(&cf, name, &value, &fault))
                return fault.message;
        return keep_span(&keep, value).at;
}

Test(cf, variables)
{
        static const struct {
                const char *text, *value;
        } rows[] = {
            {"v = plain", "plain"},
            {"a = 1\nv = $a ${a} $(a)x", "1 1 1x"},
            {"v = $nowhere.", "."},
            {"v = $$a", "$a"},
            {"a = 1\nv = ${a?yes}${a:no}", "yes"},
            {"v = ${a?yes}${a:no}", "no"},
            {"a =\nv = ${a?yes}${a:no}", "no"},
            {"a = 1\nv = ${a?{yes}:{no}}", "yes"},
            {"v = ${a?{yes}:{no}}", "no"},
            {"v = ${a ? { yes } : { no }}", "no"},
            {"a = 1\nv = ${a?{ b c }}", "b c"},
            {"v = ${stress?{10}:{300}}s", "300s"},
            {"a = 2\nv = ${{$a} == {2} ? {same} : {other}}", "same"},
            {"a = 10\nv = ${{$a} > {9} ? {more} : {less}}", "more"},
            {"v = ${{abc} < {abd} ? {less} : {more}}", "less"},
            {"v = ${{1} != {1} ? {other} : {same}}", "same"},
            {"a = $b\nb = $c\nc = 3\nv = $a", "3"},
            {"v = $mydomain", "host.example"},
            {"myhostname = short\nv = $mydomain", "localdomain"},
            {"mydomain = said.example\nv = $myhostname $mydomain", "mx.host.example said.example"},
            {"v = 1\nv = 2", "2"},
            {"v = a,\n  b\n# comment\n\n\tc", "a,\n  b\n\n\n\tc"},
            {"v=tight", "tight"},
            {"v =\n   behind", "behind"},
            {"\n# first\nv = 1", "1"},
            {"v = a # no comment", "a # no comment"},
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
                cr_expect_str_eq(value_of(rows[i].text, "v"), rows[i].value, "%s", rows[i].text);
}

Test(cf, faults)
{
        static const struct {
                const char *text, *message;
                uint32_t line;
        } rows[] = {
            {"v = ${a", "a variable that does not end", 1},
            {"x = 1\nv = $(a", "a variable that does not end", 2},
            {"v = a$", "a $ without a name behind it", 1},
            {"v = ${}", "a variable without a name", 1},
            {"v = ${a!b}", "${a...} cannot be understood", 1},
            {"v = ${a?{b}c}", "${a...} cannot be understood", 1},
            {"v = ${{a} ~ {b} ? {c}}", "a comparison in ${...} that cannot be understood", 1},
            {"v = ${{a} === {b} ? {c}}", "a comparison in ${...} that cannot be understood", 1},
            {"v = $v", "variables that stand for each other without end", 1},
            {"a = $v\nv = $a", "variables that stand for each other without end", 2},
            {"v = 1\nnonsense", "no NAME = VALUE: this is no main.cf", 2},
            {" v = 1", "the first line begins with a blank", 1},
            {"= 1", "no NAME = VALUE: this is no main.cf", 1},
            {"a b = 1", "no NAME = VALUE: this is no main.cf", 1},
            {"v = 1\n\x01", "a control character: this is no text of Postfix", 2},
            {"# nothing", "there is no setting in it", 0},
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                cr_expect_str_eq(value_of(rows[i].text, "v"), rows[i].message, "%s", rows[i].text);
                cr_expect_eq(fault.line, rows[i].line, "%s", rows[i].text);
        }
}

Test(cf, work_is_bounded)
{
        char text[4096] = "a0 = 0123456789\n";

        for (int i = 1; i < 40; i++)
                snprintf(text + strlen(text), sizeof text - strlen(text), "a%d = $a%d$a%d\n", i, i - 1,
                         i - 1);
        strcat(text, "v = $a39\n");
        const char *message = value_of(text, "v");
        cr_expect(strncmp(message, "variables that stand", 20) == 0 ||
                      strncmp(message, "a value longer", 14) == 0,
                  "%s", message);
}

Test(cf, lines_of_words)
{
        static const char text[] = "a = 1\nlist = one,\n# between\n  two three\n\n  {four x}\n";

        cr_assert(cf_read(&cf, span_from(text), &fault));
        const struct cf_setting *list = cf_find(&cf, "list");
        cr_expect_eq(cf_line_of(list, SPAN("one")), 2);
        cr_expect_eq(cf_line_of(list, SPAN("three")), 4);
        cr_expect_eq(cf_line_of(list, SPAN("x")), 6);
        cr_expect_eq(cf_line_of(list, SPAN("wo")), 2);
}

Test(cf, words)
{
        static const char *const expected[] = {"a", "b", "{ c, d = {e} }", "f{g h}", "i"};
        struct span rest = SPAN(" a,b\n,, { c, d = {e} }\tf{g h}, i "), inside, value;

        for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
                cr_expect_str_eq(keep_span(&keep, cf_take_word(&rest)).at, expected[i]);
        cr_expect_eq(cf_take_word(&rest).length, 0);
        cr_expect(cf_unbrace(SPAN("{ c = d }"), &inside) && span_equals(inside, SPAN("c = d")));
        cr_expect(!cf_unbrace(SPAN("{"), &inside));
        cr_expect(cf_assigned(SPAN("{ c = d }"), "c", &value) && span_equals(value, SPAN("d")));
        cr_expect(cf_assigned(SPAN("c=d"), "c", &value));
        cr_expect(!cf_assigned(SPAN("cc=d"), "c", &value));
}

Test(cf, times)
{
        uint64_t seconds = 0;

        cr_expect(cf_time(SPAN("300s"), &seconds) && seconds == 300);
        cr_expect(cf_time(SPAN("5"), &seconds) && seconds == 5);
        cr_expect(cf_time(SPAN("2H"), &seconds) && seconds == 7200);
        cr_expect(cf_time(SPAN("1w"), &seconds) && seconds == 604800);
        cr_expect(!cf_time(SPAN("s"), &seconds));
        cr_expect(!cf_time(SPAN("1x"), &seconds));
        cr_expect(!cf_time(SPAN(""), &seconds));
        cr_expect(!cf_time(SPAN("18446744073709551615w"), &seconds));
}
