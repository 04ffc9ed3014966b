/* The log line says all; here it is said in sentences. */
#include "workers/cli/explain/story.h"

#include "core/policy/texts.h"
#include "workers/cli/shared/told.h"

#include <stdio.h>

static const char *string_of(const json_t *object, const char *key)
{
        return json_string_value(json_object_get(object, key));
}

/* ---- why ----------------------------------------------------------------------------------------------- */

static bool is_stored(const struct occurrence *occurrence)
{
        return json_integer_value(json_object_get(occurrence->transaction, "accepted")) > 0 &&
               !occurrence_is_refusal(occurrence_code(occurrence));
}

/* The mail was under way when the session came to its end. */
static bool is_cut_short(const struct occurrence *occurrence)
{
        const json_t *transactions = json_object_get(occurrence->session, "transactions");
        size_t count = json_array_size(transactions);

        return count > 0 && occurrence->transaction == json_array_get(transactions, count - 1) &&
               json_object_get(occurrence->transaction, "code") == NULL &&
               !occurrence_is_refusal(occurrence_code(occurrence));
}

/* By the names that stand in the log; NULL where nothing is known of one, and for NULL. */
static const struct advice *advice_by_reply(const char *name)
{
        return name == NULL ? NULL : advice_of_reply(reply_by_name(span_from(name)));
}

static const struct advice *advice_by_check(const char *name)
{
        enum check_id check = name == NULL ? CHECK_COUNT : check_by_name(span_from(name));
        return check == CHECK_COUNT ? NULL : &check_texts[check].advice;
}

static const struct advice *advice_of_end(const json_t *session)
{
        const struct advice *advice = advice_by_reply(string_of(session, "reply"));
        return advice != NULL ? advice : advice_of_ending(string_of(session, "end"));
}

const struct advice *story_advice(const struct occurrence *occurrence)
{
        const char *reply = string_of(occurrence_innermost(occurrence), "reply"),
                   *check = occurrence_check(occurrence);

        if (is_cut_short(occurrence))
                return advice_of_end(occurrence->session);
        if (reply == NULL && check != NULL)
                reply = string_of(occurrence_verdict(occurrence), "reply");
        const struct advice *advice = advice_by_reply(reply);
        return advice != NULL ? advice : advice_by_check(check);
}

/* ---- printing ------------------------------------------------------------------------------------------ */

static void print_value(const char *before, const json_t *object, const char *key, const char *behind)
{
        const char *value = string_of(object, key);

        if (value == NULL)
                return;
        fputs(before, stdout);
        told_print_text(value);
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

static bool is_taken(const struct occurrence *occurrence, enum story_kind kind)
{
        return is_stored(occurrence) ||
               (kind == STORY_TAKEN && !occurrence_is_refusal(string_of(occurrence->recipient, "code")));
}

enum story_outcome story_outcome(const struct occurrence *occurrence, enum story_kind kind)
{
        const char *code = occurrence_code(occurrence);

        if (is_taken(occurrence, kind))
                return STORY_IS_TAKEN;
        if (occurrence_is_refusal(code))
                return code[0] == '5' ? STORY_IS_REFUSED : STORY_IS_PUT_OFF;
        if (occurrence->fault != NULL)
                return STORY_IS_REFUSED;
        if (occurrence->transaction == NULL)
                return STORY_IS_SENT_AWAY;
        return json_object_get(occurrence->transaction, "continued") != NULL ? STORY_IS_OPEN
                                                                             : STORY_IS_NOT_STORED;
}

static void print_outcome(const struct occurrence *occurrence, enum story_kind kind)
{
        const char *code = occurrence_code(occurrence), *was = kind == STORY_HAPPENED ? "was" : "would be";

        switch (story_outcome(occurrence, kind)) {
        case STORY_IS_TAKEN:
                printf("%s taken%s", was,
                       json_is_true(json_object_get(occurrence->transaction, "quarantined"))
                           ? ", with a mark of quarantine"
                           : "");
                break;
        case STORY_IS_REFUSED:
                printf("%s refused (%s)", was, code);
                break;
        case STORY_IS_PUT_OFF:
                printf("%s put off for now (%s)", was, code);
                break;
        case STORY_IS_SENT_AWAY:
                printf("%s sent away", was);
                print_value(" (", occurrence->session, "reply", ")");
                break;
        case STORY_IS_OPEN:
                printf("was not refused at first; what became of it is not told here");
                break;
        case STORY_IS_NOT_STORED:
                printf("was not stored: no message came to its end");
                break;
        }
}

/* One of a mail's recipients, with the id by which more is told of it. */
static void print_recipient(const struct occurrence *occurrence, enum story_kind kind)
{
        const struct advice *advice = is_taken(occurrence, kind) ? NULL : story_advice(occurrence);

        print_value("  <", occurrence->recipient, "to", "> ");
        print_outcome(occurrence, kind);
        if (advice != NULL)
                printf(": %s", advice->why.in[LANGUAGE_ENGLISH]);
        print_value(" (", advice == NULL ? NULL : occurrence->recipient, "reason", ")");
        print_value(" [", advice == NULL ? NULL : occurrence->recipient, "reject_id", "]");
        putchar('\n');
}

static void print_recipients(const struct occurrence *occurrence, enum story_kind kind)
{
        const json_t *recipients = json_object_get(occurrence->transaction, "rcpts");
        json_int_t omitted = json_integer_value(json_object_get(occurrence->transaction, "rcpts_omitted"));

        printf(" had mail");
        print_value(" from <", occurrence->transaction, "from", ">");
        printf(" for several recipients:\n");
        for (size_t i = 0; i < json_array_size(recipients); i++) {
                struct occurrence one = *occurrence;
                one.recipient = json_array_get(recipients, i);
                print_recipient(&one, kind);
        }
        if (omitted > 0)
                printf("  and %" JSON_INTEGER_FORMAT " more, which the log does not name\n", omitted);
}

/* The mail is told of whole, and not all of its recipients have the same outcome. */
static bool is_mixed(const struct occurrence *occurrence)
{
        const json_t *recipients = json_object_get(occurrence->transaction, "rcpts");
        bool has_refusal = false;

        for (size_t i = 0; occurrence->recipient == NULL && i < json_array_size(recipients); i++)
                has_refusal |= occurrence_is_refusal(string_of(json_array_get(recipients, i), "code"));
        return has_refusal;
}

static void print_reason(const struct occurrence *occurrence)
{
        const struct advice *advice = story_advice(occurrence);
        const json_t *closed =
            occurrence->transaction == NULL && occurrence->fault == NULL ? occurrence->session : NULL;

        if (advice == NULL)
                return;
        printf("Why: %s", advice->why.in[LANGUAGE_ENGLISH]);
        print_value(" (", occurrence_verdict(occurrence), "evidence", ")");
        print_value(" (", occurrence->fault, "evidence", ")");
        print_value(" (", closed, "evidence", ")");
        print_value(" (it sent: ", closed, "early", ")");
        print_value(" (", closed, "limit", ")");
        print_value(" (", closed, "foreign", ")");
        print_value(" (", occurrence->recipient, "reason", ")");
        printf(".\nWhat the sender can do: %s\n", advice->remedy.in[LANGUAGE_ENGLISH]);
}

static void print_all_alike(const struct occurrence *occurrence, enum story_kind kind)
{
        if (occurrence->transaction != NULL)
                print_mail(occurrence);
        printf(occurrence->transaction != NULL ? ", which " : " ");
        print_outcome(occurrence, kind);
        printf(".\n");
        if (!is_taken(occurrence, kind))
                print_reason(occurrence);
}

static void print_mixed(const struct occurrence *occurrence, enum story_kind kind)
{
        const json_t *recipients = json_object_get(occurrence->transaction, "rcpts");
        struct occurrence only = *occurrence;

        if (json_array_size(recipients) == 1 &&
            json_object_get(occurrence->transaction, "rcpts_omitted") == NULL) {
                only.recipient = json_array_get(recipients, 0);
                print_all_alike(&only, kind);
                return;
        }
        print_recipients(occurrence, kind);
        if (occurrence_is_refusal(occurrence_code(occurrence)))
                print_reason(occurrence);
}

static void print_fault(const struct occurrence *occurrence, enum story_kind kind)
{
        const char *code = occurrence_code(occurrence);

        if (code == NULL)
                print_value(kind == STORY_HAPPENED ? " sent a command that was refused ("
                                                   : " would have a command refused (",
                            occurrence->fault, "reply", ").\n");
        else
                printf(" greeted, which %s %s (%s).\n", kind == STORY_HAPPENED ? "was" : "would be",
                       code[0] == '5' ? "refused" : "put off for now", code);
        print_reason(occurrence);
}

void story_print(const struct occurrence *occurrence, enum story_kind kind)
{
        print_who(occurrence, kind);
        if (occurrence->fault != NULL)
                print_fault(occurrence, kind);
        else if (is_mixed(occurrence))
                print_mixed(occurrence, kind);
        else
                print_all_alike(occurrence, kind);
        print_value("Why the store failed: ", occurrence->transaction, "reason", ".\n");
        if (is_stored(occurrence))
                print_value("Stored as: ", occurrence->transaction, "file",
                            ", in new/ of each recipient's Maildir.\n");
        print_value("Next hop: ", occurrence->transaction, "next_hop", "\n");
        print_value("What it said: ", occurrence->transaction, "hop_answer", "\n");
        print_value("Message-ID: ", occurrence->transaction, "message_id", "\n");
}
