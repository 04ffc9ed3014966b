/* Tags: their forms, their days and their MACs. */
#include "core/mail/tag.h"

#include "core/base/domain_name.h"
#include "core/base/digest/mac.h"

#include <openssl/crypto.h>

#define DAY_S          86400
#define DAY_MS         86400000
#define ID_MAC_OCTETS  8
#define ID_TAG_LENGTH  (sizeof ".gpK-DDDDD-MMMMMMMMMMMMMMMM" - 1)
#define SENDER_OCTETS  3
#define SENDER_PREFIX  (sizeof "prvs=KDDDSSSSSS=" - 1)
#define SENDER_DAYS    1000 /* its day stamp begins again after so many */
#define ADDRESS_LENGTH 320
#define ADDRESS_MAX    254 /* a path of 256 octets without its brackets (RFC 5321 4.5.3.1.3) */

const char *tag_result_name(enum tag_result result)
{
        static const char *const names[] = {"none",    "of an unknown key", "false",
                                            "expired", "a forwarder's",     "valid"};
        return names[result];
}

static const struct tag_key *key_of(const struct snapshot *snapshot, char id)
{
        for (size_t i = 0; i < snapshot->tag_key_count; i++)
                if (snapshot->tag_keys[i].id == id)
                        return &snapshot->tag_keys[i];
        return NULL;
}

static int64_t days_max(const struct snapshot *snapshot)
{
        return (int64_t)((snapshot->options.bounce_reference_max_age_ms + DAY_MS - 1) / DAY_MS);
}

/* Both as long as `expected` says; as slow for a wrong one as for a right one. */
static bool mac_equals(struct span given, const struct text *expected)
{
        return given.length == expected->length && CRYPTO_memcmp(given.at, expected->at, given.length) == 0;
}

static bool are_digits(struct span span)
{
        for (size_t i = 0; i < span.length; i++)
                if (!ascii_is_digit(span.at[i]))
                        return false;
        return true;
}

/* ---- message ids */

/* `stamp`: "K-DDDDD". The right-hand side counts in lower case: some rewrite it. */
static void id_mac(const struct tag_key *key, struct span stamp, struct span left, struct span right,
                   struct text *hex)
{
        uint8_t mac[MAC_SHA256_SIZE];
        char octets[DOMAIN_NAME_MAX];
        struct text lower;

        text_over(&lower, octets, sizeof octets);
        text_put_lower(&lower, right);
        const struct span parts[] = {stamp, SPAN("-"), left, SPAN("@"), text_span(&lower)};
        mac_sha256(key->secret, parts, sizeof parts / sizeof parts[0], mac);
        text_put_hex(hex, mac, ID_MAC_OCTETS);
}

static bool id_split(struct span id, struct span *ret_left, struct span *ret_right)
{
        size_t at = span_find_last(id, '@');

        if (at == SIZE_MAX || at == 0 || at + 1 == id.length || id.length - at - 1 > DOMAIN_NAME_MAX)
                return false;
        *ret_left = span_of(id.at, at);
        *ret_right = span_skip(id, at + 1);
        return true;
}

/* Where the tag begins in the left-hand side, or SIZE_MAX. */
static size_t id_tag_at(struct span left)
{
        if (left.length <= ID_TAG_LENGTH)
                return SIZE_MAX;
        struct span tag = span_skip(left, left.length - ID_TAG_LENGTH);
        bool is_tag = span_starts_nocase(tag, SPAN(".gp")) && ascii_is_digit(tag.at[3]) && tag.at[4] == '-' &&
                      are_digits(span_of(tag.at + 5, 5)) && tag.at[10] == '-';
        return is_tag ? left.length - ID_TAG_LENGTH : SIZE_MAX;
}

enum tag_result tag_check_message_id(const struct snapshot *snapshot, struct span id, int64_t wall_s)
{
        char octets[2 * ID_MAC_OCTETS];
        struct span left, right;
        struct text hex;
        uint64_t day;

        if (!id_split(id, &left, &right))
                return TAG_NONE;
        size_t at = id_tag_at(left);
        if (at == SIZE_MAX)
                return TAG_NONE;
        struct span stamp = span_of(left.at + at + 3, 7);
        const struct tag_key *key = key_of(snapshot, stamp.at[0]);
        if (key == NULL)
                return TAG_UNKNOWN;
        text_over(&hex, octets, sizeof octets);
        id_mac(key, stamp, span_of(left.at, at), right, &hex);
        if (!mac_equals(span_skip(left, at + 11), &hex) || !span_number(span_skip(stamp, 2), &day))
                return TAG_FALSE;
        int64_t age = wall_s / DAY_S - (int64_t)day;
        return age > days_max(snapshot) || age < -1 ? TAG_EXPIRED : TAG_VALID;
}

bool tag_message_id(const struct snapshot *snapshot, struct span id, int64_t wall_s, struct text *tagged)
{
        char octets[8];
        struct span left, right;
        struct text stamp;

        if (snapshot->tag_key_count == 0 || !id_split(id, &left, &right))
                return false;
        const struct tag_key *key = &snapshot->tag_keys[0];
        text_over(&stamp, octets, sizeof octets);
        text_put_char(&stamp, key->id);
        text_printf(&stamp, "-%05d", (int)(wall_s / DAY_S % 100000));
        text_put(tagged, left);
        text_put_string(tagged, ".gp");
        text_put(tagged, text_span(&stamp));
        text_put_char(tagged, '-');
        id_mac(key, text_span(&stamp), left, right, tagged);
        text_put_char(tagged, '@');
        text_put(tagged, right);
        return !tagged->overflowed;
}

/* ---- senders */

static void sender_mac(const struct tag_key *key, struct span stamp, struct span local_part,
                       struct span domain, struct text *hex)
{
        uint8_t mac[MAC_SHA1_SIZE];
        const struct span parts[] = {stamp, local_part, SPAN("@"), domain};

        mac_sha1(key->secret, parts, sizeof parts / sizeof parts[0], mac);
        text_put_hex(hex, mac, SENDER_OCTETS);
}

bool tag_sender_parse(struct span local_part, struct tag_sender *ret_tag)
{
        if (local_part.length <= SENDER_PREFIX || !span_starts_nocase(local_part, SPAN("prvs=")) ||
            local_part.at[SENDER_PREFIX - 1] != '=' || !are_digits(span_of(local_part.at + 5, 4)))
                return false;
        *ret_tag = (struct tag_sender){.stamp = span_of(local_part.at + 5, 4),
                                       .mac = span_of(local_part.at + 9, 6),
                                       .local_part = span_skip(local_part, SENDER_PREFIX)};
        return true;
}

enum recipient_answer tag_find_recipient(const struct snapshot *snapshot, const struct domain *domain,
                                         struct span local_part, struct text *ret_mailbox,
                                         struct tag_sender *ret_tag,
                                         const struct recipient_settings **ret_settings)
{
        const struct recipient_settings *settings = NULL;
        struct tag_sender tag = {0};
        /* Where somebody else is asked nobody is unknown here, a tag and its mailbox together neither. */
        bool is_open = domain_of_mailboxes(domain)->origin != RECIPIENTS_HERE;
        enum recipient_answer answer =
            is_open ? RECIPIENT_UNKNOWN : domain_find_settings(domain, local_part, ret_mailbox, &settings);

        if (answer == RECIPIENT_UNKNOWN && snapshot->tag_key_count > 0 && tag_sender_parse(local_part, &tag))
                answer = domain_find_settings(domain, tag.local_part, ret_mailbox, &settings);
        else if (is_open)
                answer = domain_find_settings(domain, local_part, ret_mailbox, &settings);
        if (answer == RECIPIENT_UNKNOWN && domain_of_mailboxes(domain)->has_catch_all) {
                text_put_char(ret_mailbox, '*');
                answer = domain_find_catch_all(domain, &settings);
        }
        if (ret_settings != NULL)
                *ret_settings = settings;
        if (ret_tag != NULL)
                *ret_tag = tag;
        return answer;
}

/* Made for the address as it was; what came back may have changed its letter case. */
static bool sender_mac_is_right(const struct tag_key *key, const struct tag_sender *tag, struct span domain)
{
        char given_octets[2 * SENDER_OCTETS], hex_octets[2 * SENDER_OCTETS], address_octets[ADDRESS_LENGTH];
        struct text given, hex, lower;

        text_over(&given, given_octets, sizeof given_octets);
        text_put_lower(&given, tag->mac);
        text_over(&hex, hex_octets, sizeof hex_octets);
        sender_mac(key, tag->stamp, tag->local_part, domain, &hex);
        if (mac_equals(text_span(&given), &hex))
                return true;
        text_over(&lower, address_octets, sizeof address_octets);
        text_put_lower(&lower, tag->local_part);
        size_t length = lower.length;
        text_put_lower(&lower, domain);
        hex.length = 0;
        sender_mac(key, tag->stamp, span_of(lower.at, length),
                   span_of(lower.at + length, lower.length - length), &hex);
        return mac_equals(text_span(&given), &hex);
}

enum tag_result tag_check_sender(const struct snapshot *snapshot, const struct tag_sender *tag,
                                 struct span domain, int64_t wall_s)
{
        const struct tag_key *key = key_of(snapshot, tag->stamp.at[0]);
        uint64_t day = 0;

        if (key == NULL)
                return TAG_UNKNOWN;
        if (!sender_mac_is_right(key, tag, domain) || !span_number(span_skip(tag->stamp, 1), &day))
                return TAG_FALSE;
        int64_t left = ((int64_t)day - wall_s / DAY_S % SENDER_DAYS + SENDER_DAYS) % SENDER_DAYS;
        return left <= days_max(snapshot) ? TAG_VALID : TAG_EXPIRED;
}

bool tag_sender(const struct snapshot *snapshot, struct span address, int64_t wall_s, struct text *tagged)
{
        char octets[8];
        struct span local_part, domain;
        struct tag_sender tag;
        struct text stamp;

        if (snapshot->tag_key_count == 0 || !id_split(address, &local_part, &domain) ||
            local_part.at[0] == '"' || address.length + SENDER_PREFIX > ADDRESS_MAX ||
            tag_sender_parse(local_part, &tag))
                return false;
        const struct tag_key *key = &snapshot->tag_keys[0];
        text_over(&stamp, octets, sizeof octets);
        text_put_char(&stamp, key->id);
        text_printf(&stamp, "%03d", (int)((wall_s / DAY_S + days_max(snapshot)) % SENDER_DAYS));
        text_put_string(tagged, "prvs=");
        text_put(tagged, text_span(&stamp));
        sender_mac(key, text_span(&stamp), local_part, domain, tagged);
        text_put_char(tagged, '=');
        text_put(tagged, address);
        return !tagged->overflowed;
}
