/* The last steps to a snapshot: options that depend on each other, on files and on this machine. */
#include "conf/build/address_list.h"
#include "conf/build/internal.h"
#include "conf/socket_address.h"
#include "conf/value/list.h"
#include "conf/value/policy_url.h"
#include "core/base/domain_name.h"
#include "core/base/local_part.h"

#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <unistd.h>

struct place build_option_place(const struct builder *builder, enum option_at option)
{
        return builder->options[option].file != NULL ? builder->options[option] : builder->whole;
}

static void complain(struct builder *builder, enum complaint_kind kind, enum option_at option,
                     const char *reason)
{
        struct place place = build_option_place(builder, option);
        conf_complain(builder->complaints, kind, &place, "%s: %s", option_rows[option].name, reason);
}

/* ---- our name ------------------------------------------------------------------------------------------ */

/* False when it is no domain name. */
static bool hostname_set(struct builder *builder, struct span name)
{
        char octets[DOMAIN_NAME_MAX + 1];
        struct text a_labels;

        text_over(&a_labels, octets, sizeof octets);
        if (!domain_name_read(name, &a_labels))
                return false;
        builder->snapshot->options.hostname = arena_string(&builder->snapshot->memory, text_span(&a_labels));
        if (builder->snapshot->options.hostname == NULL)
                builder->out_of_memory = true;
        else if (!domain_name_is_qualified(text_span(&a_labels)))
                complain(builder, COMPLAINT_WARNING, OPTION_AT_hostname,
                         "our name is not fully qualified (RFC 5321 2.3.5)");
        return true;
}

static void finish_hostname(struct builder *builder)
{
        char machine[HOST_NAME_MAX + 1] = "";
        struct span name = span_from(builder->snapshot->options.hostname);

        if (name.length > 0) {
                if (!hostname_set(builder, name))
                        complain(builder, COMPLAINT_ERROR, OPTION_AT_hostname, "not a domain name");
                return;
        }
        if (gethostname(machine, sizeof machine - 1) != 0 || !hostname_set(builder, span_from(machine)))
                hostname_set(builder, SPAN("localhost"));
}

/* ---- texts --------------------------------------------------------------------------------------------- */

static void finish_policy_url(struct builder *builder)
{
        struct span url = span_from(builder->snapshot->options.policy_url);
        bool is_valid = url.length <= POLICY_URL_MAX && span_is_ascii(url);
        for (size_t i = 0; i < url.length; i++)
                is_valid = is_valid && url.at[i] != ' ';
        if (!is_valid)
                complain(builder, COMPLAINT_ERROR, OPTION_AT_policy_url,
                         "must be ASCII without blanks, of at most 200 octets");
}

static void finish_log(struct builder *builder)
{
        const char **log = &builder->snapshot->options.log;
        if (strcmp(*log, "stderr") == 0)
                return;
        if (**log == '\0') {
                complain(builder, COMPLAINT_ERROR, OPTION_AT_log, "must be stderr or a file");
                return;
        }
        *log = path_resolve(span_from(*log), builder->directory, &builder->snapshot->memory);
        if (*log == NULL)
                builder->out_of_memory = true;
}

const char *build_socket_path_fault(const char *path)
{
        const char *slash = strrchr(path, '/');
        size_t name_length = strlen(slash == NULL ? path : slash + 1);

        return strlen(path) > SOCKET_PATH_MAX || name_length > SOCKET_NAME_MAX
                   ? "the path of a socket may have 1023 octets at most, and its last part 64"
                   : NULL;
}

static void finish_control(struct builder *builder)
{
        const char *fault = build_socket_path_fault(builder->snapshot->options.control);

        if (fault != NULL)
                complain(builder, COMPLAINT_ERROR, OPTION_AT_control, fault);
}

/* ---- addresses ----------------------------------------------------------------------------------------- */

static void finish_endpoints(struct builder *builder)
{
        const struct options *options = &builder->snapshot->options;

        if (options->listen.count + options->proxy_listen.count == 0)
                complain(builder, COMPLAINT_ERROR, OPTION_AT_listen, "no address to listen on");
        for (size_t i = 0; i < options->proxy_listen.count; i++)
                if (endpoint_list_contains(&options->listen, &options->proxy_listen.endpoints[i]))
                        complain(builder, COMPLAINT_ERROR, OPTION_AT_proxy_listen,
                                 "names an address that listen names too");
}

/* On loopback, private (RFC 1918, RFC 4193) or link-local. Elsewhere whoever can send packets with the
 * resolver's address may answer in its place: answers are not signed. */
static bool address_is_near(const struct address *address)
{
        static const char *const networks[] = {
            "127.0.0.0/8",    "::1",      "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
            "169.254.0.0/16", "fc00::/7", "fe80::/10"};
        struct network network;

        for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
                if (network_parse(span_from(networks[i]), &network) && network_contains(&network, address))
                        return true;
        return false;
}

static void finish_resolvers(struct builder *builder)
{
        const struct endpoint_list *resolvers = &builder->snapshot->options.resolvers;
        char octets[ADDRESS_TEXT_MAX + 100];
        struct text message;

        for (size_t i = 0; i < resolvers->count; i++) {
                if (address_is_near(&resolvers->endpoints[i].address))
                        continue;
                text_over(&message, octets, sizeof octets - 1);
                address_write(&message, &resolvers->endpoints[i].address);
                text_put_string(&message, " is neither loopback nor private: it must be on a trusted link");
                octets[message.length] = '\0';
                complain(builder, COMPLAINT_WARNING, OPTION_AT_resolvers, octets);
        }
}

static bool address_is_unspecified(const struct address *address)
{
        static const struct address ipv6_any = {.octets = {0}};
        static const struct address ipv4_any = {.octets = {[10] = 0xff, [11] = 0xff}};
        return address_equals(address, &ipv6_any) || address_equals(address, &ipv4_any);
}

/* Each once; there is room for all. */
static void own_address_add(struct network_list *list, const struct address *address)
{
        if (address_is_unspecified(address) || network_list_contains(list, address))
                return;
        list->networks[list->count++] = (struct network){.address = *address, .prefix = 128};
}

static void add_endpoints(struct network_list *own, const struct endpoint_list *list)
{
        for (size_t i = 0; i < list->count; i++)
                own_address_add(own, &list->endpoints[i].address);
}

static void finish_own_addresses(struct builder *builder)
{
        const struct options *options = &builder->snapshot->options;
        struct network_list *own = &builder->snapshot->own_addresses;
        size_t room = options->listen.count + options->proxy_listen.count;
        struct ifaddrs *interfaces = NULL;
        struct address address;
        uint16_t port;

        if (getifaddrs(&interfaces) != 0)
                conf_complain(builder->complaints, COMPLAINT_WARNING, &builder->whole,
                              "own addresses are not known: %s", strerror(errno));
        for (const struct ifaddrs *at = interfaces; at != NULL; at = at->ifa_next)
                room++;
        own->networks = arena_take(&builder->snapshot->memory, room * sizeof *own->networks);
        builder->out_of_memory = builder->out_of_memory || own->networks == NULL;
        if (own->networks != NULL) {
                add_endpoints(own, &options->listen);
                add_endpoints(own, &options->proxy_listen);
        }
        for (const struct ifaddrs *at = interfaces; at != NULL && own->networks != NULL; at = at->ifa_next)
                if (at->ifa_addr != NULL && address_from_socket(at->ifa_addr, &address, &port))
                        own_address_add(own, &address);
        freeifaddrs(interfaces);
}

/* ---- names and lists ----------------------------------------------------------------------------------- */

/* U-labels too, as long as a name may be that is looked up. */
static void reference_name_add(struct builder *builder, struct span name)
{
        struct snapshot *snapshot = builder->snapshot;
        char octets[DOMAIN_NAME_MAX];
        struct text u_labels;
        size_t labels = 1;

        for (size_t i = 0; i < name.length; i++)
                labels += name.at[i] == '.';
        if (labels > snapshot->name_labels_max)
                snapshot->name_labels_max = labels;
        if (!name_table_add(&snapshot->reference_names, name, 0))
                builder->out_of_memory = true;
        text_over(&u_labels, octets, sizeof octets);
        if (memmem(name.at, name.length, "xn--", 4) == NULL || !domain_name_to_unicode(name, &u_labels) ||
            u_labels.overflowed)
                return;
        snapshot->has_unicode_names = true;
        if (!name_table_add(&snapshot->reference_names, text_span(&u_labels), 0))
                builder->out_of_memory = true;
}

/* The value is where the name itself stands in the table's octets, so that it can be given back: see
 * snapshot_own_name(). */
static void own_name_add(struct builder *builder, struct span name)
{
        struct name_table *table = &builder->snapshot->own_names;
        if (!name_table_add(table, name, (uint32_t)table->octets_length))
                builder->out_of_memory = true;
        reference_name_add(builder, name);
}

static void finish_own_names(struct builder *builder)
{
        const struct snapshot *snapshot = builder->snapshot;
        const struct text_list *names = &snapshot->options.helo_impersonation_names;
        const struct text_list *more = &snapshot->options.bounce_reference_names;

        own_name_add(builder, span_from(snapshot->options.hostname));
        for (size_t i = 0; i < snapshot->domain_count; i++)
                own_name_add(builder, snapshot->domains[i].name);
        for (size_t i = 0; i < names->count; i++)
                own_name_add(builder, span_from(names->texts[i]));
        for (size_t i = 0; i < more->count; i++)
                reference_name_add(builder, span_from(more->texts[i]));
}

static void finish_tlds(struct builder *builder)
{
        const char *path = builder->snapshot->options.sender_tld_list;
        struct place place = build_option_place(builder, OPTION_AT_sender_tld_list);
        tlds_read(path[0] == '\0' ? NULL : path, place, &builder->snapshot->tlds, builder->complaints);
}

/* Nothing to tell of where the mode is only the default. */
static void tell_of_missing_resolvers(struct builder *builder, enum check_id check,
                                      const struct check_setting *setting)
{
        if (setting->mode != CHECK_MODE_OFF && setting->place.line > 0)
                conf_complain(builder->complaints, COMPLAINT_WARNING, &setting->place,
                              "%s: needs DNS, but there are no resolvers: it is off",
                              check_infos[check].name);
}

static bool place_is(const struct place *left, const struct place *right)
{
        return left->file == right->file && left->line == right->line;
}

static void finish_check(struct builder *builder, enum check_id check)
{
        struct snapshot *snapshot = builder->snapshot;
        const struct check_setting *setting = &snapshot->checks[check];
        bool is_off = snapshot_lacks_dns(snapshot, check);
        bool is_wanted = setting->mode != CHECK_MODE_OFF, is_everywhere = snapshot->domain_count > 0;

        if (is_off)
                tell_of_missing_resolvers(builder, check, setting);
        for (size_t i = 0; i < snapshot->domain_count; i++) {
                const struct check_setting *own = &snapshot->domains[i].checks[check];
                const struct recipient_sets *sets = snapshot->domains[i].sets;
                bool is_wanted_by_some =
                    sets != NULL && ((sets->checks[CHECK_MODE_OBSERVE] | sets->checks[CHECK_MODE_ENFORCE]) &
                                     check_bit(check)) != 0;
                bool is_weak_for_some =
                    sets != NULL && ((sets->checks[CHECK_MODE_OFF] | sets->checks[CHECK_MODE_OBSERVE]) &
                                     check_bit(check)) != 0;
                /* What a daemon may say of a recipient nobody knows beforehand. */
                is_weak_for_some |= snapshot->domains[i].options.socketmap_settings;
                is_wanted = is_wanted || own->mode != CHECK_MODE_OFF || is_wanted_by_some;
                is_everywhere = is_everywhere && own->mode == CHECK_MODE_ENFORCE && !is_weak_for_some;
                if (is_off && !place_is(&own->place, &setting->place))
                        tell_of_missing_resolvers(builder, check, own);
        }
        snapshot->check_is_wanted[check] = is_wanted && !is_off;
        snapshot->check_is_everywhere[check] = is_everywhere && !is_off;
}

static void finish_checks(struct builder *builder)
{
        struct options *options = &builder->snapshot->options;

        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                finish_check(builder, check);
        if (options->helo_name_must_resolve && options->resolvers.count == 0) {
                complain(builder, COMPLAINT_WARNING, OPTION_AT_helo_name_must_resolve,
                         "needs DNS, but there are no resolvers: taken as no");
                options->helo_name_must_resolve = false;
        }
}

/* ---- postmaster ---------------------------------------------------------------------------------------- */

/* NULL, or what is wrong. */
static const char *postmaster_find(struct snapshot *snapshot, struct span address, struct text *mailbox)
{
        char octets[LOCAL_PART_MAX];
        struct text local_part;
        size_t at = span_find_last(address, '@');

        text_over(&local_part, octets, sizeof octets);
        if (at == SIZE_MAX || !local_part_parse(span_of(address.at, at), true, &local_part))
                return "needs an address";
        snapshot->postmaster_domain = snapshot_find_domain(snapshot, span_skip(address, at + 1));
        if (snapshot->postmaster_domain == NULL)
                return "is not in one of the domains";
        if (!domain_find_recipient(snapshot->postmaster_domain, text_span(&local_part), mailbox))
                return "is not a known recipient of its domain";
        return NULL;
}

static void finish_postmaster(struct builder *builder)
{
        struct snapshot *snapshot = builder->snapshot;
        struct span address = span_from(snapshot->options.postmaster);
        char octets[LOCAL_PART_MAX];
        struct text mailbox;

        text_over(&mailbox, octets, sizeof octets);
        if (address.length == 0) {
                if (snapshot->domain_count == 0)
                        return;
                snapshot->postmaster_domain = &snapshot->domains[0];
                domain_find_recipient(snapshot->postmaster_domain, SPAN("postmaster"), &mailbox);
        } else {
                const char *fault = postmaster_find(snapshot, address, &mailbox);
                if (fault != NULL) {
                        complain(builder, COMPLAINT_ERROR, OPTION_AT_postmaster, fault);
                        return;
                }
        }
        snapshot->postmaster_local_part = arena_copy(&snapshot->memory, text_span(&mailbox));
        if (snapshot->postmaster_local_part.at == NULL)
                builder->out_of_memory = true;
}

void build_finish(struct builder *builder)
{
        finish_hostname(builder);
        finish_policy_url(builder);
        finish_log(builder);
        finish_control(builder);
        finish_endpoints(builder);
        finish_resolvers(builder);
        build_finish_zones(builder);
        build_finish_filters(builder);
        build_finish_page(builder);
        build_finish_keys(builder);
        build_finish_log_keys(builder);
        build_finish_tls(builder);
        build_finish_http(builder);
        build_finish_terms(builder);
        build_finish_domains(builder);
        if (builder->out_of_memory)
                return;
        finish_checks(builder);
        build_finish_password(builder);
        build_finish_senders(builder);
        finish_tlds(builder);
        finish_own_names(builder);
        finish_own_addresses(builder);
        finish_postmaster(builder);
        build_warn_of_unmeant(builder);
}
