/* Filters for IPv4 addresses in the answers of DNS lists, written as Postfix writes them. */
#pragma once

#include "conf/snapshot.h"

/* Reads "127.0.0.2" or "127.0.[1;3].[2..11]": each octet is a number, or numbers and ranges in brackets. */
bool answer_filter_parse(struct span text, struct answer_filter *ret_filter);
/* The same text, in its shortest form. */
void answer_filter_write(struct text *text, const struct answer_filter *filter);
/* `address`: 4 octets. */
bool filter_list_matches(const struct filter_list *list, const uint8_t address[static 4]);
