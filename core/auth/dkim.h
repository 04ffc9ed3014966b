/* DKIM (RFC 6376, 8301, 8463): the signatures of a message. */
#pragma once

#include "core/auth/judge.h"

/* So many are judged, from the top: those that were added last. Each costs a question to DNS, a digest of what it names
 * of the header, and at worst 150 us for 4096 bits; what follows is counted, and nothing else. */
#define DKIM_SIGNATURES_MAX 8

struct dkim {
        uint32_t count; /* of those judged */
        uint32_t seen;  /* in all */
        struct auth_signature signatures[DKIM_SIGNATURES_MAX];
};

/* Parses the signatures of a header that is over; says what is wanted of the body. */
void dkim_begin(struct dkim *dkim, struct auth_text *text);
void dkim_ask(const struct dkim *dkim, struct memo *memo);
/* After the end of the text. False: answers are pending; call again when the memo has one. */
bool dkim_judge(struct dkim *dkim, const struct auth_text *text, struct memo *memo, int64_t now_s);
/* What the message has, in a word: the best of its signatures; AUTH_NONE without any. */
enum auth_result dkim_result(const struct dkim *dkim);
