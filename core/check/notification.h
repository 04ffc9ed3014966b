/* What is known of a message that may be a notification, gathered while its text comes: for
 * bounce_reference. */
#pragma once

#include "core/check/check.h"
#include "core/mail/mime/scan.h"
#include "core/mail/tag.h"

/* What the best of a message's references is worth. */
enum reference_rating {
        REFERENCE_NONE,
        REFERENCE_MENTION, /* one of our names behind an "@" in running text */
        REFERENCE_FOREIGN, /* says whose mail it is about: then names in running text say nothing */
        REFERENCE_OWN, /* one of our names on the right-hand side of a message id, or a forwarder's address */
        REFERENCE_TAGGED, /* a message id with a valid tag of ours */
};

#define FOREIGN_MAX 64

struct notification {
        enum reference_rating rating;
        enum tag_result recipient_tag; /* the best of those of all recipients */
        enum tag_result id_tag;        /* the best of a message id */
        struct span first;             /* the first reference, cut short; in the facts' arena */
        uint32_t references, mentions, tags_checked, conversions; /* so far */
        uint8_t foreign_length; /* a name that is not ours, the last one seen: many references stand on one */
        char foreign[FOREIGN_MAX];
        bool is_settled; /* nothing that may follow changes the verdict */
        struct mime_scan scan;
};

void notification_begin(struct notification *notification, const struct facts *facts,
                        enum tag_result recipient_tag);
/* Text as it comes, CRLF line ends, in any pieces. */
void notification_read(struct notification *notification, const struct facts *facts, struct span octets);
/* The text is complete. */
void notification_end(struct notification *notification, const struct facts *facts);
