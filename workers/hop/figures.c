/* Rows of figures, and their sums. */
#include "workers/hop/figures.h"

#include <string.h>

struct figures *figures_of(struct figures_table *table, const struct next_hop *hop)
{
        uint32_t count = atomic_load_explicit(&table->count, memory_order_relaxed);
        char octets[NEXT_HOP_TEXT_MAX + 1];

        next_hop_write_string(hop, octets);
        for (uint32_t i = 0; i < count; i++)
                if (strcmp(table->rows[i].name, octets) == 0)
                        return &table->rows[i];
        if (count == FIGURES_MAX)
                return &table->rows[FIGURES_MAX];
        memcpy(table->rows[count].name, octets, strlen(octets) + 1);
        atomic_store_explicit(&table->count, count + 1, memory_order_release);
        return &table->rows[count];
}

static struct figures_sum *sum_of(const char *name, struct figures_sum *sums, size_t *count)
{
        for (size_t i = 0; i < *count; i++)
                if (strcmp(sums[i].name, name) == 0)
                        return &sums[i];
        if (*count == FIGURES_MAX)
                return &sums[FIGURES_MAX];
        sums[*count] = (struct figures_sum){.name = name};
        return &sums[(*count)++];
}

static void add(struct figures_sum *sum, const struct figures *figures)
{
        for (size_t i = 0; i < FIGURE_COUNT; i++)
                sum->numbers[i] += counter_read(&figures->numbers[i]);
}

void figures_add(const struct figures_table *table, struct figures_sum *sums, size_t *count)
{
        uint32_t rows = atomic_load_explicit(&table->count, memory_order_acquire);

        for (uint32_t i = 0; i < rows; i++)
                add(sum_of(table->rows[i].name, sums, count), &table->rows[i]);
        add(&sums[FIGURES_MAX], &table->rows[FIGURES_MAX]);
}
