/* How many answers would change, and whose: by check, and by the names that many of them have in common. Of a tally the
 * memory is fixed, however much is counted. */
#pragma once

#include "core/rehearse/compare.h"

#define TALLY_NAMES_MAX   16384 /* of a kind; what comes later is counted together */
#define TALLY_NAME_SIZE   64    /* with its terminator; a longer one is cut */
#define TALLY_EXAMPLES    8     /* of each change */
#define TALLY_EXAMPLE_MAX 200

enum tally_kind {
        TALLY_SENDER_DOMAIN,  /* "<>": the null sender */
        TALLY_CLIENT_NETWORK, /* /24 or /48 */
        TALLY_RECIPIENT_DOMAIN,
        TALLY_KINDS
};

/* Changes to be seen under this name. */
struct tally_row {
        char name[TALLY_NAME_SIZE];
        uint64_t changes[REHEARSE_CHANGES]; /* none of NONE and UNKNOWN */
};

struct tally_table {
        struct tally_row *rows; /* TALLY_NAMES_MAX, in any order */
        uint32_t *places;       /* by the hash of the name: 1 + its row; 0: free */
        size_t count;
        uint64_t left_out[REHEARSE_CHANGES]; /* under names that had no room */
};

struct tally {
        uint64_t changes[REHEARSE_CHANGES];
        uint64_t by_check[CHECK_COUNT + 1][REHEARSE_CHANGES]; /* the last one: no check */
        struct tally_table tables[TALLY_KINDS];
        /* "1BS0T7G1VBQC dnsbl carol@example.com alice@isp.example": the id of the refusal or of the mail first */
        char examples[REHEARSE_CHANGES][TALLY_EXAMPLES][TALLY_EXAMPLE_MAX];
        size_t example_count[REHEARSE_CHANGES];
};

/* False when memory is out. */
bool tally_begin(struct tally *tally);
void tally_end(struct tally *tally);
void tally_add(struct tally *tally, const struct rehearsed *rehearsed);
/* All that was added. */
uint64_t tally_answers(const struct tally *tally);
/* Sorts the rows by how often this change stands there, the most first, and returns how many have it. */
size_t tally_sort(struct tally_table *table, enum rehearse_change change);

/* The name of a check, or "-" where none is to blame: of a row of by_check. */
static inline const char *tally_check_word(size_t check)
{
        return check < CHECK_COUNT ? check_infos[check].name : "-";
}

/* "sender domain" or the like. */
extern const char *const tally_kind_names[TALLY_KINDS];
