/* Sessions that somebody follows live tell each line that is said, and each verdict that counts. A session is marked
 * when it begins, or at MAIL and RCPT, and from then on it tells. Texts of messages are never told. Where nobody
 * follows, all that a command costs is a look at one word. */
#pragma once

#include "core/smtp/follow/filter.h"

#include <stdint.h>

#define FOLLOW_LINE_MAX 1016 /* octets; what is told of a long line is cut */

struct session;
struct verdict;
struct check_setting;

/* A part of session_host. */
struct follow {
        uint32_t active; /* the filters in force, as bits; the worker sets it once a turn */
        const struct follow_filter *filters; /* FOLLOWERS_MAX of them; those in force do not change */
        /* Takes a line of JSON, for those whose bits are set. It may leave it out, and must not wait. */
        void (*tell)(void *teller, uint32_t followers, struct span line);
        void *teller;
        size_t told; /* octets of `out` that followers know of */
};

/* The client is known, or has been named by a balancer: who follows it? */
void follow_client(struct session *session);
/* The same for MAIL and RCPT, when the address is known. */
void follow_address(struct session *session, enum follow_what what, struct span address);
/* A command line has come; `out` holds what was said before it. */
void follow_command(struct session *session, struct span line, const struct text *out);
/* What stands in `out` was said, as far as it was not told before. */
void follow_replies(struct session *session, const struct text *out);
/* The caller has sent `out`, which is empty now. */
void follow_sent(struct session *session, const struct text *out);
/* `setting`: under which it counts. */
void follow_verdict(struct session *session, const struct verdict *verdict,
                    const struct check_setting *setting);
/* Something else that has happened, such as "tls" or "end", and more of it. */
void follow_note(struct session *session, const char *what, struct span more);
