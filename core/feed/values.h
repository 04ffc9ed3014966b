/* What the entries of a feed answer: an address and a template for text, each pair kept once, and lists of several
 * of them. A number stands for each. */
#pragma once

#include "core/base/name_table.h"

enum feed_kind { FEED_BOTH, FEED_ADDRESS_ALONE, FEED_TEXT_ALONE };

struct feed_value {
        enum feed_kind kind;
        uint8_t address[4];
        struct span text; /* a template where the kind is FEED_BOTH; empty: none */
};

/* Numbers that stand for no value. */
#define FEED_EXCLUDED UINT32_C(0)          /* the entry says that there is nothing */
#define FEED_OF_SET   UINT32_C(0x7fffffff) /* the one value of all entries of the set, which it has itself */

#define FEED_VALUES_MAX                                                                                      \
        32 /* of one entry; those beyond are left out, as they are where an answer of DNS is full */

struct feed_values {
        struct name_table values, lists;
};

/* These give the number. False when memory is out, or all values together have 2 GiB. */
bool feed_values_add(struct feed_values *values, const struct feed_value *value, uint32_t *ret_number);
/* Of an entry that is given twice: both values, or nothing where one of them is an exclusion. */
bool feed_values_join(struct feed_values *values, uint32_t left, uint32_t right, uint32_t *ret_number);
/* Gives the values that the number stands for, and how many. Their texts live as long as the values. */
size_t feed_values_get(const struct feed_values *values, uint32_t number,
                       struct feed_value ret_values[static FEED_VALUES_MAX]);
size_t feed_values_octets(const struct feed_values *values);
void feed_values_end(struct feed_values *values);
