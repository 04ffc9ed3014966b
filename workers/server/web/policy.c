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
        FILE *stream; /* NULL: memory is out */
        char *octets;
        size_t length;
};

static void begin(struct writing *writing)
{
        *writing = (struct writing){0};
        writing->stream = open_memstream(&writing->octets, &writing->length);
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

        if (rest.length == 0 || span_equals(rest, SPAN("/")))
                language = choose_language(accepted, snapshot->options.policy_page_language);
        else if (rest.at[0] != '/' || !find_language(span_skip(rest, 1), &language))
                return HTTP_NOT_FOUND;
        begin(&writing);
        if (writing.stream == NULL)
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

static enum http_status absent(const struct policy_question *question, enum absence absence,
                               enum language language, struct text *out)
{
        struct writing writing;

        begin(&writing);
        if (writing.stream == NULL)
                return HTTP_INTERNAL_ERROR;
        policy_absence_write(writing.stream, question->snapshot, absence, language, links);
        return end(&writing, absence == ABSENCE_TOO_MANY ? HTTP_TOO_MANY_REQUESTS : HTTP_NOT_FOUND, out);
}

static enum http_status found(const struct policy_question *question, const struct refusal *refusal,
                              enum language language, struct text *out)
{
        struct writing writing;

        begin(&writing);
        if (writing.stream == NULL)
                return HTTP_INTERNAL_ERROR;
        policy_refusal_write(writing.stream, question->snapshot, refusal, language, links);
        return end(&writing, HTTP_OK, out);
}

enum http_status policy_refusal_answer(const struct policy_question *question, struct seen_log *seen,
                                       struct text *out)
{
        const struct options *options = &question->snapshot->options;
        enum language language = choose_language(question->accepted, options->policy_page_language);
        char id[ID_TEXT_SIZE];
        struct refusal refusal;

        read_path(question->rest, id, &language);
        if (question->is_over)
                return absent(question, ABSENCE_TOO_MANY, language, out);
        if (!seen_log_is_open(seen))
                return absent(question, options->http_reject_ids == 0 ? ABSENCE_OFF : ABSENCE_NO_LOG,
                              language, out);
        json_t *line = id[0] == '\0' ? NULL : seen_log_find(seen, id);
        enum http_status status = line != NULL && seen_read(line, id, &refusal)
                                      ? found(question, &refusal, language, out)
                                      : absent(question, ABSENCE_UNKNOWN, language, out);
        json_decref(line);
        return status;
}
