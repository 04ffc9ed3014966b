/* References, rated as they are found. */
#include "core/check/notification.h"

#include "core/base/domain_name.h"

#define REFERENCES_MAX 1000 /* looked at in one message */
#define TAGS_MAX       50   /* checked in one message: each costs two digests */
#define FIRST_MAX      100  /* octets of the first one that are kept */

void notification_begin(struct notification *notification, const struct facts *facts,
                        enum tag_result recipient_tag)
{
        notification->rating = REFERENCE_NONE;
        notification->recipient_tag = recipient_tag;
        notification->id_tag = TAG_NONE;
        notification->first = span_of(NULL, 0);
        notification->references = notification->tags_checked = 0;
        notification->foreign_length = 0;
        notification->is_settled = recipient_tag == TAG_VALID;
        mime_scan_init(&notification->scan, facts->sender_is_null,
                       facts->snapshot->options.bounce_reference_accept_text);
}

static bool is_own_name(const struct facts *facts, struct span name)
{
        const struct text_list *names = &facts->snapshot->options.bounce_reference_names;
        char octets[DOMAIN_NAME_MAX];
        struct text ascii;

        while (name.length > 0 && name.at[name.length - 1] == '.') /* the end of a sentence, or the root */
                name.length--;
        if (!span_is_ascii(name)) {
                text_over(&ascii, octets, sizeof octets);
                if (!domain_name_to_ascii(name, &ascii) || ascii.overflowed)
                        return false;
                name = text_span(&ascii);
        }
        if (snapshot_own_name(facts->snapshot, name).length > 0)
                return true;
        for (size_t i = 0; i < names->count; i++)
                if (domain_name_is_within(name, span_from(names->texts[i])))
                        return true;
        return false;
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
        if (is_own_name(facts, name))
                return REFERENCE_OWN;
        if (name.length <= FOREIGN_MAX) {
                memcpy(notification->foreign, name.at, name.length);
                notification->foreign_length = (uint8_t)name.length;
        }
        return REFERENCE_FOREIGN;
}

static enum reference_rating enough(const struct facts *facts)
{
        const struct options *options = &facts->snapshot->options;
        return options->bounce_reference_require_tag   ? REFERENCE_TAGGED
               : options->bounce_reference_accept_text ? REFERENCE_MENTION
                                                       : REFERENCE_OWN;
}

static void note(struct notification *notification, const struct facts *facts, enum mime_event event)
{
        struct span reference = notification->scan.reference;
        enum reference_rating rating = event == MIME_REFERENCE ? rate_id(notification, facts, reference)
                                       : is_own_name(facts, reference) ? REFERENCE_MENTION
                                                                       : REFERENCE_NONE;
        if (notification->first.length == 0 && event == MIME_REFERENCE)
                notification->first = arena_copy(
                    facts->arena,
                    span_of(reference.at, reference.length < FIRST_MAX ? reference.length : FIRST_MAX));
        if (rating > notification->rating)
                notification->rating = rating;
        notification->references++;
        notification->is_settled =
            notification->rating >= enough(facts) || notification->references == REFERENCES_MAX;
}

void notification_read(struct notification *notification, const struct facts *facts, struct span octets)
{
        enum mime_event event = MIME_MORE;

        while (!notification->is_settled &&
               (event = mime_scan_read(&notification->scan, &octets)) != MIME_MORE) {
                if (event == MIME_OVER)
                        notification->is_settled = true;
                else
                        note(notification, facts, event);
        }
}

void notification_end(struct notification *notification, const struct facts *facts)
{
        /* A header without a body ends as if it had one. */
        notification_read(notification, facts, SPAN("\r\n"));
}
