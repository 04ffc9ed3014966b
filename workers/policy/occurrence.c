/* What one reply was about, out of a line of the log. */
#include "workers/policy/occurrence.h"

#include "conf/checks.h"

#include <string.h>

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

static bool find_in_faults(const json_t *faults, const char *id, struct occurrence *occurrence)
{
        for (size_t i = 0; i < json_array_size(faults); i++)
                if (has_id(json_array_get(faults, i), "reject_id", id)) {
                        occurrence->fault = json_array_get(faults, i);
                        return true;
                }
        return false;
}

bool occurrence_find(const json_t *session, const char *id, struct occurrence *ret_occurrence)
{
        const json_t *transactions = json_object_get(session, "transactions");
        struct occurrence occurrence = {.session = session};
        bool is_found = false;

        for (size_t i = 0; i < json_array_size(transactions) && !is_found; i++)
                is_found = find_in_transaction(json_array_get(transactions, i), id, &occurrence);
        if (!is_found) {
                occurrence = (struct occurrence){.session = session};
                is_found = has_id(session, "reject_id", id);
        }
        is_found = is_found || find_in_faults(json_object_get(session, "syntax"), id, &occurrence) ||
                   find_in_faults(json_object_get(session, "greetings"), id, &occurrence);
        if (is_found)
                *ret_occurrence = occurrence;
        return is_found;
}

bool occurrence_is_refusal(const char *code)
{
        return code != NULL && (code[0] == '4' || code[0] == '5');
}

const json_t *occurrence_innermost(const struct occurrence *occurrence)
{
        if (occurrence_is_refusal(string_of(occurrence->recipient, "code")))
                return occurrence->recipient;
        return occurrence->fault != NULL         ? occurrence->fault
               : occurrence->transaction != NULL ? occurrence->transaction
                                                 : occurrence->session;
}

const json_t *occurrence_verdict(const struct occurrence *occurrence)
{
        const json_t *verdicts = json_object_get(occurrence->transaction, "verdicts");
        const char *check = string_of(occurrence->recipient, "check"),
                   *reply = string_of(occurrence_innermost(occurrence), "reply");

        for (size_t i = 0; i < json_array_size(verdicts); i++) {
                const json_t *verdict = json_array_get(verdicts, i);
                if (has_id(verdict, "mode", "enforce") &&
                    (check == NULL || has_id(verdict, "check", check)) &&
                    (reply == NULL || has_id(verdict, "reply", reply)))
                        return verdict;
        }
        return NULL;
}

const char *occurrence_code(const struct occurrence *occurrence)
{
        return string_of(occurrence_innermost(occurrence), "code");
}

const char *occurrence_check(const struct occurrence *occurrence)
{
        const char *check = string_of(occurrence_innermost(occurrence), "check");

        if (check == NULL && occurrence->fault != NULL)
                return check_infos[CHECK_syntax].name;
        if (check != NULL || occurrence->transaction == NULL)
                return check;
        const json_t *verdict =
            occurrence_is_refusal(occurrence_code(occurrence)) ? occurrence_verdict(occurrence) : NULL;
        return string_of(verdict, "check");
}
