/* Texts and paths, as the snapshot keeps them. */
#include "conf/value/path.h"

const char *arena_string(struct arena *memory, struct span text)
{
        char *copy = arena_take(memory, text.length + 1);
        if (copy == NULL)
                return NULL;
        if (text.length > 0)
                memcpy(copy, text.at, text.length);
        copy[text.length] = '\0';
        return copy;
}

/* Appends the components of `path` to `text`, which is empty or an absolute path. */
static void path_append(struct text *text, struct span path)
{
        while (path.length > 0) {
                size_t slash = span_find(path, '/');
                struct span component = span_of(path.at, slash == SIZE_MAX ? path.length : slash);
                path = span_skip(path, component.length + 1);
                if (span_equals(component, SPAN(".."))) {
                        size_t last = span_find_last(text_span(text), '/');
                        text->length = last == SIZE_MAX ? 0 : last;
                } else if (component.length > 0 && !span_equals(component, SPAN("."))) {
                        text_put_char(text, '/');
                        text_put(text, component);
                }
        }
}

const char *path_resolve(struct span path, const char *directory, struct arena *memory)
{
        size_t size = strlen(directory) + path.length + 3;
        char *octets = arena_take(memory, size);
        struct text text;

        if (octets == NULL)
                return NULL;
        text_over(&text, octets, size - 1);
        if (path.length == 0 || path.at[0] != '/')
                path_append(&text, span_from(directory));
        path_append(&text, path);
        if (text.length == 0)
                text_put_char(&text, '/');
        octets[text.length] = '\0';
        return octets;
}
