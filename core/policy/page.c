/* The page as a whole, and the section of a check. */
#include "core/policy/page.h"

#include "conf/value/policy_url.h"
#include "core/policy/internal.h"

/* ---- sections of checks -------------------------------------------------------------------------------- */

/* The rule syntax, which is the first one, comes last: it has the most replies, and hardly anybody comes for it. */
static enum check_id check_in_order(size_t place)
{
        return (enum check_id)((place + 1) % CHECK_COUNT);
}

static const char *check_name(enum check_id check)
{
        return check_infos[check].name;
}

static void put_badge(struct page *page, enum standing standing)
{
        static const struct {
                const char *open;
                enum word word;
        } badges[] = {[STANDING_OBSERVES] = {"<span class=\"badge observed\">", WORD_badge_observed},
                      [STANDING_PARTLY] = {"<span class=\"badge partly\">", WORD_badge_partly},
                      [STANDING_ENFORCED] = {"<span class=\"badge\">", WORD_badge_enforced}};

        page_markup(page, badges[standing].open);
        page_word(page, badges[standing].word);
        page_markup(page, "</span>");
}

static void put_other_languages(struct page *page, const char *anchor)
{
        for (enum language language = 0; language < LANGUAGE_COUNT; language++) {
                if (language == page->language)
                        continue;
                page_markup(page, "<p class=\"other\">");
                page_open_language(page, language, anchor);
                page_markup(page, ">");
                page_text(page, words[WORD_other_language].in[language]);
                page_markup(page, "</a></p>\n");
        }
}

static void put_title(struct page *page, enum check_id check)
{
        page_markup(page, "<section class=\"rule\" id=\"");
        page_text(page, check_name(check));
        page_markup(page, "\">\n<h3>");
        page_wording(page, &check_texts[check].title);
        page_markup(page, "</h3>\n<p class=\"marks\"><code>");
        page_text(page, check_name(check));
        page_markup(page, "</code> ");
        put_badge(page, page->standings[check]);
        page_markup(page, "</p>\n");
}

static void put_rule(struct page *page, enum check_id check)
{
        const struct check_texts *texts = &check_texts[check];

        put_title(page, check);
        page_paragraph(page, &texts->demand);
        page_markup(page, "<p><strong>");
        page_word(page, WORD_rule_for);
        page_markup(page, "</strong>");
        page_scope(page, check);
        page_markup(page, "</p>\n");
        page_heading(page, '4', WORD_rule_why);
        page_paragraph(page, &texts->reason);
        if (page_has_facts(page->snapshot, check)) {
                page_heading(page, '4', WORD_rule_details);
                page_facts(page, check);
        }
        page_heading(page, '4', WORD_rule_todo);
        page_paragraph(page, &texts->advice.remedy);
        if (check_has_lists(page->snapshot, check)) {
                page_heading(page, '4', WORD_rule_lists);
                page_lists(page, check);
        }
        if (page->standings[check] >= STANDING_PARTLY) {
                page_heading(page, '4', WORD_rule_replies);
                page_replies(page, check);
        }
        put_other_languages(page, check_name(check));
        page_markup(page, "</section>\n");
}

static bool stands_between(const struct page *page, enum check_id check, enum standing least,
                           enum standing most)
{
        return page->standings[check] >= least && page->standings[check] <= most;
}

static bool has_standing(const struct page *page, enum standing least, enum standing most)
{
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                if (stands_between(page, check, least, most))
                        return true;
        return false;
}

/* ---- sections of the page ------------------------------------------------------------------------------ */

static void put_section(struct page *page, const char *id, enum word title)
{
        page_markup(page, "<section id=\"");
        page_text(page, id);
        page_markup(page, "\">\n");
        page_heading(page, '2', title);
}

/* A section of the rules that stand so, if there are any. */
static void put_rules(struct page *page, const char *id, enum word title, enum word intro,
                      enum standing least, enum standing most)
{
        if (!has_standing(page, least, most))
                return;
        put_section(page, id, title);
        page_paragraph(page, &words[intro]);
        for (size_t place = 0; place < CHECK_COUNT; place++)
                if (stands_between(page, check_in_order(place), least, most))
                        put_rule(page, check_in_order(place));
        page_markup(page, "</section>\n");
}

/* They keep their anchors: a reply of yesterday leads here. */
static void put_unused(struct page *page)
{
        if (!has_standing(page, STANDING_UNUSED, STANDING_UNUSED))
                return;
        put_section(page, "unused", WORD_unused_title);
        page_paragraph(page, &words[WORD_unused_intro]);
        page_markup(page, "<ul>\n");
        for (enum check_id check = 0; check < CHECK_COUNT; check++) {
                if (page->standings[check] != STANDING_UNUSED)
                        continue;
                page_markup(page, "<li id=\"");
                page_text(page, check_name(check));
                page_markup(page, "\">");
                page_wording(page, &check_texts[check].title);
                page_markup(page, " <code>");
                page_text(page, check_name(check));
                page_markup(page, "</code></li>\n");
        }
        page_markup(page, "</ul>\n</section>\n");
}

static void put_about(struct page *page)
{
        const struct options *options = &page->snapshot->options;

        page_markup(page, "<p class=\"about\">");
        page_word(page, WORD_about_server);
        page_markup(page, "<strong>");
        page_foreign(page, span_from(options->hostname));
        page_markup(page, "</strong>");
        if (options->policy_page_organisation[0] != '\0') {
                page_word(page, WORD_about_of);
                page_foreign(page, span_from(options->policy_page_organisation));
        }
        page_word(page, WORD_about_rest);
        page_markup(page, "</p>\n");
}

static void put_example(struct page *page)
{
        char octets[POLICY_REPLY_SUFFIX_MAX];
        struct text suffix;

        text_over(&suffix, octets, sizeof octets);
        policy_url_put_suffix(&suffix, page->snapshot->options.policy_url, "1BS0T7G1VBQC");
        page_markup(page, "<br><code>550 5.7.1 …");
        page_foreign(page, text_span(&suffix));
        page_markup(page, "</code>");
}

static void put_refused(struct page *page)
{
        put_section(page, "refused", WORD_refused_title);
        page_markup(page, "<ol>\n<li>");
        page_word(page, WORD_refused_reply);
        put_example(page);
        page_markup(page, "</li>\n<li>");
        page_word(page, WORD_refused_code);
        page_markup(page, "</li>\n<li>");
        if (policy_url_has_id(page->snapshot->options.policy_url)) {
                page_word(page, WORD_refused_link);
                page_markup(page, "</li>\n<li>");
        }
        page_word(page, WORD_refused_find);
        page_open_anchor(page, "", "codes");
        page_word(page, WORD_codes_title);
        page_markup(page, "</a>");
        page_word(page, WORD_refused_find_rest);
        page_markup(page, "</li>\n<li>");
        page_word(page, WORD_refused_help);
        page_open_anchor(page, "", "postmaster");
        page_word(page, WORD_refused_help_link);
        page_markup(page, "</a>");
        page_word(page, WORD_refused_help_rest);
        page_markup(page, "</li>\n</ol>\n");
        page_paragraph(page, &words[WORD_refused_user]);
        page_markup(page, "</section>\n");
}

static void put_server(struct page *page)
{
        put_section(page, "server", WORD_server_title);
        page_paragraph(page, &words[WORD_server_intro]);
        page_facts(page, SUBJECT_SERVER);
        page_heading(page, '3', WORD_rule_replies);
        page_replies(page, SUBJECT_SERVER);
        page_markup(page, "</section>\n");
}

static void put_codes(struct page *page)
{
        put_section(page, "codes", WORD_codes_title);
        page_paragraph(page, &words[WORD_codes_intro]);
        page_codes(page);
        page_markup(page, "</section>\n");
}

/* ---- contents ------------------------------------------------------------------------------------------ */

static void put_entry(struct page *page, const char *id, const struct wording *title)
{
        page_markup(page, "<li>");
        page_open_anchor(page, "", id);
        page_wording(page, title);
        page_markup(page, "</a>");
}

static void put_entries(struct page *page, const char *id, enum word title, enum standing least,
                        enum standing most)
{
        if (!has_standing(page, least, most))
                return;
        put_entry(page, id, &words[title]);
        page_markup(page, "\n<ul>\n");
        for (size_t place = 0; place < CHECK_COUNT; place++) {
                enum check_id check = check_in_order(place);
                if (!stands_between(page, check, least, most))
                        continue;
                put_entry(page, check_name(check), &check_texts[check].title);
                page_markup(page, "</li>\n");
        }
        page_markup(page, "</ul>\n</li>\n");
}

static void put_contents(struct page *page)
{
        page_markup(page, "<nav class=\"contents\" aria-labelledby=\"contents\">\n<h2 id=\"contents\">");
        page_word(page, WORD_contents);
        page_markup(page, "</h2>\n<ul>\n");
        put_entry(page, "refused", &words[WORD_refused_title]);
        page_markup(page, "</li>\n");
        put_entries(page, "rules", WORD_rules_title, STANDING_PARTLY, STANDING_ENFORCED);
        put_entries(page, "observed", WORD_observed_title, STANDING_OBSERVES, STANDING_OBSERVES);
        put_entry(page, "server", &words[WORD_server_title]);
        page_markup(page, "</li>\n");
        put_entry(page, "codes", &words[WORD_codes_title]);
        page_markup(page, "</li>\n");
        put_entry(page, "postmaster", &words[WORD_postmaster_title]);
        page_markup(page, "</li>\n</ul>\n</nav>\n");
}

void policy_page_write(FILE *out, const struct snapshot *snapshot, enum language language,
                       const char *const links[static LANGUAGE_COUNT])
{
        struct page page = {.out = out, .snapshot = snapshot, .links = links, .language = language};

        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                page.standings[check] = check_standing(snapshot, check);
        page_begin(&page, WORD_title);
        put_about(&page);
        put_refused(&page);
        put_contents(&page);
        put_rules(&page, "rules", WORD_rules_title, WORD_rules_intro, STANDING_PARTLY, STANDING_ENFORCED);
        put_rules(&page, "observed", WORD_observed_title, WORD_observed_intro, STANDING_OBSERVES,
                  STANDING_OBSERVES);
        put_server(&page);
        put_codes(&page);
        page_postmaster(&page);
        put_unused(&page);
        page_end(&page);
}
