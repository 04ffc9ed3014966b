/* The local part of a mailbox (RFC 5321 4.1.2), which is a dot-string or a quoted-string. Paths and the
 * configuration share this parser. */
#pragma once

#include "core/base/text.h"

/* Octets of a local part as written, with quotes: what a path of 256 octets leaves for it. The 64 octets of RFC
 * 5321 4.5.3.1.1 are what everybody must take at least; VERP, SRS and address extensions make longer ones. */
#define LOCAL_PART_MAX 252

/* True when all of `span` is a local part. Then the octets that it means are appended to *ret_unquoted,
 * without quotes and backslashes. They are at most LOCAL_PART_MAX, and none for "". With `utf8`, well-formed
 * UTF-8 passes too (RFC 6531 3.3). */
bool local_part_parse(struct span span, bool utf8, struct text *ret_unquoted);
/* The same, with dots in a dot-string wherever they like: "a..b", ".a", "a." (option lenient of the rule
 * syntax). It suits any local part that has been taken already. */
bool local_part_parse_loose(struct span span, bool utf8, struct text *ret_unquoted);
/* Appends the form in which mailboxes are compared: NFC (RFC 6532 3.1) and, with `fold`, without letter case, of
 * whatever script. Never a part of it: false when `text` has no room, or memory is out. ASCII takes no memory
 * and little time. `local_part`: unquoted, UTF-8. */
bool local_part_normalise(struct span local_part, bool fold, struct text *text);
/* Appends an unquoted local part as an address has it: with quotes, and backslashes, where it needs some. */
void local_part_write(struct span unquoted, struct text *text);
