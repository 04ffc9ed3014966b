/* Where what is remembered of senders is kept, and whether the checks that need it have it. */
#include "conf/build/internal.h"
#include "conf/value/list.h"

#include <libpsl.h>

#define REDIS_FORM "needs up to 8 of ADDRESS:PORT, separated by commas"
#define SENTINEL_FORM                                                                                        \
        "redis+sentinel:// needs up to 8 of ADDRESS:PORT, separated by commas, and /NAME of the master"
#define FORM          "must be lmdb:FOLDER, redis://ADDRESS:PORT, or redis+sentinel://ADDRESS:PORT/NAME"
#define NAME_MAX_HERE 100 /* octets of the name of a master */

static void complain(struct builder *builder, const char *reason)
{
        struct place place = build_option_place(builder, OPTION_AT_sender_store);
        conf_complain(builder->complaints, COMPLAINT_ERROR, &place, "sender_store: %s", reason);
}

/* Takes the text up to the next separator, which goes too. False: there is none more. */
static bool next_part(struct span *rest, char separator, struct span *ret_part)
{
        size_t at;

        if (rest->at == NULL)
                return false;
        at = span_find(*rest, separator);
        *ret_part = span_of(rest->at, at == SIZE_MAX ? rest->length : at);
        *rest = at == SIZE_MAX ? (struct span){0} : span_skip(*rest, at + 1);
        return true;
}

static void *take(struct builder *builder, size_t size)
{
        void *memory = arena_take(&builder->snapshot->memory, size);
        builder->out_of_memory = builder->out_of_memory || memory == NULL;
        return memory;
}

/* False when the text is no list of servers, or memory is out. */
static bool read_servers(struct builder *builder, struct span text, struct endpoint_list *ret_servers)
{
        struct span server;

        *ret_servers = (struct endpoint_list){take(builder, REDIS_SERVERS_MAX * sizeof(struct endpoint)), 0};
        if (ret_servers->endpoints == NULL)
                return false;
        while (next_part(&text, ',', &server)) {
                if (ret_servers->count == REDIS_SERVERS_MAX ||
                    !endpoint_parse(span_trim(server), &ret_servers->endpoints[ret_servers->count]))
                        return false;
                ret_servers->count++;
        }
        return true;
}

static const char *name_of_server(struct builder *builder, const struct endpoint *server)
{
        char name[ENDPOINT_TEXT_MAX];

        endpoint_write(&server->address, server->port, name);
        return arena_string(&builder->snapshot->memory, span_from(name));
}

/* A name of a master goes to sentinels and to logs as it is. */
static const char *name_of_master(struct builder *builder, struct span text)
{
        for (size_t i = 0; i < text.length; i++)
                if (!ascii_is_alnum(text.at[i]) && span_find(SPAN("-_."), text.at[i]) == SIZE_MAX)
                        return NULL;
        return text.length == 0 || text.length > NAME_MAX_HERE
                   ? NULL
                   : arena_string(&builder->snapshot->memory, text);
}

static bool is_named_twice(const struct sender_target *target, const char *name)
{
        for (size_t i = 0; i < target->instance_count; i++)
                if (strcmp(target->instances[i].name, name) == 0)
                        return true;
        return false;
}

/* Each part is an instance: its servers, or behind sentinels its name. */
static void read_instances(struct builder *builder, struct span text, const char *form)
{
        struct sender_target *target = &builder->snapshot->sender_store;
        struct span part;

        target->instances = take(builder, REDIS_INSTANCES_MAX * sizeof *target->instances);
        while (target->instances != NULL && next_part(&text, '|', &part)) {
                struct redis_instance instance = {0};
                if (target->instance_count == REDIS_INSTANCES_MAX) {
                        complain(builder, "at most 8 instances share the records");
                        return;
                }
                if (target->sentinels.count > 0)
                        instance.name = name_of_master(builder, span_trim(part));
                else if (read_servers(builder, part, &instance.servers))
                        instance.name = name_of_server(builder, &instance.servers.endpoints[0]);
                if (instance.name == NULL) {
                        complain(builder, form);
                        return;
                }
                if (is_named_twice(target, instance.name)) {
                        complain(builder, "names an instance twice");
                        return;
                }
                target->instances[target->instance_count++] = instance;
        }
}

static void say_if_long(struct builder *builder, enum option_at option, const char *text, int octets)
{
        struct place place = build_option_place(builder, option);
        if (strlen(text) > (size_t)octets)
                conf_complain(builder->complaints, COMPLAINT_ERROR, &place, "%s: at most %d octets",
                              option_rows[option].name, octets);
}

static void finish_redis(struct builder *builder)
{
        const struct options *options = &builder->snapshot->options;

        say_if_long(builder, OPTION_AT_sender_prefix, options->sender_prefix, 60);
        say_if_long(builder, OPTION_AT_sender_user, options->sender_user, 250);
        say_if_long(builder, OPTION_AT_sender_password, options->sender_password, 250);
        say_if_long(builder, OPTION_AT_sender_tls_name, options->sender_tls_name, 250);
        if (options->sender_user[0] != '\0' && options->sender_password[0] == '\0' &&
            options->sender_password_file[0] == '\0') {
                struct place place = build_option_place(builder, OPTION_AT_sender_user);
                conf_complain(builder->complaints, COMPLAINT_ERROR, &place,
                              "sender_user: needs sender_password_file too");
        }
        if (builder->snapshot->sender_store.uses_tls && !REDIS_HAS_TLS)
                complain(builder, "rediss: this program was built with a hiredis that has no TLS "
                                  "(hiredis_ssl of hiredis 1.0 or later)");
}

/* False: the text names no Redis. */
static bool read_redis(struct builder *builder, struct span text)
{
        static const struct {
                struct span scheme;
                bool has_sentinels, uses_tls;
                const char *form;
        } schemes[] = {
            {{"redis://", 8}, false, false, "redis:// " REDIS_FORM},
            {{"rediss://", 9}, false, true, "rediss:// " REDIS_FORM},
            {{"redis+sentinel://", 17}, true, false, SENTINEL_FORM},
            {{"rediss+sentinel://", 18}, true, true, SENTINEL_FORM},
        };
        struct sender_target *target = &builder->snapshot->sender_store;
        size_t i = 0;

        while (i < sizeof schemes / sizeof *schemes && !span_starts_nocase(text, schemes[i].scheme))
                i++;
        if (i == sizeof schemes / sizeof *schemes)
                return false;
        target->kind = SENDER_STORE_REDIS;
        target->uses_tls = schemes[i].uses_tls;
        text = span_skip(text, schemes[i].scheme.length);
        if (schemes[i].has_sentinels) {
                struct span sentinels = {0};
                next_part(&text, '/', &sentinels);
                if (text.at == NULL || !read_servers(builder, sentinels, &target->sentinels)) {
                        complain(builder, schemes[i].form);
                        return true;
                }
        }
        read_instances(builder, text, schemes[i].form);
        finish_redis(builder);
        return true;
}

static void read_target(struct builder *builder)
{
        static const struct span lmdb = {"lmdb:", 5};
        struct span text = span_from(builder->snapshot->options.sender_store);
        struct sender_target *target = &builder->snapshot->sender_store;

        if (text.length == 0)
                return;
        if (span_starts_nocase(text, lmdb) && text.length > lmdb.length) {
                target->kind = SENDER_STORE_LMDB;
                target->path = path_resolve(span_skip(text, lmdb.length), builder->directory,
                                            &builder->snapshot->memory);
                builder->out_of_memory = builder->out_of_memory || target->path == NULL;
        } else if (!read_redis(builder, text)) {
                complain(builder, FORM);
        }
}

static void tell_of_missing_store(struct builder *builder, enum check_id check,
                                  const struct check_setting *setting)
{
        if (setting->mode != CHECK_MODE_OFF)
                conf_complain(builder->complaints, COMPLAINT_ERROR, &setting->place,
                              "%s: needs a place to remember senders in: set sender_store",
                              check_infos[check].name);
}

static void look_at_check(struct builder *builder, enum check_id check)
{
        const struct snapshot *snapshot = builder->snapshot;
        const struct check_setting *setting = &snapshot->checks[check];

        tell_of_missing_store(builder, check, setting);
        for (size_t i = 0; i < snapshot->domain_count; i++)
                if (snapshot->domains[i].checks[check].place.line != setting->place.line ||
                    snapshot->domains[i].checks[check].place.file != setting->place.file)
                        tell_of_missing_store(builder, check, &snapshot->domains[i].checks[check]);
}

static void finish_greylist(struct builder *builder)
{
        struct snapshot *snapshot = builder->snapshot;
        const struct options *options = &snapshot->options;
        struct place place = build_option_place(builder, OPTION_AT_greylist_retry_window);

        if (!snapshot->check_is_wanted[CHECK_greylist])
                return;
        if (options->greylist_retry_window_ms <= options->greylist_delay_ms)
                conf_complain(builder->complaints, COMPLAINT_ERROR, &place,
                              "retry_window: must be longer than delay, or nobody would ever pass");
        /* The newer one of the machine's list and the library's own; loading is a read of some 40 kB. */
        snapshot->suffixes = psl_latest(NULL);
        if (snapshot->suffixes == NULL)
                snapshot->suffixes = psl_builtin();
}

static void finish_rates(struct builder *builder)
{
        struct place place = build_option_place(builder, OPTION_AT_client_rate_shared);

        if (builder->snapshot->options.client_rate_shared &&
            builder->snapshot->sender_store.kind != SENDER_STORE_REDIS)
                conf_complain(builder->complaints, COMPLAINT_ERROR, &place,
                              "shared: needs what other machines use too: set sender_store to redis://...");
}

void build_finish_senders(struct builder *builder)
{
        read_target(builder);
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                if (check_infos[check].needs == NEEDS_SENDERS &&
                    builder->snapshot->sender_store.kind == SENDER_STORE_NONE)
                        look_at_check(builder, check);
        finish_greylist(builder);
        finish_rates(builder);
}
