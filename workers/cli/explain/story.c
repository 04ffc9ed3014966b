/* The log line says all; here it is said in sentences. */
#include "workers/cli/explain/story.h"

#include "conf/checks.h"
#include "conf/replies.h"
#include "core/base/text.h"

#include <stdio.h>

#define WORDS_MAX 1024 /* octets of one value that are shown */

struct advice {
        const char *why, *remedy;
};

static const struct advice reply_advice[REPLY_COUNT] = {
#define REPLY_ADVICE(reply, why, remedy) [REPLY_##reply] = {why, remedy},
#include "workers/cli/explain/advice.def"
};
static const struct advice check_advice[CHECK_COUNT] = {
#define CHECK_ADVICE(check, why, remedy) [CHECK_##check] = {why, remedy},
#include "workers/cli/explain/advice.def"
};

/* ---- finding ------------------------------------------------------------------------------------------- */

static const char *string_of(const json_t *object, const char *key)
{
        return json_string_value(json_object_get(object, key));
}

static bool has_id(const json_t *object, const char *key, const char *id)
{
        const char *value = string_of(object, key);
        return value != NULL && strcmp(value, id) == 0;
}

static bool find_in_transaction(const json_t *transaction, const char *id, struct occurrence *occurrence)
{
        const json_t *recipients = json_object_get(transaction, "rcpts");

        occurrence->transaction = transaction;
        for (size_t i = 0; i < json_array_size(recipients); i++) {
                occurrence->recipient = json_array_get(recipients, i);
                if (has_id(occurrence->recipient, "reject_id", id))
                        return true;
        }
        occurrence->recipient = NULL;
        return has_id(transaction, "reject_id", id) || has_id(transaction, "id", id);
}

bool story_find(const json_t *session, const char *id, struct occurrence *ret_occurrence)
{
        const json_t *transactions = json_object_get(session, "transactions");
        const json_t *faults = json_object_get(session, "syntax");
        struct occurrence occurrence = {.session = session};
        bool is_found = false;

        for (size_t i = 0; i < json_array_size(transactions) && !is_found; i++)
                is_found = find_in_transaction(json_array_get(transactions, i), id, &occurrence);
        if (!is_found) {
                occurrence = (struct occurrence){.session = session};
                is_found = has_id(session, "reject_id", id);
        }
        for (size_t i = 0; i < json_array_size(faults) && !is_found; i++) {
                occurrence.fault = json_array_get(faults, i);
                is_found = has_id(occurrence.fault, "reject_id", id);
        }
        if (is_found)
                *ret_occurrence = occurrence;
        return is_found;
}

/* The verdict that was enforced: of the check that answered the recipient, or of one that answered the whole
 * message. */
static const json_t *verdict_of(const struct occurrence *occurrence)
{
        const json_t *verdicts = json_object_get(occurrence->transaction, "verdicts");
        const char *check = string_of(occurrence->recipient, "check");

        for (size_t i = 0; i < json_array_size(verdicts); i++) {
                const json_t *verdict = json_array_get(verdicts, i);
                if (has_id(verdict, "mode", "enforce") && (check == NULL || has_id(verdict, "check", check)))
                        return verdict;
        }
        return NULL;
}

static bool is_refusal(const char *code)
{
        return code != NULL && (code[0] == '4' || code[0] == '5');
}

/* What says what it was: of a recipient that was not taken, a fault of syntax, the transaction or the session. */
static const json_t *innermost(const struct occurrence *occurrence)
{
        if (is_refusal(string_of(occurrence->recipient, "code")))
                return occurrence->recipient;
        return occurrence->fault != NULL         ? occurrence->fault
               : occurrence->transaction != NULL ? occurrence->transaction
                                                 : occurrence->session;
}

static const char *code_of(const struct occurrence *occurrence)
{
        return string_of(innermost(occurrence), "code");
}

const char *story_check(const struct occurrence *occurrence)
{
        const char *check = string_of(innermost(occurrence), "check");

        if (occurrence->fault != NULL)
                return check_infos[CHECK_syntax].name;
        if (check != NULL || occurrence->transaction == NULL)
                return check;
        const json_t *verdict = is_refusal(code_of(occurrence)) ? verdict_of(occurrence) : NULL;
        return string_of(verdict, "check");
}

/* ---- why ----------------------------------------------------------------------------------------------- */

static const struct advice *advice_of_reply(const char *name)
{
        for (size_t i = 0; name != NULL && i < REPLY_COUNT; i++)
                if (strcmp(reply_infos[i].name, name) == 0)
                        return reply_advice[i].why == NULL ? NULL : &reply_advice[i];
        return NULL;
}

static const struct advice *advice_of_check(const char *name)
{
        for (size_t i = 0; name != NULL && i < CHECK_COUNT; i++)
                if (strcmp(check_infos[i].name, name) == 0)
                        return check_advice[i].why == NULL ? NULL : &check_advice[i];
        return NULL;
}

/* NULL: nothing is known that would help. */
static const struct advice *advice_of(const struct occurrence *occurrence)
{
        const char *reply = string_of(innermost(occurrence), "reply"), *check = story_check(occurrence);

        if (reply == NULL && check != NULL)
                reply = string_of(verdict_of(occurrence), "reply");
        const struct advice *advice = advice_of_reply(reply);
        return advice != NULL ? advice : advice_of_check(check);
}

/* ---- printing ------------------------------------------------------------------------------------------ */

static void print_words(const char *words)
{
        char octets[WORDS_MAX];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_printable(&text, span_from(words), true);
        printf("%.*s", (int)text.length, text.at);
}

static void print_value(const char *before, const json_t *object, const char *key, const char *behind)
{
        const char *value = string_of(object, key);

        if (value == NULL)
                return;
        fputs(before, stdout);
        print_words(value);
        fputs(behind, stdout);
}

static void print_who(const struct occurrence *occurrence, enum story_kind kind)
{
        const char *helo = string_of(occurrence->session, "helo");

        if (kind == STORY_HAPPENED)
                print_value("At ", occurrence->session, "time", " ");
        print_value(kind == STORY_HAPPENED ? "the client [" : "The client [", occurrence->session, "client",
                    "]");
        if (helo != NULL && helo[0] != '\0')
                print_value(", which calls itself ", occurrence->session, "helo", ",");
}

static void print_mail(const struct occurrence *occurrence)
{
        const json_t *recipients = json_object_get(occurrence->transaction, "rcpts");

        print_value(" had mail from <", occurrence->transaction, "from", ">");
        if (occurrence->recipient != NULL)
                print_value(" for <", occurrence->recipient, "to", ">");
        for (size_t i = 0; occurrence->recipient == NULL && i < json_array_size(recipients); i++)
                print_value(i == 0 ? " for <" : ", <", json_array_get(recipients, i), "to", ">");
}

static bool is_stored(const struct occurrence *occurrence)
{
        return json_integer_value(json_object_get(occurrence->transaction, "accepted")) > 0 &&
               !is_refusal(code_of(occurrence));
}

static void print_outcome(const struct occurrence *occurrence, enum story_kind kind)
{
        const char *code = code_of(occurrence), *was = kind == STORY_HAPPENED ? "was" : "would be";

        if (kind == STORY_TAKEN || is_stored(occurrence))
                printf("%s taken.\n", was);
        else if (is_refusal(code))
                printf("%s %s (%s).\n", was, code[0] == '5' ? "refused" : "put off for now", code);
        else if (occurrence->transaction == NULL)
                printf("%s sent away.\n", was);
        else if (json_object_get(occurrence->transaction, "continued") != NULL)
                printf("was not refused at first; what became of it is not told here.\n");
        else
                printf("was not stored: no message came to its end.\n");
}

static void print_reason(const struct occurrence *occurrence)
{
        const struct advice *advice = advice_of(occurrence);

        if (advice == NULL)
                return;
        printf("Why: %s", advice->why);
        print_value(" (", verdict_of(occurrence), "evidence", ")");
        print_value(" (", occurrence->fault, "evidence", ")");
        printf(".\nWhat the sender can do: %s\n", advice->remedy);
}

void story_print(const struct occurrence *occurrence, enum story_kind kind)
{
        print_who(occurrence, kind);
        if (occurrence->fault != NULL) {
                print_value(" sent a command that was refused (", occurrence->fault, "reply", ").\n");
        } else {
                if (occurrence->transaction != NULL)
                        print_mail(occurrence);
                printf(occurrence->transaction != NULL ? ", which " : " ");
                print_outcome(occurrence, kind);
        }
        if (kind != STORY_TAKEN && !is_stored(occurrence))
                print_reason(occurrence);
        print_value("Why the store failed: ", occurrence->transaction, "reason", ".\n");
        if (is_stored(occurrence))
                print_value("Stored as: ", occurrence->transaction, "file",
                            ", in new/ of each recipient's Maildir.\n");
        print_value("Message-ID: ", occurrence->transaction, "message_id", "\n");
}

void story_print_json(const json_t *value)
{
        json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        putchar('\n');
}
