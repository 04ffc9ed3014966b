/* References, rated as they are found. */
#include "core/check/notification.h"

#include "core/base/domain_name.h"

/* What is looked at in one message, each for about a millisecond at most. */
#define REFERENCES_MAX  4000
#define MENTIONS_MAX    4000
#define TAGS_MAX        1000 /* each costs two digests */
#define CONVERSIONS_MAX 16
#define FIRST_MAX       100 /* octets of the first reference that are kept */

static enum reference_rating enough(const struct facts *facts)
{
        return facts->snapshot->options.bounce_reference_require_tag ? REFERENCE_TAGGED : REFERENCE_OWN;
}

void notification_begin(struct notification *notification, const struct facts *facts,
                        enum tag_result recipient_tag)
{
        notification->rating = recipient_tag == TAG_FORWARDED ? REFERENCE_OWN : REFERENCE_NONE;
        notification->recipient_tag = recipient_tag;
        notification->id_tag = TAG_NONE;
        notification->first = span_of(NULL, 0);
        notification->references = notification->mentions = 0;
        notification->tags_checked = notification->conversions = 0;
        notification->foreign_length = 0;
        notification->is_settled = recipient_tag == TAG_VALID || notification->rating >= enough(facts);
        mime_scan_init(&notification->scan, facts->sender_is_null,
                       facts->snapshot->options.bounce_reference_accept_text);
}

/* Names of ours are known in both forms. What is left are U-labels that are not spelt as usual, in capitals
 * for example: libidn2 takes 10 to 100 us for each, so only a few of them are looked at, and any
 * beyond are names of others. */
static bool is_own_when_converted(struct notification *notification, const struct facts *facts,
                                  struct span name)
{
        char octets[DOMAIN_NAME_MAX];
        struct text ascii;

        if (!facts->snapshot->has_unicode_names || notification->conversions == CONVERSIONS_MAX)
                return false;
        notification->conversions++;
        text_over(&ascii, octets, sizeof octets);
        return domain_name_to_ascii(name, &ascii) && !ascii.overflowed &&
               snapshot_is_reference_name(facts->snapshot, text_span(&ascii));
}

static bool is_own_name(struct notification *notification, const struct facts *facts, struct span name)
{
        while (name.length > 0 && name.at[name.length - 1] == '.') /* the end of a sentence, or the root */
                name.length--;
        return snapshot_is_reference_name(facts->snapshot, name) ||
               (!span_is_ascii(name) && is_own_when_converted(notification, facts, name));
}

static enum reference_rating rate_id(struct notification *notification, const struct facts *facts,
                                     struct span id)
{
        size_t at = span_find_last(id, '@');

        if (facts->snapshot->tag_key_count > 0 && notification->tags_checked < TAGS_MAX) {
                enum tag_result result = tag_check_message_id(facts->snapshot, id, facts->wall_s);
                notification->tags_checked += result != TAG_NONE;
                if (result > notification->id_tag)
                        notification->id_tag = result;
                if (result == TAG_VALID)
                        return REFERENCE_TAGGED;
        }
        if (at == SIZE_MAX)
                return REFERENCE_NONE;
        struct span name = span_skip(id, at + 1);
        if (span_equals(name, span_of(notification->foreign, notification->foreign_length)))
                return REFERENCE_FOREIGN;
        if (is_own_name(notification, facts, name))
                return REFERENCE_OWN;
        if (name.length <= FOREIGN_MAX) {
                memcpy(notification->foreign, name.at, name.length);
                notification->foreign_length = (uint8_t)name.length;
        }
        return REFERENCE_FOREIGN;
}

static void rate(struct notification *notification, const struct facts *facts, enum reference_rating rating)
{
        if (rating > notification->rating)
                notification->rating = rating;
        if (notification->rating >= enough(facts))
                notification->is_settled = true;
}

/* A mention decides only when no reference comes, so that one of ours is enough; and any number of them keeps
 * no reference from being seen. */
static void note_mention(struct notification *notification, const struct facts *facts)
{
        if (is_own_name(notification, facts, notification->scan.reference))
                rate(notification, facts, REFERENCE_MENTION);
        notification->mentions++;
        if (notification->rating >= REFERENCE_MENTION || notification->mentions == MENTIONS_MAX)
                notification->scan.wants_mentions = false;
}

static void note_reference(struct notification *notification, const struct facts *facts)
{
        struct span reference = notification->scan.reference;

        rate(notification, facts, rate_id(notification, facts, reference));
        if (notification->first.length == 0)
                notification->first = arena_copy(
                    facts->arena,
                    span_of(reference.at, reference.length < FIRST_MAX ? reference.length : FIRST_MAX));
        notification->references++;
        if (notification->references == REFERENCES_MAX)
                notification->is_settled = true;
}

void notification_read(struct notification *notification, const struct facts *facts, struct span octets)
{
        enum mime_event event = MIME_MORE;

        while (!notification->is_settled &&
               (event = mime_scan_read(&notification->scan, &octets)) != MIME_MORE) {
                if (event == MIME_OVER)
                        notification->is_settled = true;
                else if (event == MIME_MENTION)
                        note_mention(notification, facts);
                else
                        note_reference(notification, facts);
        }
}

void notification_end(struct notification *notification, const struct facts *facts)
{
        /* A header without a body ends as if it had one. */
        notification_read(notification, facts, SPAN("\r\n"));
}
