/* Each moment of a session as a list of calls, one for each row of checks.def that has the hook: no table that
 * all sessions would have to walk through for the few rows that there are. */
#include "core/check/hooks.h"

#include "core/check/cost/cost.h"

#include <assert.h>

/* Others would never be given the text. */
enum check_stage {
#define CHECK(name, policy, stage, ...) STAGE_OF_##name = STAGE_##stage,
#include "core/check/checks.def"
};
#define HOOK_READ_TEXT(check)                                                                                \
        static_assert(STAGE_OF_##check == (int)STAGE_DATA, #check " is not of the stage DATA");
#include "core/check/checks.def"

/* What a hook does is the check's doing. */
#define COUNTED(facts, id, call)                                                                             \
        do {                                                                                                 \
                struct cost_mark mark = cost_begin(facts);                                                   \
                call;                                                                                        \
                cost_end(facts, id, mark);                                                                   \
        } while (false)

static bool is_wanted(const struct facts *facts, enum check_id check)
{
        return facts->snapshot->check_is_wanted[check];
}

void hooks_prepare(const struct facts *facts)
{
#define HOOK_PREPARE(check)                                                                                  \
        if (is_wanted(facts, CHECK_##check))                                                                 \
                COUNTED(facts, CHECK_##check, check##_prepare(facts));
#include "core/check/checks.def"
}

void hooks_commit(const struct facts *facts, const struct check_setting *settings)
{
#define HOOK_COMMIT(check)                                                                                   \
        if (is_wanted(facts, CHECK_##check) && settings[CHECK_##check].mode != CHECK_MODE_OFF)               \
                COUNTED(facts, CHECK_##check, check##_commit(facts));
#include "core/check/checks.def"
}

void hooks_stored(const struct facts *facts)
{
#define HOOK_STORED(check)                                                                                   \
        if (is_wanted(facts, CHECK_##check))                                                                 \
                COUNTED(facts, CHECK_##check, check##_stored(facts));
#include "core/check/checks.def"
}

bool hooks_write_fields(const struct facts *facts, struct content *content, struct content_pool *pool)
{
        char octets[CHECK_FIELD_MAX];
        struct text field;
        bool has_memory = true;

#define HOOK_WRITE_FIELD(check)                                                                              \
        text_over(&field, octets, sizeof octets);                                                            \
        if (is_wanted(facts, CHECK_##check))                                                                 \
                COUNTED(facts, CHECK_##check, check##_write_field(facts, &field));                           \
        if (!field.overflowed)                                                                               \
                has_memory = has_memory && content_append(content, pool, text_span(&field));
#include "core/check/checks.def"
        return has_memory;
}

uint64_t hooks_text_begin(const struct facts *facts, uint64_t checks)
{
        uint64_t readers = 0;

#define HOOK_READ_TEXT(check)                                                                                \
        if ((checks & check_bit(CHECK_##check)) != 0 && check##_text_begin(facts))                           \
                readers |= check_bit(CHECK_##check);
#include "core/check/checks.def"
        return readers;
}

uint64_t hooks_text_read(const struct facts *facts, uint64_t readers, struct span octets)
{
        bool wants_more = true;

#define HOOK_READ_TEXT(check)                                                                                \
        if ((readers & check_bit(CHECK_##check)) != 0)                                                       \
                COUNTED(facts, CHECK_##check, wants_more = check##_text_read(facts, octets));                \
        if ((readers & check_bit(CHECK_##check)) != 0 && !wants_more)                                        \
                readers &= ~check_bit(CHECK_##check);
#include "core/check/checks.def"
        return readers;
}

void hooks_text_end(const struct facts *facts, uint64_t readers)
{
#define HOOK_READ_TEXT(check)                                                                                \
        if ((readers & check_bit(CHECK_##check)) != 0)                                                       \
                COUNTED(facts, CHECK_##check, check##_text_end(facts));
#include "core/check/checks.def"
}

struct zone_marks hooks_mark_zones(const struct facts *facts)
{
        struct zone_marks marks, all = {0};

#define HOOK_MARK_ZONES(check)                                                                               \
        marks = is_wanted(facts, CHECK_##check) ? check##_mark_zones(facts) : (struct zone_marks){0};        \
        all.asked |= marks.asked;                                                                            \
        all.listed |= marks.listed;
#include "core/check/checks.def"
        return all;
}

struct span hooks_log_result(const struct facts *facts, enum check_id check)
{
#define HOOK_LOG_RESULT(name)                                                                                \
        if (check == CHECK_##name && is_wanted(facts, check))                                                \
                return name##_log_result(facts);
#include "core/check/checks.def"
        return SPAN("");
}
