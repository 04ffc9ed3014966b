/* A line of the log knows the mode and the line of the verdicts it has; the rest is of the configuration of today. */
#include "workers/cli/explain/tell/teller.h"

#include "core/base/date.h"
#include "workers/cli/explain/story_json.h"
#include "workers/cli/explain/tell/unsaid.h"
#include "workers/cli/shared/told.h"

#include <stdio.h>
#include <sys/stat.h>

static const char *string_of(const json_t *object, const char *key)
{
        return json_string_value(json_object_get(object, key));
}

/* When one of the files of the configuration was written last. */
static int64_t written_s(const struct teller *teller)
{
        const struct option_place *place = teller->force.has_places ? teller->force.places.first : NULL;
        const char *file = teller->configuration;
        int64_t newest_s = 0;
        struct stat status;

        while (true) {
                if (stat(file, &status) == 0 && status.st_mtime > newest_s)
                        newest_s = status.st_mtime;
                while (place != NULL && place->place.file == file)
                        place = place->next;
                if (place == NULL)
                        return newest_s;
                file = place->place.file;
        }
}

void teller_begin(struct teller *teller, const char *configuration, const struct snapshot *snapshot,
                  bool as_json)
{
        *teller = (struct teller){.configuration = configuration, .snapshot = snapshot};
        if (snapshot != NULL) {
                force_begin(&teller->force, snapshot, configuration);
                teller->written_s = written_s(teller);
        }
        if (as_json)
                teller->mails = json_array();
}

/* ---- what has changed ---------------------------------------------------------------------------------- */

/* "2026-11-28T16:53:35Z", when the configuration was written, where that was after the session; else an empty text. */
static void changed_since(const struct teller *teller, const json_t *session,
                          char ret_time[static DATE_TEXT_LENGTH + 2])
{
        const char *time = string_of(session, "time");
        struct text text;

        text_over(&text, ret_time, DATE_TEXT_LENGTH + 1);
        date_write(&text, teller->written_s);
        text_put_char(&text, 'Z');
        ret_time[text.length] = '\0';
        if (teller->written_s == 0 || time == NULL || strncmp(time, ret_time, DATE_TEXT_LENGTH) >= 0)
                ret_time[0] = '\0';
}

/* The mode of the deciding check for the recipient's domain as it is today; NULL: not known, or it is a rule. */
static const char *mode_today(const struct teller *teller, const struct occurrence *occurrence)
{
        struct force_matter matter = unsaid_matter(teller->snapshot, occurrence);

        if (teller->snapshot == NULL || matter.check >= CHECK_COUNT ||
            check_infos[matter.check].kind == CHECK_KIND_RULE)
                return NULL;
        return check_mode_name(force_mode(teller->snapshot, &matter, matter.check).mode);
}

static json_t *force_of(const struct teller *teller, const struct occurrence *occurrence)
{
        struct force_matter matter = unsaid_matter(teller->snapshot, occurrence);
        return teller->snapshot == NULL ? json_array() : force_json(&teller->force, &matter);
}

static bool is_against(const struct occurrence *occurrence)
{
        return story_outcome(occurrence, STORY_HAPPENED) != STORY_IS_TAKEN &&
               story_advice(occurrence) != NULL;
}

/* ---- words --------------------------------------------------------------------------------------------- */

static void print_verdict(const json_t *verdict)
{
        static const char *const keys[] = {"check", "mode", "result", "evidence"};
        static const char *const before[] = {"  ", " ", " ", ": "};

        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
                fputs(before[i], stdout);
                told_print_text(string_of(verdict, keys[i]));
        }
        told_print_place(verdict);
        putchar('\n');
}

static void print_verdicts(const struct occurrence *occurrence)
{
        json_t *verdicts = unsaid_verdicts(occurrence);

        if (json_array_size(verdicts) > 0)
                printf("What the checks had against the mail, with their modes for the domains of its "
                       "recipients:\n");
        for (size_t i = 0; i < json_array_size(verdicts); i++)
                print_verdict(json_array_get(verdicts, i));
        json_decref(verdicts);
}

static void print_force(const struct teller *teller, const struct occurrence *occurrence)
{
        const char *today = mode_today(teller, occurrence),
                   *then = string_of(occurrence_verdict(occurrence), "mode");
        struct force_matter matter = unsaid_matter(teller->snapshot, occurrence);
        char changed[DATE_TEXT_LENGTH + 2];

        if (teller->snapshot == NULL)
                return;
        force_print(&teller->force, &matter, " today", story_evidence(occurrence));
        changed_since(teller, occurrence->session, changed);
        if (today != NULL && then != NULL && strcmp(today, then) != 0)
                printf("Its mode is another today: it was %s, and is %s.\n", then, today);
        else if (changed[0] != '\0')
                printf("%s was changed after that, at %s: the lines are those of today.\n",
                       teller->configuration, changed);
}

static void tell_in_words(struct teller *teller, const struct occurrence *occurrence, bool is_by_id)
{
        if (teller->told++ > 0)
                putchar('\n');
        story_print(occurrence, STORY_HAPPENED);
        print_verdicts(occurrence);
        if (is_against(occurrence)) {
                print_force(teller, occurrence);
                if (occurrence_is_refusal(occurrence_code(occurrence)))
                        unsaid_print(teller->snapshot, occurrence);
        }
        if (teller->configuration != NULL && occurrence->transaction != NULL)
                unsaid_print_question(teller->configuration, occurrence);
        if (!is_by_id)
                return;
        printf("\nThe whole session:\n");
        told_print(occurrence->session);
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void put_decision(const struct teller *teller, const struct occurrence *occurrence, json_t *object)
{
        const char *then = string_of(occurrence_verdict(occurrence), "mode"),
                   *today = mode_today(teller, occurrence);

        story_put(object, occurrence, STORY_HAPPENED);
        told_put_text(object, "mode_then", then);
        told_put_text(object, "mode_today", today);
        json_object_set_new(object, "in_force",
                            is_against(occurrence) ? force_of(teller, occurrence) : json_array());
        unsaid_put(object, teller->snapshot, occurrence);
}

static json_t *recipients_json(const struct teller *teller, const struct occurrence *occurrence)
{
        const json_t *all = json_object_get(occurrence->transaction, "rcpts");
        json_t *recipients = json_array();

        for (size_t i = 0; i < json_array_size(all); i++) {
                struct occurrence one = *occurrence;
                one.recipient = json_array_get(all, i);
                if (occurrence->recipient != NULL && occurrence->recipient != one.recipient)
                        continue;
                json_t *json = json_object();
                told_put_text(json, "to", string_of(one.recipient, "to"));
                put_decision(teller, &one, json);
                json_array_append_new(recipients, json);
        }
        return recipients;
}

static void tell_as_json(struct teller *teller, const struct occurrence *occurrence, bool is_by_id)
{
        json_t *mail = json_object();
        char changed[DATE_TEXT_LENGTH + 2];

        changed_since(teller, occurrence->session, changed);
        story_put_mail(mail, occurrence, STORY_HAPPENED);
        put_decision(teller, occurrence, mail);
        told_put_text(mail, "configuration_changed", changed);
        json_object_set_new(mail, "recipients", recipients_json(teller, occurrence));
        json_object_set_new(mail, "checks", unsaid_verdicts(occurrence));
        if (is_by_id)
                json_object_set(mail, "session", (json_t *)occurrence->session);
        json_array_append_new(teller->mails, mail);
}

/* A mail with one recipient is about that one, unless its text was refused or taken. */
static struct occurrence about_one(const struct occurrence *occurrence)
{
        const json_t *recipients = json_object_get(occurrence->transaction, "rcpts");
        struct occurrence one = *occurrence;

        if (one.recipient == NULL && json_array_size(recipients) == 1 &&
            json_object_get(one.transaction, "rcpts_omitted") == NULL)
                one.recipient = json_array_get(recipients, 0);
        return one;
}

void teller_tell(struct teller *teller, const struct occurrence *occurrence, bool is_by_id)
{
        struct occurrence one = about_one(occurrence);

        if (teller->mails != NULL)
                tell_as_json(teller, &one, is_by_id);
        else
                tell_in_words(teller, &one, is_by_id);
}

void teller_tell_event(struct teller *teller, json_t *line)
{
        if (teller->mails != NULL) {
                json_t *mail = json_object();
                json_object_set(mail, "session", line);
                json_array_append_new(teller->mails, mail);
                return;
        }
        if (teller->told++ > 0)
                putchar('\n');
        printf("An event of the log:\n");
        told_print(line);
}

void teller_end(struct teller *teller, size_t left_out)
{
        if (teller->mails != NULL && json_array_size(teller->mails) > 0) {
                json_t *json = json_object();
                told_put_text(json, "kind", "log");
                told_put_text(json, "configuration", teller->configuration);
                json_object_set(json, "mails", teller->mails);
                json_object_set_new(json, "mails_left_out", json_integer((json_int_t)left_out));
                told_print(json);
                json_decref(json);
        } else if (left_out > 0) {
                printf("\n... and %zu older ones: narrow the list by --client, --from, --to or --since\n",
                       left_out);
        }
        json_decref(teller->mails);
        if (teller->snapshot != NULL)
                force_end(&teller->force);
}
