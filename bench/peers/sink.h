/* A mail store that throws all mail away: LMTP with canned replies, in a thread of ours. For servers that hand mail on;
 * what it costs is counted with the generator. */
#pragma once

#include <stdint.h>

struct sink_counts {
        uint64_t connections, messages;
};

/* Its port on 127.0.0.1; started at the first call, it ends with us. */
uint16_t sink_port(void);
/* What it has had so far. */
struct sink_counts sink_count(void);
