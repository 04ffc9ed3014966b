/* A dialogue script: one directive a line, some with a text below them up to a line EOF. No meaning here,
 * only form. */
#pragma once

#include "core/base/text.h"

#include <stdarg.h>

struct step {
        unsigned line;
        struct span word;     /* up to the first space */
        struct span argument; /* behind that space, or of a `<<EOF` directive what stands between */
        struct span body;     /* lines with their newline; at == NULL: none */
};

struct script {
        const char *path;
        char *octets; /* owner: the script; steps point into it */
        struct step *steps;
        size_t count;
};

/* False, with a message on standard error, when there is no such file or a body has no end. */
bool script_read(const char *path, struct script *ret_script);
void script_end(struct script *script);

/* Cuts the first line off, without its line end `end`. The last line may have none. */
struct span span_take_line(struct span *rest, struct span end);
/* \r \n \t \0 \\ \xHH in `span` become octets; false on any other backslash. */
bool text_put_unescaped(struct text *text, struct span span);
/* What did not go as the step says, with its place; the first failure counts. */
void script_fail(const struct script *script, const struct step *step, struct text *failure,
                 const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));
/* `pattern` is the line, or ends with '*' and the line starts with the rest. */
bool line_matches(struct span line, struct span pattern);
