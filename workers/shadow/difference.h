/* What the other configuration would have answered otherwise is told. Owner: the thread of the shadow. */
#pragma once

#include "workers/shadow/shadow.h"

/* An answer that has been compared; the context is the shadow. */
void shadow_note(void *context, const struct rehearsed *rehearsed);
