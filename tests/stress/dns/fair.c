/* Authorities that do not answer cost those who ask for their names, and nobody else: neither one, nor a few
 * that fill the way to the resolvers. */
#include "asker.h"
#include "dns/pool/settings.h"
#include "dns/pool/client.h"

#define SLOW        1000
#define QUICK       100
#define FLOOD       20000 /* more than there are places, on the way and before it */
#define IN_FLIGHT   64
#define ATTEMPT_MS  1000
#define DEADLINE_MS 10000 /* the slow ones would need 47 seconds to get out of the way */

enum handle { HANDLE_SLOW = 1, HANDLE_QUICK, HANDLE_LISTED };

static const char zone[] = "*.slow.test. 60 A 192.0.2.1\n"
                           "*.slow.test. !silent\n"
                           "*.abc.de. 60 A 192.0.2.1\n"
                           "*.abc.de. !silent\n"
                           "*.xyz.de. 60 A 192.0.2.1\n"
                           "*.xyz.de. !silent\n"
                           "*.quick.test. 60 A 192.0.2.2\n"
                           "*.honest.example. 60 A 192.0.2.2\n"
                           "*.honest.de. 60 A 192.0.2.2\n"
                           "*.zen.example.org. 60 A 127.0.0.2\n";

struct scene {
        struct dns_stub *stub;
        struct dns_cache *cache;
        struct dns_pool *pool;
        struct asker asker;
};

static void scene_begin(struct scene *scene)
{
        struct dns_cache_options cache_options = dns_cache_defaults();
        struct dns_pool_options options = dns_pool_defaults();

        scene->stub = stub_begin(span_from(zone), 0);
        struct endpoint endpoint = loopback_endpoint(dns_stub_port(scene->stub));
        options.cache = scene->cache = dns_cache_create(&cache_options);
        options.upstreams = &endpoint;
        options.upstream_count = 1;
        options.clients = 1;
        options.threads = 1;
        options.in_flight_max = IN_FLIGHT;
        options.attempt_timeout_ms = ATTEMPT_MS;
        options.deadline_ms = DEADLINE_MS;
        scene->pool = dns_pool_create(&options);
        expect(scene->cache != NULL && scene->pool != NULL);
        asker_begin(&scene->asker, scene->pool, 0);
}

/* Nothing is left behind. The thread counts so after it has given the last answer. */
static void scene_end(struct scene *scene)
{
        struct dns_pool_counts counts;
        uint64_t end_ms = clock_ms() + 20000;

        for (dns_pool_count(scene->pool, &counts); counts.in_flight > 0 || counts.waiting > 0;
             dns_pool_count(scene->pool, &counts)) {
                expect(clock_ms() < end_ms);
                usleep(1000);
        }
        dns_pool_destroy(scene->pool);
        dns_cache_destroy(scene->cache);
        asker_end(&scene->asker);
        dns_stub_stop(scene->stub);
}

/* None fails at once. Returns how many will be answered. */
static unsigned ask_many(struct asker *asker, const char *domain, unsigned count, enum handle handle)
{
        struct dns_source *source = dns_client_source(asker->client);
        unsigned answers = 0;
        char name[64];

        for (unsigned i = 0; i < count; i++) {
                snprintf(name, sizeof name, "u%u.%s", i, domain);
                struct dns_question question = {span_from(name), DNS_A, handle == HANDLE_LISTED};
                struct dns_answer answer = {0};
                expect(source->ask(source, &question, &(struct dns_asker){.handle = handle}, &asker->arena,
                                   &answer) == FACT_PENDING);
                answers += !answer.is_unasked;
        }
        dns_client_flush(asker->client);
        return answers;
}

static void take_answers(struct asker *asker, unsigned count, unsigned counts[static HANDLE_LISTED + 1])
{
        for (unsigned i = 0; i < count; i++) {
                const struct dns_reply_message *message = asker_wait(asker, 20000);
                expect(message != NULL);
                expect(message->answer.fact == (message->handle == HANDLE_SLOW ? FACT_FAILED : FACT_FOUND));
                counts[message->handle]++;
        }
}

static void test_one(void)
{
        unsigned counts[HANDLE_LISTED + 1] = {0};
        struct dns_pool_counts pool_counts;
        struct scene scene;

        scene_begin(&scene);
        expect(ask_many(&scene.asker, "slow.test", SLOW, HANDLE_SLOW) == SLOW);
        expect(ask_many(&scene.asker, "quick.test", QUICK, HANDLE_QUICK) == QUICK);
        take_answers(&scene.asker, SLOW + QUICK, counts);
        expect(counts[HANDLE_QUICK] == QUICK && counts[HANDLE_SLOW] == SLOW);
        dns_pool_count(scene.pool, &pool_counts);
        expect(pool_counts.failed == SLOW && pool_counts.overloaded == 0);
        scene_end(&scene);
}

/* Two domains ask for all there is. Others are answered long before these have waited to their end, and what is
 * urgent too; what found no place is neither failed nor kept. */
static void test_flood(void)
{
        unsigned counts[HANDLE_LISTED + 1] = {0};
        struct dns_pool_counts pool_counts;
        struct scene scene;

        scene_begin(&scene);
        unsigned slow = ask_many(&scene.asker, "abc.de", FLOOD, HANDLE_SLOW) +
                        ask_many(&scene.asker, "xyz.de", FLOOD, HANDLE_SLOW);
        usleep(100000);
        uint64_t begin_ms = clock_ms();
        expect(ask_many(&scene.asker, "zen.example.org", QUICK, HANDLE_LISTED) == QUICK);
        expect(ask_many(&scene.asker, "honest.de", QUICK, HANDLE_QUICK) == QUICK);
        expect(ask_many(&scene.asker, "honest.example", QUICK, HANDLE_QUICK) == QUICK);
        unsigned taken = 0;
        for (; counts[HANDLE_LISTED] + counts[HANDLE_QUICK] < 3 * QUICK; taken++)
                take_answers(&scene.asker, 1, counts);
        expect(clock_ms() - begin_ms < DEADLINE_MS);
        take_answers(&scene.asker, slow + 3 * QUICK - taken, counts);
        expect(counts[HANDLE_SLOW] == slow && slow < 2 * FLOOD);
        dns_pool_count(scene.pool, &pool_counts);
        expect(pool_counts.overloaded == 2 * FLOOD - slow);
        scene_end(&scene);
}

int main(void)
{
        urcu_memb_register_thread();
        test_one();
        test_flood();
        urcu_memb_unregister_thread();
        return 0;
}
