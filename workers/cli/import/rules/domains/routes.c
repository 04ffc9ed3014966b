/* Transports as next hops. */
#include "workers/cli/import/rules/domains/routes.h"

#include "conf/value/list.h"
#include "conf/value/next_hop.h"
#include "core/base/domain_name.h"
#include "workers/cli/import/cf/words.h"

#define BEHIND "127.0.0.1:10025"

struct span route_behind(struct import *import)
{
        return keep_format(import->keep, "smtp://%s",
                           import->wish.behind == NULL ? BEHIND : import->wish.behind);
}

/* "25", "smtp", "lmtp" */
static struct span port_of(struct span port, const char *usual)
{
        uint64_t number;

        if (port.length == 0)
                return span_from(usual);
        if (span_equals(port, SPAN("smtp")))
                return SPAN("25");
        if (span_equals(port, SPAN("lmtp")))
                return SPAN("24");
        if (span_equals(port, SPAN("submission")))
                return SPAN("587");
        return span_number(port, &number) && number > 0 && number <= UINT16_MAX ? port : span_of("", 0);
}

/* "[192.0.2.1]:24", "[store.isp.example]", "store.isp.example:24", "[::1]:24", "[ipv6:::1]" */
static struct span host_route(struct import *import, struct span host, const char *scheme,
                              const char *usual_port)
{
        struct span name, port;
        struct address address;
        size_t end;

        if (host.length > 0 && host.at[0] == '[') {
                end = span_find(host, ']');
                if (end == SIZE_MAX)
                        return span_of("", 0);
                name = span_of(host.at + 1, end - 1);
                port = span_skip(host, end + 1);
        } else {
                end = span_find_last(host, ':');
                name = span_of(host.at, end == SIZE_MAX ? host.length : end);
                port = span_skip(host, name.length);
        }
        if (port.length > 0 && port.at[0] != ':')
                return span_of("", 0);
        port = port_of(span_skip(port, 1), usual_port);
        if (span_starts_nocase(name, SPAN("ipv6:")))
                name = span_skip(name, 5);
        if (span_equals_nocase(name, SPAN("localhost")))
                name = SPAN("127.0.0.1");
        if (port.length == 0)
                return span_of("", 0);
        if (address_parse(name, &address))
                return keep_format(import->keep,
                                   address_is_ipv4(&address) ? "%s://%.*s:%.*s" : "%s://[%.*s]:%.*s", scheme,
                                   SPAN_ARG(name), SPAN_ARG(port));
        if (!domain_name_is_valid(name, false) || !domain_name_is_qualified(name))
                return span_of("", 0);
        return keep_format(import->keep, "%s://%.*s:%.*s", scheme, SPAN_ARG(name), SPAN_ARG(port));
}

/* The transport of this name in master.cf; NULL: it is not there. */
static const struct cf_service *find_service(const struct import *import, struct span name)
{
        for (const struct cf_service *service = import->master.first; service != NULL;
             service = service->next)
                if (span_equals(service->name, name) && span_equals(service->type, SPAN("unix")))
                        return service;
        return NULL;
}

/* Which of smtp and lmtp a service of master.cf runs; NULL: neither. */
static const char *program_of(const struct import *import, struct span name)
{
        if (span_equals(name, SPAN("lmtp")))
                return "lmtp";
        if (span_equals(name, SPAN("smtp")) || span_equals(name, SPAN("relay")))
                return "smtp";
        const struct cf_service *service = find_service(import, name);
        if (service == NULL)
                return NULL;
        return span_equals(service->command, SPAN("smtp"))   ? "smtp"
               : span_equals(service->command, SPAN("lmtp")) ? "lmtp"
                                                             : NULL;
}

/* "unix:private/dovecot-lmtp", from which Postfix starts in its queue's folder */
static struct span socket_route(struct import *import, struct span service, struct span path)
{
        struct span whole = import_socket(import, find_service(import, service), path);

        if (path.length == 0 || whole.at[0] != '/' || whole.length > NEXT_HOP_PATH_MAX ||
            !draft_takes(whole) || span_find(whole, ' ') != SIZE_MAX || span_find(whole, '"') != SIZE_MAX)
                return span_of("", 0);
        return keep_format(import->keep, "lmtp:unix:%.*s", SPAN_ARG(whole));
}

struct span route_of_transport(struct import *import, struct span transport)
{
        size_t colon = span_find(transport, ':'), count = 0;
        struct span hops = span_skip(transport, colon == SIZE_MAX ? transport.length : colon + 1), word;
        struct span name = span_of(transport.at, colon == SIZE_MAX ? transport.length : colon);
        const char *program = program_of(import, name);
        struct span route = span_of("", 0);

        while (program != NULL && (word = cf_take_word(&hops)).length > 0) {
                bool is_lmtp = strcmp(program, "lmtp") == 0;
                struct span host = span_starts_nocase(word, SPAN("inet:")) ? span_skip(word, 5) : word;
                struct span hop = is_lmtp && span_starts_nocase(word, SPAN("unix:"))
                                      ? socket_route(import, name, span_skip(word, 5))
                                      : host_route(import, host, program, is_lmtp ? "24" : "25");
                if (hop.length == 0 || count++ == NEXT_HOPS_MAX)
                        return span_of("", 0);
                route = keep_format(import->keep, "%.*s%s%.*s", SPAN_ARG(route), count > 1 ? " " : "",
                                    SPAN_ARG(hop));
        }
        return route;
}

struct span route_of_host(struct import *import, struct span host)
{
        struct span word = cf_take_word(&host);
        return word.length == 0 ? word : host_route(import, word, "smtp", "25");
}
