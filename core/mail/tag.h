/* Tags by which we know our own mail again when it comes back. They stand in the Message-ID, or in the
 * envelope sender (BATV, draft-levine-smtp-batv: prvs=KDDDSSSSSS=local@domain). The keys of bounce_reference
 * make and check them. */
#pragma once

#include "conf/snapshot.h"

enum tag_result {
        TAG_NONE,    /* there is none */
        TAG_UNKNOWN, /* made with a key that we do not have */
        TAG_FALSE,   /* not made with this key */
        TAG_EXPIRED,
        TAG_FORWARDED, /* not ours: an SRS address, which its forwarder made */
        TAG_VALID,
};

#define TAG_TEXT_MAX 32 /* what a tag adds to a message id or an address */

/* Checks the tag of `id`, which is a Message-ID without its brackets: LEFT.gpK-DDDDD-MMMMMMMMMMMMMMMM@RIGHT,
 * with the key, the day, and 64 bits of an HMAC-SHA256. */
enum tag_result tag_check_message_id(const struct snapshot *snapshot, struct span id, int64_t wall_s);
/* Appends the id with a tag. False when there are no keys, or `id` is no message id. */
bool tag_message_id(const struct snapshot *snapshot, struct span id, int64_t wall_s, struct text *tagged);

/* A local part with a tag, taken apart. */
struct tag_sender {
        struct span stamp; /* "KDDD" */
        struct span mac;   /* "SSSSSS" */
        struct span local_part;
};
/* False when the local part, which is unquoted, does not have this form. It checks no MAC. */
bool tag_sender_parse(struct span local_part, struct tag_sender *ret_tag);
/* The mailbox of an address of ours, as domain_find_recipient() finds it; where it finds none, the one behind a tag,
 * and else that of a catch-all, which is "*" for all of its addresses. A tag makes no other mailbox, be it valid or
 * not. Of a known one, *ret_tag is that tag, its local part empty where there was none to look behind, and
 * *ret_settings what it has in the place of its domain's, NULL where there is none; either is NULL where nobody wants
 * to know. */
enum recipient_answer tag_find_recipient(const struct snapshot *snapshot, const struct domain *domain,
                                         struct span local_part, struct text *ret_mailbox,
                                         struct tag_sender *ret_tag,
                                         const struct recipient_settings **ret_settings);
enum tag_result tag_check_sender(const struct snapshot *snapshot, const struct tag_sender *tag,
                                 struct span domain, int64_t wall_s);
/* Appends the address with a tag. False when there are no keys, or `address` is none, has a tag already, or would
 * be too long for a path with one. */
bool tag_sender(const struct snapshot *snapshot, struct span address, int64_t wall_s, struct text *tagged);

/* Returns a word for evidence, such as "valid" or "expired". */
const char *tag_result_name(enum tag_result result);
