/* A source of recipients for dialogue tests: the name of who is asked about says what it answers. */
#pragma once

#include "core/lookup/ruling.h"
#include "tests/dialogue/dns.h"

struct scripted_recipients {
        struct recipient_source source; /* first */
        enum answering answering;
        bool is_pending;
        struct key128 key; /* of the question that is pending */
        enum fact fact;
        struct ruling ruling;
};
