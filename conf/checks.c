/* The table of checks and its names. */
#include "conf/checks.h"

const struct check_info check_infos[CHECK_COUNT] = {
#define RULE(name, policy, summary)                                                                          \
        [CHECK_##name] = {#name,  policy, CHECK_KIND_RULE, STAGE_NONE, NEEDS_NOTHING, CHECK_MODE_ENFORCE,    \
                          summary},
#define SESSION_CHECK(name, policy, mode, summary)                                                           \
        [CHECK_##name] = {#name,  policy, CHECK_KIND_SESSION, STAGE_NONE, NEEDS_NOTHING, CHECK_MODE_##mode,  \
                          summary},
#define CHECK(name, policy, stage, needs, mode, summary)                                                     \
        [CHECK_##name] = {#name,  policy, CHECK_KIND_PURE, STAGE_##stage, NEEDS_##needs, CHECK_MODE_##mode,  \
                          summary},
#include "core/check/checks.def"
};

enum check_id check_by_name(struct span name)
{
        for (unsigned check = 0; check < CHECK_COUNT; check++)
                if (span_equals(name, span_from(check_infos[check].name)))
                        return (enum check_id)check;
        return CHECK_COUNT;
}

const char *check_need_name(enum check_need need)
{
        static const char *const names[] = {"-", "dns", "senders"};
        return names[need];
}

const char *check_mode_name(enum check_mode mode)
{
        static const char *const names[] = {"off", "observe", "enforce"};
        return names[mode];
}

const char *stage_name(enum stage stage)
{
        static const char *const names[] = {"session", "connect", "helo", "mail", "rcpt", "data"};
        return names[stage];
}
