#include "workers/server/web/policy.h"

#include "core/policy/page.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const links[LANGUAGE_COUNT] = {
    [LANGUAGE_ENGLISH] = POLICY_PATH "/en", [LANGUAGE_GERMAN] = POLICY_PATH "/de"};

static bool find_language(struct span word, enum language *ret_language)
{
        for (enum language language = 0; language < LANGUAGE_COUNT; language++)
                if (span_equals_nocase(word, span_from(strrchr(links[language], '/') + 1))) {
                        *ret_language = language;
                        return true;
                }
        return false;
}

/* RFC 9110 12.5.4. What is liked less stands behind, as all clients have it; weights are not looked at, nor is what
 * stands behind the first subtag. */
static enum language choose_language(const char *accepted, enum language otherwise)
{
        enum language language;

        while (accepted != NULL && *accepted != '\0') {
                accepted += strspn(accepted, " \t,");
                if (find_language(span_of(accepted, strcspn(accepted, " \t,;-")), &language))
                        return language;
                accepted += strcspn(accepted, ",");
        }
        return otherwise;
}

static bool put_page(const struct snapshot *snapshot, enum language language, struct text *out)
{
        char *octets = NULL;
        size_t length;
        FILE *stream = open_memstream(&octets, &length);

        if (stream == NULL)
                return false;
        policy_page_write(stream, snapshot, language, links);
        bool is_whole = ferror(stream) == 0;
        is_whole = fclose(stream) == 0 && is_whole;
        if (is_whole)
                text_put(out, span_of(octets, length));
        free(octets);
        return is_whole;
}

enum http_status policy_write(const struct snapshot *snapshot, struct span rest, const char *accepted,
                              struct text *out)
{
        enum language language;

        if (rest.length == 0 || span_equals(rest, SPAN("/")))
                language = choose_language(accepted, snapshot->options.policy_page_language);
        else if (rest.at[0] != '/' || !find_language(span_skip(rest, 1), &language))
                return HTTP_NOT_FOUND;
        return put_page(snapshot, language, out) ? HTTP_OK : HTTP_INTERNAL_ERROR;
}
