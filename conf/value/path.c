/* Texts and paths, as the snapshot keeps them. */
#include "conf/value/path.h"

#include <string.h>

#define COMPONENT_MAX 255 /* NAME_MAX of Linux */
#define FOLDER_MAX    100

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

/* ---- mailboxes ----------------------------------------------------------------------------------------- */

const char *mailbox_path_fault(const char *path)
{
        bool has_user = false;
        for (; *path != '\0'; path++) {
                if (*path != '%')
                        continue;
                path++;
                if (*path == '\0' || strchr("du%", *path) == NULL)
                        return "there are %d (domain), %u (local part) and %% (percent sign) in ";
                has_user = has_user || *path == 'u';
        }
        return has_user ? NULL : "needs %u (local part) in ";
}

bool mailbox_path_has_long_component(const char *path, size_t domain_length)
{
        size_t length = 0;
        for (; *path != '\0' && length <= COMPONENT_MAX; path++) {
                if (*path == '/')
                        length = 0;
                else
                        length += path[0] == '%' && path[1] == 'd' ? domain_length : 1;
                if (*path == '%')
                        path++;
        }
        return length > COMPONENT_MAX;
}

bool mailbox_folder_is_valid(const char *name)
{
        size_t length = strlen(name);

        if (length == 0 || length > FOLDER_MAX || name[0] == '.' || name[length - 1] == '.' ||
            strstr(name, "..") != NULL)
                return false;
        for (const char *c = name; *c != '\0'; c++)
                if (*c < ' ' || *c > '~' || *c == '/')
                        return false;
        return true;
}
