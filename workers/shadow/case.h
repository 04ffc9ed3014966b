/* A session that is judged again. Owner: the thread of the shadow, under its lock. */
#pragma once

#include "workers/shadow/shadow.h"

struct shadow_case {
        struct shadow_parcel *parcel; /* NULL: there is none */
        uint64_t number;              /* by which its answers come */
        struct arena arena;
        struct taped live;
        struct memo memo; /* what it has asked beside the tape */
        bool may_ask, wanted_more;
        unsigned rounds;
        uint32_t questions, out;
        uint64_t asked_ms, waited_ms;
};

/* The source of what is not on a tape. */
enum fact shadow_ask(struct dns_source *source, const struct dns_question *question,
                     const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer);
/* Judges the tape, or lets it wait for answers. The parcel is taken over. */
void shadow_judge(struct shadow *shadow, struct shadow_parcel *parcel, uint64_t now_ms);
/* Takes the answers that are there, also those to a shadow that has ended. */
void shadow_take_answers(struct shadow *shadow, uint64_t now_ms);
/* Nobody waits any more. */
void shadow_drop_cases(struct shadow *shadow);
/* In this second: nothing more is to be judged in it. */
bool shadow_has_cost_enough(const struct shadow_run *run);
