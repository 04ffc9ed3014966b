#include "workers/server/web/policy.h"

#include "core/policy/page.h"
#include "workers/policy/seen.h"

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

/* What is written to its stream. */
struct writing {
        FILE *stream;
        char *octets;
        size_t length;
};

/* False when memory is out. */
static bool begin(struct writing *writing)
{
        *writing = (struct writing){0};
        writing->stream = open_memstream(&writing->octets, &writing->length);
        return writing->stream != NULL;
}

/* `status` where it succeeds. */
static enum http_status end(struct writing *writing, enum http_status status, struct text *out)
{
        bool is_whole = ferror(writing->stream) == 0;

        is_whole = fclose(writing->stream) == 0 && is_whole;
        if (is_whole)
                text_put(out, span_of(writing->octets, writing->length));
        free(writing->octets);
        return is_whole ? status : HTTP_INTERNAL_ERROR;
}

enum http_status policy_write(const struct snapshot *snapshot, struct span rest, const char *accepted,
                              struct text *out)
{
        struct writing writing;
        enum language language;

        if (!find_language(span_skip(rest, 1), &language))
                language = choose_language(accepted, snapshot->options.policy_page_language);
        if (!begin(&writing))
                return HTTP_INTERNAL_ERROR;
        policy_page_write(writing.stream, snapshot, language, links);
        return end(&writing, HTTP_OK, out);
}

/* ---- one refusal --------------------------------------------------------------------------------------- */

/* "ID", "ID/de", and "/ID", because policy_url may end in a slash itself. What is no id is empty. */
static void read_path(struct span rest, char ret_id[static ID_TEXT_SIZE], enum language *language)
{
        if (rest.length > 0 && rest.at[0] == '/')
                rest = span_skip(rest, 1);
        size_t slash = span_find(rest, '/');
        bool is_read = id_read(slash == SIZE_MAX ? rest : span_of(rest.at, slash), ret_id) &&
                       (slash == SIZE_MAX || find_language(span_skip(rest, slash + 1), language));
        if (!is_read)
                ret_id[0] = '\0';
}

static enum http_status absent(FILE *stream, const struct policy_question *question, enum absence absence,
                               enum language language)
{
        policy_absence_write(stream, question->snapshot, absence, language, links);
        return absence == ABSENCE_TOO_MANY ? HTTP_TOO_MANY_REQUESTS : HTTP_NOT_FOUND;
}

static enum http_status answer(FILE *stream, const struct policy_question *question, struct seen_log *seen)
{
        const struct options *options = &question->snapshot->options;
        enum language language = choose_language(question->accepted, options->policy_page_language);
        char id[ID_TEXT_SIZE];
        struct refusal refusal;

        read_path(question->rest, id, &language);
        if (question->is_over)
                return absent(stream, question, ABSENCE_TOO_MANY, language);
        if (!seen_log_is_open(seen))
                return absent(stream, question, options->http_reject_ids == 0 ? ABSENCE_OFF : ABSENCE_NO_LOG,
                              language);
        json_t *line = id[0] == '\0' ? NULL : seen_log_find(seen, id);
        bool is_found = line != NULL && seen_read(line, id, &refusal);
        if (is_found)
                policy_refusal_write(stream, question->snapshot, &refusal, language, links);
        json_decref(line);
        return is_found ? HTTP_OK : absent(stream, question, ABSENCE_UNKNOWN, language);
}

enum http_status policy_refusal_answer(const struct policy_question *question, struct seen_log *seen,
                                       struct text *out)
{
        struct writing writing;

        if (!begin(&writing))
                return HTTP_INTERNAL_ERROR;
        return end(&writing, answer(writing.stream, question, seen), out);
}
