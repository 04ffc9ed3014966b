/* The names of results. */
#include "core/auth/result.h"

const char *auth_result_name(enum auth_result result)
{
        static const char *const names[] = {
            [AUTH_NONE] = "none",           [AUTH_PASS] = "pass",       [AUTH_FAIL] = "fail",
            [AUTH_POLICY] = "policy",       [AUTH_NEUTRAL] = "neutral", [AUTH_TEMPERROR] = "temperror",
            [AUTH_PERMERROR] = "permerror", [AUTH_WAIT] = "temperror",
        };
        return names[result];
}
