/* What operators of other servers write: each key has its answer, and so have those that a fresh Debian has in
 * its main.cf. */
#include "conf/text/habits.h"
#include "core/base/text.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct {
        const char *key, *answer; /* part of it, or NULL for none */
} cases[] = {
    /* as Debian installs it */
    {"smtpd_banner", "the banner is made of hostname"},
    {"biff", "this option of Postfix has no counterpart"},
    {"append_dot_mydomain", "this option of Postfix has no counterpart"},
    {"readme_directory", "this option of Postfix has no counterpart"},
    {"compatibility_level", "this option of Postfix has no counterpart"},
    {"smtpd_tls_cert_file", "use certificate in section tls"},
    {"smtpd_tls_key_file", "use key in section tls"},
    {"smtpd_tls_security_level", "use starttls"},
    {"smtp_tls_CApath", "mail is only received here"},
    {"smtp_tls_security_level", "mail is only received here"},
    {"smtp_tls_session_cache_database", "mail is only received here"},
    {"smtpd_relay_restrictions", "relaying is always refused"},
    {"myhostname", "use hostname"},
    {"alias_maps", "use recipients in a domain section"},
    {"alias_database", "use recipients in a domain section"},
    {"mydestination", "use a domain section for each domain"},
    {"relayhost", "mail is only received here"},
    {"mynetworks", "use trusted_networks, which lets nobody relay"},
    {"mailbox_size_limit", "quotas are the mail store's"},
    {"recipient_delimiter", "use extension in a domain section"},
    {"inet_interfaces", "use listen"},
    {"inet_protocols", "use listen, with addresses of both families"},
    /* TLS */
    {"smtpd_use_tls", "use starttls"},
    {"smtpd_enforce_tls", "use starttls"},
    {"smtpd_tls_protocols", "use minimum in section tls"},
    {"smtpd_tls_mandatory_protocols", "use minimum in section tls"},
    {"smtpd_tls_ask_ccert", "use client_certificates in section tls"},
    {"smtpd_starttls_timeout", "use handshake_timeout in section tls"},
    {"tls_server_sni_maps", "use tls_certificate in a domain section"},
    /* what this server does not do */
    {"smtpd_milters", "use the sections milter"},
    {"smtpd_policy_service_timeout", "use answer_timeout in the sections policy_service"},
    {"content_filter", "use a section milter, for a filter such as rspamd"},
    {"header_checks", "use a section milter, for a filter such as rspamd"},
    {"smtpd_sasl_auth_enable", "there is no submission here"},
    {"transport_maps", "use deliver in a domain section"},
    {"default_process_limit", "use connections_max"},
    /* nobody's */
    {"smtp", NULL},
    {"smtpd_quux", NULL},
    {"quux", NULL},
    {"", NULL},
};

Test(habits, of_postfix)
{
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char octets[256];
                struct text text;
                text_over(&text, octets, sizeof octets - 1);
                bool is_known = habit_of_postfix(cases[i].key, &text);
                octets[text.length] = '\0';
                cr_expect_eq(is_known, cases[i].answer != NULL, "for %s", cases[i].key);
                cr_expect_eq(habit_of_postfix(cases[i].key, NULL), is_known);
                if (is_known && cases[i].answer != NULL)
                        cr_expect_not_null(strstr(octets, cases[i].answer), "for %s: %s", cases[i].key,
                                           octets);
        }
}

Test(habits, of_modes)
{
        static const char *const words[][2] = {{"warn", "observe"}, {"warn_if_reject", "observe"},
                                               {"tag", "observe"},  {"reject", "enforce"},
                                               {"yes", "enforce"},  {"no", "off"},
                                               {"disabled", "off"}};

        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
                cr_expect_str_eq(habit_of_mode(span_from(words[i][0])), words[i][1]);
        cr_expect_null(habit_of_mode(SPAN("quux")));
}
