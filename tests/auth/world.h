/* A message and the DNS around it, for tests of core/auth: a zone as text answers at once, or late and one by one. */
#pragma once

#include "core/auth/reader.h"
#include "core/auth/results.h"

#define WORLD_QUESTIONS_MAX 128
#define WORLD_RECORDS_MAX   16

struct world {
        struct dns_source source; /* first */
        struct span zone;         /* lines "NAME TYPE DATA"; NAME "*": any; DATA "!": a failure */
        bool is_late;
        struct dns_question waiting[WORLD_QUESTIONS_MAX];
        size_t waiting_count, asked;
        struct block_pool pool;
        struct arena arena;
        struct memo memo;
};

void world_begin(struct world *world, struct span zone, bool is_late);
void world_end(struct world *world);
/* Answers the question that was asked last. False: none waits. */
bool world_answer(struct world *world);
/* All of a message, in pieces of so many octets (0: in one), until it is judged. */
void world_judge(struct world *world, struct auth_reader *reader, struct span text, size_t cut,
                 int64_t now_s);
/* DMARC of it. */
void world_dmarc(struct world *world, const struct dmarc_request *request, struct dmarc_verdict *ret_verdict);
/* What Authentication-Results says of it is whole, and nobody else has written in it. */
void world_check_results(const struct auth_reader *reader, const struct dmarc_author *author,
                         const struct dmarc_verdict *verdict, struct span hostile);
