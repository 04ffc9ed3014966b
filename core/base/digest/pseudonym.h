/* Pseudonyms of addresses and of the local parts of mailboxes. Of the same key the same text has the same pseudonym, so
 * that it can still be counted; whoever has the key reads what it stands for, and nobody else does.
 *
 * "~a20261129~" and base32 (RFC 4648 6, small letters): the kind, the key by the day from which it is used, then 96
 * bits of HMAC-SHA256 over kind, context and text, and the text. That is hidden by a stream of HMAC-SHA256 under a
 * second key over those 96 bits: a synthetic IV, as RFC 5297 has it. */
#pragma once

#include "core/base/address.h"
#include "core/base/digest/mac.h"

#define PSEUDONYM_KEYS_MAX   64
#define PSEUDONYM_SECRET_HEX 64 /* digits of a secret in its file */

enum pseudonym_kind {
        PSEUDONYM_OF_ADDRESS = 'a', /* binary, 4 or 16 octets */
        PSEUDONYM_OF_MAILBOX = 'm', /* a local part; its domain is the context */
        PSEUDONYM_OF_TEXT = 't',
};

struct pseudonym_key {
        uint32_t day; /* from which it is used: 20261129 */
        struct mac_sha256_key tag, stream;
};

/* The oldest first. Zero it first. */
struct pseudonym_keys {
        size_t count;
        struct pseudonym_key keys[PSEUDONYM_KEYS_MAX];
};

/* Adds "2026-11-29:" and 64 hexadecimal digits. Returns NULL, or what is wrong with it. */
const char *pseudonym_keys_add(struct pseudonym_keys *keys, struct span entry);
/* Reads what begins with "2026-11-29". False when it does not begin so. */
bool pseudonym_day_read(struct span date, uint32_t *ret_day);
/* The newest key that is used on this day, or the oldest of all. There must be one. */
const struct pseudonym_key *pseudonym_key_of_day(const struct pseudonym_keys *keys, uint32_t day);

void pseudonym_put_address(struct text *out, const struct pseudonym_key *key, const struct address *address);
/* `plain` has no NUL. Letter case of the context counts as little as in domains, up to 255 octets of it count. */
void pseudonym_put_text(struct text *out, const struct pseudonym_key *key, enum pseudonym_kind kind,
                        struct span context, struct span plain);

/* How long the pseudonym is that the text begins with; 0 when it begins with none. */
size_t pseudonym_length(struct span text);
/* Appends what it stands for. False, and nothing, when its key is not there, or it was not made with this context. */
bool pseudonym_reveal(struct text *out, const struct pseudonym_keys *keys, struct span pseudonym,
                      struct span context);
