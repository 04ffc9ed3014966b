/* Both texts become lists of settings, ordered by where they stand, which are then read side by side. */
#include "workers/server/pages/changes.h"

#include "conf/value/effective.h"

#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 4
#define ROOM_LEFT 64  /* for the number of changes that have no room */
#define VALUE_MAX 120 /* octets of a value that are told */

/* Where it stands is told by the sections around it. */
struct setting {
        const char *sections[DEPTH_MAX]; /* from outside; NULL behind the last one */
        const char *name, *value;        /* a section itself has the name "" */
};

struct settings {
        struct setting *list;
        size_t count;
};

/* ---- reading ------------------------------------------------------------------------------------------- */

static char *trimmed(char *line)
{
        char *comment = strstr(line, "    # ");

        line += strspn(line, " ");
        if (comment != NULL && comment > line)
                *comment = '\0';
        return line;
}

static bool cut_end(char *line, const char *end)
{
        size_t length = strlen(line), end_length = strlen(end);

        if (length < end_length || strcmp(line + length - end_length, end) != 0)
                return false;
        line[length - end_length] = '\0';
        return true;
}

/* "name = value", "name { mode = value }", or a comment such as "# 3 recipients". */
static void read_setting(struct setting *setting, char *line)
{
        char *value = strstr(line, " = ");
        char *brace = strstr(line, " { ");

        setting->name = line;
        setting->value = "";
        if (brace != NULL && (value == NULL || brace < value) && cut_end(line, " }"))
                value = strstr(brace, " = ");
        if (value != NULL) {
                *value = '\0';
                setting->value = value + strlen(" = ");
        }
        if (brace != NULL && brace < setting->value)
                *brace = '\0';
        if (line[0] == '#') {
                bool is_number = ascii_is_digit(line[strlen("# ")]);
                setting->name = is_number ? "list" : line + strlen("# ");
                setting->value = is_number ? line + strlen("# ") : "";
        }
}

/* Of settings no more than there are lines. */
static void read_settings(char *text, struct settings *settings)
{
        const char *sections[DEPTH_MAX] = {NULL};
        size_t depth = 0;

        for (char *line = text, *end; line != NULL; line = end) {
                end = strchr(line, '\n');
                if (end != NULL)
                        *end++ = '\0';
                line = trimmed(line);
                bool begins = cut_end(line, " {");
                if (line[0] == '\0')
                        continue;
                if (line[0] == '}') {
                        sections[depth > 0 ? --depth : 0] = NULL;
                        continue;
                }
                if (begins && depth < DEPTH_MAX)
                        sections[depth++] = line;
                struct setting *setting = &settings->list[settings->count++];
                memcpy(setting->sections, sections, sizeof sections);
                if (begins)
                        setting->name = setting->value = "";
                else
                        read_setting(setting, line);
        }
}

static int compare_places(const struct setting *left, const struct setting *right)
{
        for (size_t i = 0; i < DEPTH_MAX; i++) {
                const char *a = left->sections[i], *b = right->sections[i];
                int order = a == b ? 0 : a == NULL ? -1 : b == NULL ? 1 : strcmp(a, b);
                if (order != 0)
                        return order;
        }
        return strcmp(left->name, right->name);
}

static int compare(const void *left, const void *right)
{
        return compare_places(left, right);
}

static bool settings_of(char *text, struct settings *settings)
{
        size_t lines = 1;

        for (const char *at = text; *at != '\0'; at++)
                lines += *at == '\n';
        *settings = (struct settings){.list = malloc(lines * sizeof settings->list[0])};
        if (settings->list == NULL)
                return false;
        read_settings(text, settings);
        qsort(settings->list, settings->count, sizeof settings->list[0], compare);
        return true;
}

/* ---- telling ------------------------------------------------------------------------------------------- */

static void put_value(struct text *line, const char *value)
{
        size_t length = strlen(value);

        text_put(line, span_of(value, length < VALUE_MAX ? length : VALUE_MAX));
        if (length > VALUE_MAX)
                text_put_string(line, "...");
}

/* False when there is no room left for it. `before` or `after` is NULL where it has come or gone. */
static bool put_change(struct text *out, const struct setting *before, const struct setting *after)
{
        const struct setting *setting = after != NULL ? after : before;
        char octets[1024];
        struct text line;

        text_over(&line, octets, sizeof octets);
        for (size_t i = 0; i < DEPTH_MAX && setting->sections[i] != NULL; i++) {
                text_put_string(&line, i == 0 ? "" : " ");
                text_put_string(&line, setting->sections[i]);
        }
        text_put_string(&line, line.length > 0 && setting->name[0] != '\0' ? " " : "");
        text_put_string(&line, setting->name);
        text_put_string(&line, after == NULL ? " is gone" : before == NULL ? " is new" : ": ");
        if (before != NULL && after != NULL) {
                put_value(&line, before->value);
                text_put_string(&line, " becomes ");
                put_value(&line, after->value);
        }
        text_put_char(&line, '\n');
        if (line.overflowed || text_room(out) < line.length + ROOM_LEFT)
                return false;
        text_put(out, text_span(&line));
        return true;
}

/* True when `inner` stands in the section that `section` is: it comes and goes with it. */
static bool is_within(const struct setting *section, const struct setting *inner)
{
        if (section == NULL || section->name[0] != '\0')
                return false;
        for (size_t i = 0; i < DEPTH_MAX && section->sections[i] != NULL; i++)
                if (inner->sections[i] == NULL || strcmp(section->sections[i], inner->sections[i]) != 0)
                        return false;
        return true;
}

static void write_changes(const struct settings *before, const struct settings *after, struct text *out)
{
        const struct setting *whole = NULL; /* the last section that has come or gone */
        size_t unsaid = 0, i = 0, j = 0;

        while (i < before->count || j < after->count) {
                const struct setting *old = i < before->count ? &before->list[i] : NULL;
                const struct setting *new = j < after->count ? &after->list[j] : NULL;
                int order = old == NULL ? 1 : new == NULL ? -1 : compare_places(old, new);
                i += order <= 0;
                j += order >= 0;
                if (order == 0 && strcmp(old->value, new->value) == 0)
                        continue;
                old = order > 0 ? NULL : old;
                new = order < 0 ? NULL : new;
                if (order != 0 && is_within(whole, old != NULL ? old : new))
                        continue;
                if (order != 0)
                        whole = old != NULL ? old : new;
                if (unsaid > 0 || !put_change(out, old, new))
                        unsaid++;
        }
        if (unsaid > 0)
                text_printf(out, "and %zu more\n", unsaid);
}

void changes_write(char *before, char *after, struct text *out)
{
        struct settings old = {0}, new = {0};

        if (settings_of(before, &old) && settings_of(after, &new))
                write_changes(&old, &new, out);
        free(old.list);
        free(new.list);
}

char *changes_effective(const struct snapshot *snapshot)
{
        char *text = NULL;
        size_t length;
        FILE *file = open_memstream(&text, &length);

        if (file == NULL)
                return NULL;
        effective_print(file, snapshot);
        fclose(file);
        return text;
}

bool changes_are_none(const struct snapshot *left, const struct snapshot *right)
{
        char *before = changes_effective(left), *after = changes_effective(right);
        bool are_none = before != NULL && after != NULL && strcmp(before, after) == 0;

        free(before);
        free(after);
        return are_none;
}
