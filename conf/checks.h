/* The checks by name and by number. They come from core/check/checks.def. */
#pragma once

#include "core/base/text.h"

enum check_id {
#define RULE(name, ...)          CHECK_##name,
#define SESSION_CHECK(name, ...) CHECK_##name,
#define CHECK(name, ...)         CHECK_##name,
#include "core/check/checks.def"
        CHECK_COUNT
};

enum check_kind { CHECK_KIND_RULE, CHECK_KIND_SESSION, CHECK_KIND_PURE };

enum check_mode { CHECK_MODE_OFF, CHECK_MODE_OBSERVE, CHECK_MODE_ENFORCE };

/* The moment at which the input of a check is known. */
enum stage { STAGE_NONE, STAGE_CONNECT, STAGE_HELO, STAGE_MAIL, STAGE_RCPT, STAGE_DATA };

/* What a check needs. Without resolvers a check that needs DNS is off; without a store of senders it is an
 * error to switch on a check that needs one. */
enum check_need { NEEDS_NOTHING, NEEDS_DNS, NEEDS_SENDERS };

struct check_info {
        const char *name;
        const char *policy; /* its number in the policy, such as "P6" */
        enum check_kind kind;
        enum stage stage;
        enum check_need needs;
        enum check_mode default_mode;
        const char *summary;
};

/* A set of checks is a mask of these. */
static inline uint64_t check_bit(enum check_id check)
{
        return UINT64_C(1) << check;
}

/* The index is enum check_id. */
extern const struct check_info check_infos[CHECK_COUNT];

/* Returns CHECK_COUNT when there is no check of that name. */
enum check_id check_by_name(struct span name);
/* Returns the word that `gatepost checks` shows. */
const char *check_need_name(enum check_need need);
/* Returns "off", "observe" or "enforce". */
const char *check_mode_name(enum check_mode mode);
/* Returns "connect", "helo", "mail", "rcpt" or "data", and "session" for STAGE_NONE. */
const char *stage_name(enum stage stage);
