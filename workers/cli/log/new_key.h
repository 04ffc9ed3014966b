/* gatepost log new-key: the file of keys of the log's pseudonyms. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct new_key_wish {
        const char *path;
        uint64_t period_ms; /* a key is added when the newest has served so long */
        uint64_t kept;      /* keys that are left, with the new one */
};

/* Adds a key where one is due, and takes the oldest away. The file is replaced whole, and keeps its owner and mode; a
 * new one is its owner's alone. False when it cannot be read or written, which is told. */
bool new_key_add(const struct new_key_wish *wish);
