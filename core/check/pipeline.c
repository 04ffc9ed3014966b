/* The pipeline: which checks run at a stage, and how verdicts combine. */
#include "core/check/pipeline.h"

#include "core/base/expect.h"
#include "core/check/cost/cost.h"
#include "core/mail/message.h"

#include <assert.h>

static_assert(CHECK_COUNT <= 64, "masks of checks are 64 bits");

typedef enum verdict_result check_function(const struct facts *facts, struct verdict *verdict);

/* NULL for rules and session checks: core/smtp sees to them. */
static check_function *const check_functions[CHECK_COUNT] = {
#define CHECK(name, ...) [CHECK_##name] = check_##name,
#include "core/check/checks.def"
};

/* Of checks of other stages, at the end of the text. */
static check_function *const text_functions[CHECK_COUNT] = {
#define HOOK_JUDGE_TEXT(check) [CHECK_##check] = check##_judge_text,
#include "core/check/checks.def"
};

/* NULL: the check has nothing to say at this stage. */
static check_function *function_at(enum check_id check, enum stage stage)
{
        if (check_infos[check].stage == stage)
                return check_functions[check];
        return stage == STAGE_DATA ? text_functions[check] : NULL;
}

/* In the place of a verdict that could not be kept: whatever it was, the client is to come again. */
static const struct verdict lost_verdicts[CHECK_COUNT] = {
#define CHECK(name, ...)                                                                                     \
        [CHECK_##name] = {.check = CHECK_##name,                                                             \
                          .result = VERDICT_DEFER,                                                           \
                          .reply = REPLY_out_of_memory,                                                      \
                          .evidence = {FACTS_OUT_OF_MEMORY, sizeof FACTS_OUT_OF_MEMORY - 1}},
#include "core/check/checks.def"
};

static int verdict_weight(const struct verdict *verdict)
{
        return verdict->only_observes ? 0 : verdict->result == VERDICT_DEFER ? 1 : 2;
}

static void list_put(struct verdict_list *list, const struct verdict *verdict, struct arena *arena)
{
        struct verdict **link = &list->first;
        while (*link != NULL && (*link)->check < verdict->check)
                link = &(*link)->next;
        if (*link != NULL && (*link)->check == verdict->check) {
                bool is_worse = verdict_weight(verdict) > verdict_weight(*link);
                struct verdict *next = (*link)->next;
                if (is_worse) {
                        **link = *verdict;
                        (*link)->next = next;
                }
                return;
        }
        struct verdict *kept = arena_take(arena, sizeof *kept);
        if (kept == NULL) {
                list->lost |= check_bit(verdict->check);
                return;
        }
        list->lost &= ~check_bit(verdict->check);
        *kept = *verdict;
        kept->next = *link;
        *link = kept;
}

enum verdict_result pipeline_check(const struct facts *facts, enum check_id check, enum stage stage,
                                   struct verdict *ret_verdict)
{
        check_function *function = function_at(check, stage);

        *ret_verdict = (struct verdict){.check = check, .is_of_text = stage == STAGE_DATA};
        if (function == NULL)
                return VERDICT_PASS;
        struct cost_mark mark = cost_begin(facts);
        ret_verdict->result = function(facts, ret_verdict);
        cost_end(facts, check, mark);
        return ret_verdict->result;
}

static void run(const struct facts *facts, enum check_id check, enum stage stage, struct verdict_list *list)
{
        struct verdict verdict;
        enum verdict_result result = pipeline_check(facts, check, stage, &verdict);

        list->waiting &= ~check_bit(check);
        if (result == VERDICT_WAIT)
                list->waiting |= check_bit(check);
        else if (result != VERDICT_PASS)
                list_put(list, &verdict, facts->arena);
}

void pipeline_run(const struct facts *facts, enum stage stage, struct verdict_list *list)
{
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                if (facts->snapshot->check_is_wanted[check] && function_at(check, stage) != NULL)
                        run(facts, check, stage, list);
}

void pipeline_resume(const struct facts *facts, enum stage stage, struct verdict_list *list)
{
        for (uint64_t left = list->waiting; left != 0; left &= left - 1) {
                enum check_id check = (enum check_id)__builtin_ctzll(left);
                if (function_at(check, stage) != NULL)
                        run(facts, check, stage, list);
        }
}

void verdict_list_forget(struct verdict_list *list, enum stage stage)
{
        struct verdict **link = &list->first;

        while (*link != NULL)
                if (check_infos[(*link)->check].stage == stage)
                        *link = (*link)->next;
                else
                        link = &(*link)->next;
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                if (check_infos[check].stage == stage) {
                        list->waiting &= ~check_bit(check);
                        list->lost &= ~check_bit(check);
                }
}

static bool is_asked_for(const struct recipient *recipient, enum check_id check)
{
        for (; recipient != NULL; recipient = recipient->next)
                if (!recipient->is_postmaster && recipient_checks(recipient)[check].mode != CHECK_MODE_OFF)
                        return true;
        return false;
}

uint64_t pipeline_asked_for(const struct facts *facts, enum stage stage)
{
        uint64_t checks = 0;

        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                if (facts->snapshot->check_is_wanted[check] && function_at(check, stage) != NULL &&
                    is_asked_for(facts->recipients, check))
                        checks |= check_bit(check);
        return checks;
}

const struct verdict *verdict_of(const struct verdict_list *lists, size_t list_count, enum check_id check)
{
        for (size_t i = 0; i < list_count; i++) {
                for (const struct verdict *verdict = lists[i].first; verdict != NULL; verdict = verdict->next)
                        if (verdict->check == check)
                                return verdict;
                if (lists[i].lost & check_bit(check))
                        return &lost_verdicts[check];
        }
        return NULL;
}

static bool is_waiting(const struct verdict_list *lists, size_t list_count, enum check_id check)
{
        for (size_t i = 0; i < list_count; i++)
                if (lists[i].waiting & check_bit(check))
                        return true;
        return false;
}

struct judgement pipeline_combine(const struct verdict_list *lists, size_t list_count,
                                  const struct check_setting *settings, uint64_t *ret_observed)
{
        struct judgement judgement = {.result = VERDICT_PASS};
        uint64_t observed = 0;

        *ret_observed = 0;
        for (enum check_id check = 0; check < CHECK_COUNT; check++) {
                const struct verdict *verdict = verdict_of(lists, list_count, check);
                if (settings[check].mode == CHECK_MODE_OFF)
                        continue;
                if (judgement.result != VERDICT_REFUSE && is_waiting(lists, list_count, check))
                        return (struct judgement){.result = VERDICT_WAIT};
                if (verdict == NULL)
                        continue;
                if (settings[check].mode == CHECK_MODE_OBSERVE || verdict->only_observes)
                        observed |= check_bit(check);
                else if (judgement.result == VERDICT_PASS ||
                         (judgement.result == VERDICT_DEFER && verdict->result == VERDICT_REFUSE))
                        judgement = (struct judgement){verdict->result, verdict, &settings[check]};
        }
        *ret_observed = observed;
        return judgement;
}
