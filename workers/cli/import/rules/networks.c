/* Networks, and the addresses to listen on. */
#include "workers/cli/import/rules/networks.h"

#include "workers/cli/import/cf/expand.h"
#include "workers/cli/import/cf/words.h"

#define LIST_DEPTH_MAX 5

/* "192.0.2" is 192.0.2.0/24, and "2001:db8" is 2001:db8::/32. */
static bool read_prefix(struct span word, struct network *ret_network)
{
        char octets[ADDRESS_TEXT_MAX + 32];
        struct text text;
        size_t parts = 1;
        bool is_ipv6 = span_find(word, ':') != SIZE_MAX;

        for (size_t i = 0; i < word.length; i++) {
                if (!ascii_is_digit(word.at[i]) && word.at[i] != (is_ipv6 ? ':' : '.') &&
                    !(is_ipv6 && ascii_hex_value(word.at[i]) >= 0))
                        return false;
                parts += word.at[i] == (is_ipv6 ? ':' : '.');
        }
        if (parts >= (is_ipv6 ? 8 : 4))
                return false;
        text_over(&text, octets, sizeof octets);
        text_put(&text, word);
        for (size_t i = parts; !is_ipv6 && i < 4; i++)
                text_put_string(&text, ".0");
        if (is_ipv6)
                text_put_string(&text, "::");
        text_put_char(&text, '/');
        text_put_number(&text, parts * (is_ipv6 ? 16 : 8));
        return !text.overflowed && network_parse(text_span(&text), ret_network);
}

bool network_of_postfix(struct span word, bool is_key, struct network *ret_network)
{
        char octets[ADDRESS_TEXT_MAX + 8];
        struct text text;
        struct address address;
        uint64_t prefix = 128;
        size_t slash = span_find(word, '/');
        struct span host = span_of(word.at, slash == SIZE_MAX ? word.length : slash);

        if (host.length > 2 && host.at[0] == '[' && host.at[host.length - 1] == ']')
                host = span_of(host.at + 1, host.length - 2);
        text_over(&text, octets, sizeof octets);
        text_put(&text, host);
        /* An IPv4-mapped address is an IPv4 one here, and so is its prefix. */
        bool is_mapped =
            address_parse(host, &address) && address_is_ipv4(&address) && span_find(host, ':') != SIZE_MAX;
        if (is_mapped && slash != SIZE_MAX) {
                if (!span_number(span_skip(word, slash + 1), &prefix) || prefix < 96 || prefix > 128)
                        return false;
                *ret_network = network_of(&address, (unsigned)prefix);
                return address_equals(&ret_network->address, &address);
        }
        if (slash != SIZE_MAX)
                text_put(&text, span_skip(word, slash));
        if (!text.overflowed && network_parse(text_span(&text), ret_network))
                return true;
        return is_key && slash == SIZE_MAX && word.length > 0 && read_prefix(word, ret_network);
}

/* ---- lists --------------------------------------------------------------------------------------------- */

bool networks_put(struct import *import, struct draft_section *section, const char *option,
                  const struct network *network, struct span origin)
{
        char octets[64];
        struct text text;

        text_over(&text, octets, sizeof octets);
        network_write(&text, network);
        return draft_item(&import->draft, section, option, text_span(&text), origin);
}

static bool add_word(struct import *import, struct draft_section *section, const char *option,
                     struct span word, struct span origin, unsigned depth)
{
        struct network network;
        struct cf_table table;
        bool is_whole = true;

        if (network_of_postfix(word, false, &network))
                return networks_put(import, section, option, &network, origin);
        if (!cf_is_table(word) || depth == LIST_DEPTH_MAX)
                return false;
        import_table_read(import, word, &table);
        if (table.state != CF_TABLE_READ)
                return false;
        for (const struct cf_entry *entry = table.first; entry != NULL; entry = entry->next)
                is_whole = add_word(import, section, option, entry->key, origin, depth + 1) && is_whole;
        return is_whole;
}

bool networks_add(struct import *import, struct draft_section *section, const char *option,
                  const char *setting)
{
        struct span value = import_value(import, setting), word, origin = import_origin(import, setting);
        bool is_whole = true;

        while ((word = cf_take_word(&value)).length > 0)
                is_whole = add_word(import, section, option, word, origin, 0) && is_whole;
        return is_whole;
}

void networks_translate(struct import *import)
{
        if (import->trusts_networks &&
            !networks_add(import, &import->draft.top, "trusted_networks", "mynetworks"))
                import_todo(
                    import,
                    "mynetworks has more than networks, such as tables that are not here or exceptions (!): "
                    "look at trusted_networks.");
}

/* ---- where clients connect ----------------------------------------------------------------------------- */

bool service_is_port_25(const struct cf_service *service, struct span *ret_host)
{
        size_t colon = span_find_last(service->name, ':');
        struct span port = span_skip(service->name, colon == SIZE_MAX ? 0 : colon + 1);

        *ret_host = span_of(service->name.at, colon == SIZE_MAX ? 0 : colon);
        return span_equals(service->type, SPAN("inet")) &&
               (span_equals(port, SPAN("smtp")) || span_equals(port, SPAN("25")));
}

/* "192.0.2.1", "[::1]" */
static bool read_host(struct span *host, struct address *ret_address)
{
        if (host->length > 2 && host->at[0] == '[')
                *host = span_of(host->at + 1, host->length - 2);
        return address_parse(*host, ret_address);
}

static bool is_word(struct span word)
{
        return span_equals_nocase(word, SPAN("all")) || span_equals_nocase(word, SPAN("loopback-only")) ||
               span_equals_nocase(word, SPAN("localhost"));
}

bool listeners_are_known(struct import *import)
{
        struct span value = import_value(import, "inet_interfaces"), word;
        struct address address;

        while ((word = cf_take_word(&value)).length > 0)
                if (!is_word(word) && !read_host(&word, &address))
                        return false;
        return true;
}

static void add_listener(struct import *import, const char *option, struct span host, struct span origin)
{
        struct address address;

        if (!read_host(&host, &address))
                return;
        bool is_ipv4 = address_is_ipv4(&address);
        draft_item(&import->draft, &import->draft.top, option,
                   keep_format(import->keep, is_ipv4 ? "%.*s:25" : "[%.*s]:25", SPAN_ARG(host)), origin);
}

static bool has_protocol(struct import *import, const char *protocol)
{
        struct span value = import_value(import, "inet_protocols"), word;

        while ((word = cf_take_word(&value)).length > 0)
                if (span_equals_nocase(word, span_from(protocol)) || span_equals_nocase(word, SPAN("all")))
                        return true;
        return false;
}

static void add_both(struct import *import, const char *option, const char *ipv4, const char *ipv6,
                     struct span origin)
{
        if (has_protocol(import, "ipv4"))
                add_listener(import, option, span_from(ipv4), origin);
        if (has_protocol(import, "ipv6"))
                add_listener(import, option, span_from(ipv6), origin);
}

static void add_interfaces(struct import *import, const char *option)
{
        struct span value = import_value(import, "inet_interfaces"), word;
        struct span origin = import_origin(import, "inet_interfaces");

        while ((word = cf_take_word(&value)).length > 0)
                if (span_equals_nocase(word, SPAN("all")))
                        add_both(import, option, "0.0.0.0", "::", origin);
                else if (span_equals_nocase(word, SPAN("loopback-only")) ||
                         span_equals_nocase(word, SPAN("localhost")))
                        add_both(import, option, "127.0.0.1", "::1", origin);
                else
                        add_listener(import, option, word, origin);
}

/* The services at port 25 that name their address. */
static void add_services(struct import *import, const char *option)
{
        struct span host;

        for (const struct cf_service *service = import->master.first; service != NULL;
             service = service->next) {
                if (service_is_port_25(service, &host) && host.length > 0)
                        add_listener(import, option, host,
                                     keep_format(import->keep, "master.cf:%u %.*s", service->line,
                                                 SPAN_ARG(service->name)));
        }
}

void listeners_translate(struct import *import)
{
        struct draft_section *top = &import->draft.top;
        bool is_proxied =
            import_value(import, "smtpd_upstream_proxy_protocol").length > 0 ||
            (import->has_screen && import_value(import, "postscreen_upstream_proxy_protocol").length > 0);
        const char *option = is_proxied ? "proxy_listen" : "listen";

        if (import->wish.listen != NULL) {
                draft_item(&import->draft, top, option, span_from(import->wish.listen), SPAN("--listen"));
        } else {
                add_services(import, option);
                if (draft_find(top, option).at == NULL)
                        add_interfaces(import, option);
        }
        if (draft_find(top, option).at == NULL) {
                draft_item(&import->draft, top, option, SPAN("127.0.0.1:25"),
                           import_origin(import, "inet_interfaces"));
                import_todo(import, "inet_interfaces names no address that can be read here: set %s.",
                            option);
        }
        if (!is_proxied)
                return;
        draft_empty_list(&import->draft, top, "listen", SPAN("clients come by a balancer alone"));
        import_todo(import, "Name the balancers in proxy_networks: Postfix believes whoever connects, and "
                            "here nobody else may.");
}
