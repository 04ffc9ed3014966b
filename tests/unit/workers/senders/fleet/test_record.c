/* Records of machines: what one writes another reads, and what nobody writes is refused. */
#include "workers/senders/fleet/record.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NAME  "mx1.isp.example"
#define BEGIN "{\"format\":1,\"machine\":\"" NAME "\",\"version\":\"1\""
#define WHOLE BEGIN ",\"configuration\":\"0123456789ab\""

static const struct machine_record whole = {
    .name = NAME,
    .version = "0.1.0",
    .digest = "0123456789ab",
    .generation = 7,
    .time_s = 1767225600,
    .start_s = 1767225000,
    .in_force_s = 1767225300,
    .failed_s = 1767225400,
    .counts = {1, 2, 3, 4},
    .shadow = {"ba9876543210", 5, 6, 7, 8, 9},
};

static struct span write_record(const struct machine_record *record, char octets[static MACHINE_RECORD_MAX])
{
        struct text line;

        text_over(&line, octets, MACHINE_RECORD_MAX);
        cr_assert(machine_record_write(record, &line));
        return text_span(&line);
}

static void expect_same(const struct machine_record *found, const struct machine_record *expected)
{
        char octets[MACHINE_RECORD_MAX], others[MACHINE_RECORD_MAX];
        cr_expect(span_equals(write_record(found, octets), write_record(expected, others)));
}

Test(record, is_read_as_it_was_written)
{
        char octets[MACHINE_RECORD_MAX];
        struct machine_record none = whole, found = {0};

        cr_expect_null(machine_record_read(write_record(&whole, octets), SPAN(NAME), &found));
        expect_same(&found, &whole);
        none.shadow = (struct machine_shadow){.digest = ""};
        none.failed_s = 0;
        memset(&found, 0, sizeof found);
        cr_expect_null(machine_record_read(write_record(&none, octets), SPAN(NAME), &found));
        expect_same(&found, &none);
}

Test(record, has_room_for_the_longest)
{
        char octets[MACHINE_RECORD_MAX];
        struct machine_record longest = whole, found;

        memset(longest.name, '"', sizeof longest.name - 1);
        memset(longest.version, '\\', sizeof longest.version - 1);
        longest.generation = longest.counts.sessions = longest.counts.accepted = longest.counts.refused =
            longest.counts.deferred = INT64_MAX;
        longest.shadow.compared = longest.shadow.unknown = longest.shadow.refuses_more =
            longest.shadow.refuses_less = longest.shadow.defers_more = INT64_MAX;
        cr_expect_null(machine_record_read(write_record(&longest, octets), span_from(longest.name), &found));
        expect_same(&found, &longest);
        struct text small;
        text_over(&small, octets, 100);
        cr_expect_not(machine_record_write(&whole, &small));
}

static const struct {
        const char *line, *fault; /* NULL: none */
} cases[] = {
    {WHOLE "}", NULL},
    {WHOLE ",\"news\":[{}]}", NULL},
    {WHOLE ",\"sessions\":9223372036854775807}", NULL},
    {"", "it is no record of a machine"},
    {"garbage", "it is no record of a machine"},
    {"[1]", "it is no record of a machine"},
    {"{}", "it is no record of a machine"},
    {"{\"format\":\"1\"}", "it is no record of a machine"},
    {WHOLE "} ", NULL},
    {WHOLE "}x", "it is no record of a machine"},
    {WHOLE ",\"version\":\"2\"}", "it is no record of a machine"},
    {"{\"format\":2}", "its format is not known to this version of gatepost"},
    {"{\"format\":1,\"machine\":\"mx2.isp.example\"}", "it is not the record of this machine"},
    {"{\"format\":1,\"machine\":1}", "it is not the record of this machine"},
    {BEGIN "}", "it says what no machine says"},
    {BEGIN ",\"configuration\":\"0123456789a\"}", "it says what no machine says"},
    {BEGIN ",\"configuration\":\"0123456789ax\"}", "it says what no machine says"},
    {WHOLE ",\"shadow\":\"x\"}", "it says what no machine says"},
    {WHOLE ",\"shadow\":null}", "it says what no machine says"},
    {WHOLE ",\"sessions\":-1}", "a number of it is none"},
    {WHOLE ",\"sessions\":1.5}", "a number of it is none"},
    {WHOLE ",\"sessions\":\"1\"}", "a number of it is none"},
    {WHOLE ",\"sessions\":9223372036854775808}", "it is no record of a machine"},
    {WHOLE ",\"time_s\":253402300800}", "a number of it is none"},
};

Test(record, of_nobody_is_refused)
{
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct machine_record found = whole;
                const char *fault = machine_record_read(span_from(cases[i].line), SPAN(NAME), &found);
                cr_expect(cases[i].fault == NULL ? fault == NULL
                                                 : fault != NULL && strcmp(fault, cases[i].fault) == 0,
                          "%s: %s", cases[i].line, fault == NULL ? "read" : fault);
                if (fault != NULL)
                        expect_same(&found, &whole);
        }
}

Test(record, that_is_too_long_or_has_a_strange_name_is_refused)
{
        char octets[MACHINE_RECORD_MAX + 1];
        struct machine_record found, strange = whole;

        memset(octets, ' ', sizeof octets);
        memcpy(octets, WHOLE "}", sizeof WHOLE);
        cr_expect_null(machine_record_read(span_of(octets, MACHINE_RECORD_MAX), SPAN(NAME), &found));
        cr_expect_str_eq(machine_record_read(span_of(octets, sizeof octets), SPAN(NAME), &found),
                         "it is too long");
        snprintf(strange.name, sizeof strange.name, "mx\x1b[2J");
        cr_expect_not_null(
            machine_record_read(write_record(&strange, octets), span_from(strange.name), &found));
        snprintf(strange.name, sizeof strange.name, "mx");
        snprintf(strange.version, sizeof strange.version, "\n");
        cr_expect_not_null(machine_record_read(write_record(&strange, octets), SPAN("mx"), &found));
}
