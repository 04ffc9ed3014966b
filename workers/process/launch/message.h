/* What the server says to its launcher, and what it hears: small messages of fixed length, with descriptors
 * (SCM_RIGHTS) on a SOCK_SEQPACKET. What is anything else is refused. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAUNCH_SOCKETS_MAX     250
#define LAUNCH_DESCRIPTORS_MAX (LAUNCH_SOCKETS_MAX + 2) /* the kernel takes 253 in a message */

enum launch_order {
        LAUNCH_START =
            1, /* starts the program, with descriptors: sockets, a channel to it, and its standard error */
        LAUNCH_END,   /* ends what was started, at once */
        LAUNCH_LEAVE, /* the launcher ends, and leaves what was started alone */
};

struct launch_message {
        uint32_t order; /* enum launch_order */
        uint32_t kept,
            own; /* of START: sockets that others keep, and behind them those that nobody else has */
};

enum launch_news { LAUNCH_HAS_STARTED = 1, LAUNCH_HAS_ENDED, LAUNCH_REFUSED };

struct launch_report {
        uint32_t news; /* enum launch_news */
        int32_t value; /* the process; its status, as of waitpid(); the errno */
};

/* False with errno. The descriptors stay the caller's. */
bool launch_message_send(int fd, const struct launch_message *message, const int *descriptors, size_t count);

enum launch_receipt {
        LAUNCH_TAKEN,
        LAUNCH_MALFORMED, /* and its descriptors are closed */
        LAUNCH_GONE,      /* the other side has ended */
};

/* Waits for the next message. Descriptors of one that is taken are the caller's; there are as many as it must have. */
enum launch_receipt launch_message_receive(int fd, struct launch_message *ret_message,
                                           int ret_descriptors[static LAUNCH_DESCRIPTORS_MAX]);
/* Of a message that may be: sockets, channel and standard error of START; none of the others. */
size_t launch_descriptor_count(const struct launch_message *message);
