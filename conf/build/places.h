/* Where the options of a configuration stand, for those who tell people from which line something holds. The files are
 * read anew, by the parser that makes snapshots: a snapshot keeps nothing of this. */
#pragma once

#include "conf/snapshot.h"

/* One value of an option, or one item of a list. */
struct option_place {
        const struct option_place *next;
        const char *section; /* that it stands in, such as "dnsbl", "zone" or "domain"; "": in none */
        const char *title;   /* the section's name, as of a zone; "": it has none */
        const char *key;
        const char *value; /* ""; an empty list */
        struct place place;
};

struct option_places {
        struct block_pool pool;
        struct arena memory;
        const struct option_place *first; /* in the order of the text */
};

/* Reads the file and what it includes. Modes that a domain gives to checks are left out: the snapshot has their
 * places. False, with nothing to be ended, where it cannot be read or memory is out. As snapshot_load(), two threads
 * may not call it at once. */
bool option_places_read(struct option_places *places, const char *path);
void option_places_end(struct option_places *places);
/* Returns the first one with this key in this section, behind `after` unless that is NULL; or NULL. A `title` of NULL
 * is any. */
const struct option_place *option_places_find(const struct option_places *places,
                                              const struct option_place *after, const char *section,
                                              const char *title, const char *key);
