/* Variables in values, as postconf(5) has them: $name, ${name}, $(name), ${name?text}, ${name:text},
 * ${name?{text}:{text}}, ${{text} == {text} ? {text} : {text}} and $$. */
#pragma once

#include "workers/cli/import/cf/main_cf.h"

/* The value with what its variables stand for, for the whole of which there is room in CF_VALUE_MAX octets; what
 * is set nowhere is empty. False, with the reason, where Postfix would not read it either. */
bool cf_expand(const struct cf *cf, struct span value, struct span *ret_text, struct cf_fault *ret_fault);
/* The same of the setting of this name, or of its default. */
bool cf_value(const struct cf *cf, const char *name, struct span *ret_text, struct cf_fault *ret_fault);
