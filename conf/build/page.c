/* What the policy page links to: nothing there may be more than a link. */
#include "conf/build/internal.h"
#include "core/base/domain_name.h"
#include "core/base/local_part.h"

#define LINK_MAX 500 /* octets */

/* Of RFC 3986 2 and a percent sign; quotes and brackets are no part of an address. */
static bool link_is_valid(struct span link, const char *const *schemes)
{
        for (size_t i = 0; i < link.length; i++)
                if (!ascii_is_alnum(link.at[i]) && strchr("-._~:/?#[]@!$&()*+,;=%", link.at[i]) == NULL)
                        return false;
        for (; *schemes != NULL; schemes++)
                if (span_starts_nocase(link, span_from(*schemes)) && link.length > strlen(*schemes))
                        return link.length <= LINK_MAX;
        return false;
}

static void complain(struct builder *builder, enum option_at option, const char *reason)
{
        struct place place = build_option_place(builder, option);
        conf_complain(builder->complaints, COMPLAINT_ERROR, &place, "%s: %s", option_rows[option].name,
                      reason);
}

static const char *const web[] = {"https://", "http://", NULL};

static void look_at_links(struct builder *builder)
{
        static const char *const any[] = {"https://", "http://", "mailto:", NULL};
        const struct options *options = &builder->snapshot->options;
        const struct {
                enum option_at at;
                const char *text;
                const char *const *schemes;
        } links[] = {{OPTION_AT_policy_page_contact, options->policy_page_contact, any},
                     {OPTION_AT_policy_page_imprint, options->policy_page_imprint, web},
                     {OPTION_AT_policy_page_privacy, options->policy_page_privacy, web}};

        for (size_t i = 0; i < sizeof links / sizeof *links; i++)
                if (links[i].text[0] != '\0' && !link_is_valid(span_from(links[i].text), links[i].schemes))
                        complain(builder, links[i].at,
                                 links[i].schemes == web
                                     ? "must be an address with https:// or http://"
                                     : "must be an address with https://, http:// or mailto:");
}

static bool is_mail_address(struct span address)
{
        char octets[LOCAL_PART_MAX];
        struct text local_part;
        size_t at = span_find_last(address, '@');

        text_over(&local_part, octets, sizeof octets);
        return at != SIZE_MAX && local_part_parse(span_of(address.at, at), false, &local_part) &&
               domain_name_is_valid(span_skip(address, at + 1), true);
}

static bool is_telephone(struct span number)
{
        bool has_digit = false;

        for (size_t i = 0; i < number.length; i++) {
                if (strchr("0123456789 -/().+", number.at[i]) == NULL)
                        return false;
                has_digit |= ascii_is_digit(number.at[i]);
        }
        return has_digit && number.length <= 40;
}

/* The link of a zone, in which %a stands for what is looked up. */
static void look_at_removal(struct builder *builder, const struct dnsbl_zone *zone)
{
        const char *removal = zone->options.removal;

        if (removal[0] != '\0' && !link_is_valid(span_from(removal), web))
                conf_complain(builder->complaints, COMPLAINT_ERROR, &zone->place,
                              "zone \"%.*s\": removal must be an address with https:// or http://",
                              (int)zone->name.length, zone->name.at);
}

void build_finish_page(struct builder *builder)
{
        const struct options *options = &builder->snapshot->options;

        look_at_links(builder);
        if (options->policy_page_postmaster[0] != '\0' &&
            !is_mail_address(span_from(options->policy_page_postmaster)))
                complain(builder, OPTION_AT_policy_page_postmaster,
                         "must be a mail address such as postmaster@isp.example");
        if (options->dmarc_report_from[0] != '\0' && !is_mail_address(span_from(options->dmarc_report_from)))
                complain(builder, OPTION_AT_dmarc_report_from,
                         "must be a mail address such as dmarc-reports@isp.example");
        if (options->policy_page_telephone[0] != '\0' &&
            !is_telephone(span_from(options->policy_page_telephone)))
                complain(builder, OPTION_AT_policy_page_telephone, "must be a number such as +49 30 1234567");
        for (size_t i = 0; i < builder->snapshot->zone_count; i++)
                look_at_removal(builder, &builder->snapshot->zones[i]);
}
