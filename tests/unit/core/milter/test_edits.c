/* Which edits are taken, and how they will stand. Those of a whole dialogue are in tests/dialogue/milter/edits. */
#include "core/milter/edits.h"
#include "tests/unit/conf/fixture.h"

static struct snapshot *snapshot;
static struct block_pool blocks;
static struct arena arena;
static struct content_pool pool;
static struct milter_edits edits;

static void begin(void)
{
        folder_begin();
        snapshot = load(HOSTNAME DOMAIN);
        block_pool_init(&blocks, 4096, 4);
        arena_init(&arena, &blocks, 1u << 20);
        content_pool_init(&pool, 4);
        milter_edits_begin(&edits, &arena, &pool, snapshot, 1000);
}

static void end(void)
{
        milter_edits_end(&edits);
        arena_end(&arena);
        content_pool_end(&pool);
        block_pool_end(&blocks);
        snapshot_free(snapshot);
        folder_end();
}

Test(edits, lets_nobody_speak_in_our_name, .init = begin, .fini = end)
{
        static const struct {
                const char *name, *value;
                bool is_ours;
        } fields[] = {
            {"Authentication-Results", "mx.isp.example; spf=pass", true},
            {"authentication-results", "(a (comment))\n\tMX.isp.example. ; spf=pass", true},
            {"Authentication-Results", "isp.example; spf=pass", true},
            {"Authentication-Results", "\"mx.isp.example\" 1; none", true},
            {"Received-SPF", "pass (mx.isp.example: domain of a@b)", true},
            {"Received-SPF", "pass client-ip=192.0.2.7; receiver=mx.isp.example", true},
            {"Authentication-Results", "far.example; spf=pass", false},
            {"Received-SPF", "pass (far.example: domain of a@b)", false},
            {"X-Authentication-Results", "mx.isp.example; spf=pass", false},
            {"DKIM-Signature", "v=1; d=isp.example;\n\ts=a", false},
        };
        for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
                for (int kind = MILTER_ADDS_FIELD; kind <= MILTER_CHANGES_FIELD; kind++) {
                        enum milter_edit_outcome outcome =
                            milter_edit_field(&edits, (enum milter_edit_kind)kind, 1,
                                              span_from(fields[i].name), span_from(fields[i].value), false);
                        cr_expect_eq(outcome, fields[i].is_ours ? MILTER_EDIT_REFUSED : MILTER_EDIT_TAKEN,
                                     "%s: %s", fields[i].name, fields[i].value);
                }
        }
        cr_expect_str_eq(edits.refusal, "a field in our name");
        cr_expect_eq(edits.refused, 18);
}

Test(edits, lets_a_trusted_filter_do_so, .init = begin, .fini = end)
{
        milter_edits_begin(&edits, &arena, &pool, NULL, 1000);
        cr_expect_eq(milter_edit_field(&edits, MILTER_ADDS_FIELD, 0, SPAN("Authentication-Results"),
                                       SPAN("mx.isp.example; dkim=pass"), false),
                     MILTER_EDIT_TAKEN);
}

Test(edits, may_delete_any_field, .init = begin, .fini = end)
{
        cr_expect_eq(milter_edit_field(&edits, MILTER_CHANGES_FIELD, 1, SPAN("Authentication-Results"),
                                       SPAN(""), false),
                     MILTER_EDIT_TAKEN);
        cr_expect_eq(edits.first->value.length, 0);
}

Test(edits, bounds_names_and_addresses, .init = begin, .fini = end)
{
        static char octets[300];

        memset(octets, 'a', sizeof octets);
        cr_expect_eq(milter_edit_field(&edits, MILTER_ADDS_FIELD, 0, span_of(octets, 128), SPAN("1"), false),
                     MILTER_EDIT_TAKEN);
        cr_expect_eq(milter_edit_field(&edits, MILTER_ADDS_FIELD, 0, span_of(octets, 129), SPAN("1"), false),
                     MILTER_EDIT_REFUSED);
        cr_expect_eq(milter_edit_address(&edits, MILTER_ADDS_RECIPIENT, span_of(octets, 254), SPAN("")),
                     MILTER_EDIT_TAKEN);
        cr_expect_eq(milter_edit_address(&edits, MILTER_ADDS_RECIPIENT, span_of(octets, 255), SPAN("")),
                     MILTER_EDIT_REFUSED);
        cr_expect_eq(
            milter_edit_address(&edits, MILTER_ADDS_RECIPIENT, SPAN("j\xc3\xb6@b.example"), SPAN("")),
            MILTER_EDIT_TAKEN);
        cr_expect_eq(milter_edit_address(&edits, MILTER_ADDS_RECIPIENT, SPAN("j\xc3@b.example"), SPAN("")),
                     MILTER_EDIT_REFUSED);
}

Test(edits, count_no_memory_as_a_bound, .init = begin, .fini = end)
{
        struct arena small;

        arena_init(&small, &blocks, 0);
        milter_edits_begin(&edits, &small, &pool, NULL, 1000);
        cr_expect_eq(milter_edit_field(&edits, MILTER_ADDS_FIELD, 0, SPAN("A"), SPAN("1"), false),
                     MILTER_EDIT_BOUND);
        cr_expect_eq(milter_edit_address(&edits, MILTER_ADDS_RECIPIENT, SPAN("a@b"), SPAN("")),
                     MILTER_EDIT_BOUND);
        cr_expect_eq(milter_edit_quarantine(&edits, SPAN("why")), MILTER_EDIT_BOUND);
        cr_expect(edits.count == 0 && !edits.quarantines);
        arena_end(&small);
}
