/* The Received-SPF field (RFC 7208 9.1). */
#pragma once

#include "core/check/spf/evaluate.h"

/* "pass", "softfail", ... */
const char *spf_result_name(enum spf_result result);

#define SPF_RECEIVED_MAX 8192

/* The whole Received-SPF field with CRLF (9.1), at most SPF_RECEIVED_MAX octets. Nothing that a stranger said
 * can end its line, its comment or its value. */
void spf_write_received(struct text *text, const struct spf_request *request, enum spf_result result,
                        const struct spf_detail *detail);
