/* The policy page: the rules that a configuration puts in force, for senders who were refused. Everything here is a
 * function of the snapshot, opens nothing, and has no state; several threads may write pages at once. */
#pragma once

#include "conf/snapshot.h"
#include "core/policy/frame.h"

#include <stdio.h>

/* Writes the page in a language, as HTML in UTF-8, to `out`, which may be open_memstream()'s; its errors are the
 * caller's to look for. `links` are the addresses of the page in each language, for links from one to the other. Each
 * check is an anchor of its name on it, each reply "reply-NAME", and each code such as "code-550-5.7.1". */
void policy_page_write(FILE *out, const struct snapshot *snapshot, enum language language,
                       const char *const links[static LANGUAGE_COUNT]);
