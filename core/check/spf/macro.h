/* Macro strings of SPF records and explanations (RFC 7208 7): syntax, and expansion from given values. */
#pragma once

#include "core/base/address.h"

#define SPF_NAME_MAX        253 /* octets of a name in presentation form, 7.3 */
#define SPF_MACRO_VALUE_MAX 512 /* longer ones do not come out of an SMTP command */

/* What the letters stand for. Each at most SPF_MACRO_VALUE_MAX. */
struct spf_macro_values {
        struct address client;
        struct span local, sender_domain, helo, receiver;
        struct span domain;    /* %{d}: changes with include and redirect */
        struct span validated; /* %{p} */
        int64_t now_s;
};

/* macro-string of at most `macros_max` macros; in an explanation spaces and %{c}, %{r}, %{t} are allowed. */
bool spf_macro_is_valid(struct span string, bool is_explanation, unsigned macros_max);
/* domain-spec: a macro-string that ends in a macro or in a top label. */
bool spf_domain_spec_is_valid(struct span string, unsigned macros_max);
/* The string is valid and has %{letter}, in either case. */
bool spf_macro_uses(struct span string, char letter);
/* A valid explanation, cut where `text` is full. */
void spf_macro_expand(struct span string, const struct spf_macro_values *values, struct text *text);
/* A valid domain-spec as a name to ask for: without a trailing dot, labels cut on the left until it has at
 * most SPF_NAME_MAX octets (7.3). */
struct span spf_macro_expand_name(struct span string, const struct spf_macro_values *values,
                                  char buffer[SPF_NAME_MAX + 2]);
/* %{i} of RFC 7208 7.3: dotted octets, or dotted nibbles of IPv6. */
void spf_macro_put_client(struct text *text, const struct address *client);
