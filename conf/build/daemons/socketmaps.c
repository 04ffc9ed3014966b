/* `recipients = "socketmap:..."`: daemons that know the recipients of domains, and where they listen. */
#include "conf/build/internal.h"
#include "conf/text/nearest.h"
#include "conf/value/list.h"

static const struct span inet = {"inet:", 5}, local = {"unix:", 5};

static bool complain(struct builder *builder, struct place place, const char *message, struct span detail)
{
        conf_complain(builder->complaints, COMPLAINT_ERROR, &place, "recipients: %s%.*s", message,
                      detail.length < 900 ? (int)detail.length : 900, detail.at);
        return false;
}

static bool out_of_memory(struct builder *builder)
{
        builder->out_of_memory = true;
        return false;
}

/* ---- what is near to it -------------------------------------------------------------------------------- */

/* Kinds of tables that Postfix asks somebody else by. */
static bool is_asked_by_daemon(struct span scheme)
{
        static const char *const schemes[] = {"ldap",    "mysql", "pgsql", "sqlite",
                                              "mongodb", "proxy", "tcp",   "memcache"};

        for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
                if (span_equals_nocase(scheme, span_from(schemes[i])))
                        return true;
        return false;
}

bool build_recipients_are_misspelt(struct builder *builder, struct span text, struct place place)
{
        static const char *const ours[] = {"socketmap", "callout", "lmdb"};
        struct span scheme = span_of(text.at, span_find(text, ':'));
        char octets[32];
        struct nearest nearest = {.wanted = octets};

        if (scheme.length >= sizeof octets || span_find(scheme, '/') != SIZE_MAX)
                return false;
        if (is_asked_by_daemon(scheme)) {
                complain(
                    builder, place,
                    "a daemon is asked by socketmap:inet:ADDRESS:PORT:NAME or socketmap:unix:PATH:NAME, not ",
                    text);
                return true;
        }
        span_copy_cut(scheme, octets, sizeof octets);
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
                nearest_offer(&nearest, ours[i]);
        if (nearest.name == NULL || span_equals_nocase(scheme, span_from(nearest.name)))
                return false;
        conf_complain(builder->complaints, COMPLAINT_ERROR, &place,
                      "recipients: there is no \"%s:\"; did you mean %s:?", octets, nearest.name);
        return true;
}

/* ---- the daemon ---------------------------------------------------------------------------------------- */

static bool read_path(struct builder *builder, struct span text, struct place place,
                      struct daemon_address *ret_address)
{
        const char *path = path_resolve(text, builder->directory, &builder->snapshot->memory);

        if (path == NULL)
                return out_of_memory(builder);
        if (strlen(path) > SOCKETMAP_PATH_MAX || build_socket_path_fault(path) != NULL)
                return complain(
                    builder, place,
                    "socketmap: the path of a socket may have 107 octets at most, and its last part 64: ",
                    span_from(path));
        ret_address->path = path;
        return true;
}

static bool read_endpoint(struct builder *builder, struct span text, struct place place,
                          struct daemon_address *ret_address)
{
        size_t colon = span_find_last(text, ':');

        if (endpoint_parse(text, &ret_address->endpoint) && ret_address->endpoint.port != 0)
                return true;
        return complain(builder, place,
                        colon == SIZE_MAX
                            ? "socketmap: must be socketmap:inet:ADDRESS:PORT:NAME; what is missing in inet:"
                            : "socketmap: needs an IP address, such as 127.0.0.1 or [::1], and a port, not ",
                        text);
}

/* `where` has a name behind it. */
static bool read_address(struct builder *builder, struct span where, struct place place,
                         struct daemon_address *ret_address)
{
        if (span_starts_nocase(where, inet))
                return read_endpoint(builder, span_skip(where, inet.length), place, ret_address);
        if (span_starts_nocase(where, local) && where.length > local.length)
                return read_path(builder, span_skip(where, local.length), place, ret_address);
        return complain(
            builder, place,
            "socketmap: must be socketmap:inet:ADDRESS:PORT:NAME or socketmap:unix:PATH:NAME, not socketmap:",
            where);
}

static const char *name_of(const struct daemon_address *address, struct arena *memory)
{
        char octets[SOCKETMAP_PATH_MAX + 8];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put(&text, address->path != NULL ? local : inet);
        if (address->path != NULL)
                text_put_string(&text, address->path);
        else
                endpoint_put(&text, &address->endpoint);
        return arena_string(memory, text_span(&text));
}

/* Of several domains that name it, it is one. NULL, with a complaint or out of memory. */
static const struct socketmap_daemon *take_daemon(struct builder *builder, struct place place,
                                                  const struct daemon_address *address)
{
        struct snapshot *snapshot = builder->snapshot;
        const char *name = name_of(address, &snapshot->memory);

        if (snapshot->socketmaps == NULL)
                snapshot->socketmaps =
                    arena_take(&snapshot->memory, SOCKETMAPS_MAX * sizeof *snapshot->socketmaps);
        if (name == NULL || snapshot->socketmaps == NULL) {
                builder->out_of_memory = true;
                return NULL;
        }
        for (size_t i = 0; i < snapshot->socketmap_count; i++)
                if (span_equals(snapshot->socketmaps[i].name, span_from(name)))
                        return &snapshot->socketmaps[i];
        if (snapshot->socketmap_count == SOCKETMAPS_MAX) {
                complain(builder, place, "socketmap: there may be 16 daemons at most", SPAN(""));
                return NULL;
        }
        struct socketmap_daemon *daemon = &snapshot->socketmaps[snapshot->socketmap_count];
        *daemon = (struct socketmap_daemon){
            .name = span_from(name), .address = *address, .count_index = (uint8_t)snapshot->socketmap_count};
        snapshot->socketmap_count++;
        return daemon;
}

/* ---- the domain ---------------------------------------------------------------------------------------- */

/* It is a word of the protocol. */
static bool name_is_plain(struct span name)
{
        for (size_t i = 0; i < name.length; i++)
                if ((unsigned char)name.at[i] <= ' ' || (unsigned char)name.at[i] >= 0x7f)
                        return false;
        return name.length > 0 && name.length <= SOCKETMAP_NAME_MAX;
}

/* The text of the option says all that keeps what is remembered apart. */
static bool set_text(struct builder *builder, struct domain *domain)
{
        char octets[SOCKETMAP_PATH_MAX + SOCKETMAP_NAME_MAX + 32];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_string(&text, "socketmap:");
        text_put(&text, domain->socketmap->name);
        text_put_char(&text, ':');
        text_put(&text, domain->map_name);
        const char *copy = arena_string(&builder->snapshot->memory, text_span(&text));
        if (copy == NULL)
                return out_of_memory(builder);
        domain->options.recipients = copy;
        domain->map_name = span_skip(span_from(copy), text.length - domain->map_name.length);
        return true;
}

void build_socketmap(struct builder *builder, struct domain *domain, struct span text, struct place place)
{
        struct daemon_address address = {0};
        size_t colon = span_find_last(text, ':');

        domain->origin = RECIPIENTS_AT_SOCKETMAP;
        domain->recipients_place = place;
        domain->map_name = colon == SIZE_MAX ? SPAN("") : span_skip(text, colon + 1);
        if (!read_address(builder, span_of(text.at, colon == SIZE_MAX ? text.length : colon), place,
                          &address))
                return;
        if (!name_is_plain(domain->map_name)) {
                complain(
                    builder, place,
                    "socketmap: the map has a name of 1 to 64 characters, without blanks, behind the last "
                    "colon: socketmap:",
                    text);
                return;
        }
        domain->socketmap = take_daemon(builder, place, &address);
        if (domain->socketmap != NULL)
                set_text(builder, domain);
}
