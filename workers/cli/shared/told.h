/* Pieces of what subcommands tell, as JSON and in words. */
#pragma once

#include "conf/snapshot.h"

#include <jansson.h>

/* A string of the span, in which nothing is left that a terminal would obey. The caller's. */
json_t *told_string(struct span value);
/* Sets the key unless the span is empty. */
void told_put(json_t *object, const char *key, struct span value);
/* The same for a string, which may be NULL. */
void told_put_text(json_t *object, const char *key, const char *value);
/* Sets the key to the number. */
void told_put_number(json_t *object, const char *key, uint64_t number);
/* Sets the key to an array of the names of checks; `checks` is a bit mask. */
void told_put_checks(json_t *object, const char *key, uint64_t checks);
/* "file" and "line"; where the line is 0, "default". */
void told_put_place(json_t *object, const struct place *place);
/* Prints what a stranger may have written, so that a terminal obeys nothing in it; nothing for NULL. */
void told_print_text(const char *words);
/* Prints " (FILE:LINE)" or " (default)" for an object with such a place. */
void told_print_place(const json_t *object);
/* Prints a JSON value so that a terminal obeys nothing in it. */
void told_print(const json_t *value);
