/* Looks up the texts of advice.def. */
#include "workers/cli/explain/advice.h"

#include "conf/checks.h"
#include "conf/replies.h"

static const struct advice reply_advice[REPLY_COUNT] = {
#define REPLY_ADVICE(reply, why, remedy) [REPLY_##reply] = {why, remedy},
#include "workers/cli/explain/advice.def"
};
static const struct advice check_advice[CHECK_COUNT] = {
#define CHECK_ADVICE(check, why, remedy) [CHECK_##check] = {why, remedy},
#include "workers/cli/explain/advice.def"
};
static const struct {
        const char *name;
        struct advice advice;
} ending_advice[] = {
#define ENDING_ADVICE(ending, why, remedy) {#ending, {why, remedy}},
#include "workers/cli/explain/advice.def"
};

const struct advice *advice_of_check(const char *name)
{
        enum check_id check = name == NULL ? CHECK_COUNT : check_by_name(span_from(name));
        return check == CHECK_COUNT || check_advice[check].why == NULL ? NULL : &check_advice[check];
}

const struct advice *advice_of_reply(const char *name)
{
        enum reply_id reply = name == NULL ? REPLY_NONE : reply_by_name(span_from(name));

        if (reply == REPLY_NONE)
                return NULL;
        if (reply_advice[reply].why != NULL)
                return &reply_advice[reply];
        return reply_infos[reply].is_syntax ? &check_advice[CHECK_syntax] : advice_of_check(name);
}

const struct advice *advice_of_ending(const char *name)
{
        for (size_t i = 0; name != NULL && i < sizeof ending_advice / sizeof *ending_advice; i++)
                if (strcmp(ending_advice[i].name, name) == 0)
                        return &ending_advice[i].advice;
        return NULL;
}
