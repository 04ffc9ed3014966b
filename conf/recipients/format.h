/* The file of recipients as octets. Only conf/recipients includes this. A change makes a new magic.
 *
 *     the tree of LMDB                       tree_octets
 *       "\x01DOMAIN" = uint64_t              addresses of the domain
 *       "DOMAIN@LOCAL_PART" = ""             the domain in A-labels, in lower case; the local part normalised, or
 *                                            RECIPIENT_CATCH_ALL; where it has settings, uint32_t, their number
 *       "\x02uint32_t" = SETTINGS            from 1 on, as recipient_settings_read() takes them
 *     struct recipient_trailer
 *
 * No domain and no local part has a control character, so keys sort as the lines do from which they are made. */
#pragma once

#include "core/base/domain_name.h"
#include "core/base/local_part.h"

#include <assert.h>
#include <lmdb.h>
#include <xxhash.h>

#define RECIPIENT_MAGIC      "gatepost recipients 2\n"
#define RECIPIENT_ORDER      0x01020304 /* as this machine orders octets, like all numbers of LMDB */
#define RECIPIENT_KEY_MAX    (DOMAIN_NAME_MAX + 1 + LOCAL_PART_MAX)
#define RECIPIENT_COUNT_MARK '\x01'
#define RECIPIENT_SET_MARK   '\x02'
#define RECIPIENT_FLAGS      (MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS)

struct recipient_trailer {
        char magic[24];
        uint32_t order;
        uint32_t folds; /* 1: local parts have no letter case */
        uint64_t tree_octets;
        uint64_t count;            /* addresses */
        XXH128_canonical_t digest; /* of all before: the tree, and this structure up to here */
};

static_assert(RECIPIENT_KEY_MAX <= 511, "LMDB takes no longer keys");
static_assert(sizeof(struct recipient_trailer) == 64, "there are no gaps");

/* Puts the digest of the tree, which is read from `file`, and of what stands before it in *trailer into *ret_digest.
 * False, with errno, when it cannot be read; 0 when the file is too short. */
bool recipient_digest(int file, const struct recipient_trailer *trailer, XXH128_canonical_t *ret_digest);
