/* Sections and options, and how they are written down. */
#include "workers/cli/import/draft.h"

#include "conf/value/write.h"

#define COMMENT_COLUMN 64
#define ORIGIN_MAX     72 /* octets of a comment */

void draft_init(struct draft *draft, struct keep *keep)
{
        *draft = (struct draft){.keep = keep};
        draft->end = &draft->first;
        draft->top.kind = "";
        draft->top.end = &draft->top.first;
}

struct draft_section *draft_section(struct draft *draft, struct draft_section *parent, const char *kind,
                                    struct span title)
{
        for (struct draft_section *section = draft->first; section != NULL; section = section->next)
                if (section->parent == parent && strcmp(section->kind, kind) == 0 &&
                    span_equals_nocase(section->title, title))
                        return section;
        struct draft_section *section = keep_take(draft->keep, sizeof *section);
        section->parent = parent;
        section->kind = kind;
        section->title = keep_span(draft->keep, title);
        section->end = &section->first;
        *draft->end = section;
        draft->end = &section->next;
        return section;
}

struct draft_section *draft_check(struct draft *draft, enum check_id check)
{
        return draft_section(draft, NULL, check_infos[check].name, span_of("", 0));
}

/* ---- options ------------------------------------------------------------------------------------------- */

static struct draft_option *find(const struct draft_section *section, const char *name)
{
        for (struct draft_option *option = section->first; option != NULL; option = option->next)
                if (strcmp(option->name, name) == 0)
                        return option;
        return NULL;
}

static struct draft_option *option_of(struct draft *draft, struct draft_section *section, const char *name,
                                      struct span origin)
{
        struct draft_option *option = find(section, name);

        if (option != NULL)
                return option;
        option = keep_take(draft->keep, sizeof *option);
        option->name = name;
        option->end = &option->first;
        option->origin = keep_span(draft->keep, origin);
        *section->end = option;
        section->end = &option->next;
        return option;
}

static void append(struct draft *draft, struct draft_option *option, struct span text)
{
        struct draft_value *value = keep_take(draft->keep, sizeof *value);

        value->text = keep_span(draft->keep, text);
        *option->end = value;
        option->end = &value->next;
}

static struct draft_option *set(struct draft *draft, struct draft_section *section, const char *name,
                                struct span text, struct span origin)
{
        struct draft_option *option = option_of(draft, section, name, origin);

        option->first = NULL;
        option->end = &option->first;
        option->origin = keep_span(draft->keep, origin);
        append(draft, option, text);
        return option;
}

void draft_word(struct draft *draft, struct draft_section *section, const char *name, struct span word,
                struct span origin)
{
        set(draft, section, name, word, origin);
}

void draft_text(struct draft *draft, struct draft_section *section, const char *name, struct span text,
                struct span origin)
{
        set(draft, section, name, text, origin)->is_quoted = true;
}

bool draft_item(struct draft *draft, struct draft_section *section, const char *name, struct span text,
                struct span origin)
{
        struct draft_option *option = option_of(draft, section, name, origin);

        for (const struct draft_value *value = option->first; value != NULL; value = value->next)
                if (span_equals_nocase(value->text, text))
                        return true;
        return draft_append(draft, section, name, text, origin);
}

bool draft_append(struct draft *draft, struct draft_section *section, const char *name, struct span text,
                  struct span origin)
{
        struct draft_option *option = option_of(draft, section, name, origin);

        option->is_list = true;
        if (option->count == DRAFT_ITEMS_MAX)
                return false;
        option->count++;
        append(draft, option, text);
        return true;
}

bool draft_has(const struct draft_section *section, const char *name, struct span text)
{
        const struct draft_option *option = find(section, name);

        for (const struct draft_value *value = option == NULL ? NULL : option->first; value != NULL;
             value = value->next)
                if (span_equals(value->text, text))
                        return true;
        return false;
}

size_t draft_count(const struct draft_section *section, const char *name)
{
        const struct draft_option *option = find(section, name);
        return option == NULL ? 0 : option->count;
}

void draft_empty_list(struct draft *draft, struct draft_section *section, const char *name,
                      struct span origin)
{
        option_of(draft, section, name, origin)->is_list = true;
}

struct span draft_find(const struct draft_section *section, const char *name)
{
        const struct draft_option *option = find(section, name);
        return option == NULL || option->first == NULL ? span_of(NULL, 0) : option->first->text;
}

void draft_mode(struct draft *draft, enum check_id check, enum check_mode mode, struct span origin)
{
        struct draft_mode *chosen = &draft->modes[check];

        if (chosen->is_set && chosen->mode >= mode)
                return;
        *chosen = (struct draft_mode){mode, keep_span(draft->keep, origin), true};
}

bool draft_takes(struct span text)
{
        return text.length > 0 && !span_has_control(text) && span_is_utf8(text);
}

/* ---- writing ------------------------------------------------------------------------------------------- */

/* Behind what has `column` columns; what would end a comment is masked. */
static void put_comment(FILE *file, long column, struct span origin)
{
        char octets[ORIGIN_MAX + 4];
        struct text text;
        bool is_long = origin.length > ORIGIN_MAX;

        text_over(&text, octets, sizeof octets);
        text_put_printable(&text, span_of(origin.at, is_long ? ORIGIN_MAX : origin.length), false);
        text_put_string(&text, is_long ? "..." : "");
        fprintf(file, "%*s# %.*s\n", (int)(column < COMMENT_COLUMN ? COMMENT_COLUMN - column : 1), "",
                (int)text.length, text.at);
}

static size_t width_of(struct span text)
{
        size_t width = text.length + 2;

        for (size_t i = 0; i < text.length; i++)
                width += text.at[i] == '"' || text.at[i] == '\\' || text.at[i] == '$';
        return width;
}

static void put_list(FILE *file, const struct draft_option *option, int indent)
{
        if (option->first != NULL && option->first->next == NULL) {
                fputc('{', file);
                quoted_print(file, option->first->text);
                fputc('}', file);
                put_comment(file, indent + (long)(strlen(option->name) + 5 + width_of(option->first->text)),
                            option->origin);
                return;
        }
        if (option->first == NULL) {
                fputs("{}", file);
                put_comment(file, indent + (long)strlen(option->name) + 5, option->origin);
                return;
        }
        fputc('{', file);
        put_comment(file, indent + (long)strlen(option->name) + 4, option->origin);
        for (const struct draft_value *value = option->first; value != NULL; value = value->next) {
                fprintf(file, "%*s", indent + 4, "");
                quoted_print(file, value->text);
                fputs(value->next != NULL ? ",\n" : "\n", file);
        }
        fprintf(file, "%*s}\n", indent, "");
}

static void put_option(FILE *file, const struct draft_option *option, int indent)
{
        fprintf(file, "%*s%s = ", indent, "", option->name);
        if (option->is_list) {
                put_list(file, option, indent);
                return;
        }
        struct span text = option->first->text;
        long column = indent + (long)(strlen(option->name) + 3 + text.length);
        if (option->is_quoted) {
                quoted_print(file, text);
                column += (long)(width_of(text) - text.length);
        } else {
                fprintf(file, "%.*s", SPAN_ARG(text));
        }
        put_comment(file, column, option->origin);
}

static void put_section(const struct draft *draft, FILE *file, const struct draft_section *section,
                        int indent)
{
        if (section->first == NULL)
                return;
        fprintf(file, "%s%*s%s ", indent == 0 ? "\n" : "", indent, "", section->kind);
        if (section->title.length > 0) {
                quoted_print(file, section->title);
                fputc(' ', file);
        }
        fputs("{\n", file);
        for (const struct draft_option *option = section->first; option != NULL; option = option->next)
                put_option(file, option, indent + 4);
        for (const struct draft_section *inner = draft->first; inner != NULL; inner = inner->next)
                if (inner->parent == section)
                        put_section(draft, file, inner, indent + 4);
        fprintf(file, "%*s}\n", indent, "");
}

static bool is_domain(const struct draft_section *section)
{
        return strcmp(section->kind, "domain") == 0;
}

/* The mode of a check that nothing of Postfix decides. */
static enum check_mode usual_mode(enum check_id check)
{
        return check_infos[check].default_mode == CHECK_MODE_OFF ? CHECK_MODE_OFF : CHECK_MODE_OBSERVE;
}

static void put_mode(struct draft *draft, enum check_id check, bool observes)
{
        const struct draft_mode *chosen = &draft->modes[check];
        enum check_mode mode = chosen->is_set ? chosen->mode : usual_mode(check);
        struct span origin = chosen->is_set ? chosen->origin
                             : mode == CHECK_MODE_OFF
                                 ? SPAN("Postfix has nothing like it here")
                                 : SPAN("Postfix has nothing like it here: it only tells what it would do");

        if (observes && mode == CHECK_MODE_ENFORCE) {
                mode = CHECK_MODE_OBSERVE;
                origin = keep_format(draft->keep, "--observe; else enforce, by %.*s", SPAN_ARG(origin));
        }
        draft_word(draft, draft_check(draft, check), "mode", span_from(check_mode_name(mode)), origin);
}

void draft_write(struct draft *draft, bool observes, const char *from, FILE *file)
{
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                if (check_infos[check].kind != CHECK_KIND_RULE)
                        put_mode(draft, check, observes);
        fprintf(file, "# Made from %s by `gatepost import postfix`; report.txt tells what differs.\n\n",
                from);
        for (const struct draft_option *option = draft->top.first; option != NULL; option = option->next)
                put_option(file, option, 0);
        for (const struct draft_section *section = draft->first; section != NULL; section = section->next)
                if (section->parent == NULL && !is_domain(section))
                        put_section(draft, file, section, 0);
        for (const struct draft_section *section = draft->first; section != NULL; section = section->next)
                if (section->parent == NULL && is_domain(section))
                        put_section(draft, file, section, 0);
}
