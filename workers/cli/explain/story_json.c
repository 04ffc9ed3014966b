/* The same facts under names. */
#include "workers/cli/explain/story_json.h"

#include "workers/cli/shared/told.h"

static void copy(json_t *object, const json_t *from, const char *key)
{
        told_put_text(object, key, json_string_value(json_object_get(from, key)));
}

struct span story_evidence(const struct occurrence *occurrence)
{
        static const char *const keys[] = {"evidence", "early", "limit", "foreign"};
        const json_t *innermost = occurrence->transaction == NULL ? occurrence_innermost(occurrence)
                                                                  : occurrence_verdict(occurrence);

        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
                const char *evidence = json_string_value(json_object_get(innermost, keys[i]));
                if (evidence != NULL)
                        return span_from(evidence);
        }
        return SPAN("");
}

/* Of recipients that were answered each for itself the first one who gets the mail, or else the first. */
static struct occurrence speaker(const struct occurrence *occurrence, enum story_kind kind)
{
        const json_t *recipients = json_object_get(occurrence->transaction, "rcpts");
        struct occurrence one = *occurrence;

        if (one.recipient != NULL || json_array_size(recipients) == 0 ||
            occurrence_is_refusal(occurrence_code(&one)))
                return one;
        for (size_t i = 0; i < json_array_size(recipients); i++) {
                one.recipient = json_array_get(recipients, i);
                if (story_outcome(&one, kind) == STORY_IS_TAKEN)
                        return one;
        }
        one.recipient = json_array_get(recipients, 0);
        return one;
}

void story_put(json_t *object, const struct occurrence *of, enum story_kind kind)
{
        static const char *const outcomes[] = {
            [STORY_IS_TAKEN] = "taken",     [STORY_IS_REFUSED] = "refused",
            [STORY_IS_PUT_OFF] = "put_off", [STORY_IS_SENT_AWAY] = "sent_away",
            [STORY_IS_OPEN] = "open",       [STORY_IS_NOT_STORED] = "not_stored"};
        struct occurrence one = speaker(of, kind);
        const struct occurrence *occurrence = &one;
        enum story_outcome outcome = story_outcome(occurrence, kind);
        const struct advice *advice = outcome == STORY_IS_TAKEN ? NULL : story_advice(occurrence);
        const json_t *innermost = occurrence_innermost(occurrence);

        told_put_text(object, "outcome", outcomes[outcome]);
        if (outcome == STORY_IS_TAKEN)
                return;
        copy(object, innermost, "code");
        copy(object, innermost, "reply");
        copy(object, innermost, "reason");
        told_put_text(object, "check", occurrence_check(occurrence));
        told_put(object, "evidence", story_evidence(occurrence));
        if (kind == STORY_HAPPENED) /* the id of a session that was only played leads nowhere */
                copy(object, innermost, "reject_id");
        if (advice != NULL) {
                told_put_text(object, "why", advice->why.in[LANGUAGE_ENGLISH]);
                told_put_text(object, "remedy", advice->remedy.in[LANGUAGE_ENGLISH]);
        }
}

void story_put_mail(json_t *object, const struct occurrence *occurrence, enum story_kind kind)
{
        static const char *const of_session[] = {"client", "helo"};
        static const char *const of_mail[] = {"message_id", "file", "reason", "next_hop", "hop_answer"};
        const json_t *sender = json_object_get(occurrence->transaction, "from");

        if (kind == STORY_HAPPENED)
                copy(object, occurrence->session, "time");
        for (size_t i = 0; i < sizeof of_session / sizeof *of_session; i++)
                copy(object, occurrence->session, of_session[i]);
        if (kind == STORY_HAPPENED)
                copy(object, occurrence->transaction, "id");
        if (json_is_string(sender)) /* empty: the null sender */
                json_object_set_new(object, "from", told_string(span_from(json_string_value(sender))));
        for (size_t i = 0; kind == STORY_HAPPENED && i < sizeof of_mail / sizeof *of_mail; i++)
                copy(object, occurrence->transaction, of_mail[i]);
}
