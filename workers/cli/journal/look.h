/* What reads a journal. It takes no lock and writes nothing, so a server may run meanwhile. Each returns an exit
 * status, and tells on standard error what went wrong. */
#pragma once

#include "conf/snapshot.h"
#include "workers/cli/journal/numbers.h"

int journal_list(const struct options *options, const struct journal_numbers *numbers);
int journal_show(const struct options *options, const struct journal_numbers *numbers);
int journal_verify(const struct options *options, const struct journal_numbers *numbers);
