/* What all threads know of clients, in memory of fixed size. */
#pragma once

#include "core/senders/client_table.h"
#include "core/senders/ledger.h"
#include "core/senders/tls_no_go.h"

struct clients {
        struct client_table sessions; /* that are open */
        struct sketch questions;      /* to DNS that are in flight */
        struct ledger ledger;         /* what they have done */
        size_t ledger_size;
        struct tls_no_go tls_no_go; /* whose handshakes failed */
};

/* Sized for about `sessions_max` open at a time. False when memory is out. */
bool clients_init(struct clients *clients, const struct options *options, size_t sessions_max);
void clients_end(struct clients *clients);
