/* Scripts: from file to steps. */
#include "tests/dialogue/script.h"

#include "core/base/expect.h"

struct span span_take_line(struct span *rest, struct span end)
{
        const char *at = rest->length == 0 ? NULL : memmem(rest->at, rest->length, end.at, end.length);
        struct span line = at == NULL ? *rest : span_of(rest->at, (size_t)(at - rest->at));
        *rest = span_skip(*rest, at == NULL ? rest->length : line.length + end.length);
        return line;
}

bool line_matches(struct span line, struct span pattern)
{
        if (pattern.length == 0 || pattern.at[pattern.length - 1] != '*')
                return span_equals(line, pattern);
        pattern.length--;
        return line.length >= pattern.length && memcmp(line.at, pattern.at, pattern.length) == 0;
}

/* Octets of the escape after the backslash, 0 if it is none. */
static size_t put_escape(struct text *text, struct span span)
{
        static const char names[] = "rnt0\\", octets[] = "\r\n\t\0\\";

        if (span.length == 0)
                return 0;
        const char *name = memchr(names, span.at[0], sizeof names - 1);
        if (name != NULL) {
                text_put_char(text, octets[name - names]);
                return 1;
        }
        uint8_t octet;
        if (span.length < 3 || span.at[0] != 'x' || !span_hex(span_of(span.at + 1, 2), &octet, 1))
                return 0;
        text_put_char(text, (char)octet);
        return 3;
}

bool text_put_unescaped(struct text *text, struct span span)
{
        while (span.length > 0) {
                size_t plain = span_find(span, '\\');
                plain = plain == SIZE_MAX ? span.length : plain;
                text_put(text, span_of(span.at, plain));
                span = span_skip(span, plain);
                if (span.length == 0)
                        break;
                size_t escape = put_escape(text, span_skip(span, 1));
                if (escape == 0)
                        return false;
                span = span_skip(span, 1 + escape);
        }
        return true;
}

static char *read_file(const char *path, size_t *ret_length)
{
        size_t size = (size_t)1 << 20;
        FILE *file = fopen(path, "r");
        if (file == NULL)
                return NULL;
        char *octets = malloc(size);
        expect(octets != NULL);
        *ret_length = fread(octets, 1, size, file);
        expect(*ret_length < size);
        fclose(file);
        return octets;
}

/* Everything up to the line EOF; false when there is none. */
static bool take_body(struct span *rest, unsigned *line, struct span *ret_body)
{
        const char *begin = rest->at;
        while (rest->length > 0) {
                const char *end = rest->at;
                ++*line;
                if (span_equals(span_take_line(rest, SPAN("\n")), SPAN("EOF"))) {
                        *ret_body = span_of(begin, (size_t)(end - begin));
                        return true;
                }
        }
        return false;
}

static struct step *add_step(struct script *script)
{
        script->steps = reallocarray(script->steps, script->count + 1, sizeof *script->steps);
        expect(script->steps != NULL);
        return &script->steps[script->count++];
}

bool script_read(const char *path, struct script *ret_script)
{
        struct script script = {.path = path};
        struct span rest;

        script.octets = read_file(path, &rest.length);
        if (script.octets == NULL) {
                perror(path);
                return false;
        }
        rest.at = script.octets;
        for (unsigned line = 1; rest.length > 0; line++) {
                struct span text = span_take_line(&rest, SPAN("\n"));
                struct step step = {.line = line};
                if (text.length == 0 || text.at[0] == '#')
                        continue;
                step.word = span_take_line(&text, SPAN(" "));
                step.argument = text;
                if (span_ends_nocase(text, SPAN("<<EOF"))) {
                        step.argument = span_trim(span_of(text.at, text.length - 5));
                        if (!take_body(&rest, &line, &step.body)) {
                                fprintf(stderr, "%s:%u: no line EOF\n", path, step.line);
                                script_end(&script);
                                return false;
                        }
                }
                *add_step(&script) = step;
        }
        *ret_script = script;
        return true;
}

void script_end(struct script *script)
{
        free(script->steps);
        free(script->octets);
}

void script_fail(const struct script *script, const struct step *step, struct text *failure,
                 const char *format, va_list arguments)
{
        char message[4096];

        if (failure->length > 0)
                return;
        vsnprintf(message, sizeof message, format, arguments);
        text_printf(failure, "%s:%u: ", script->path, step->line);
        text_put_printable(failure, span_from(message), true);
}
