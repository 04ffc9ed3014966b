/* References, rated while the text comes: what is enough, and how much is looked at. */
#include "core/check/notification.h"
#include "tests/unit/conf/fixture.h"

#define KEYS "1:0123456789abcdef0123456789abcdef\n"

struct fixture {
        struct snapshot *snapshot;
        struct block_pool pool;
        struct arena arena;
        struct facts facts;
        struct notification *notification;
};

static void begin(struct fixture *fixture, const char *options)
{
        char text[1024];

        write_file("keys", KEYS, strlen(KEYS));
        snprintf(text, sizeof text, "%sbounce_reference { %s }\n", HOSTNAME DOMAIN, options);
        fixture->snapshot = load(text);
        block_pool_init(&fixture->pool, 4096, 0);
        arena_init(&fixture->arena, &fixture->pool, SIZE_MAX);
        fixture->facts = (struct facts){.snapshot = fixture->snapshot,
                                        .sender_is_null = true,
                                        .wall_s = INT64_C(20782) * 86400,
                                        .arena = &fixture->arena};
        fixture->notification = arena_take(&fixture->arena, sizeof *fixture->notification);
        cr_assert_not_null(fixture->notification);
        notification_begin(fixture->notification, &fixture->facts, TAG_NONE);
}

static void end(struct fixture *fixture)
{
        arena_end(&fixture->arena);
        block_pool_end(&fixture->pool);
        snapshot_free(fixture->snapshot);
}

static void give(struct fixture *fixture, const char *text)
{
        notification_read(fixture->notification, &fixture->facts, span_from(text));
}

Test(notification, names_that_are_ours, .init = folder_begin, .fini = folder_end)
{
        static const struct {
                const char *id;
                enum reference_rating rating;
        } samples[] = {
            {"a@isp.example", REFERENCE_OWN},
            {"a@ISP.Example", REFERENCE_OWN},
            {"a@b@pc.isp.example", REFERENCE_OWN},
            {"a@mx.isp.example.", REFERENCE_OWN},
            {"a@more.example", REFERENCE_OWN},
            {"a@x.more.example", REFERENCE_OWN},
            {"a@m\xc3\xbcnchen.example", REFERENCE_OWN},
            {"a@xn--mnchen-3ya.example", REFERENCE_OWN},
            {"a@notisp.example", REFERENCE_FOREIGN},
            {"a@example", REFERENCE_FOREIGN},
            {"isp.example@a", REFERENCE_FOREIGN},
            {"a@\xff", REFERENCE_FOREIGN},
            {"a@", REFERENCE_FOREIGN},
            {"isp.example", REFERENCE_NONE},
        };
        char text[256];

        for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
                struct fixture fixture;
                begin(&fixture, "names = {\"more.example\", \"xn--mnchen-3ya.example\"}");
                snprintf(text, sizeof text, "References: <%s>\r\n", samples[i].id);
                give(&fixture, text);
                cr_expect_eq(fixture.notification->rating, samples[i].rating, "%s", samples[i].id);
                cr_expect_eq(fixture.notification->is_settled, samples[i].rating == REFERENCE_OWN, "%s",
                             samples[i].id);
                end(&fixture);
        }
}

Test(notification, a_name_that_comes_again_stays_foreign, .init = folder_begin, .fini = folder_end)
{
        struct fixture fixture;

        begin(&fixture, "");
        give(&fixture,
             "References: <1@a.example> <2@a.example> <3@b.example>\r\n <4@b.example> <5@isp.example>\r\n");
        cr_expect_eq(fixture.notification->references, 5);
        cr_expect_eq(fixture.notification->rating, REFERENCE_OWN);
        cr_expect(span_equals(fixture.notification->first, SPAN("1@a.example")));
        end(&fixture);
}

Test(notification, work_is_bounded, .init = folder_begin, .fini = folder_end)
{
        struct fixture fixture;

        begin(&fixture, "keys = \"keys\" require_tag = yes");
        for (int i = 0; i < 5000; i++)
                give(&fixture, "References: <x.1.gp1-20782-0000000000000000@isp.example>\r\n");
        cr_expect_eq(fixture.notification->references, 4000);
        cr_expect_eq(fixture.notification->tags_checked, 1000);
        cr_expect_eq(fixture.notification->id_tag, TAG_FALSE);
        cr_expect_eq(fixture.notification->rating, REFERENCE_OWN);
        cr_expect(fixture.notification->is_settled);
        end(&fixture);
}

Test(notification, a_tag_settles, .init = folder_begin, .fini = folder_end)
{
        struct fixture fixture;

        begin(&fixture, "keys = \"keys\" require_tag = yes");
        give(&fixture, "References: <a@isp.example>\r\n");
        cr_expect_not(fixture.notification->is_settled);
        give(&fixture, "In-Reply-To: <x.1.gp1-20782-50320db24bbcde85@isp.example>\r\n");
        cr_expect(fixture.notification->is_settled);
        cr_expect_eq(fixture.notification->rating, REFERENCE_TAGGED);
        end(&fixture);
}

/* libidn2 is asked for few names only, and never for those that are spelt as usual. */
Test(notification, conversions_are_bounded, .init = folder_begin, .fini = folder_end)
{
        struct fixture fixture;
        char text[256];

        begin(&fixture, "names = {\"xn--mnchen-3ya.example\"}");
        for (int i = 0; i < 900; i++) {
                snprintf(text, sizeof text, "References: <1@b\xc3\xbc%d.example>\r\n", i);
                give(&fixture, text);
        }
        cr_expect_eq(fixture.notification->references, 900);
        cr_expect_eq(fixture.notification->conversions, 16);
        cr_expect_eq(fixture.notification->rating, REFERENCE_FOREIGN);
        give(&fixture, "References: <1@M\xc3\x9cNCHEN.example>\r\n");
        cr_expect_eq(fixture.notification->rating, REFERENCE_FOREIGN);
        give(&fixture, "References: <1@pc.M\xc3\xbcnchen.EXAMPLE>\r\n");
        cr_expect_eq(fixture.notification->rating, REFERENCE_OWN);
        end(&fixture);
        /* In capitals; and where no name of ours is spelt so, none is converted at all. */
        begin(&fixture, "names = {\"xn--mnchen-3ya.example\"}");
        give(&fixture, "References: <1@M\xc3\x9cNCHEN.example>\r\n");
        cr_expect_eq(fixture.notification->rating, REFERENCE_OWN);
        end(&fixture);
        begin(&fixture, "");
        give(&fixture, "References: <1@M\xc3\x9cNCHEN.example> <2@b\xc3\xbc.isp.example>\r\n");
        cr_expect_eq(fixture.notification->conversions, 0);
        cr_expect_eq(fixture.notification->rating, REFERENCE_OWN);
        end(&fixture);
}

/* The mails of a long thread are all ours, and the tags of all but the last have expired. */
Test(notification, a_valid_tag_behind_a_long_thread, .init = folder_begin, .fini = folder_end)
{
        struct fixture fixture;

        begin(&fixture, "keys = \"keys\" require_tag = yes");
        for (int i = 0; i < 200; i++)
                give(&fixture, "References: <x.1.gp1-20782-0000000000000000@isp.example>\r\n");
        give(&fixture, "In-Reply-To: <x.1.gp1-20782-50320db24bbcde85@isp.example>\r\n");
        cr_expect_eq(fixture.notification->rating, REFERENCE_TAGGED);
        end(&fixture);
}
