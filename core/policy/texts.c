/* The texts of checks and replies as tables. A check without a file of texts, or without one of them, does not
 * compile. */
#include "core/policy/texts.h"

#define BOTH(english, german)                                                                                \
        {                                                                                                    \
                {                                                                                            \
                        english, german                                                                      \
                }                                                                                            \
        }
#define TITLE(english, german)  .title = BOTH(english, german)
#define DEMAND(english, german) .demand = BOTH(english, german)
#define REASON(english, german) .reason = BOTH(english, german)
#define CAUSE(english, german)  .advice.why = BOTH(english, german)
#define REMEDY(english, german) .advice.remedy = BOTH(english, german)

const struct check_texts check_texts[CHECK_COUNT] = {
#define CHECK_TEXTS(name, title, demand, reason, cause, remedy)                                              \
        [CHECK_##name] = {title, demand, reason, cause, remedy},
#include "check_texts.inc"
};

#define SERVER  SUBJECT_SERVER
#define PROXIES SUBJECT_PROXIES

static const struct reply_texts {
        enum check_id subject;
        struct advice advice; /* empty: that of the check */
} reply_texts[REPLY_COUNT] = {
#define REPLY_ADVICE(reply, subject, why, remedy) [REPLY_##reply] = {subject, {why, remedy}},
#define REPLY_OF(reply, check)                    [REPLY_##reply] = {.subject = CHECK_##check},
#include "core/policy/advice.def"
};

static const struct {
        const char *name;
        struct advice advice;
} ending_texts[] = {
#define ENDING_ADVICE(ending, why, remedy) {#ending, {why, remedy}},
#include "core/policy/advice.def"
};

/* Without a row a reply is of the rule syntax, the first of all checks. */
_Static_assert(CHECK_syntax == 0, "zero octets are the subject of a reply without a row");

enum check_id subject_of_reply(enum reply_id reply)
{
        return reply_texts[reply].subject;
}

const struct advice *advice_of_reply(enum reply_id reply)
{
        if (reply == REPLY_NONE || reply_infos[reply].text[0] < '4')
                return NULL;
        if (reply_texts[reply].advice.why.in[LANGUAGE_ENGLISH] != NULL)
                return &reply_texts[reply].advice;
        return &check_texts[reply_texts[reply].subject].advice;
}

const struct advice *advice_of_ending(const char *name)
{
        for (size_t i = 0; name != NULL && i < sizeof ending_texts / sizeof *ending_texts; i++)
                if (strcmp(ending_texts[i].name, name) == 0)
                        return &ending_texts[i].advice;
        return NULL;
}
