/* The settings of the text, without what they mean. */
#include "conf/build/places.h"

#include "conf/build/internal.h"

#include <stdlib.h>

#define BLOCK_SIZE ((size_t)16 << 10)

static const char *section_of(const struct scope *scope)
{
        switch (scope->kind) {
        case SCOPE_ROOT:
                return "";
        case SCOPE_DOMAIN:
                return "domain";
        case SCOPE_CHECK:
                return check_infos[scope->check].name;
        case SCOPE_ZONE:
                return "zone";
        case SCOPE_REPLIES:
                return "replies";
        case SCOPE_TLS:
                return "tls";
        case SCOPE_HTTP:
                return "http";
        case SCOPE_PAGE:
                return "policy_page";
        case SCOPE_LISTENER:
                return "listener";
        case SCOPE_NETWORK:
                return "network";
        }
        return "";
}

static bool is_mode_of_domain(const struct setting *setting)
{
        const struct scope *scope = setting->scope;
        return scope->kind == SCOPE_CHECK && scope->parent->kind == SCOPE_DOMAIN;
}

static bool take_settings(struct option_places *places, const struct settings *settings)
{
        const struct option_place **end = &places->first;

        for (const struct setting *setting = settings->first; setting != NULL; setting = setting->next) {
                bool is_value = setting->kind == SETTING_VALUE || setting->kind == SETTING_EMPTY_LIST;
                if (!is_value || is_mode_of_domain(setting))
                        continue;
                struct option_place *option = arena_take(&places->memory, sizeof *option);
                if (option == NULL)
                        return false;
                *option = (struct option_place){
                    .section = section_of(setting->scope),
                    .title = setting->scope->title == NULL ? "" : setting->scope->title,
                    .key = setting->key,
                    .value = setting->text == NULL ? "" : setting->text,
                    .place = setting->place,
                };
                *end = option;
                end = &option->next;
        }
        return true;
}

static bool read_settings(struct option_places *places, struct source *source, const char *path)
{
        struct source_fault fault;
        struct settings settings;
        const char *directory = build_directory_of(path, &places->memory);

        source->name = arena_string(&places->memory, span_from(path));
        return directory != NULL && source->name != NULL && source_prepare(source, &fault) &&
               conf_parse(source, directory, &places->memory, &places->memory, &settings) &&
               take_settings(places, &settings);
}

bool option_places_read(struct option_places *places, const char *path)
{
        struct source source = {0};
        struct source_fault fault;

        if (!source_read(&source, path, &fault))
                return false;
        *places = (struct option_places){0};
        block_pool_init(&places->pool, BLOCK_SIZE, 0);
        arena_init(&places->memory, &places->pool, SIZE_MAX / 2);
        bool is_read = read_settings(places, &source, path);
        free(source.octets);
        if (!is_read)
                option_places_end(places);
        return is_read;
}

void option_places_end(struct option_places *places)
{
        arena_end(&places->memory);
        block_pool_end(&places->pool);
}

const struct option_place *option_places_find(const struct option_places *places,
                                              const struct option_place *after, const char *section,
                                              const char *title, const char *key)
{
        const struct option_place *option = after == NULL ? places->first : after->next;

        while (option != NULL && (strcmp(option->section, section) != 0 || strcmp(option->key, key) != 0 ||
                                  (title != NULL && strcmp(option->title, title) != 0)))
                option = option->next;
        return option;
}
