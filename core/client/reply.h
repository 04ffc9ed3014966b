/* Replies of a next hop (RFC 5321 4.2), read strictly, line by line and in fixed memory. What is no reply is told
 * apart from one that has not come whole. */
#pragma once

#include "core/base/text.h"

#define HOP_LINE_MAX        1024 /* with CRLF; twice what RFC 5321 4.5.3.1.5 allows */
#define HOP_ANSWER_TEXT_MAX 320

/* What a next hop has said, or what became of it instead. */
struct hop_answer {
        const char *state; /* in which it was awaited: a name of states.def, static */
        uint16_t code;     /* 0: it said nothing, and the text is ours */
        /* "5.1.1" (RFC 3463), of the class of the code; where the hop gave none "5.0.0". Empty without a code. */
        char enhanced[12];
        /* Its lines in one, with a blank between them and without their enhanced codes; printable, and cut. */
        char text[HOP_ANSWER_TEXT_MAX];
};

/* One reply as it comes. */
struct reply_reader {
        uint16_t lines; /* that came so far; 0: the next one begins a reply */
        bool utf8;      /* set by the user: the text may be UTF-8 */
};

enum reply_step {
        REPLY_UNENDED, /* no whole line is there */
        REPLY_LINE,    /* more lines follow */
        REPLY_WHOLE,
        REPLY_BAD, /* what comes is no reply; *ret_text is why, static */
};

/* Reads one line off the front of *input into `answer`. *ret_text is what stands behind its code, borrowed. At most
 * `lines_max` lines are one reply. */
enum reply_step reply_read(struct reply_reader *reader, unsigned lines_max, struct span *input,
                           struct hop_answer *answer, struct span *ret_text);
/* What became of it where the hop has not said it. `state`: static; the text is copied. */
void reply_say(struct hop_answer *answer, const char *state, const char *text);
