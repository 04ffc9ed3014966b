/* A hostile DNS server on loopback, UDP and TCP. The first label of a name says what it does; "mutate"
 * changes some bits. */
#pragma once

#include "dns/fact.h"

struct evil_behaviour {
        const char *label;
        void (*change)(void); /* of the good answer; NULL: silence */
        enum fact expected;   /* PENDING: any */
};

extern const struct evil_behaviour evil_behaviours[];
extern const size_t evil_behaviour_count;

/* Its port. */
uint16_t evil_begin(void);
void evil_end(void);

/* For the server's two files: the query in hand, and the answer that is being made. */
#define PACKET_MAX 65535

struct packet {
        unsigned char octets[PACKET_MAX];
        size_t length;
};

extern struct packet evil_query, evil_answer;

bool evil_label_is(const char *label);
const struct evil_behaviour *evil_behaviour_find(void);
void evil_answer_good(void);
/* These change the answer; the TCP side uses them too. */
void evil_do_garbage(void);
void evil_do_huge(void);
void evil_do_truncated(void);
void evil_do_wrong_name(void);
