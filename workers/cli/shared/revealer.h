/* Lines of a log that has pseudonyms, for whoever has their keys. */
#pragma once

#include "core/base/digest/pseudonym.h"

/* Zero it first. */
struct revealer {
        struct pseudonym_keys *keys; /* NULL: none */
        char *octets;                /* of the last line */
};

/* `key_file` may be empty. Without keys that can be read lines stay as they are, and that is told on standard error. */
void revealer_begin(struct revealer *revealer, const char *key_file);
/* The line with what its pseudonyms stand for, as far as the keys are there, until the next call. */
const char *revealer_line(struct revealer *revealer, const char *line);
void revealer_end(struct revealer *revealer);
