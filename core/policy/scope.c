/* For whom a check is in which mode. */
#include "core/policy/internal.h"

#include "core/base/domain_name.h"

#define NAMED_MAX 50 /* domains that are named in one list */

/* Domains by mode; without any, the mode of the top level. */
struct modes {
        size_t count[3], all;
};

static enum check_mode mode_of(const struct snapshot *snapshot, enum check_id check, size_t domain)
{
        return snapshot->domains[domain].checks[check].mode;
}

static struct modes count_modes(const struct snapshot *snapshot, enum check_id check)
{
        struct modes modes = {.all = snapshot->domain_count};

        if (check_infos[check].kind != CHECK_KIND_PURE || modes.all == 0) {
                modes.all = 1;
                modes.count[snapshot->checks[check].mode] = 1;
                return modes;
        }
        for (size_t i = 0; i < snapshot->domain_count; i++)
                modes.count[mode_of(snapshot, check, i)]++;
        return modes;
}

/* Recipients have it in this mode by settings of their own. */
static bool is_set_for_single(const struct snapshot *snapshot, enum check_id check, enum check_mode mode)
{
        for (size_t i = 0; i < snapshot->domain_count; i++)
                if (snapshot->domains[i].sets != NULL &&
                    (snapshot->domains[i].sets->checks[mode] & check_bit(check)) != 0)
                        return true;
        return false;
}

static bool is_otherwise_for_single(const struct snapshot *snapshot, enum check_id check)
{
        return is_set_for_single(snapshot, check, CHECK_MODE_OFF) ||
               is_set_for_single(snapshot, check, CHECK_MODE_OBSERVE) ||
               is_set_for_single(snapshot, check, CHECK_MODE_ENFORCE);
}

enum standing check_standing(const struct snapshot *snapshot, enum check_id check)
{
        struct modes modes = count_modes(snapshot, check);

        if (check_infos[check].kind == CHECK_KIND_RULE)
                return STANDING_ENFORCED;
        if (!snapshot->check_is_wanted[check])
                return STANDING_UNUSED;
        if (modes.count[CHECK_MODE_ENFORCE] == modes.all)
                return STANDING_ENFORCED;
        if (modes.count[CHECK_MODE_ENFORCE] > 0 || is_set_for_single(snapshot, check, CHECK_MODE_ENFORCE))
                return STANDING_PARTLY;
        return modes.count[CHECK_MODE_OBSERVE] > 0 || is_set_for_single(snapshot, check, CHECK_MODE_OBSERVE)
                   ? STANDING_OBSERVES
                   : STANDING_UNUSED;
}

static void put_domain(struct page *page, struct span name)
{
        char octets[DOMAIN_NAME_MAX];
        struct text unicode;

        text_over(&unicode, octets, sizeof octets);
        if (!domain_name_to_unicode(name, &unicode) || unicode.overflowed)
                page_foreign(page, name);
        else
                page_foreign(page, text_span(&unicode));
}

static void put_domains(struct page *page, enum check_id check, enum check_mode mode)
{
        const struct snapshot *snapshot = page->snapshot;
        const char *between = "";

        page_word(page, WORD_scope_recipients_of);
        for (size_t i = 0; i < snapshot->domain_count; i++)
                if (mode_of(snapshot, check, i) == mode) {
                        page_markup(page, between);
                        put_domain(page, snapshot->domains[i].name);
                        between = ", ";
                }
        page_markup(page, ".");
}

static void put_modes(struct page *page, enum check_id check, const struct modes *modes)
{
        static const enum word beginnings[] = {WORD_scope_off, WORD_scope_observed, WORD_scope_enforced};
        const char *between = "";

        for (int mode = CHECK_MODE_ENFORCE; mode >= CHECK_MODE_OFF; mode--) {
                if (modes->count[mode] == 0)
                        continue;
                page_markup(page, between);
                page_word(page, beginnings[mode]);
                if (page->snapshot->options.policy_page_name_domains && modes->count[mode] <= NAMED_MAX)
                        put_domains(page, check, (enum check_mode)mode);
                else
                        page_word(page, WORD_scope_some);
                between = " ";
        }
}

void page_scope(struct page *page, enum check_id check)
{
        struct modes modes = count_modes(page->snapshot, check);

        if (check_infos[check].kind == CHECK_KIND_RULE)
                page_word(page, WORD_scope_rule);
        else if (check_infos[check].kind == CHECK_KIND_SESSION)
                page_word(page, WORD_scope_session);
        else if (modes.count[CHECK_MODE_ENFORCE] == modes.all || modes.count[CHECK_MODE_OBSERVE] == modes.all)
                page_word(page, WORD_scope_all);
        else
                put_modes(page, check, &modes);
        if (is_otherwise_for_single(page->snapshot, check))
                page_word(page, WORD_scope_single);
}
