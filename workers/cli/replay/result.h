/* What came of a replay, for people, for spreadsheets and for programs. */
#pragma once

#include "core/rehearse/rehearsal.h"

struct replay_result {
        const char *configuration;
        uint64_t sessions; /* read */
        uint64_t with_facts, cut, hidden, damaged;
        struct rehearsal_result *of; /* those that could be judged */
};

/* The tables of the tally are sorted anew. */
void result_print(struct replay_result *result);
void result_print_json(struct replay_result *result);
/* "-": standard output. False, and told, when the file cannot be written. */
bool result_write_csv(struct replay_result *result, const char *path);
