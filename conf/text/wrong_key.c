/* Says what is wrong with a key, and gets the parser beyond it. */
#include "conf/text/wrong_key.h"

#include "conf/text/habits.h"
#include "conf/value/value.h"

bool wrong_key_blank(struct wrong_key *wrong, const char *key, const cfg_t *cfg, const struct scope *scope,
                     struct source *source, struct arena *memory)
{
        bool in_domain = false, is_postfix = habit_of_postfix(key, NULL);
        struct source_key found = {0};
        char octets[512];
        struct text text;
        size_t depth = 0;

        for (; scope->parent != NULL; scope = scope->parent) {
                in_domain = in_domain || scope->kind == SCOPE_DOMAIN;
                depth++;
        }
        source_find_key(source, (uint32_t)cfg->line, span_from(key), span_from(cfg->name), depth, is_postfix,
                        &found);
        text_over(&text, octets, sizeof octets);
        if (wrong->is_section)
                grammar_say_section(key, found.value, &text);
        else
                grammar_say_unknown(cfg, key, in_domain, &text);
        wrong->message = arena_string(memory, text_span(&text));
        source_blank_key(source, &found);
        return found.end > found.start;
}
