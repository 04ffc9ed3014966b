/* Takes out of a message's header what strangers wrote in our name: fields that say that we checked the message,
 * Authentication-Results (RFC 8601 5) and Received-SPF (RFC 7208 9.1). Whoever reads the stored message believes
 * them. Fields of others stay, octet by octet. */
#pragma once

#include "conf/snapshot.h"
#include "core/mail/content.h"

#define CLAIM_HELD_MAX        1024 /* octets of a field that are looked at; RFC 8601 and 7208 need less */
#define CLAIM_CONVERSIONS_MAX 16   /* of names that are not ASCII, a message */
#define CLAIM_COMMENTS_MAX    2048 /* octets of comments behind receivers, in a field */
#define CLAIM_RECEIVERS_MAX   16   /* in a field; nobody honest has more than one */

struct claims {
        const struct snapshot *snapshot;
        uint32_t removed, conversions; /* so far */
        enum claims_state {
                CLAIMS_START, /* of a line */
                CLAIMS_NAME,  /* held: it may become the name of such a field */
                CLAIMS_VALUE, /* held: such a field, to its end */
                CLAIMS_KEEP,  /* in a field that stays */
                CLAIMS_REMOVE,
                CLAIMS_OVER /* behind the header */
        } state,
            field;    /* `field`: what the field is that the line at the START may go on with */
        uint8_t kind; /* row of the table of fields */
        uint16_t held_length;
        char held[CLAIM_HELD_MAX];
};

void claims_init(struct claims *claims, const struct snapshot *snapshot);
/* Reads text as it comes, from its first octet on, with CRLF line ends and in any pieces. What stays is appended
 * to `content`, if need be later. False when memory ran out. */
bool claims_read(struct claims *claims, struct span octets, struct content *content,
                 struct content_pool *pool);
/* The text is complete: what is still held is appended, or taken out. */
bool claims_end(struct claims *claims, struct content *content, struct content_pool *pool);
