/* Edit distance between short names. */
#include "conf/text/nearest.h"

#include <stdint.h>
#include <string.h>

#define LETTERS_MAX 63

static size_t smaller(size_t left, size_t right)
{
        return left < right ? left : right;
}

/* Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
static size_t distance_between(const char *left, const char *right)
{
        size_t left_length = strlen(left), right_length = strlen(right);
        size_t rows[3][LETTERS_MAX + 1];

        if (left_length > LETTERS_MAX || right_length > LETTERS_MAX)
                return SIZE_MAX;
        for (size_t j = 0; j <= right_length; j++)
                rows[0][j] = j;
        for (size_t i = 1; i <= left_length; i++) {
                size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above_that = rows[(i + 1) % 3];
                row[0] = i;
                for (size_t j = 1; j <= right_length; j++) {
                        row[j] = above[j - 1] + (left[i - 1] != right[j - 1]);
                        row[j] = smaller(row[j], smaller(above[j], row[j - 1]) + 1);
                        if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                                row[j] = smaller(row[j], above_that[j - 2] + 1);
                }
        }
        return rows[left_length % 3][right_length];
}

void nearest_offer(struct nearest *nearest, const char *name)
{
        size_t distance = distance_between(nearest->wanted, name);
        if (distance > (strlen(nearest->wanted) + 2) / 3 ||
            (nearest->name != NULL && distance >= nearest->distance))
                return;
        nearest->name = name;
        nearest->distance = distance;
}
