/* Where what is remembered of senders is kept, and whether the checks that need it have it. */
#include "conf/build/internal.h"
#include "conf/value/list.h"

#include <libpsl.h>

#define SERVERS_MAX 8

static void complain(struct builder *builder, const char *reason)
{
        struct place place = build_option_place(builder, OPTION_AT_sender_store);
        conf_complain(builder->complaints, COMPLAINT_ERROR, &place, "sender_store: %s", reason);
}

static void read_servers(struct builder *builder, struct span rest)
{
        struct endpoint_list *servers = &builder->snapshot->sender_store.servers;

        servers->endpoints = arena_take(&builder->snapshot->memory, SERVERS_MAX * sizeof *servers->endpoints);
        if (servers->endpoints == NULL) {
                builder->out_of_memory = true;
                return;
        }
        for (bool is_last = false; !is_last;) {
                size_t comma = span_find(rest, ',');
                is_last = comma == SIZE_MAX;
                struct span server = span_of(rest.at, is_last ? rest.length : comma);
                rest = span_skip(rest, server.length + 1);
                if (servers->count == SERVERS_MAX ||
                    !endpoint_parse(span_trim(server), &servers->endpoints[servers->count])) {
                        complain(builder, "redis:// needs up to 8 of ADDRESS:PORT, separated by commas");
                        return;
                }
                servers->count++;
        }
}

static void say_if_long(struct builder *builder, enum option_at option, const char *text, int octets)
{
        struct place place = build_option_place(builder, option);
        if (strlen(text) > (size_t)octets)
                conf_complain(builder->complaints, COMPLAINT_ERROR, &place, "%s: at most %d octets",
                              option_rows[option].name, octets);
}

static void read_target(struct builder *builder)
{
        static const struct span lmdb = {"lmdb:", 5}, redis = {"redis://", 8};
        struct span text = span_from(builder->snapshot->options.sender_store);
        struct sender_target *target = &builder->snapshot->sender_store;

        if (text.length == 0)
                return;
        if (span_starts_nocase(text, lmdb) && text.length > lmdb.length) {
                target->kind = SENDER_STORE_LMDB;
                target->path = path_resolve(span_skip(text, lmdb.length), builder->directory,
                                            &builder->snapshot->memory);
                builder->out_of_memory = builder->out_of_memory || target->path == NULL;
        } else if (span_starts_nocase(text, redis)) {
                target->kind = SENDER_STORE_REDIS;
                read_servers(builder, span_skip(text, redis.length));
                say_if_long(builder, OPTION_AT_sender_prefix, builder->snapshot->options.sender_prefix, 60);
                say_if_long(builder, OPTION_AT_sender_password, builder->snapshot->options.sender_password,
                            250);
        } else {
                complain(builder, "must be lmdb:FOLDER or redis://ADDRESS:PORT");
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
