/* Reads message text as it comes after DATA (RFC 5321 4.5.2): finds its end, unstuffs dots, keeps the octets,
 * notes what is wrong with them. Only <CRLF>.<CRLF> is an end; a bare CR or LF ends neither a line nor the
 * text. */
#pragma once

#include "core/mail/claims.h"
#include "core/mail/message.h"
#include "core/mail/message_id.h"

enum text_scan_state { TEXT_LINE_START, TEXT_IN_LINE, TEXT_AFTER_CR, TEXT_DOT, TEXT_DOT_CR, TEXT_END };

struct text_scan {
        /* Set by the user. */
        uint64_t size_max;             /* more octets than this are not kept */
        uint64_t line_max;             /* with CRLF; 0: any */
        struct claims *claims;         /* what passes there is kept; NULL: everything is */
        struct message_id *message_id; /* NULL: nobody wants to know */
        /* Found so far. */
        uint64_t size; /* octets kept or that would have been */
        uint32_t hops; /* Received fields in the header */
        bool has_bare_newline, has_nul, has_long_line, is_too_large, is_out_of_memory;
        /* Own. */
        enum text_scan_state state;
        bool in_header;
        bool line_is_received;
        uint64_t line_length;
};

void text_scan_init(struct text_scan *scan, uint64_t size_max, uint64_t line_max);
/* Reads *input to its end or to the end of the text, and advances it. True at the end of the text. Octets are
 * kept in `content` as long as nothing is wrong with them. */
bool text_scan_read(struct text_scan *scan, struct span *input, struct content *content,
                    struct content_pool *pool);
/* Something was found for which the message cannot be taken. */
bool text_scan_is_bad(const struct text_scan *scan);
