/* The address of the policy page, as replies and pages name it. */
#pragma once

#include "core/base/text.h"

#define POLICY_URL_MAX          200 /* octets of the option */
#define POLICY_REPLY_SUFFIX_MAX 240 /* octets that policy_url_put_suffix() writes at most */

/* The reject id is to stand in it. */
bool policy_url_has_id(const char *url);
/* Appends the address, with the id in the place of %i. */
void policy_url_put(struct text *out, const char *url, const char *id);
/* Appends the end of a reply by policy: "; see URL [ID]", without what is empty. */
void policy_url_put_suffix(struct text *out, const char *url, const char *id);
