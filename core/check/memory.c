/* Memory of checks, taken when it is needed: most transactions need little of it. */
#include "core/check/memory.h"

void *check_memory_take(const struct facts *facts, enum check_id check, size_t size)
{
        struct check_memory *memory = facts->memory;

        if (memory == NULL)
                return NULL;
        if (memory->of[check] == NULL && (memory->of[check] = arena_take(facts->arena, size)) != NULL)
                memset(memory->of[check], 0, size);
        memory->refused = memory->of[check] == NULL ? memory->refused | check_bit(check)
                                                    : memory->refused & ~check_bit(check);
        return memory->of[check];
}

bool check_memory_is_out(const struct facts *facts, enum check_id check)
{
        return facts->memory != NULL && (facts->memory->refused & check_bit(check));
}

void *check_memory_find(const struct facts *facts, enum check_id check)
{
        return facts->memory == NULL ? NULL : facts->memory->of[check];
}
