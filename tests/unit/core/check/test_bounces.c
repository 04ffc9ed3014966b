/* Notifications of many shapes, see bounces/README.md: those about a mail of ours pass, those about another's
 * do not. */
#include "core/check/memory.h"
#include "core/check/notification.h"
#include "tests/unit/conf/fixture.h"
#include "tests/unit/core/check/samples.h"

#define KEYS "1:0123456789abcdef0123456789abcdef\n"

/* Read in pieces of `cut` octets: `expected`. */
static void judge(const struct snapshot *snapshot, const struct sample *sample, size_t cut,
                  enum verdict_result expected, const char *how)
{
        struct block_pool pool;
        struct arena arena;
        struct check_memory memory = {0};
        struct verdict verdict = {0};

        block_pool_init(&pool, 4096, 0);
        arena_init(&arena, &pool, SIZE_MAX);
        struct facts facts = {.snapshot = snapshot,
                              .sender_is_null = true,
                              .memory = &memory,
                              .wall_s = INT64_C(20782) * 86400,
                              .arena = &arena};
        bounce_reference_text_begin(&facts);
        for (struct span rest = text_span(&sample->text); rest.length > 0;) {
                struct span piece = span_of(rest.at, cut < rest.length ? cut : rest.length);
                bounce_reference_text_read(&facts, piece);
                rest = span_skip(rest, piece.length);
        }
        bounce_reference_text_end(&facts);
        const struct notification *notification = check_memory_find(&facts, CHECK_bounce_reference);
        cr_assert_not_null(notification);
        cr_expect_eq(check_bounce_reference(&facts, &verdict), expected,
                     "%.*s: %s in pieces of %zu: rating %d of <%.*s>", (int)sample->name.length,
                     sample->name.at, how, cut, notification->rating, (int)notification->first.length,
                     notification->first.at);
        arena_end(&arena);
        block_pool_end(&pool);
}

static void judge_all(const char *file, const char *options, const char *id, enum verdict_result expected,
                      const char *how)
{
        static const size_t cuts[] = {SIZE_MAX, 1, 7};
        char text[1024];
        struct samples samples;
        struct sample sample;

        write_file("keys", KEYS, strlen(KEYS));
        snprintf(text, sizeof text, "%sbounce_reference { %s }\n", HOSTNAME DOMAIN, options);
        struct snapshot *snapshot = load(text);
        samples_open(&samples, file, id);
        while (samples_next(&samples, &sample))
                for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++)
                        judge(snapshot, &sample, cuts[i], expected, how);
        cr_expect_gt(samples.count, 10);
        samples_close(&samples);
        snapshot_free(snapshot);
}

#define OURS    "20260303.1@pc.isp.example"
#define THEIRS  "20260303.1@pc.bot.example"
#define TAGGED  "x.1.gp1-20782-50320db24bbcde85@isp.example"
#define FALSELY "x.1.gp1-20782-50320db24bbcde86@isp.example"

static void judge_file(const char *file)
{
        judge_all(file, "", OURS, VERDICT_PASS, "ours");
        judge_all(file, "", THEIRS, VERDICT_REFUSE, "theirs");
        judge_all(file, "accept_text = yes", OURS, VERDICT_PASS, "ours, with names in text");
        judge_all(file, "accept_text = yes", THEIRS, VERDICT_REFUSE, "theirs, with names in text");
        judge_all(file, "keys = \"keys\" require_tag = yes", OURS, VERDICT_REFUSE, "ours without a tag");
        judge_all(file, "keys = \"keys\" require_tag = yes", FALSELY, VERDICT_REFUSE, "a false tag");
}

Test(bounces, copies_in_text, .init = folder_begin, .fini = folder_end)
{
        judge_file("copies");
        judge_all("copies", "keys = \"keys\" require_tag = yes", TAGGED, VERDICT_PASS, "tagged");
}

Test(bounces, returned_messages, .init = folder_begin, .fini = folder_end)
{
        judge_file("returned");
        judge_all("returned", "keys = \"keys\" require_tag = yes", TAGGED, VERDICT_PASS, "tagged");
}

Test(bounces, encodings, .init = folder_begin, .fini = folder_end)
{
        judge_file("encodings");
        judge_all("encodings", "keys = \"keys\" require_tag = yes", TAGGED, VERDICT_PASS, "tagged");
}

Test(bounces, replies_and_receipts, .init = folder_begin, .fini = folder_end)
{
        judge_file("replies");
        judge_all("replies", "keys = \"keys\" require_tag = yes", TAGGED, VERDICT_PASS, "tagged");
}

Test(bounces, odd_ones, .init = folder_begin, .fini = folder_end)
{
        judge_file("odd");
}

Test(bounces, traps, .init = folder_begin, .fini = folder_end)
{
        judge_all("traps", "", "", VERDICT_REFUSE, "a trap");
        judge_all("traps", "keys = \"keys\" require_tag = yes accept_text = yes", "", VERDICT_REFUSE,
                  "a trap, tags required");
}
