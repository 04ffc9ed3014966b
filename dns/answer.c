/* Copies of answers: records first, their data behind. */
#include "dns/answer.h"

#include <stdlib.h>

size_t dns_answer_octets(const struct dns_answer *answer)
{
        size_t octets = answer->record_count * sizeof *answer->records;
        for (size_t i = 0; i < answer->record_count; i++)
                octets += answer->records[i].data.length;
        return octets;
}

void dns_answer_write(void *memory, const struct dns_answer *answer, struct dns_answer *ret_copy)
{
        struct dns_record *records = memory;
        char *data = (char *)(records + answer->record_count);

        for (size_t i = 0; i < answer->record_count; i++) {
                struct span from = answer->records[i].data;
                if (from.length > 0)
                        memcpy(data, from.at, from.length);
                records[i] = (struct dns_record){{data, from.length}, answer->records[i].preference};
                data += from.length;
        }
        *ret_copy = *answer;
        ret_copy->records = records;
}

struct shared_answer *shared_answer_create(const struct dns_answer *answer)
{
        struct shared_answer *shared = malloc(sizeof *shared + dns_answer_octets(answer));
        if (shared == NULL)
                return NULL;
        atomic_init(&shared->references, 1);
        dns_answer_write(shared + 1, answer, &shared->answer);
        return shared;
}

struct shared_answer *shared_answer_take(struct shared_answer *shared)
{
        atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
        return shared;
}

void shared_answer_drop(struct shared_answer *shared)
{
        if (shared != NULL && atomic_fetch_sub_explicit(&shared->references, 1, memory_order_acq_rel) == 1)
                free(shared);
}
