/* Words that a filter wants the client to be told: "550 5.7.1 text", or several lines of them, where %% stands
 * for %. */
#pragma once

#include "core/base/text.h"

#define MILTER_REPLY_TEXT_MAX 512 /* RFC 5321 4.5.3.1.5 allows no longer line */

struct milter_reply {
        uint16_t code; /* 4xx or 5xx; 0: it has no words of its own */
        /* Of the class of the code (RFC 3463); where the filter gave none, "5.7.1" or "4.7.1". */
        char enhanced[12];
        /* Its lines in one, with a blank between them and without their enhanced codes; printable, and cut. */
        char text[MILTER_REPLY_TEXT_MAX];
};

/* False, and nothing written, where the words are no reply that refuses: another code, codes or classes that
 * differ, a bare CR. */
bool milter_reply_read(struct span words, struct milter_reply *ret_reply);
