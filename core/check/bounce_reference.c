/* P4: a notification is taken only when it refers to a mail of ours. */
#include "core/base/domain_name.h"
#include "core/base/local_part.h"
#include "core/check/memory.h"
#include "core/check/notification.h"
#include "core/mail/message.h"
#include "core/mail/srs.h"

/* ---- reading the text ---------------------------------------------------------------------------------- */

/* An SRS address of ours says that a mail left through a forwarder of ours. It was the mail of others, and has
 * their Message-ID. */
static enum tag_result tag_of(const struct facts *facts, const struct recipient *recipient)
{
        char local_octets[LOCAL_PART_MAX], mailbox_octets[LOCAL_PART_MAX];
        size_t at = span_find_last(recipient->address, '@');
        struct text local_part, mailbox;
        struct tag_sender tag;

        text_over(&local_part, local_octets, sizeof local_octets);
        text_over(&mailbox, mailbox_octets, sizeof mailbox_octets);
        if (at == SIZE_MAX || !local_part_parse_loose(span_of(recipient->address.at, at), true, &local_part))
                return TAG_NONE;
        if (srs_is_recent(text_span(&local_part), facts->wall_s))
                return TAG_FORWARDED;
        if (facts->snapshot->tag_key_count == 0)
                return TAG_NONE;
        if (tag_find_recipient(facts->snapshot, recipient->domain, text_span(&local_part), &mailbox, &tag,
                               NULL) != RECIPIENT_KNOWN ||
            tag.local_part.length == 0)
                return TAG_NONE;
        return tag_check_sender(facts->snapshot, &tag, span_skip(recipient->address, at + 1), facts->wall_s);
}

/* One valid tag is enough: the client knows an address that only our own mail told. */
static enum tag_result best_recipient_tag(const struct facts *facts)
{
        const struct recipient *recipient = facts->recipients;
        enum tag_result best = TAG_NONE;

        for (; recipient != NULL && best != TAG_VALID; recipient = recipient->next) {
                enum tag_result result = tag_of(facts, recipient);
                best = result > best ? result : best;
        }
        return best;
}

bool bounce_reference_text_begin(const struct facts *facts)
{
        struct notification *notification =
            check_memory_take(facts, CHECK_bounce_reference, sizeof *notification);

        if (notification == NULL)
                return false;
        notification_begin(notification, facts, best_recipient_tag(facts));
        return !notification->is_settled;
}

bool bounce_reference_text_read(const struct facts *facts, struct span octets)
{
        struct notification *notification = check_memory_find(facts, CHECK_bounce_reference);

        notification_read(notification, facts, octets);
        return !notification->is_settled;
}

void bounce_reference_text_end(const struct facts *facts)
{
        notification_end(check_memory_find(facts, CHECK_bounce_reference), facts);
}

/* ---- verdict ------------------------------------------------------------------------------------------- */

/* NULL: it is none. */
static const char *kind_of(const struct facts *facts, const struct notification *notification)
{
        if (facts->sender_is_null)
                return "a notification from <>";
        switch (notification->scan.kind) {
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

static struct span describe(const struct facts *facts, const struct notification *notification,
                            const char *kind)
{
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

static bool refers_to_us(const struct facts *facts, const struct notification *notification)
{
        const struct options *options = &facts->snapshot->options;

        if (notification->recipient_tag == TAG_VALID || notification->rating == REFERENCE_TAGGED)
                return true;
        if (options->bounce_reference_require_tag)
                return false;
        return notification->rating == REFERENCE_OWN ||
               (notification->rating == REFERENCE_MENTION && options->bounce_reference_accept_text);
}

enum verdict_result check_bounce_reference(const struct facts *facts, struct verdict *verdict)
{
        const struct notification *notification = check_memory_find(facts, CHECK_bounce_reference);
        const char *kind = notification == NULL ? NULL : kind_of(facts, notification);

        if (check_memory_is_out(facts, CHECK_bounce_reference))
                return facts_out_of_memory(verdict);
        if (kind == NULL || refers_to_us(facts, notification))
                return VERDICT_PASS;
        verdict->reply = REPLY_bounce_reference;
        verdict->evidence = describe(facts, notification, kind);
        return VERDICT_REFUSE;
}
