/* How the page looks: one sheet, which stands in the page itself. */
#pragma once

#include "core/base/text.h"

extern const char style_sheet[];

#define STYLE_SECURITY_MAX 96
/* What the header Content-Security-Policy says of the sheet: "style-src 'sha256-...'", terminated. */
void style_security_write(char ret_policy[static STYLE_SECURITY_MAX]);
