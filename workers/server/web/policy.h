/* The policy page of the configuration in force, as senders who were refused see it. A web server for the public passes
 * these paths on, and no others. */
#pragma once

#include "core/policy/frame.h"
#include "workers/http/route.h"
#include "workers/server/web/view.h"

#define POLICY_PATH "/policy"

/* `rest` is the path behind POLICY_PATH: the page in the language that it names, or else in the first one that
 * `accepted`, the header Accept-Language or NULL, has and we have, or else in that of the configuration. */
enum http_status policy_write(const struct snapshot *snapshot, struct span rest, const char *accepted,
                              struct text *out);
