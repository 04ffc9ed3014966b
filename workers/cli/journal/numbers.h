/* Numbers of messages, as the command line gives them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct journal_numbers {
        uint64_t *at;
        size_t count;
        const char *configuration; /* the file, which names the socket of a server */
};
