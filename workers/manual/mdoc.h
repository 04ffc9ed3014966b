/* Text as man pages have it, in the macros of mdoc(7). */
#pragma once

#include "core/base/text.h"

#include <stdio.h>

/* Writes the words of the text in lines of readable length, with what mdoc would take for its own escaped. */
void mdoc_words(FILE *file, struct span text);
/* The same of one sentence without its period. */
void mdoc_sentence(FILE *file, const char *words);
/* The same on the line of a macro, where no word may be taken for another macro. */
void mdoc_arguments(FILE *file, struct span text);
