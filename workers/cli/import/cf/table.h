/* Lookup tables of Postfix whose text can be read here: hash, lmdb, btree, dbm, cdb, sdbm, texthash and cidr by
 * the source beside them, and inline:{...}. What asks a server, or has patterns, is foreign. */
#pragma once

#include "workers/cli/import/cf/main_cf.h"

#define CF_TABLE_SIZE_MAX    ((size_t)256 << 20) /* octets of a file */
#define CF_TABLE_ENTRIES_MAX 5000000

struct cf_entry {
        struct cf_entry *next;
        struct span key, value;
        uint32_t line;
};

enum cf_table_state {
        CF_TABLE_READ,
        CF_TABLE_ABSENT, /* there is no such file here, or it cannot be read */
        CF_TABLE_FOREIGN,
        CF_TABLE_BROKEN /* it is no table */
};

struct cf_table {
        enum cf_table_state state;
        struct span type,
            path; /* as they are written; of "/file", which stands for its words, the type is empty */
        struct cf_entry *first;
        size_t count;
        struct cf_fault fault; /* of BROKEN */
};

/* Where files are looked for. */
struct cf_place {
        const char *
            folder; /* of main.cf: what is named in /etc/postfix is looked for here first; NULL: no file is read */
};

/* "type:path" or "/path" */
bool cf_is_table(struct span word);
/* "proxy:" in front means nothing here. */
void cf_table_read(struct keep *keep, const struct cf_place *place, struct span word,
                   struct cf_table *ret_table);
/* A file of `size_max` octets at most, which is kept. False, and errno, when it cannot be read. */
bool cf_file_read(struct keep *keep, const char *path, size_t size_max, struct span *ret_text);
/* The path under which a file named in a configuration is looked for here: terminated, empty where nothing is to
 * be read. */
struct span cf_place_find(struct keep *keep, const struct cf_place *place, struct span path);
