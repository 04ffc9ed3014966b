/* Values that are lists, and what stands in them. */
#pragma once

#include "conf/value/value.h"

bool value_is_list(enum value_type type);
/* How many items the list of this type has. */
size_t value_list_count(enum value_type type, const void *list);
/* Appends {"ITEM", ...}, as a configuration has it. `items`: the default of a row, with commas between them. */
void value_put_default_list(struct text *text, const char *items);
void value_clear_list(const struct option_row *row, void *base);
/* For value_set(): one item more for a list of this type. */
bool value_append(enum value_type type, struct span text, void *list, struct arena *memory,
                  struct text *ret_error);
/* Appends A-labels in lower case; false when `text` is no domain name, or there is no room. */
bool domain_name_read(struct span text, struct text *name);
/* "192.0.2.1:25", "[2001:db8::1]:25" */
bool endpoint_parse(struct span text, struct endpoint *ret_endpoint);
void endpoint_put(struct text *text, const struct endpoint *endpoint);
#define ENDPOINT_TEXT_MAX (ADDRESS_TEXT_MAX + 9) /* "[...]:65535" with a terminator */
/* The same, terminated. */
void endpoint_write(const struct address *address, uint16_t port, char ret_text[static ENDPOINT_TEXT_MAX]);
