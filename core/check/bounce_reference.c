/* P4: a notification is taken only when it refers to a mail of ours. */
#include "core/check/notification.h"

/* NULL: it is none. */
static const char *kind_of(const struct facts *facts)
{
        if (facts->sender_is_null)
                return "a notification from <>";
        switch (facts->notification->scan.kind) {
        case MIME_KIND_DELIVERY_REPORT:
                return "a delivery report";
        case MIME_KIND_READ_RECEIPT:
                return "a read receipt";
        case MIME_KIND_AUTOMATIC_REPLY:
                return "an automatic reply";
        case MIME_KIND_MAIL:
        case MIME_KIND_UNKNOWN:
                break;
        }
        return NULL;
}

static void put_tag(struct text *text, const char *what, enum tag_result result)
{
        if (result != TAG_NONE)
                text_printf(text, ", %s %s", what, tag_result_name(result));
}

static struct span describe(const struct facts *facts, const char *kind)
{
        const struct notification *notification = facts->notification;
        char octets[400];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_string(&text, kind);
        if (notification->first.length > 0) {
                text_put_string(&text, " that refers to <");
                text_put(&text, notification->first);
                text_put_string(&text, notification->references > 1 ? "> and others" : ">");
        } else {
                text_put_string(&text, " without a reference");
        }
        if (notification->rating == REFERENCE_MENTION)
                text_put_string(&text, ", a name of ours in its text");
        put_tag(&text, "recipient's tag", notification->recipient_tag);
        put_tag(&text, "Message-ID's tag", notification->id_tag);
        return arena_copy(facts->arena, text_span(&text));
}

static bool refers_to_us(const struct facts *facts)
{
        const struct options *options = &facts->snapshot->options;
        const struct notification *notification = facts->notification;

        if (notification->recipient_tag == TAG_VALID || notification->rating == REFERENCE_TAGGED)
                return true;
        if (options->bounce_reference_require_tag)
                return false;
        return notification->rating == REFERENCE_OWN ||
               (notification->rating == REFERENCE_MENTION && options->bounce_reference_accept_text);
}

enum verdict_result check_bounce_reference(const struct facts *facts, struct verdict *verdict)
{
        const char *kind = facts->notification == NULL ? NULL : kind_of(facts);

        if (kind == NULL || refers_to_us(facts))
                return VERDICT_PASS;
        verdict->reply = REPLY_bounce_reference;
        verdict->evidence = describe(facts, kind);
        return VERDICT_REFUSE;
}
