/* Reads the text of a message once, as it comes, for all who judge who wrote it. */
#pragma once

#include "core/auth/arc/arc.h"
#include "core/auth/dkim.h"

struct auth_reader {
        struct auth_text text;
        struct dkim dkim;
        struct arc arc;
        bool is_parsed; /* the header is over: signatures are known, and keys may be asked for */
        bool skips_arc; /* set by the user after the beginning: nobody wants to know of the chain */
};

/* Takes no memory; the header takes it of the arena as it comes. */
void auth_reader_init(struct auth_reader *reader, struct arena *arena);
/* Text as the client sent it, with CRLF line ends and not dot-stuffed, in any pieces; without fields of ours, and
 * before any field is taken out. Where lines ended in a bare LF that was mended, signatures are over what was
 * mended. */
void auth_reader_read(struct auth_reader *reader, struct span octets);
/* The text is complete. */
void auth_reader_end(struct auth_reader *reader);
/* Has the questions asked that are known by now. It may be called at any time, and more than once. */
void auth_reader_ask(const struct auth_reader *reader, struct memo *memo);
/* After the end. False: answers are pending. */
bool auth_reader_judge(struct auth_reader *reader, struct memo *memo, int64_t now_s);
