#include "workers/senders/redis/group.h"

#include "dns/clock.h"

static_assert(REDIS_INSTANCES_MAX <= SENDER_SHARES_MAX, "each instance is a share");

static struct redis_shares *shares_new(const struct redis_settings *settings)
{
        struct redis_shares *shares = calloc(1, sizeof *shares);

        for (size_t i = 0; shares != NULL && i < settings->instance_count; i++)
                sender_placing_add(&shares->placing, span_from(settings->instances[i].name));
        return shares;
}

struct redis_group *redis_group_new(struct sender_store *store, struct redis_settings *settings,
                                    struct redis_shares **shares)
{
        struct redis_group *group =
            calloc(1, sizeof *group + settings->instance_count * sizeof group->nodes[0]);

        if (group == NULL || (group->shares = shares_new(settings)) == NULL) {
                free(group);
                redis_settings_free(settings);
                return NULL;
        }
        group->shares->next = *shares;
        *shares = group->shares;
        group->settings = settings;
        group->begun_ms = clock_monotonic_ms();
        group->count = settings->instance_count;
        for (size_t i = 0; i < group->count; i++)
                redis_node_init(&group->nodes[i], store, settings, group->shares, i);
        return group;
}

void redis_group_close(struct redis_group *group)
{
        for (size_t i = 0; i < group->count; i++)
                redis_node_close(&group->nodes[i]);
}

void redis_group_free(struct redis_group *group)
{
        if (group == NULL)
                return;
        redis_group_close(group);
        redis_settings_free(group->settings);
        free(group);
}

static struct redis_node *find_node(struct redis_group *group, const char *name)
{
        for (size_t i = 0; group != NULL && i < group->count; i++)
                if (strcmp(group->nodes[i].name, name) == 0)
                        return &group->nodes[i];
        return NULL;
}

void redis_group_enforce(struct redis_group *group, struct redis_group *former)
{
        for (size_t i = 0; i < group->count; i++) {
                struct redis_node *node = find_node(former, group->nodes[i].name);
                sender_feed_begin(&group->nodes[i].feed, node == NULL ? NULL : &node->feed, former != NULL);
                group->nodes[i].is_news = true;
        }
        for (size_t i = 0; former != NULL && i < former->count; i++)
                redis_node_leave(&former->nodes[i]);
}

void redis_group_turn(struct redis_group *group, const struct redis_record *record, uint64_t now_ms)
{
        for (size_t i = 0; i < group->count; i++)
                redis_node_turn(&group->nodes[i], record, now_ms);
}

/* All machines hear what any instance was told, so one that serves is as good as another. */
static struct redis_node *find_teller(struct redis_group *group, const struct sender_job *job)
{
        struct sender_key key = sender_key_of(NULL, span_of(job->text, job->text_length));
        struct redis_node *teller = NULL;
        uint64_t heaviest = 0;

        for (size_t i = 0; i < group->count; i++) {
                uint64_t weight = sender_share_weight(group->nodes[i].share, key.unkeyed);
                if (!redis_node_serves(&group->nodes[i]) || (teller != NULL && weight <= heaviest))
                        continue;
                teller = &group->nodes[i];
                heaviest = weight;
        }
        return teller;
}

bool redis_group_send(struct redis_group *group, struct sender_job *job)
{
        struct redis_node *node =
            job->kind == SENDER_JOB_TELL
                ? find_teller(group, job)
                : &group->nodes[sender_placing_find(&group->shares->placing, job->key.unkeyed)];

        return node != NULL && redis_node_send(node, job);
}

bool redis_group_is_idle(const struct redis_group *group)
{
        for (size_t i = 0; i < group->count; i++)
                if (!redis_node_is_idle(&group->nodes[i]))
                        return false;
        return true;
}

bool redis_group_serves(const struct redis_group *group)
{
        for (size_t i = 0; i < group->count; i++)
                if (!redis_node_serves(&group->nodes[i]))
                        return false;
        return true;
}

size_t redis_group_poll(const struct redis_group *group, struct pollfd events[static REDIS_GROUP_POLLS])
{
        size_t count = 0;

        for (size_t i = 0; i < group->count; i++)
                count += redis_node_poll(&group->nodes[i], events + count);
        return count;
}

void redis_group_handle(struct redis_group *group, const struct pollfd events[static REDIS_GROUP_POLLS])
{
        for (size_t i = 0; i < group->count; i++)
                redis_node_handle(&group->nodes[i], events + i * REDIS_NODE_POLLS);
}

uint64_t redis_group_wait_ms(const struct redis_group *group, uint64_t now_ms)
{
        uint64_t least_ms = UINT64_MAX;

        for (size_t i = 0; i < group->count; i++) {
                uint64_t wait_ms = redis_node_wait_ms(&group->nodes[i], now_ms);
                if (wait_ms < least_ms)
                        least_ms = wait_ms;
        }
        return least_ms;
}
