/* Reads what a policy service tells to do: "REJECT text", "450 4.7.1 text", "PREPEND Name: value". */
#pragma once

#include "core/delegation/delegation.h"

/* NULL; or, with nothing written, why it can mean nothing, static. */
const char *delegation_action_read(struct span action, struct delegation_answer *ret_answer);
