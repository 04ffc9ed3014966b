/* The order of a translation. */
#include "workers/cli/import/rules/translate.h"

#include "conf/value/list.h"
#include "workers/cli/import/cf/words.h"
#include "workers/cli/import/rules/domains/domains.h"
#include "workers/cli/import/rules/restrictions/filters.h"
#include "workers/cli/import/rules/networks.h"
#include "workers/cli/import/rules/settings/parameters.h"
#include "workers/cli/import/rules/restrictions/restrictions.h"
#include "workers/cli/import/rules/screen.h"
#include "workers/cli/import/rules/settings/tls.h"
#include "workers/cli/import/rules/restrictions/zones.h"

#define MASTER          "master.cf"
#define RESOLV_CONF     "/etc/resolv.conf"
#define RESOLV_CONF_MAX ((size_t)64 << 10)

void import_init(struct import *import, struct keep *keep, const char *file, struct span host)
{
        *import = (struct import){.keep = keep};
        cf_init(&import->cf, keep, file, host);
        report_init(&import->report, keep);
        draft_init(&import->draft, keep);
        import->zones_end = &import->zones;
        import->files_end = &import->files;
}

/* ---- master.cf ----------------------------------------------------------------------------------------- */

static bool is_port_25(const struct cf_service *service)
{
        struct span host;
        return service_is_port_25(service, &host);
}

/* The smtpd that serves port 25: that of the port, or the one that postscreen passes clients to. */
static bool is_front(const struct import *import, const struct cf_service *service)
{
        return span_equals(service->command, SPAN("smtpd")) &&
               (is_port_25(service) || (import->has_screen && span_equals(service->type, SPAN("pass"))));
}

static void take_overrides(struct import *import, const struct cf_service *service)
{
        struct span arguments = service->arguments, name, value;

        while (cf_take_override(&arguments, &name, &value))
                cf_set(&import->cf, name, value, MASTER, service->line);
}

static void tell_service(struct import *import, struct report_list *list, const struct cf_service *service)
{
        bool is_smtpd = span_equals(service->command, SPAN("smtpd")),
             is_screen = span_equals(service->command, SPAN("postscreen"));
        struct report_row row = {
            .place = keep_format(import->keep, "%s:%u", MASTER, service->line),
            .theirs = keep_format(import->keep, "%.*s %.*s %.*s", SPAN_ARG(service->name),
                                  SPAN_ARG(service->type), SPAN_ARG(service->command)),
            .ours = "listen",
            .why = "This server takes its place.",
        };

        if (!span_equals(service->type, SPAN("inet")) || !(is_smtpd || is_screen))
                return;
        if (!is_port_25(service)) {
                row.judgement = JUDGED_NOT_NEEDED;
                row.ours = "";
                row.why = "Not port 25: submission and inner ports stay with Postfix.";
        }
        report_add(&import->report, list, &row);
}

static void take_master(struct import *import)
{
        struct report_list *list = report_begin_list(&import->report, SPAN("Services (master.cf)"));

        for (const struct cf_service *service = import->master.first; service != NULL;
             service = service->next)
                import->has_screen |=
                    is_port_25(service) && span_equals(service->command, SPAN("postscreen"));
        for (const struct cf_service *service = import->master.first; service != NULL;
             service = service->next) {
                tell_service(import, list, service);
                if (import->front == NULL && is_front(import, service))
                        import->front = service;
                if (is_front(import, service) ||
                    (is_port_25(service) && span_equals(service->command, SPAN("postscreen"))))
                        take_overrides(import, service);
        }
}

/* Without master.cf its settings tell that it runs. */
static bool has_screen_settings(const struct import *import)
{
        static const char *const names[] = {"postscreen_dnsbl_sites", "postscreen_greet_action",
                                            "postscreen_access_list", "postscreen_upstream_proxy_protocol",
                                            "postscreen_dnsbl_action"};

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                if (import_is_set(import, names[i]))
                        return true;
        return false;
}

bool import_read(struct import *import, struct span main_cf, struct span master_cf)
{
        import->fault_file = import->cf.file;
        if (!cf_read(&import->cf, main_cf, &import->fault))
                return false;
        if (master_cf.at == NULL) {
                import->has_screen = has_screen_settings(import);
                return true;
        }
        import->fault_file = MASTER;
        if (!cf_master_read(import->keep, master_cf, &import->master, &import->fault))
                return false;
        take_master(import);
        return true;
}

/* ---- what Postfix has from the machine ------------------------------------------------------------------ */

static void take_resolvers(struct import *import)
{
        struct span text, line;
        struct address address;
        struct draft_section *top = &import->draft.top;

        if (import->wish.resolver != NULL)
                draft_item(&import->draft, top, "resolvers", span_from(import->wish.resolver),
                           SPAN("--resolver"));
        else if (import->place.folder != NULL &&
                 cf_file_read(import->keep, RESOLV_CONF, RESOLV_CONF_MAX, &text))
                for (; text.length > 0; text = span_skip(text, line.length + 1)) {
                        size_t end = span_find(text, '\n');
                        line = span_of(text.at, end == SIZE_MAX ? text.length : end);
                        struct span rest = line, word = cf_take_word(&rest);
                        if (!span_equals(word, SPAN("nameserver")) ||
                            !address_parse(cf_take_word(&rest), &address))
                                continue;
                        char octets[ADDRESS_TEXT_MAX + 8];
                        struct text endpoint;
                        text_over(&endpoint, octets, sizeof octets);
                        endpoint_put(&endpoint, &(struct endpoint){.address = address, .port = 53});
                        draft_item(&import->draft, top, "resolvers", text_span(&endpoint), SPAN(RESOLV_CONF));
                }
        if (draft_find(top, "resolvers").at == NULL)
                draft_item(&import->draft, top, "resolvers", SPAN("127.0.0.1:53"),
                           SPAN("no name server was found"));
        if (import->wish.resolver == NULL)
                import_todo(import, "Look at resolvers: one on this machine is best. Most lists answer no "
                                    "public resolver, and answers are not signed on their way.");
}

static void note_differences(struct import *import)
{
        static const char *const differences[] = {
            "PIPELINING, ETRN, DSN and AUTH are not offered.",
            "Nobody may relay by this server, trusted or not.",
            "A text with a bare CR or a NUL is refused (syntax).",
            "A next hop is asked while the client waits, and there is no queue: while none takes mail "
            "clients are told 451, unless the option journal names a folder.",
            "Refusals have other texts, and end in an id by which `gatepost explain` finds them; section "
            "replies changes them.",
            "postmaster of each domain is always known, and exempt from checks.",
            "A list of DNS whose test points (RFC 5782) do not answer refuses nobody: a list of your own "
            "that has none needs self_test = no in its section zone.",
        };

        for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++)
                report_note(&import->report, &import->report.known, span_from(differences[i]));
}

bool import_translate(struct import *import)
{
        screen_translate(import);
        restrictions_translate(import);
        milters_translate(import);
        parameters_translate(import);
        networks_translate(import);
        listeners_translate(import);
        take_resolvers(import);
        domains_translate(import);
        zones_finish(import);
        tls_finish(import);
        note_differences(import);
        return !import->has_fault;
}
