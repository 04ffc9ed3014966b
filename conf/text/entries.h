/* Files with an entry a line, such as keys: blank lines and comments, which begin with "#", may stand between. */
#pragma once

#include "core/base/text.h"

/* Cuts lines off *rest up to the next entry, and returns that, without the blanks around it. *line, zero at first,
 * counts the lines. It is empty when there is no entry left. */
struct span entry_take(struct span *rest, uint32_t *line);
