/* Templates of texts. */
#include "core/feed/internal.h"

#define EXPANDED_MAX (FEED_TEXT_MAX - 1)

/* What stands for what in one text. */
struct expansion {
        struct text *text;
        size_t end; /* of the text, at most */
        struct span subject, own;
        const struct feed_set *set;
};

static void put_cut(const struct expansion *expansion, struct span part)
{
        size_t room = expansion->end - expansion->text->length;

        text_put(expansion->text, part.length <= room ? part : span_of(part.at, room));
}

/* What the dollar sign at the begin of `rest` stands for; takes it off. */
static struct span take_reference(const struct expansion *expansion, struct span *rest)
{
        struct span whole = *rest;
        char name = rest->length > 1 ? rest->at[1] : '\0';

        if (name == '$') {
                *rest = span_skip(*rest, 2);
                return SPAN("$");
        }
        if (ascii_is_digit(name)) {
                const char *variable = expansion->set->variables[name - '0'];
                *rest = span_skip(*rest, 2);
                return variable != NULL ? span_from(variable) : span_of(whole.at, 2);
        }
        *rest = span_skip(*rest, name == '=' ? 2 : 1);
        return name == '=' ? expansion->own : expansion->subject;
}

static void expand(const struct expansion *expansion, struct span model)
{
        while (model.length > 0 && expansion->text->length < expansion->end) {
                size_t dollar = span_find(model, '$');
                size_t length = dollar == SIZE_MAX ? model.length : dollar;
                put_cut(expansion, span_of(model.at, length));
                model = span_skip(model, length);
                if (model.length > 0)
                        put_cut(expansion, take_reference(expansion, &model));
        }
}

void feed_expand(struct text *text, struct span model, struct span subject, const struct feed_set *set)
{
        struct expansion expansion = {text, text->length + EXPANDED_MAX, subject, model, set};
        const char *base = set->variables[FEED_BASE_TEMPLATE];

        if (text_room(text) < EXPANDED_MAX)
                expansion.end = text->size;
        if (model.length > 0 && model.at[0] == '=') {
                expansion.own = model = span_skip(model, 1);
        } else if (base != NULL) {
                if (model.length == 0)
                        expansion.own = subject;
                model = span_from(base);
        }
        expand(&expansion, model);
}
