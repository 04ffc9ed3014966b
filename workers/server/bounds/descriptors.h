/* Descriptors: a connection is one, and so are questions to DNS and messages in the making. */
#pragma once

#include "conf/snapshot.h"

struct descriptor_shares {
        uint64_t limit;         /* of the process */
        uint64_t sessions;      /* that the descriptors are enough for */
        uint32_t spools;        /* long messages that each delivery thread may have open */
        uint32_t dns_in_flight; /* questions that each thread of the pool may have out */
};

/* Raises the limit as far as it goes, and tells on stderr when that is less than connections_max. */
struct descriptor_shares descriptors_divide(const struct options *options, uint32_t acceptor_count,
                                            uint32_t worker_count, uint32_t delivery_count);
/* Says so when the options want more sessions than there are descriptors for. */
void descriptors_warn(const struct descriptor_shares *shares, const struct options *options);
