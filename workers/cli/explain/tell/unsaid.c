/* Once a check has refused, the log has those behind it alone that observe: nobody waited for the others. */
#include "workers/cli/explain/tell/unsaid.h"

#include "core/base/domain_name.h"
#include "core/base/local_part.h"
#include "core/check/check.h"
#include "core/mail/tag.h"
#include "workers/cli/shared/told.h"

#include <stdio.h>

static const char *string_of(const json_t *object, const char *key)
{
        return json_string_value(json_object_get(object, key));
}

static enum check_id check_of(const char *name)
{
        return name == NULL ? CHECK_COUNT : check_by_name(span_from(name));
}

/* NULL: none of ours, not known, or there are several recipients. */
static const struct domain *domain_of(const struct snapshot *snapshot, const struct occurrence *occurrence)
{
        const char *to = string_of(occurrence->recipient, "to");
        char octets[DOMAIN_NAME_MAX];
        struct text name;
        size_t at = to == NULL ? SIZE_MAX : span_find_last(span_from(to), '@');

        text_over(&name, octets, sizeof octets);
        if (snapshot == NULL || at == SIZE_MAX ||
            !domain_name_to_ascii(span_skip(span_from(to), at + 1), &name) || name.overflowed)
                return NULL;
        return snapshot_find_domain(snapshot, text_span(&name));
}

/* Those that it has today; NULL: none, or not known. */
static const struct recipient_settings *settings_of(const struct snapshot *snapshot,
                                                    const struct occurrence *occurrence)
{
        const struct domain *domain = domain_of(snapshot, occurrence);
        const struct recipient_settings *settings = NULL;
        char octets[LOCAL_PART_MAX], mailbox_octets[LOCAL_PART_MAX];
        struct text local_part, mailbox;

        if (domain == NULL)
                return NULL;
        struct span to = span_from(string_of(occurrence->recipient, "to"));
        text_over(&local_part, octets, sizeof octets);
        text_over(&mailbox, mailbox_octets, sizeof mailbox_octets);
        if (local_part_parse_loose(span_of(to.at, span_find_last(to, '@')), true, &local_part))
                tag_find_recipient(snapshot, domain, text_span(&local_part), &mailbox, NULL, &settings);
        return settings;
}

struct force_matter unsaid_matter(const struct snapshot *snapshot, const struct occurrence *occurrence)
{
        const char *reply = string_of(occurrence_innermost(occurrence), "reply"),
                   *helo = string_of(occurrence->session, "helo");

        if (reply == NULL) /* the mail was under way when the session ended */
                reply = string_of(occurrence->session, "reply");
        return (struct force_matter){
            .check = check_of(occurrence_check(occurrence)),
            .reply = reply == NULL ? REPLY_NONE : reply_by_name(span_from(reply)),
            .domain = domain_of(snapshot, occurrence),
            .settings = settings_of(snapshot, occurrence),
            .helo = helo == NULL ? SPAN("") : span_from(helo),
        };
}

static bool are_equal(const json_t *left, const json_t *right, const char *key)
{
        const json_t *one = json_object_get(left, key), *other = json_object_get(right, key);
        return one == NULL ? other == NULL : other != NULL && json_equal(one, other);
}

/* Domains that say nothing of a mode each have a verdict under it. */
static bool is_added_to_same(json_t *sorted, const json_t *verdict)
{
        for (size_t i = 0; i < json_array_size(sorted); i++) {
                json_t *same = json_array_get(sorted, i);
                json_int_t recipients = json_integer_value(json_object_get(same, "rcpts")) +
                                        json_integer_value(json_object_get(verdict, "rcpts"));
                if (!are_equal(same, verdict, "check") || !are_equal(same, verdict, "mode") ||
                    !are_equal(same, verdict, "evidence") || !are_equal(same, verdict, "file") ||
                    !are_equal(same, verdict, "line"))
                        continue;
                json_object_set_new(same, "rcpts", json_integer(recipients));
                return true;
        }
        return false;
}

static void add_verdict(json_t *sorted, json_t *verdict, enum check_id check)
{
        if (is_added_to_same(sorted, verdict))
                return;
        json_t *copy = json_copy(verdict);
        if (json_object_get(copy, "file") == NULL && check_infos[check].kind != CHECK_KIND_RULE)
                json_object_set_new(copy, "default", json_true());
        json_array_append_new(sorted, copy);
}

json_t *unsaid_verdicts(const struct occurrence *occurrence)
{
        const json_t *verdicts = json_object_get(occurrence->transaction, "verdicts");
        json_t *sorted = json_array();

        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                for (size_t i = 0; i < json_array_size(verdicts); i++) {
                        json_t *verdict = json_array_get(verdicts, i);
                        if (check_of(string_of(verdict, "check")) == check)
                                add_verdict(sorted, verdict, check);
                }
        return sorted;
}

/* ---- next ---------------------------------------------------------------------------------------------- */

/* The last stage whose checks have run. */
static enum stage stage_reached(const struct occurrence *occurrence)
{
        if (json_object_get(occurrence->transaction, "size") != NULL)
                return STAGE_DATA;
        return json_array_size(json_object_get(occurrence->transaction, "rcpts")) > 0 ? STAGE_RCPT
               : occurrence->transaction != NULL                                      ? STAGE_MAIL
                                                                                      : STAGE_HELO;
}

/* None of this stage was against the mail: somebody was taken at RCPT, or the store was asked, and that is last. */
static bool is_passed(const struct occurrence *occurrence, enum stage stage)
{
        const json_t *recipients = json_object_get(occurrence->transaction, "rcpts");
        bool is_taken =
            occurrence->recipient != NULL && !occurrence_is_refusal(string_of(occurrence->recipient, "code"));

        for (size_t i = 0; occurrence->recipient == NULL && i < json_array_size(recipients); i++)
                is_taken |= !occurrence_is_refusal(string_of(json_array_get(recipients, i), "code"));
        return is_taken &&
               (stage <= STAGE_RCPT || json_object_get(occurrence->transaction, "reason") != NULL);
}

/* Those that enforce today, have not refused, and of which nothing can be known. */
static uint64_t unknown_checks(const struct snapshot *snapshot, const struct occurrence *occurrence)
{
        struct force_matter matter = unsaid_matter(snapshot, occurrence);
        enum stage reached = stage_reached(occurrence);
        json_t *verdicts = unsaid_verdicts(occurrence);
        uint64_t unknown = 0;

        for (enum check_id check = 0; snapshot != NULL && check < CHECK_COUNT; check++)
                if (check_infos[check].kind == CHECK_KIND_PURE && snapshot->check_is_wanted[check] &&
                    force_mode(snapshot, &matter, check).mode == CHECK_MODE_ENFORCE &&
                    (check_infos[check].stage > reached ||
                     ((matter.check == CHECK_COUNT || check > matter.check) &&
                      !is_passed(occurrence, check_infos[check].stage))))
                        unknown |= check_bit(check);
        for (size_t i = 0; i < json_array_size(verdicts); i++) {
                enum check_id known = check_of(string_of(json_array_get(verdicts, i), "check"));
                unknown &= known < CHECK_COUNT ? ~check_bit(known) : UINT64_MAX;
        }
        json_decref(verdicts);
        return unknown;
}

static bool is_enforced(const json_t *verdict)
{
        const char *mode = string_of(verdict, "mode");
        return mode != NULL && strcmp(mode, "enforce") == 0;
}

/* Verdicts that were noted for other recipients, under a mode that this one's domain has too. */
static json_t *next_verdicts(const struct snapshot *snapshot, const struct occurrence *occurrence)
{
        struct force_matter matter = unsaid_matter(snapshot, occurrence);
        json_t *verdicts = unsaid_verdicts(occurrence), *next = json_array();

        for (size_t i = 0; i < json_array_size(verdicts); i++) {
                json_t *verdict = json_array_get(verdicts, i);
                enum check_id check = check_of(string_of(verdict, "check"));
                if (snapshot != NULL && check < CHECK_COUNT && check != matter.check &&
                    check_infos[check].kind == CHECK_KIND_PURE && is_enforced(verdict) &&
                    force_mode(snapshot, &matter, check).mode == CHECK_MODE_ENFORCE)
                        json_array_append(next, verdict);
        }
        json_decref(verdicts);
        return next;
}

static void print_names(uint64_t checks)
{
        for (uint64_t left = checks; left != 0; left &= left - 1)
                printf("%s%s",
                       left == checks             ? ""
                       : (left & (left - 1)) == 0 ? " and "
                                                  : ", ",
                       check_infos[__builtin_ctzll(left)].name);
}

static bool is_deferral(const json_t *verdict)
{
        const char *result = string_of(verdict, "result");
        return result != NULL && strcmp(result, verdict_result_names[VERDICT_DEFER]) == 0;
}

static void print_next(const json_t *next, const char *decision)
{
        for (size_t i = 0; i < json_array_size(next); i++) {
                const json_t *verdict = json_array_get(next, i);
                if (i == 0)
                        printf("Were %s out of the way, ", decision);
                printf("%s%s would have %s (", i == 0 ? "" : "; then ", string_of(verdict, "check"),
                       is_deferral(verdict) ? "put it off" : "refused it");
                told_print_text(string_of(verdict, "evidence"));
                putchar(')');
        }
        if (json_array_size(next) > 0)
                printf(".\n");
}

void unsaid_print(const struct snapshot *snapshot, const struct occurrence *occurrence)
{
        enum stage reached = stage_reached(occurrence);
        const char *check = occurrence_check(occurrence);
        json_t *next = next_verdicts(snapshot, occurrence);
        uint64_t unknown = unknown_checks(snapshot, occurrence), not_run = 0;

        for (enum check_id later = 0; later < CHECK_COUNT; later++)
                if (check_infos[later].stage > reached)
                        not_run |= unknown & check_bit(later);
        print_next(next, check == NULL ? "that" : check);
        if ((unknown & ~not_run) != 0) {
                printf("Not in the log, which has no verdicts of checks behind one that refuses: ");
                print_names(unknown & ~not_run);
                printf(".\n");
        }
        if (not_run != 0) {
                printf("Not evaluated, because the session did not come so far: ");
                print_names(not_run);
                printf(".\n");
        }
        if (snapshot == NULL)
                printf("Which other checks were in force is not in the log: -c FILE tells what is today.\n");
        json_decref(next);
}

void unsaid_put(json_t *object, const struct snapshot *snapshot, const struct occurrence *occurrence)
{
        bool is_refused = occurrence_is_refusal(occurrence_code(occurrence));

        json_object_set_new(object, "next", is_refused ? next_verdicts(snapshot, occurrence) : json_array());
        told_put_checks(object, "unknown", is_refused ? unknown_checks(snapshot, occurrence) : 0);
}

/* ---- asking again -------------------------------------------------------------------------------------- */

/* As a shell takes it, whatever a stranger has written. */
static void print_argument(const char *option, const char *value)
{
        char octets[1024];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_printable(&text, span_from(value), true);
        printf(" %s '", option);
        for (size_t i = 0; i < text.length; i++)
                if (text.at[i] == '\'')
                        fputs("'\\''", stdout);
                else
                        putchar(text.at[i]);
        putchar('\'');
}

void unsaid_print_question(const char *configuration, const struct occurrence *occurrence)
{
        const char *client = string_of(occurrence->session, "client"),
                   *helo = string_of(occurrence->session, "helo"),
                   *from = string_of(occurrence->transaction, "from"),
                   *to = string_of(occurrence->recipient, "to");

        if (client == NULL || from == NULL)
                return;
        printf("To ask what would come of it today: gatepost explain");
        print_argument("-c", configuration);
        print_argument("--ip", client);
        if (helo != NULL && helo[0] != '\0')
                print_argument("--helo", helo);
        print_argument("--from", from);
        if (to != NULL)
                print_argument("--to", to);
        putchar('\n');
}
