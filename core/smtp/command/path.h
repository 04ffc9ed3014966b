/* Paths and parameters of MAIL and RCPT (RFC 5321 4.1.2, 4.1.1.11). */
#pragma once

#include "conf/snapshot.h"

/* With its brackets, RFC 5321 4.5.3.1.3. Longer ones could not be sent on, because others take no more. */
#define PATH_MAX_OCTETS 256

struct path {
        struct span address;    /* without brackets and source route; empty: the null path */
        struct span local_part; /* as given, quotes and all */
        struct span domain;     /* as given; empty for the null path and bare postmaster */
        bool domain_is_literal;
        bool is_ascii;
};

/* Reads a path from the front of *input and advances it. Source routes are checked and left out. UTF-8 is
 * read everywhere (RFC 6531): see is_ascii. `takes_null` for MAIL's "<>", `takes_postmaster` for RCPT's
 * "<postmaster>". `is_lenient`: dots of a local part may stand wherever they like, and blanks before the path.
 * On failure *input begins with what cannot be: a local part, a domain, or an octet out of place. */
bool path_parse(struct span *input, bool takes_null, bool takes_postmaster, bool is_lenient,
                struct path *ret_path);

/* For the reply: what path_parse() could not read was too long for it. */
bool path_is_too_long(struct span input);
/* The domain of ours that the path is in; NULL: none. */
const struct domain *path_find_domain(const struct path *path, const struct snapshot *snapshot);

struct parameter {
        struct span keyword;
        struct span value; /* at == NULL: none was given */
};

enum parameter_result { PARAMETER_END, PARAMETER_FOUND, PARAMETER_BAD };

/* Reads the next " keyword[=value]" from *input. */
enum parameter_result parameter_next(struct span *input, struct parameter *ret_parameter);
