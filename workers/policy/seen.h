/* What the policy page may tell of a line of the log to who knows a reject id. */
#pragma once

#include "core/policy/refusal.h"

#include <jansson.h>

/* Finds the reply with this reject id in the line, which may be of any event. What is found is borrowed from the line
 * and from `id`. False, and nothing, when the line has no reply with this reject id; the id of a message, which is told
 * with a 250, will not do. */
bool seen_read(const json_t *line, const char *id, struct refusal *ret_refusal);
