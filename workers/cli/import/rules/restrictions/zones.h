/* DNS lists: those of restrictions and of postscreen together, each zone once. */
#pragma once

#include "workers/cli/import/rules/restrictions/restrictions.h"

/* "zone", "zone=127.0.0.[2;4..8]", "zone=...*-2", as restrictions and postscreen_dnsbl_sites have them. */
struct zone_words {
        struct span name, filter;
        int64_t weight; /* 1 where none stands there */
};

bool zone_words_read(struct span text, struct zone_words *ret_words);

void restrict_blocklist(struct import *import, struct element *element);
void restrict_allowlist(struct import *import, struct element *element);
void restrict_names_list(struct import *import, struct element *element);
/* An entry of postscreen_dnsbl_sites, with a weight of its own; `row` is judged. */
void zones_add_weighted(struct import *import, struct span text, bool is_enforced, struct span origin,
                        struct report_row *row);
/* A zone of our own, whose list is `file`. False: there are too many others. */
bool zones_add_file(struct import *import, const char *name, const char *file, bool has_names,
                    struct span origin);
/* Writes the sections, when all zones are known. */
void zones_finish(struct import *import);
