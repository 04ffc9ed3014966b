/* Whose sessions somebody follows live (`gatepost trace`). */
#pragma once

#include "core/base/address.h"

#define FOLLOWERS_MAX      4 /* at a time; each of them has a bit */
#define FOLLOW_PATTERN_MAX 320
#define FOLLOW_RATE_MAX    100000 /* lines a second, for one of them */

enum follow_what { FOLLOW_CLIENT, FOLLOW_SENDER, FOLLOW_RECIPIENT };

struct follow_filter {
        enum follow_what what;
        struct network network; /* of a client */
        /* Of an address: `*` stands for any octets, `@domain` for anybody there, and nothing for the null sender, which
         * is written "<>"; empty quotes, as a shell takes them away, and nothing mean it too. Letter case does not
         * count. */
        size_t length;
        char pattern[FOLLOW_PATTERN_MAX];
};

/* "ip=NETWORK", "from=PATTERN" or "to=PATTERN". False when it is none of them. */
bool follow_filter_parse(struct span text, struct follow_filter *ret_filter);
/* Lines a second. False when it is no number from 1 to FOLLOW_RATE_MAX. */
bool follow_rate_parse(struct span text, uint64_t *ret_rate);
bool follow_filter_has_client(const struct follow_filter *filter, const struct address *client);
/* `what`: a sender or a recipient is asked for. */
bool follow_filter_has_address(const struct follow_filter *filter, enum follow_what what,
                               struct span address);
