/* A key at which libConfuse stops: an unknown one, or a section's that is given a value as if it were an option's.
 * Only conf/ includes this. */
#pragma once

#include "conf/text/parse.h"

struct wrong_key {
        struct wrong_key *next;
        size_t position; /* number of settings before it */
        bool is_section;
        const char *message;
        struct place place;
};

/* Writes the message about `key`, which ends in the line of `cfg`, its section, and blanks it in the source with
 * what is given to it. False when it cannot be blanked, so that the parser comes no further. The message is
 * `memory`'s; NULL: none was left. */
bool wrong_key_blank(struct wrong_key *wrong, const char *key, const cfg_t *cfg, const struct scope *scope,
                     struct source *source, struct arena *memory);
