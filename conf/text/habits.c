/* Tables of words. */
#include "conf/text/habits.h"

#define NO_COUNTERPART "; this option of Postfix has no counterpart: "

struct habit {
        const char *theirs, *ours;
};

static const struct habit postfix[] = {
    {"alias_database", "recipients in a domain section"},
    {"alias_maps", "recipients in a domain section"},
    {"append_dot_mydomain", NO_COUNTERPART "addresses stay as they come"},
    {"authorized_submit_users", NO_COUNTERPART "there is no submission here"},
    {"biff", NO_COUNTERPART "nobody is told of new mail"},
    {"body_checks", "a section milter, for a filter such as rspamd"},
    {"compatibility_level", NO_COUNTERPART "defaults do not depend on versions"},
    {"content_filter", "a section milter, for a filter such as rspamd"},
    {"default_process_limit", "connections_max"},
    {"header_checks", "a section milter, for a filter such as rspamd"},
    {"home_mailbox", "deliver in a domain section"},
    {"hopcount_limit", "hops_max"},
    {"inet_interfaces", "listen"},
    {"inet_protocols", "listen, with addresses of both families"},
    {"local_recipient_maps", "recipients in a domain section"},
    {"mailbox_size_limit", NO_COUNTERPART "quotas are the mail store's"},
    {"mailbox_transport", "deliver in a domain section"},
    {"maillog_file", "log"},
    {"message_size_limit", "message_size_max"},
    {"mime_header_checks", "a section milter, for a filter such as rspamd"},
    {"mydestination", "a domain section for each domain"},
    {"mydomain", "a domain section for each domain"},
    {"myhostname", "hostname"},
    {"mynetworks", "trusted_networks, which lets nobody relay"},
    {"mynetworks_style", "trusted_networks, which lets nobody relay"},
    {"myorigin", "hostname"},
    {"postscreen_access_list", "trusted_networks"},
    {"postscreen_dnsbl_action", "mode in section dnsbl"},
    {"postscreen_dnsbl_sites", "a zone section for each list in section dnsbl"},
    {"postscreen_dnsbl_threshold", "threshold in section dnsbl"},
    {"postscreen_greet_action", "mode in section early_talker"},
    {"postscreen_greet_wait", "greeting_pause"},
    {"postscreen_upstream_proxy_protocol", "proxy_listen"},
    {"proxy_interfaces", NO_COUNTERPART "no address decides whose mail it is"},
    {"readme_directory", NO_COUNTERPART "gatepost help tells what there is"},
    {"recipient_delimiter", "extension in a domain section"},
    {"relay_domains", "a domain section for each domain"},
    {"relay_recipient_maps", "recipients in a domain section"},
    {"relay_transport", "deliver in a domain section"},
    {"relayhost", NO_COUNTERPART "mail is only received here"},
    {"smtpd_authorized_xclient_hosts", "proxy_networks"},
    {"smtpd_banner", NO_COUNTERPART "the banner is made of hostname"},
    {"smtpd_client_connection_count_limit", "connections_per_client"},
    {"smtpd_client_connection_rate_limit", "connections in section client_rate"},
    {"smtpd_client_message_rate_limit", "transactions in section client_rate"},
    {"smtpd_client_recipient_rate_limit", "recipients in section client_rate"},
    {"smtpd_client_restrictions", "the sections of the checks dnsbl and dynamic_client"},
    {"smtpd_data_restrictions", "the sections of the checks null_sender_recipients and early_talker"},
    {"smtpd_delay_reject", "reject_at"},
    {"smtpd_discard_ehlo_keyword_address_maps", "ehlo_without in a network section"},
    {"smtpd_discard_ehlo_keywords", "ehlo_without"},
    {"smtpd_enforce_tls", "starttls"},
    {"smtpd_error_sleep_time", "errors in section client_rate"},
    {"smtpd_forbid_bare_newline", "bare_newline in section syntax"},
    {"smtpd_forbid_unauth_pipelining", "mode in section early_talker"},
    {"smtpd_hard_error_limit", "errors_max"},
    {"smtpd_helo_required", NO_COUNTERPART "HELO is always demanded"},
    {"smtpd_helo_restrictions", "the sections of the checks helo_name and helo_impersonation"},
    {"smtpd_junk_command_limit", "junk_max"},
    {"smtpd_milters", "the sections milter"},
    {"smtpd_policy_service_max_idle", "idle_timeout in the sections policy_service"},
    {"smtpd_policy_service_timeout", "answer_timeout in the sections policy_service"},
    {"smtpd_recipient_limit", "recipients_max"},
    {"smtpd_recipient_restrictions", "the sections of the checks; relaying is always refused"},
    {"smtpd_relay_restrictions", NO_COUNTERPART "relaying is always refused"},
    {"smtpd_sasl_auth_enable", NO_COUNTERPART "there is no submission here"},
    {"smtpd_sender_restrictions", "the sections of the checks sender_tld, sender_mx, spf and rhsbl"},
    {"smtpd_soft_error_limit", "errors in section client_rate"},
    {"smtpd_starttls_timeout", "handshake_timeout in section tls"},
    {"smtpd_timeout", "idle_timeout"},
    {"smtpd_tls_ask_ccert", "client_certificates in section tls"},
    {"smtpd_tls_cert_file", "certificate in section tls"},
    {"smtpd_tls_chain_files", "certificate in section tls"},
    {"smtpd_tls_eccert_file", "certificate in section tls"},
    {"smtpd_tls_eckey_file", "key in section tls"},
    {"smtpd_tls_key_file", "key in section tls"},
    {"smtpd_tls_mandatory_protocols", "minimum in section tls"},
    {"smtpd_tls_protocols", "minimum in section tls"},
    {"smtpd_tls_security_level", "starttls: none is off, may is offer, encrypt is require"},
    {"smtpd_tls_session_cache_timeout", "ticket_lifetime in section tls"},
    {"smtpd_upstream_proxy_protocol", "proxy_listen"},
    {"smtpd_use_tls", "starttls"},
    {"soft_bounce", "mode = observe in each check's section"},
    {"strict_rfc821_envelopes", "lenient in section syntax"},
    {"tls_server_sni_maps", "tls_certificate in a domain section"},
    {"transport_maps", "deliver in a domain section"},
    {"unknown_local_recipient_reject_code", "recipient_unknown in section replies"},
    {"virtual_alias_domains", "a domain section for each domain"},
    {"virtual_alias_maps", "recipients in a domain section"},
    {"virtual_mailbox_base", "deliver in a domain section"},
    {"virtual_mailbox_domains", "a domain section for each domain"},
    {"virtual_mailbox_maps", "recipients in a domain section"},
    {"virtual_transport", "deliver in a domain section"},
    {NULL, NULL},
};

static const struct habit modes[] = {
    {"warn", "observe"},   {"warning", "observe"}, {"warn_if_reject", "observe"},
    {"log", "observe"},    {"monitor", "observe"}, {"dry-run", "observe"},
    {"test", "observe"},   {"ignore", "observe"},  {"tag", "observe"},
    {"mark", "observe"},   {"soft", "observe"},    {"on", "enforce"},
    {"yes", "enforce"},    {"true", "enforce"},    {"enabled", "enforce"},
    {"reject", "enforce"}, {"refuse", "enforce"},  {"block", "enforce"},
    {"deny", "enforce"},   {"drop", "enforce"},    {"strict", "enforce"},
    {"no", "off"},         {"false", "off"},       {"none", "off"},
    {"disable", "off"},    {"disabled", "off"},    {"0", "off"},
    {NULL, NULL},
};

static const char *find(const struct habit *habits, struct span theirs)
{
        while (habits->theirs != NULL && !span_equals(span_from(habits->theirs), theirs))
                habits++;
        return habits->ours;
}

/* What Postfix calls smtp_... is about mail that it sends. */
bool habit_of_postfix(const char *key, struct text *text)
{
        const char *ours = strncmp(key, "smtp_", 5) == 0 ? NO_COUNTERPART "mail is only received here"
                                                         : find(postfix, span_from(key));

        if (ours == NULL)
                return false;
        if (text != NULL && strncmp(ours, NO_COUNTERPART, strlen(NO_COUNTERPART)) != 0)
                text_put_string(text, "; in place of this option of Postfix use ");
        if (text != NULL)
                text_put_string(text, ours);
        return true;
}

const char *habit_of_mode(struct span word)
{
        return find(modes, word);
}
