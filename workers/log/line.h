/* A line of the log with pseudonyms in the place of what tells who somebody is, and back. */
#pragma once

#include "core/base/digest/pseudonym.h"

/* With what each line begins, before its time. */
#define LOG_LINE_HEAD "{\"time\":\""

/* How lines are hidden. */
struct log_privacy {
        const struct pseudonym_keys *keys; /* NULL: nothing is hidden */
        uint8_t prefix4, prefix6; /* of the network beside a client, as IPv4 and IPv6 count them; 0: none */
};

/* Appends the line with pseudonyms; its day says by which key. What is a pseudonym already stays. A line that is no
 * JSON is hidden as a text. */
void log_line_hide(const struct log_privacy *privacy, struct span line, struct text *out);
/* Appends the line as it was before, as far as the keys are there; of the network beside a client it says nothing.
 * False when pseudonyms are left. */
bool log_line_reveal(const struct pseudonym_keys *keys, struct span line, struct text *out);
/* True when something in the line has the form of a pseudonym. */
bool log_line_has_pseudonyms(struct span line);

/* "session" of {"time":...,"event":"session",...}; empty for what does not begin as a line of the log. */
struct span log_line_event(struct span line);
