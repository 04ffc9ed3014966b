/* Reads message text as it comes after DATA (RFC 5321 4.5.2): finds its end, unstuffs dots, keeps the octets,
 * notes what is wrong with them. Only <CRLF>.<CRLF> is an end, whatever a bare LF is taken for. */
#pragma once

#include "core/auth/reader.h"
#include "core/mail/claims.h"
#include "core/mail/message.h"
#include "core/mail/message_id.h"

enum text_scan_state {
        TEXT_LINE_START,
        TEXT_IN_LINE,
        TEXT_AFTER_CR,
        TEXT_DOT,
        TEXT_DOT_CR,
        TEXT_END,
        /* The same behind a bare LF, where no end can be. */
        TEXT_AFTER_LF,
        TEXT_LF_DOT,
        TEXT_LF_DOT_CR
};

/* What the rule syntax has against a text, the first one first. A lone dot is a line that is "." and no end, for
 * one of its line ends is a bare LF: by itself it is no reason to refuse a message. */
enum text_flaw {
        TEXT_FLAW_BARE_CR,
        TEXT_FLAW_BARE_LF,
        TEXT_FLAW_NUL,
        TEXT_FLAW_LONG_LINE,
        TEXT_FLAW_LONE_DOT,
        TEXT_FLAWS,
        TEXT_FLAW_NONE = TEXT_FLAWS
};

/* Both from 1; a bare LF ends a line, too. */
struct text_place {
        uint64_t line; /* 0: nowhere */
        uint64_t octet;
};

struct text_scan {
        /* Set by the user. */
        uint64_t size_max;             /* more octets than this are not kept */
        uint64_t line_max;             /* with CRLF; 0: any */
        struct claims *claims;         /* what passes there is kept; NULL: everything is */
        struct message_id *message_id; /* NULL: nobody wants to know */
        struct auth_reader *reader;    /* of what the client sends, with what claims take out; NULL: none */
        bool mends_bare_lf;            /* it is kept as CRLF, and is no reason to refuse the message */
        /* Found so far. */
        uint64_t size; /* octets kept or that would have been */
        uint32_t hops; /* Received fields in the header */
        bool is_too_large, is_out_of_memory;
        struct text_place flaws[TEXT_FLAWS]; /* where each was first */
        uint64_t bare_lfs;
        /* Own. */
        enum text_scan_state state;
        bool in_header;
        bool line_is_received;
        bool is_bad; /* what text_scan_is_bad() says, at hand for each piece */
        uint64_t line_length;
        uint64_t line, offset; /* of the octet that is read next: its line from 1, and the octets before it */
        uint64_t line_offset;  /* where its line begins */
        uint64_t lone_dot_end; /* behind the last lone dot's line; 0: there was none */
};

static inline void text_scan_init(struct text_scan *scan, uint64_t size_max, uint64_t line_max)
{
        *scan = (struct text_scan){.size_max = size_max, .line_max = line_max, .in_header = true, .line = 1};
}
/* Reads *input to its end or to the end of the text, and advances it. True at the end of the text. Octets are
 * kept in `content` as long as nothing is wrong with them. */
bool text_scan_read(struct text_scan *scan, struct span *input, struct content *content,
                    struct content_pool *pool);
/* The first flaw of syntax for which the message cannot be taken. */
static inline enum text_flaw text_scan_flaw(const struct text_scan *scan)
{
        for (enum text_flaw flaw = 0; flaw < TEXT_FLAW_LONE_DOT; flaw++)
                if (scan->flaws[flaw].line > 0 && !(flaw == TEXT_FLAW_BARE_LF && scan->mends_bare_lf))
                        return flaw;
        return TEXT_FLAW_NONE;
}
/* Something was found for which it cannot be taken. */
static inline bool text_scan_is_bad(const struct text_scan *scan)
{
        return scan->is_too_large || scan->is_out_of_memory || text_scan_flaw(scan) != TEXT_FLAW_NONE;
}
/* What came last is a lone dot: its client believes that it has ended the text. */
static inline bool text_scan_stops_at_lone_dot(const struct text_scan *scan)
{
        return scan->lone_dot_end > 0 && scan->lone_dot_end == scan->offset;
}
