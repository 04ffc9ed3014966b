/* What the parser accepts, and where and how it tells of errors. */
#include "conf/build/load.h"
#include "tests/unit/conf/fixture.h"

TestSuite(grammar, .init = folder_begin, .fini = folder_end);

#define NO_DOMAIN                                                                                            \
        "(text): error: no domain: every recipient would be refused; allow_no_domains = yes if that is "     \
        "meant\n"

static const struct {
        const char *text, *complaints;
} bad[] = {
    {"listn = 1\n" DOMAIN, "(text):1: error: unknown key \"listn\"; did you mean \"listen\"?\n"},
    {"wrokers = 1\n" DOMAIN, "(text):1: error: unknown key \"wrokers\"; did you mean \"workers\"?\n"},
    {"quux = 1\n" DOMAIN, "(text):1: error: unknown key \"quux\"\n"},
    {"\"\" = 1\n" DOMAIN, "(text):1: error: syntax error\n"},
    {"a|b = 1\n", "(text):1: error: no sub-section title/index for 'a'\n"},
    {"helo_name { mode = off }\nhelo_name|mode = off\n",
     "(text):2: error: no sub-section title/index for 'helo_name'\n"},
    {"workers = 1\n# x\nworkers = 2\n" DOMAIN,
     "(text):3: error: workers is given twice, first in (text):1\n"},
    {"listen = {\"127.0.0.1:1\"}\nlisten = {\"127.0.0.1:2\"}\n" DOMAIN,
     "(text):2: error: listen is given twice, first in (text):1\n"},
    {"resolvers = {\"127.0.0.1:1\"}\nresolvers = {}\n" DOMAIN,
     "(text):2: error: resolvers is given twice, first in (text):1\n"},
    {"resolvers = {}\n# x\nresolvers = {\n\"127.0.0.1:1\"}\n" DOMAIN,
     "(text):4: error: resolvers is given twice, first in (text):1\n"},
    {"resolvers = { # none\n}\nresolvers={}\n" DOMAIN,
     "(text):3: error: resolvers is given twice, first in (text):1\n"},
    {"greylist { exceptions = {} }\nspf {\nforwarders = {}\nforwarders = {} }\n" DOMAIN,
     "(text):4: error: forwarders is given twice, first in (text):3\n"},
    {"resolvrs = {}\nworkers = {}\nworkers = x\n" DOMAIN,
     "(text):1: error: unknown key \"resolvrs\"; did you mean \"resolvers\"?\n"
     "(text):2: error: workers takes one value, not a list\n"
     "(text):3: error: workers is given twice, first in (text):2\n"
     "(text):3: error: workers = \"x\": needs a number\n"},
    {"helo_name { mode = off }\nhelo_name { mode = off }\n" DOMAIN,
     "(text):2: error: helo_name is given twice, first in (text):1\n"},
    {"replies { }\nreplies { }\n" DOMAIN, "(text):2: error: replies is given twice, first in (text):1\n"},
    {"smtpd_forbid_bare_newline = normalize\nsyntax { bare_newline = normalize }\n" DOMAIN,
     "(text):1: error: unknown key \"smtpd_forbid_bare_newline\"; in place of this option of Postfix use "
     "bare_newline in section syntax\n"
     "(text):2: error: bare_newline = \"normalize\": must be refuse or normalise\n"},
    {"relayhost = x\nsmtpd_banner = x\nsmtpd_client_restrictions = x\nsoft_bounce = yes\n" DOMAIN,
     "(text):1: error: unknown key \"relayhost\"; this option of Postfix has no counterpart: mail is only "
     "received here\n"
     "(text):2: error: unknown key \"smtpd_banner\"; this option of Postfix has no counterpart: the banner "
     "is made of hostname\n"
     "(text):3: error: unknown key \"smtpd_client_restrictions\"; in place of this option of Postfix use the "
     "sections of the checks dnsbl and dynamic_client\n"
     "(text):4: error: unknown key \"soft_bounce\"; in place of this option of Postfix use mode = observe in "
     "each check's section\n"},
    {"recipient { mode = off }\n" DOMAIN,
     "(text):1: error: recipient: is a rule that cannot be changed or switched off\n"},
    {"syntax { lenient = yes  mode = off }\n" DOMAIN,
     "(text):1: error: syntax is a rule: it has options, but no mode\n"},
    {"syntax { lenient = maybe }\n" DOMAIN, "(text):1: error: lenient = \"maybe\": must be no or yes\n"},
    {"workers 1\n", "(text):1: error: missing equal sign after option 'workers'\n"},
    {"workers = {1}\n", "(text):1: error: unexpected token '{'\n"},
    {"spf = off\nhelo_name off\n",
     "(text):1: error: spf is a section; write spf { mode = off }\n"
     "(text):2: error: helo_name is a section; write helo_name { mode = off }\n"},
    {"spf =\n'no'\ndnsbl = warn\nworkers = x\n" DOMAIN,
     "(text):1: error: spf is a section; write spf { mode = off }\n"
     "(text):3: error: dnsbl is a section; write dnsbl { mode = observe }\n"
     "(text):4: error: workers = \"x\": needs a number\n"},
    {"greylist = 5m rhsbl = {} dnsbl { threshold = 1 zone = \"x\" mode = quux }\n" DOMAIN,
     "(text):1: error: greylist is a section; write greylist { mode = observe }\n"
     "(text):1: error: rhsbl is a section; write rhsbl { mode = observe }\n"
     "(text):1: error: zone is a section with a name; write zone \"NAME\" { ... }\n"
     "(text):1: error: mode = \"quux\": must be enforce, observe (count and log only) or off\n"},
    {"syntax = off\nreplies = x domain = \"isp.example\"\n",
     "(text):1: error: syntax is a rule that cannot be switched off\n"
     "(text):2: error: replies is a section; write replies { NAME = \"TEXT\" }\n"
     "(text):2: error: domain is a section with a name; write domain \"NAME\" { ... }\n" NO_DOMAIN},
    {"domain \"x\" { recipients = \"people\" deliver = \"discard:\" spf = no\nworkers = 1\n}\n",
     "(text):1: error: spf is a section; write spf { mode = off }\n"
     "(text):2: error: unknown key \"workers\" in section domain; it stands outside of all sections\n"},
    {"}\n", "(text):1: error: unexpected closing brace\n"},
    {"\nlog = \"x\n\n", "(text):2: error: the quote that begins here has no end\n"},
    {"\nlog = 'x\n\n", "(text):2: error: the quote that begins here has no end\n"},
    {"\nlog = \"x\nlisten = {\"127.0.0.1:1\"}\n", "(text):2: error: the quote that begins here has no end\n"},
    {"\nlog = \"${x\n}\"\n", "(text):2: error: the quote that begins here has no end\n"},
    {"\n/* x\n\n", "(text):2: error: the comment that begins here has no end\n"},
    {"\ndomain \"x\" {\nhelo_name {\n}\n", "(text):2: error: section or list without end\n"},
    {"workers = 1\n\nlog = \x01\n", "(text):3: error: control character\n"},
    {"log = \"\xff\"\n", "(text): error: is not UTF-8\n"},
    {"include(people)\n", "(text):1: error: syntax error; should it be include(\"FILE\")?\n"},
    {"include(\"a\", \"b\")\n", "(text):1: error: syntax error; should it be include(\"FILE\")?\n"},
    {"{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{", "(text):1: error: sections are nested too deeply\n"},
    {"workers = 1 spf { workers = 2 }\n" DOMAIN,
     "(text):1: error: unknown key \"workers\" in section spf; it stands outside of all sections\n"},
    {"state_size = 1G extension = \"+\" threshold = 2 weight = 1\n" DOMAIN,
     "(text):1: error: unknown key \"extension\"; it stands in a domain section\n"
     "(text):1: error: unknown key \"threshold\"; it stands in section dnsbl\n"
     "(text):1: error: unknown key \"weight\"; it stands in a zone section of dnsbl\n"},
    {"myhostname = mx.isp.example\nmynetworks = 127.0.0.0/8 [::1]/128,\n  10.0.0.0/8\n\tx\nworkers = "
     "x\n" DOMAIN,
     "(text):1: error: unknown key \"myhostname\"; in place of this option of Postfix use hostname\n"
     "(text):2: error: unknown key \"mynetworks\"; in place of this option of Postfix use trusted_networks, "
     "which lets "
     "nobody relay\n"
     "(text):5: error: workers = \"x\": needs a number\n"},
    {"spf { permerror = pass } domain \"permerror\" { recipients = \"people\" deliver = \"discard:\" "
     "spf { permerror = pass } recipients_max = 5 }\n",
     "(text):1: error: unknown key \"permerror\" in section spf; a domain sets the mode of spf alone: set it "
     "outside "
     "of domains\n"
     "(text):1: error: unknown key \"recipients_max\" in section domain; it stands outside of all "
     "sections\n"},
    {"domain \"x\" { recipients = \"people\" deliver = \"discard:\" } x = 1\n",
     "(text):1: error: unknown key \"x\"\n"},
    {"domain { }\n",
     "(text):1: error: domain is a section with a name; write domain \"NAME\" { ... }\n" NO_DOMAIN},
};

/* The library's faults that conf/text/source.c makes up for would show in the lines. */
Test(grammar, errors_have_their_line)
{
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                char text[1024];
                snprintf(text, sizeof text, HOSTNAME "%s", bad[i].text);
                check_complaints(text, bad[i].complaints);
        }
}

Test(grammar, all_errors_are_told_in_order)
{
        check_complaints(
            "/* two\n lines */ workers = x // comment\n"
            "quarantine { mode = enforce\n  key \"a.example\" { names = {\"127.0.0.[2..11]\"} weight = 1 } "
            "}\n"
            "listn = {\"a\", # comment\n \"b\"}  quota { } delivery_threads = 0\n" HOSTNAME
            "domain \"isp.example\" { recipients = \"people\" deliver = \"discard:\"\n"
            "  extention = \"+\"  early_talker { mode = off }\n"
            "  syntax { mode = off }\n  helo_name { mod = off }\n  helo_impersonation { names = {} } }\n"
            "replies { recipient_unknwn = \"x\" }\nidle_timeout = soon",
            "(text):2: error: workers = \"x\": needs a number\n"
            "(text):3: error: unknown key \"quarantine\"\n"
            "(text):5: error: unknown key \"listn\"; did you mean \"listen\"?\n"
            "(text):6: error: unknown key \"quota\"\n"
            "(text):6: error: delivery_threads = \"0\": must be from 1 to 64\n"
            "(text):8: error: unknown key \"extention\" in section domain; did you mean \"extension\"?\n"
            "(text):8: error: early_talker: holds for whole sessions: set it outside of domains\n"
            "(text):9: error: syntax: holds for whole sessions: set it outside of domains\n"
            "(text):10: error: unknown key \"mod\" in section helo_name; did you mean \"mode\"?\n"
            "(text):11: error: unknown key \"names\" in section helo_impersonation; a domain sets the mode "
            "of "
            "helo_impersonation alone: set it outside of domains\n"
            "(text):12: error: unknown key \"recipient_unknwn\" in section replies; did you mean "
            "\"recipient_unknown\"?\n"
            "(text):13: error: idle_timeout = \"soon\": needs a duration with unit, such as 250ms, 10s, 5m, "
            "2h "
            "or 1d\n");
}

Test(grammar, odd_but_right)
{
        check_complaints(HOSTNAME DOMAIN, "");
        check_complaints("\xef\xbb\xbf" HOSTNAME DOMAIN, "");
        check_complaints("# \"unended\n// {\n/* ' { */" HOSTNAME
                         "listen = { # {\n \"127.0.0.1:1\" /* \" */, // ,\n"
                         "\"127.0.0.1:2\" }\r\n workers=1# x\n'delivery_threads' = \"1\"" DOMAIN "#",
                         "");
        check_complaints(HOSTNAME
                         "resolvers={ \n}resolvers += {\"127.0.0.1:1\"} resolvers += {}"
                         "trusted_networks = {} resolvers+={\"127.0.0.1:2\"} # {}\n'log' = \"= {}\"" DOMAIN,
                         "");
        check_complaints(HOSTNAME "policy_url = http://isp.example/a\n" DOMAIN, "");
}

Test(grammar, included_files_have_their_own_places)
{
        char complaints[1024];

        write_file("more.conf", "\nworkers = x\n" DOMAIN, strlen("\nworkers = x\n" DOMAIN));
        snprintf(complaints, sizeof complaints,
                 "%s/more.conf:2: error: workers = \"x\": needs a number\n"
                 "(text):3: error: delivery_threads = \"y\": needs a number\n",
                 folder);
        check_complaints(HOSTNAME "\ninclude(\"more.conf\")\ndelivery_threads = y\n", complaints);

        write_file("more.conf", "\n} x", 4);
        snprintf(complaints, sizeof complaints, "%s/more.conf:2: error: unexpected closing brace\n", folder);
        check_complaints(HOSTNAME "helo_name {\ninclude(\"more.conf\")\n}\n",
                         "(text):2: error: unknown key \"include\" in section helo_name\n");
        check_complaints(HOSTNAME "include(\"more.conf\")\nworkers = x", complaints);

        write_file("more.conf", "domain x {", 10);
        snprintf(complaints, sizeof complaints,
                 "%s/more.conf:1: error: section or list without end\n(text):1: error: workers = \"x\": "
                 "needs a number\n",
                 folder);
        check_complaints(HOSTNAME "include(\"more.conf\") workers = x\n" DOMAIN, complaints);

        snprintf(complaints, sizeof complaints,
                 "(text):1: error: %s/none: No such file or directory\n(text):1: error: %s: is a directory\n",
                 folder, folder);
        check_complaints(HOSTNAME "include(\"none\") include(\".\")\n" DOMAIN, complaints);
}

/* More of them than the library's own limit of ten, because it does not unwind after errors. */
Test(grammar, included_files_may_fail_often)
{
        char complaints[1024];
        static const char chain[] = "include(\"again.conf\")";

        write_file("again.conf", chain, sizeof chain - 1);
        snprintf(complaints, sizeof complaints, "%s/again.conf:1: error: %s/again.conf: includes itself\n",
                 folder, folder);
        for (int i = 0; i < 30; i++)
                check_complaints(HOSTNAME "include(\"again.conf\")", complaints);
        char link_path[256], path[256];
        snprintf(link_path, sizeof link_path, "%s/other.conf", folder);
        snprintf(path, sizeof path, "%s/again.conf", folder);
        cr_assert_eq(symlink(path, link_path), 0);
        write_file("again.conf", "include(\"other.conf\")", 21);
        snprintf(complaints, sizeof complaints, "%s/again.conf:1: error: %s/other.conf: includes itself\n",
                 folder, folder);
        check_complaints(HOSTNAME "include(\"again.conf\")", complaints);
        write_file("again.conf", "", 0);
        check_complaints(HOSTNAME "include(\"again.conf\")" DOMAIN, "");
}

Test(grammar, deep_includes_end)
{
        char complaints[1024];
        for (int i = 0; i < 12; i++) {
                char name[32], text[64];
                snprintf(name, sizeof name, "%d.conf", i);
                int length = snprintf(text, sizeof text, "include(\"%d.conf\")", i + 1);
                write_file(name, text, (size_t)length);
        }
        snprintf(complaints, sizeof complaints, "%s/9.conf:1: error: too many files included\n", folder);
        check_complaints(HOSTNAME "include(\"0.conf\")", complaints);
}

Test(grammar, files_that_are_none)
{
        struct conf_complaints complaints = {0};
        char path[256], expected[512];

        write_file("nul.conf", "\nlog\0= x", 9);
        snprintf(path, sizeof path, "%s/nul.conf", folder);
        snprintf(expected, sizeof expected, "%s:2: error: control character\n", path);
        cr_expect_null(snapshot_load(path, &complaints));
        cr_expect_str_eq(complaints.text, expected);
        conf_complaints_end(&complaints);
        cr_expect_null(snapshot_load("/nonexistent/gatepost.conf", &complaints));
        cr_expect_null(snapshot_load("/tmp", &complaints));
        cr_expect_null(snapshot_load("/dev/null", &complaints));
        cr_expect_str_eq(complaints.text,
                         "/nonexistent/gatepost.conf: error: No such file or directory\n"
                         "/tmp: error: is a directory\n/dev/null: error: is not a regular file\n");
        cr_expect_eq(complaints.errors, 3);
        conf_complaints_end(&complaints);
}
