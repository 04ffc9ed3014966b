/* Running the checks of a stage and combining their verdicts. */
#pragma once

#include "core/check/check.h"

/* Runs one check of kind CHECK_KIND_PURE. VERDICT_PASS where it has nothing to say at this stage. */
enum verdict_result pipeline_check(const struct facts *facts, enum check_id check, enum stage stage,
                                   struct verdict *ret_verdict);

/* Verdicts that did not pass, in table order, at most one a check, and the checks that still wait for an
 * answer. */
struct verdict_list {
        struct verdict *first;
        uint64_t waiting; /* bit mask of enum check_id */
        uint64_t lost;    /* of checks whose verdict no memory could keep: it counts as a deferral */
};

static inline bool verdict_list_is_empty(const struct verdict_list *list)
{
        return list->first == NULL && (list->waiting | list->lost) == 0;
}

/* Runs the wanted checks of the stage and puts those that did not pass on the list. A check that is on the
 * list already keeps its verdict unless the new one is worse: nothing that a client says later washes off
 * what it said before. */
void pipeline_run(const struct facts *facts, enum stage stage, struct verdict_list *list);
/* Runs the checks of the stage that wait. */
void pipeline_resume(const struct facts *facts, enum stage stage, struct verdict_list *list);

/* Takes the checks of the stage off the list. */
void verdict_list_forget(struct verdict_list *list, enum stage stage);

/* The wanted checks that have something to say at the stage, as a bit mask, and that the domain of at least one of the
 * facts' recipients has on. Postmaster's recipients do not count: they hear everybody (RFC 5321 4.5.1). */
uint64_t pipeline_asked_for(const struct facts *facts, enum stage stage);

/* A verdict with the mode under which it counts. */
struct judgement {
        enum verdict_result result;    /* PASS: nothing enforced stands against it */
        const struct verdict *verdict; /* of a refusal or deferral */
        const struct check_setting *setting;
};

/* Combines the verdicts on `lists` under `settings` (one for each check) in table order: the first enforced
 * refusal, unless a check above it waits; WAIT while any check that is not off waits; else the first enforced
 * deferral; else PASS. So it does not depend on the order in which answers come. `ret_observed`: the checks,
 * as a bit mask, that only observe but would have refused or deferred; 0 with WAIT. */
struct judgement pipeline_combine(const struct verdict_list *lists, size_t list_count,
                                  const struct check_setting *settings, uint64_t *ret_observed);
/* The verdict of a check on the lists, or NULL. */
const struct verdict *verdict_of(const struct verdict_list *lists, size_t list_count, enum check_id check);
