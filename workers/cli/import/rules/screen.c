/* Tests of postscreen, its lists and who is let past them. */
#include "workers/cli/import/rules/screen.h"

#include "workers/cli/import/cf/words.h"
#include "workers/cli/import/rules/restrictions/access.h"
#include "workers/cli/import/rules/networks.h"
#include "workers/cli/import/rules/restrictions/zones.h"

#define PAUSE_MAX 60 /* seconds */

static bool is_enforced(struct span action)
{
        return span_equals_nocase(action, SPAN("enforce")) || span_equals_nocase(action, SPAN("drop"));
}

/* The one of two names that is set: Postfix 3.6 has renamed some settings. */
static const char *newer(const struct import *import, const char *name, const char *old)
{
        return import_is_set(import, name) || !import_is_set(import, old) ? name : old;
}

static struct report_row *add_row(struct import *import, struct report_list *list, const char *setting,
                                  struct span word, enum judgement judgement, const char *ours,
                                  const char *why)
{
        const struct report_row row = {
            .place = import_place(import, setting, word),
            .theirs = word.length > 0 ? word
                                      : keep_format(import->keep, "%s = %.*s", setting,
                                                    SPAN_ARG(import_value(import, setting))),
            .judgement = judgement,
            .ours = ours,
            .why = why,
            .is_restriction = true,
        };
        return report_add(&import->report, list, &row);
}

/* ---- lists --------------------------------------------------------------------------------------------- */

static void take_sites(struct import *import, struct report_list *list)
{
        struct span value = import_value(import, "postscreen_dnsbl_sites"), word;
        bool enforces = is_enforced(import_value(import, "postscreen_dnsbl_action"));
        uint64_t threshold;

        if (value.length == 0)
                return;
        import->threshold = span_number(import_value(import, "postscreen_dnsbl_threshold"), &threshold) &&
                                    threshold > 0 && threshold <= 1000000
                                ? (int64_t)threshold
                                : 1;
        draft_mode(&import->draft, CHECK_dnsbl, enforces ? CHECK_MODE_ENFORCE : CHECK_MODE_OBSERVE,
                   import_origin(import, "postscreen_dnsbl_action"));
        while ((word = cf_take_word(&value)).length > 0) {
                struct report_row *row = add_row(
                    import, list, "postscreen_dnsbl_sites", word, JUDGED_SAME, "zone in dnsbl",
                    enforces ? "An answer by which the list tells of an error, from 127.255.255.0/24, "
                               "never counts."
                             : "postscreen only logs it (postscreen_dnsbl_action), and so does this.");
                zones_add_weighted(import, word, enforces,
                                   import_word_origin(import, "postscreen_dnsbl_sites", word), row);
        }
        add_row(
            import, list, "postscreen_dnsbl_threshold", span_of("", 0), JUDGED_SAME, "dnsbl.threshold",
            "It is the sum of weights from which a client is refused, at RCPT; postmaster hears it all the "
            "same.");
        add_row(import, list, "postscreen_dnsbl_action", span_of("", 0), JUDGED_SAME, "mode of dnsbl",
                enforces ? "The check is enforced." : "The check only observes.");
        const char *spares =
            newer(import, "postscreen_dnsbl_allowlist_threshold", "postscreen_dnsbl_whitelist_threshold");
        if (import_is_set(import, spares))
                add_row(import, list, spares, span_of("", 0), JUDGED_STRICTER, "client_rate.history",
                        "An allowlist spares nobody the pause before the banner; a good history here does, "
                        "where client_rate is enforced.");
}

/* ---- before the banner, and behind it ------------------------------------------------------------------ */

static void take_greeting(struct import *import, struct report_list *list)
{
        struct span action = import_value(import, "postscreen_greet_action");
        struct span origin = import_origin(import, "postscreen_greet_wait");
        uint64_t seconds;

        if (!cf_time(import_value(import, "postscreen_greet_wait"), &seconds))
                seconds = 6;
        seconds = seconds < PAUSE_MAX ? seconds : PAUSE_MAX;
        draft_word(&import->draft, &import->draft.top, "greeting_pause",
                   keep_format(import->keep, "%us", (unsigned)seconds), origin);
        add_row(
            import, list, "postscreen_greet_wait", span_of("", 0), JUDGED_SAME, "greeting_pause",
            "Each client waits, but for trusted ones and, where client_rate is enforced, those with a good "
            "history: those that passed once are not remembered otherwise. There is no banner in two parts.");
        draft_mode(&import->draft, CHECK_early_talker,
                   is_enforced(action) ? CHECK_MODE_ENFORCE : CHECK_MODE_OBSERVE,
                   import_origin(import, "postscreen_greet_action"));
        add_row(import, list, "postscreen_greet_action", span_of("", 0),
                is_enforced(action) ? JUDGED_STRICTER : JUDGED_SAME, "early_talker",
                is_enforced(action) ? "Whoever speaks before the banner, or before any other reply, gets 554 "
                                      "and is sent away at once."
                                    : "Who speaks too early is only told of.");
}

/* Tests behind the banner: `enable` and `action`. */
static const struct deep_test {
        const char *enable, *action, *ours, *why;
        enum check_id check;
        enum judgement judgement;
} deep_tests[] = {
    {"postscreen_pipelining_enable", "postscreen_pipelining_action", "early_talker",
     "PIPELINING is not offered, so whoever does not wait for a reply is sent away; nobody has to come again "
     "to pass.",
     CHECK_early_talker, JUDGED_STRICTER},
    {"postscreen_bare_newline_enable", "postscreen_bare_newline_action", "rule syntax",
     "Only CRLF ends a line or a text; see also syntax.bare_newline. Nobody has to come again to pass.",
     CHECK_COUNT, JUDGED_SAME},
    {"postscreen_non_smtp_command_enable", "postscreen_non_smtp_command_action", "rule syntax",
     "Who speaks HTTP or TLS is sent away at once, and who is wrong too often as well. Nobody has to come "
     "again to pass.",
     CHECK_COUNT, JUDGED_SAME},
};

static void take_deep_tests(struct import *import, struct report_list *list)
{
        for (size_t i = 0; i < sizeof deep_tests / sizeof deep_tests[0]; i++) {
                const struct deep_test *test = &deep_tests[i];
                if (!cf_is_yes(import_value(import, test->enable), false))
                        continue;
                struct span action = import_value(import, test->action);
                if (test->check != CHECK_COUNT)
                        draft_mode(&import->draft, test->check,
                                   span_equals_nocase(action, SPAN("ignore")) ? CHECK_MODE_OBSERVE
                                                                              : CHECK_MODE_ENFORCE,
                                   import_origin(import, test->enable));
                add_row(import, list, test->enable, span_of("", 0), test->judgement, test->ours, test->why);
        }
}

/* ---- who is let past ----------------------------------------------------------------------------------- */

static void take_access(struct import *import, struct report_list *list)
{
        struct span value = import_value(import, "postscreen_access_list"), word;
        const char *action = newer(import, "postscreen_denylist_action", "postscreen_blacklist_action");
        bool denies = is_enforced(import_value(import, action));

        while ((word = cf_take_word(&value)).length > 0) {
                enum judgement judgement = JUDGED_LAXER;
                const char *why = "These clients are exempt from all checks, not from postscreen alone.";
                const char *ours = "trusted_networks";
                bool is_networks = span_equals_nocase(word, SPAN("permit_mynetworks"));
                import->trusts_networks |= is_networks;
                if (!is_networks && !cf_is_table(word)) {
                        judgement = JUDGED_NOT_TRANSLATED;
                        ours = "";
                        why = "That is no word of this list.";
                }
                if (cf_is_table(word) &&
                    !access_take_clients(import, word,
                                         import_word_origin(import, "postscreen_access_list", word), &why,
                                         &judgement))
                        judgement = JUDGED_NOT_TRANSLATED, ours = "";
                add_row(import, list, "postscreen_access_list", word, judgement, ours, why);
        }
        if (import_is_set(import, action))
                add_row(import, list, action, span_of("", 0), denies ? JUDGED_SAME : JUDGED_STRICTER,
                        "zone in dnsbl",
                        denies ? "Who is rejected there is refused, at RCPT."
                               : "Who is rejected there is refused, where postscreen only logs it.");
}

void screen_translate(struct import *import)
{
        if (!import->has_screen)
                return;
        struct report_list *list = report_begin_list(&import->report, SPAN("postscreen"));
        take_access(import, list);
        take_sites(import, list);
        take_greeting(import, list);
        take_deep_tests(import, list);
}
