/* `check-config --print`: all options with their defaults, as a configuration file. */
#include "conf/value/print.h"

#include "conf/value/list.h"
#include "conf/value/value.h"
#include "conf/value/write.h"

#define LIST_MAX 2048

static void print_list(FILE *file, const char *items)
{
        char octets[LIST_MAX];
        struct text text;

        text_over(&text, octets, sizeof octets);
        value_put_default_list(&text, items);
        fprintf(file, "%.*s", (int)text.length, text.at);
}

static void print_rows(FILE *file, const struct option_row *rows, enum check_id check, const char *indent)
{
        for (; rows->name != NULL; rows++) {
                if (rows->check != check)
                        continue;
                fprintf(file, "%s# %s\n%s%s = ", indent, rows->help, indent, rows->name);
                if (value_is_list(rows->type))
                        print_list(file, rows->default_text);
                else if (rows->type == VALUE_TEXT || rows->type == VALUE_PATH)
                        quoted_print(file, span_from(rows->default_text));
                else
                        fputs(rows->default_text, file);
                putc('\n', file);
        }
}

static void print_zones(FILE *file)
{
        fprintf(file, "    # A section for each zone:\n    # zone \"dnsbl.example\" {\n");
        print_rows(file, zone_option_rows, CHECK_COUNT, "    #     ");
        fprintf(file, "    # }\n    # Without any of them there is:\n    zone \"" DEFAULT_ZONE "\" {\n"
                      "        answers = {\"" DEFAULT_ZONE_ANSWERS "\"}\n"
                      "        dynamic = {\"" DEFAULT_ZONE_DYNAMIC "\"}\n    }\n");
}

static void print_checks(FILE *file)
{
        static const char *const needs[] = {[NEEDS_NOTHING] = "",
                                            [NEEDS_DNS] = " (needs resolvers)",
                                            [NEEDS_SENDERS] = " (needs sender_store)"};

        fprintf(file, "\n# Checks. Modes: enforce, observe (count and log only), off. A rule has none.\n");
        for (unsigned check = 0; check < CHECK_COUNT; check++) {
                const struct check_info *info = &check_infos[check];
                if (info->kind == CHECK_KIND_RULE && !check_has_options((enum check_id)check))
                        continue;
                fprintf(file, "\n# %s: %s%s\n%s {\n", info->policy, info->summary, needs[info->needs],
                        info->name);
                if (info->kind != CHECK_KIND_RULE)
                        fprintf(file, "    mode = %s\n", check_mode_name(info->default_mode));
                print_rows(file, option_rows, (enum check_id)check, "    ");
                if (check == CHECK_dnsbl)
                        print_zones(file);
                fprintf(file, "}\n");
        }
}

/* Sections of their own, beside those of checks. One that not everybody has is commented out. */
static const struct section {
        const char *comment, *heading;
        const struct option_row *rows;
        enum check_id at;
        bool is_commented_out;
} sections[] = {
    {"Certificates, and what TLS (STARTTLS) is like.", "tls", option_rows, SECTION_TLS, false},
    {"The state of the server, its counters and its pages, for operators and their tools.", "http",
     option_rows, SECTION_HTTP, true},
    {"Whom the policy page names, and how they are reached.", "policy_page", option_rows, SECTION_PAGE,
     false},
    {"Next hops, where `deliver` of a domain names some.", "next_hops", option_rows, SECTION_HOPS, false},
    {"A section for each mail filter (milter), in the order in which they are asked:", "milter \"rspamd\"",
     milter_option_rows, CHECK_COUNT, true},
    {"And one for each policy service (Postfix's check_policy_service), which has its place among them:",
     "policy_service \"postgrey\"", service_option_rows, CHECK_COUNT, true},
};

static void print_section(FILE *file, const struct section *section)
{
        const char *begin = section->is_commented_out ? "# " : "";

        fprintf(file, "\n# %s\n%s%s {\n", section->comment, begin, section->heading);
        print_rows(file, section->rows, section->at, section->is_commented_out ? "#     " : "    ");
        fprintf(file, "%s}\n", begin);
}

static void print_terms(FILE *file)
{
        fprintf(
            file,
            "\n# Sections for the clients of a listener, and for those of a network, where other things "
            "hold:\n"
            "# the most specific network that sets an option, then the listener, then what stands outside.\n"
            "# listener \"192.0.2.1:25\" {\n");
        print_rows(file, terms_option_rows, CHECK_COUNT, "#     ");
        fprintf(file, "# }\n# network \"198.51.100.0/24\" {\n#     # the same options\n# }\n");
}

static void print_replies(FILE *file)
{
        fprintf(
            file,
            "\n# Refusals: code, enhanced code (RFC 3463), text. %%r recipient, %%s sender, %%h HELO name,\n"
            "# %%c client address, %%n our name, %%v what the verdict names, %%%% percent sign.\nreplies "
            "{\n");
        for (size_t reply = 0; reply < REPLY_COUNT; reply++) {
                if (reply_infos[reply].text[0] < '4')
                        continue;
                fprintf(file, "    %s = ", reply_infos[reply].name);
                quoted_print(file, span_from(reply_infos[reply].text));
                putc('\n', file);
        }
        fprintf(file, "}\n");
}

static void print_domain(FILE *file)
{
        fprintf(file,
                "\n# One section for each domain whose mail is taken, with recipients and deliver at least.\n"
                "# domain \"isp.example\" {\n");
        print_rows(file, domain_option_rows, CHECK_COUNT, "#     ");
        for (unsigned check = 0; check < CHECK_COUNT; check++)
                if (check_infos[check].kind == CHECK_KIND_PURE)
                        fprintf(file, "#     %s { mode = %s }\n", check_infos[check].name,
                                check_mode_name(check_infos[check].default_mode));
        fprintf(file, "# }\n");
}

void options_print(FILE *file)
{
        fprintf(file, "# All options with their defaults.\n\n");
        print_rows(file, option_rows, CHECK_COUNT, "");
        for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
                print_section(file, &sections[i]);
        print_terms(file);
        print_checks(file);
        print_replies(file);
        print_domain(file);
}
