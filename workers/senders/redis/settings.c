#include "workers/senders/redis/settings.h"

#include "workers/senders/redis/secure.h"

#include <stdlib.h>

static void copy_servers(struct redis_servers *servers, const struct endpoint_list *list)
{
        expect(list->count <= REDIS_SERVERS_MAX);
        servers->count = list->count;
        for (size_t i = 0; i < list->count; i++)
                servers->list[i] = list->endpoints[i];
}

static void copy_all(struct redis_settings *settings, const struct snapshot *snapshot)
{
        const struct sender_target *target = &snapshot->sender_store;
        const struct options *options = &snapshot->options;

        expect(target->instance_count > 0 && target->instance_count <= REDIS_INSTANCES_MAX);
        settings->instance_count = target->instance_count;
        for (size_t i = 0; i < target->instance_count; i++) {
                span_copy_cut(span_from(target->instances[i].name), settings->instances[i].name,
                              sizeof settings->instances[i].name);
                copy_servers(&settings->instances[i].servers, &target->instances[i].servers);
        }
        copy_servers(&settings->sentinels, &target->sentinels);
        settings->timeout_ms = options->sender_timeout_ms;
        span_copy_cut(span_from(options->sender_prefix), settings->prefix, sizeof settings->prefix);
        span_copy_cut(span_from(options->sender_user), settings->user, sizeof settings->user);
        span_copy_cut(span_from(options->sender_password), settings->password, sizeof settings->password);
        span_copy_cut(span_from(options->sender_tls_name), settings->tls_name, sizeof settings->tls_name);
}

struct redis_settings *redis_settings_make(const struct snapshot *snapshot,
                                           struct conf_complaints *complaints)
{
        struct redis_settings *settings = calloc(1, sizeof *settings);

        if (settings == NULL) {
                conf_complain(complaints, COMPLAINT_ERROR, &(struct place){NULL, 0},
                              "no memory for the store of senders");
                return NULL;
        }
        copy_all(settings, snapshot);
        if (snapshot->sender_store.uses_tls &&
            (settings->tls = redis_secure_open(snapshot->options.sender_tls_ca, complaints)) == NULL) {
                redis_settings_free(settings);
                return NULL;
        }
        return settings;
}

void redis_settings_free(struct redis_settings *settings)
{
        if (settings == NULL)
                return;
        redis_secure_close(settings->tls);
        explicit_bzero(settings->password, sizeof settings->password);
        free(settings);
}
