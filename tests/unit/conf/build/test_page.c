/* The section policy_page, and the links of zones. */
#include "tests/unit/conf/fixture.h"

TestSuite(page, .init = folder_begin, .fini = folder_end);

Test(page, what_it_names_is_kept)
{
        struct snapshot *snapshot = load(
            HOSTNAME DOMAIN
            "policy_page { organisation = \"Bücher & Söhne\" contact = \"https://isp.example/form?a=1\"\n"
            " postmaster = \"postmaster@isp.example\" telephone = \"+49 (30) 12-34\" language = de\n"
            " imprint = \"http://isp.example/imprint\" name_domains = yes }\n"
            "dnsbl { zone \"list.example\" { removal = \"https://list.example/?ip=%a\" shown_as = \"List\" } "
            "}\n");

        cr_expect_str_eq(snapshot->options.policy_page_organisation, "Bücher & Söhne");
        cr_expect_eq(snapshot->options.policy_page_language, LANGUAGE_GERMAN);
        cr_expect(snapshot->options.policy_page_name_domains);
        cr_expect_str_eq(snapshot->zones[0].options.removal, "https://list.example/?ip=%a");
        snapshot_free(snapshot);
}

Test(page, a_link_is_nothing_else)
{
        static const struct {
                const char *option, *complaint;
        } cases[] = {
            {"contact = \"javascript:alert(1)\"",
             "contact: must be an address with https://, http:// or mailto:"},
            {"contact = \"https://\"", "contact: must be an address with https://, http:// or mailto:"},
            {"imprint = \"https://isp.example/\\\"><script>\"",
             "imprint: must be an address with https:// or http://"},
            {"privacy = \"mailto:a@isp.example\"", "privacy: must be an address with https:// or http://"},
            {"postmaster = \"postmaster\"",
             "postmaster: must be a mail address such as postmaster@isp.example"},
            {"telephone = \"call us\"", "telephone: must be a number such as +49 30 1234567"},
        };
        char text[512], expected[512];

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                snprintf(text, sizeof text, "%spolicy_page { %s }\n", HOSTNAME DOMAIN, cases[i].option);
                snprintf(expected, sizeof expected, "(text):2: error: %s\n", cases[i].complaint);
                check_complaints(text, expected);
        }
        check_complaints(
            HOSTNAME DOMAIN "dnsbl { zone \"list.example\" { removal = \"list.example\" } }\n",
            "(text):2: error: zone \"list.example\": removal must be an address with https:// or http://\n");
        check_complaints(HOSTNAME DOMAIN "policy_page { language = fr }\n",
                         "(text):2: error: language = \"fr\": must be en or de\n");
}
