/* Tags in message ids and senders: known values, keys that change, days that pass. */
#include "conf/build/load.h"
#include "core/base/digest/mac.h"
#include "core/mail/tag.h"
#include "tests/unit/conf/fixture.h"

#define DAY   INT64_C(86400)
#define TODAY (INT64_C(20782) * DAY + 1000)
#define KEYS  "# newest first\n2:bbbbbbbbbbbbbbbbbbbbbbbb\r\n\n 1:0123456789abcdef0123456789abcdef \n"

static struct snapshot *load_with(const char *keys, const char *options)
{
        struct conf_complaints complaints = {0};
        char text[1024];

        write_file("keys", keys, strlen(keys));
        snprintf(text, sizeof text, "%sbounce_reference { keys = \"keys\" %s }\n", HOSTNAME DOMAIN, options);
        struct snapshot *snapshot = snapshot_load_text(text, folder, &complaints);
        cr_assert_not_null(snapshot, "%s", complaints.text);
        conf_complaints_end(&complaints);
        return snapshot;
}

static enum tag_result check_id(const struct snapshot *snapshot, const char *id, int64_t wall_s)
{
        return tag_check_message_id(snapshot, span_from(id), wall_s);
}

static enum tag_result check_sender(const struct snapshot *snapshot, const char *local_part,
                                    const char *domain, int64_t wall_s)
{
        struct tag_sender tag;
        if (!tag_sender_parse(span_from(local_part), &tag))
                return TAG_NONE;
        cr_expect(span_equals(tag.local_part, SPAN("alice")) || span_equals(tag.local_part, SPAN("ALICE")));
        return tag_check_sender(snapshot, &tag, span_from(domain), wall_s);
}

Test(tag, macs_of_rfc_2202_and_4231)
{
        static const uint8_t sha1[] = {0xef, 0xfc, 0xdf, 0x6a}, sha256[] = {0x5b, 0xdc, 0xc1, 0x46};
        const struct span parts[] = {SPAN("what do ya want"), SPAN(""), SPAN(" for nothing?")};
        uint8_t mac[MAC_SHA256_SIZE];

        mac_sha1(SPAN("Jefe"), parts, 3, mac);
        cr_expect_arr_eq(mac, sha1, sizeof sha1);
        mac_sha256(SPAN("Jefe"), parts, 3, mac);
        cr_expect_arr_eq(mac, sha256, sizeof sha256);
        struct mac_sha256_key key;
        mac_sha256_prepare(&key, SPAN("Jefe"));
        memset(mac, 0, sizeof mac);
        mac_sha256_with(&key, SPAN("what do ya want for nothing?"), mac);
        cr_expect_arr_eq(mac, sha256, sizeof sha256);
}

Test(tag, message_ids, .init = folder_begin, .fini = folder_end)
{
        struct snapshot *snapshot = load_with(KEYS, "");
        char octets[512];
        struct text tagged;

        /* Key 1, computed elsewhere. */
        cr_expect_eq(check_id(snapshot, "x.1.gp1-20782-50320db24bbcde85@isp.example", TODAY), TAG_VALID);
        cr_expect_eq(check_id(snapshot, "x.1.gp1-20782-50320db24bbcde85@ISP.Example", TODAY), TAG_VALID);
        cr_expect_eq(check_id(snapshot, "x.2.gp1-20782-50320db24bbcde85@isp.example", TODAY), TAG_FALSE);
        cr_expect_eq(check_id(snapshot, "x.1.gp1-20783-50320db24bbcde85@isp.example", TODAY), TAG_FALSE);
        cr_expect_eq(check_id(snapshot, "x.1.gp2-20782-50320db24bbcde85@isp.example", TODAY), TAG_FALSE);
        cr_expect_eq(check_id(snapshot, "x.1.gp3-20782-50320db24bbcde85@isp.example", TODAY), TAG_UNKNOWN);
        cr_expect_eq(check_id(snapshot, "x.1.gp1-20782-50320db24bbcde8@isp.example", TODAY), TAG_NONE);
        cr_expect_eq(check_id(snapshot, "x.1@isp.example", TODAY), TAG_NONE);
        cr_expect_eq(check_id(snapshot, "", TODAY), TAG_NONE);
        /* The first key tags. */
        text_over(&tagged, octets, sizeof octets - 1);
        cr_expect(tag_message_id(snapshot, SPAN("y@isp.example"), TODAY, &tagged));
        octets[tagged.length] = '\0';
        cr_expect(span_starts_nocase(text_span(&tagged), SPAN("y.gp2-20782-")), "%s", octets);
        for (int day = -3; day <= 9; day++)
                cr_expect_eq(check_id(snapshot, octets, TODAY + day * DAY),
                             day >= -1 && day <= 7 ? TAG_VALID : TAG_EXPIRED, "%d", day);
        cr_expect_not(tag_message_id(snapshot, SPAN("no-at"), TODAY, &tagged));
        cr_expect_not(tag_message_id(snapshot, SPAN("@right"), TODAY, &tagged));
        snapshot_free(snapshot);
}

Test(tag, senders, .init = folder_begin, .fini = folder_end)
{
        struct snapshot *snapshot = load_with(KEYS, "");
        char octets[512];
        struct text tagged;

        /* Key 1, computed elsewhere, for seven days from TODAY. */
        cr_expect_eq(check_sender(snapshot, "prvs=1789A144C8=alice", "isp.example", TODAY), TAG_VALID);
        cr_expect_eq(check_sender(snapshot, "PRVS=1789a144c8=ALICE", "Isp.Example", TODAY), TAG_VALID);
        cr_expect_eq(check_sender(snapshot, "prvs=1788A144C8=alice", "isp.example", TODAY), TAG_FALSE);
        cr_expect_eq(check_sender(snapshot, "prvs=1789A144C8=alice", "other.example", TODAY), TAG_FALSE);
        cr_expect_eq(check_sender(snapshot, "prvs=3789A144C8=alice", "isp.example", TODAY), TAG_UNKNOWN);
        cr_expect_eq(check_sender(snapshot, "prvs=178A144C8=alice", "isp.example", TODAY), TAG_NONE);
        cr_expect_eq(check_sender(snapshot, "prvs=1789A144C8=", "isp.example", TODAY), TAG_NONE);
        cr_expect_eq(check_sender(snapshot, "alice", "isp.example", TODAY), TAG_NONE);
        text_over(&tagged, octets, sizeof octets);
        cr_expect_not(tag_sender(snapshot, SPAN("prvs=1789A144C8=alice@isp.example"), TODAY, &tagged));
        cr_expect_not(tag_sender(snapshot, SPAN("\"a b\"@isp.example"), TODAY, &tagged));
        /* A path of 256 octets has room for no tag. */
        char octets_of_long[242 + 12 + 1];
        memset(octets_of_long, 'l', 242);
        memcpy(octets_of_long + 242, "@isp.example", 13);
        cr_expect_not(tag_sender(snapshot, span_of(octets_of_long, 254), TODAY, &tagged));
        tagged.length = 0;
        cr_expect(tag_sender(snapshot, span_of(octets_of_long + 16, 238), TODAY, &tagged));
        cr_expect_eq(tagged.length, 254);
        snapshot_free(snapshot);
}

/* The stamp has three digits: over every change of them a tag lives as long. */
Test(tag, senders_over_the_turn_of_the_days, .init = folder_begin, .fini = folder_end)
{
        struct snapshot *snapshot = load_with(KEYS, "max_age = 10d");
        char octets[256];

        for (int64_t made = 20985; made < 21010; made++)
                for (int64_t age = -2; age < 15; age++) {
                        struct text tagged;
                        text_over(&tagged, octets, sizeof octets - 1);
                        cr_assert(tag_sender(snapshot, SPAN("alice@isp.example"), made * DAY, &tagged));
                        octets[span_find_last(text_span(&tagged), '@')] = '\0';
                        cr_expect_eq(check_sender(snapshot, octets, "isp.example", (made + age) * DAY),
                                     age >= 0 && age <= 10 ? TAG_VALID : TAG_EXPIRED, "made %d, age %d",
                                     (int)made, (int)age);
                }
        snapshot_free(snapshot);
}

static void expect_error(const char *keys, const char *options, const char *error)
{
        struct conf_complaints complaints = {0};
        char text[1024];

        write_file("keys", keys, strlen(keys));
        snprintf(text, sizeof text, "%sbounce_reference { %s }\n", HOSTNAME DOMAIN, options);
        struct snapshot *snapshot = snapshot_load_text(text, folder, &complaints);
        cr_expect_null(snapshot, "loaded: %s", text);
        cr_expect(complaints.text != NULL && strstr(complaints.text, error) != NULL, "%s, expected %s",
                  complaints.text, error);
        conf_complaints_end(&complaints);
        snapshot_free(snapshot);
}

#define NAMED "keys = \"keys\""

Test(tag, a_byte_order_mark_before_the_keys, .init = folder_begin, .fini = folder_end)
{
        struct snapshot *snapshot = load_with("\xef\xbb\xbf"
                                              "1:0123456789abcdef\n",
                                              "");
        cr_expect_eq(snapshot->tag_key_count, 1);
        snapshot_free(snapshot);
}

Test(tag, keys_that_are_none, .init = folder_begin, .fini = folder_end)
{
        expect_error("\n0123456789abcdef\n", NAMED, "keys:2: error: must be N:secret");
        expect_error("1:short\n", NAMED, "keys:1: error: a secret has 16 to 64 characters");
        expect_error("1:0123456789 abcdef\n", NAMED, "keys:1: error: a secret has no blanks");
        expect_error("1:0123456789abcdef\n1:0123456789abcdef\n", NAMED,
                     "keys:2: error: a second key of this number");
        expect_error("# none\n", NAMED, "holds no key");
        expect_error("", "keys = \"nowhere\"", "nowhere");
        expect_error("", "require_tag = yes", "require_tag: needs keys");
}
