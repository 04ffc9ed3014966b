/* A file of recipients that is mapped: a tree of LMDB that `gatepost recipients build` has made, and behind it a
 * trailer with the digest of the whole. It never changes; another one is renamed over it. A look-up takes no lock and
 * no memory, and waits for nothing but, where the kernel has dropped a page, the disk. Nothing here writes. */
#pragma once

#include "core/base/text.h"

/* Unreadable is never unknown: the client has to come again. */
enum recipient_answer { RECIPIENT_UNKNOWN, RECIPIENT_KNOWN, RECIPIENT_UNREADABLE };

/* In the place of a local part: all that are not known otherwise. No local part has a control character. */
#define RECIPIENT_CATCH_ALL "\x02"

#define RECIPIENT_MAP_FAULT_MAX 160

struct recipient_map;

/* Reads all of the file once, which proves it and brings it into memory, and maps it. NULL with the reason in `fault`
 * when it is no such file, or is not as it was made. */
struct recipient_map *recipient_map_open(const char *path, char fault[static RECIPIENT_MAP_FAULT_MAX]);
/* NULL: nothing happens. */
void recipient_map_close(struct recipient_map *map);
/* How local parts have been normalised: see local_part_normalise(). */
bool recipient_map_folds(const struct recipient_map *map);
/* Addresses in `domain`, which is in A-labels in lower case. */
enum recipient_answer recipient_map_count(const struct recipient_map *map, struct span domain,
                                          uint64_t *ret_count);
/* `local_part` is normalised. Any thread may ask at any time. *ret_set: the number of the settings of one that is
 * known, 0 without any; NULL: nobody wants to know. */
enum recipient_answer recipient_map_find(const struct recipient_map *map, struct span domain,
                                         struct span local_part, uint32_t *ret_set);
/* Settings by their number, from 1 on, as text; that lives as long as the map. */
enum recipient_answer recipient_map_settings(const struct recipient_map *map, uint32_t set,
                                             struct span *ret_text);
