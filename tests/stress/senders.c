/* The store of senders under several workers at once: nothing is lost or counted twice, what is read is
 * whole, a store that is too small stays in use, and one that cannot be reached answers everything. */
#include "dns/clock.h"
#include "workers/senders/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <time.h>
#include <unistd.h>

#define WORKERS    3
#define KEYS       500
#define ROUNDS     40 /* each worker counts each key once a round */
#define FLOOD      8000
#define ASKED      3000
#define TELL_EVERY 7

static char base[200], folder[256];
static struct log_writer log_writer;
static struct snapshot snapshot;
static struct sender_store store;
static struct waker wakers[WORKERS];
static struct counters counters[WORKERS];

static void store_begin(void)
{
        expect(sender_store_open(&store, &snapshot, WORKERS, &log_writer));
        expect(sender_store_start(&store));
}

static void store_end(void)
{
        expect(sender_store_stop(&store, clock_monotonic_ms() + 60000));
        sender_store_close(&store);
}

/* Each on a thread of its own, with its number; returns when all have ended. */
static void run_workers(void *(*work)(void *))
{
        static uint32_t numbers[WORKERS];
        pthread_t threads[WORKERS];

        for (uint32_t i = 0; i < WORKERS; i++) {
                numbers[i] = i;
                memset(&counters[i], 0, sizeof counters[i]);
                expect(pthread_create(&threads[i], NULL, work, &numbers[i]) == 0);
        }
        for (uint32_t i = 0; i < WORKERS; i++)
                pthread_join(threads[i], NULL);
}

static uint64_t lost(void)
{
        uint64_t sum = 0;
        for (uint32_t i = 0; i < WORKERS; i++)
                sum += counter_read(&counters[i].metrics[METRIC_sender_lost]);
        return sum;
}

static void pause_briefly(void)
{
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
}

static struct sender_key key_of(uint32_t number)
{
        return sender_key_of(NULL, span_of((const char *)&number, sizeof number));
}

static void apply_one(struct sender_client *client, uint32_t number, uint32_t count)
{
        char octets[SENDER_TEXT_MAX];
        int length = snprintf(octets, sizeof octets, "number %u%*s", number, count == 0 ? 150 : 0, "");
        struct sender_effect effect = {
            key_of(number), {1, 1, 4000000000, count}, span_of(octets, (size_t)length)};

        while (client->outstanding >= SENDER_JOBS_MAX) {
                sender_client_flush(client);
                expect(sender_client_receive(client) == NULL);
                pause_briefly();
        }
        sender_client_source(client)->apply(sender_client_source(client), &effect);
}

static void finish(struct sender_client *client)
{
        while (!sender_client_flush(client) || client->outstanding > 0) {
                expect(sender_client_receive(client) == NULL);
                pause_briefly();
        }
}

/* ---- counting ------------------------------------------------------------------------------------------ */

static void *count_keys(void *argument)
{
        uint32_t number = *(uint32_t *)argument;
        struct sender_client *client =
            sender_store_client(&store, number, &wakers[number], &counters[number]);
        struct sender_source *source = sender_client_source(client);
        struct sender_record record;

        for (uint32_t round = 0; round < ROUNDS; round++) {
                for (uint32_t i = 0; i < KEYS; i++) {
                        uint32_t key_number = (i * 7 + number * 31) % KEYS;
                        struct sender_key key = key_of(key_number);
                        apply_one(client, key_number, 1);
                        enum fact fact = source->ask(source, &key, 0, &record);
                        expect(fact == FACT_ABSENT || fact == FACT_FOUND);
                        if (fact == FACT_FOUND)
                                expect(record.first_s == 1 && record.expires_s == 4000000000 &&
                                       record.count >= 1 && record.count <= WORKERS * ROUNDS);
                }
                sender_client_flush(client);
        }
        finish(client);
        return NULL;
}

static void expect_counts(void)
{
        struct sender_record record;

        for (uint32_t i = 0; i < KEYS; i++) {
                struct sender_key key = key_of(i);
                struct sender_source *source = sender_client_source(&store.clients[0]);
                expect(source->ask(source, &key, 0, &record) == FACT_FOUND);
                expect(record.count == WORKERS * ROUNDS);
        }
}

/* ---- a flood ------------------------------------------------------------------------------------------- */

static void *flood(void *argument)
{
        uint32_t number = *(uint32_t *)argument;
        struct sender_client *client =
            sender_store_client(&store, number, &wakers[number], &counters[number]);

        for (uint32_t i = 0; i < FLOOD; i++) {
                apply_one(client, 1000000 * (number + 1) + i, 0);
                if (i % 64 == 0)
                        sender_client_flush(client);
        }
        finish(client);
        return NULL;
}

static int64_t file_size(void)
{
        char path[300];
        snprintf(path, sizeof path, "%s/data.mdb", folder);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        expect(fd >= 0);
        off_t size = lseek(fd, 0, SEEK_END);
        close(fd);
        return size;
}

/* ---- nobody there -------------------------------------------------------------------------------------- */

static void *ask_nobody(void *argument)
{
        uint32_t number = *(uint32_t *)argument;
        struct sender_client *client =
            sender_store_client(&store, number, &wakers[number], &counters[number]);
        struct sender_source *source = sender_client_source(client);
        struct sender_record record;
        _Atomic uint64_t *lost_here = &counters[number].metrics[METRIC_sender_lost];
        uint32_t pending = 0, told = 0;

        for (uint32_t i = 0; i < ASKED; i++) {
                struct sender_key key = key_of(i);
                if (i % TELL_EVERY == 0) {
                        source->tell(source, SPAN("counts 192.0.2.7"));
                        told++;
                }
                /* As a worker would that has not heard yet. */
                atomic_store(&atomic_load(&source->placing)->shares[0].is_reachable, true);
                enum fact fact = source->ask(source, &key, i, &record);
                expect(fact == FACT_PENDING || fact == FACT_FAILED);
                pending += fact == FACT_PENDING;
                if (i % 100 == 0)
                        sender_client_flush(client);
        }
        while (pending > 0 || counter_read(lost_here) < told) {
                const struct sender_job *job = sender_client_receive(client);
                sender_client_flush(client);
                if (job == NULL) {
                        pause_briefly();
                        continue;
                }
                struct sender_key key = key_of((uint32_t)job->handle);
                expect(job->fact == FACT_FAILED && sender_key_equals(&job->key, &key));
                pending--;
        }
        expect(counter_read(lost_here) == told);
        return NULL;
}

/* ---- set-up -------------------------------------------------------------------------------------------- */

static int delete_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
        (void)status, (void)kind, (void)walk;
        return remove(path);
}

static void set_up(void)
{
        const char *tmp = getenv("TMPDIR");
        char path[300];

        snprintf(base, sizeof base, "%s/gatepost-state-XXXXXX", tmp != NULL ? tmp : "/tmp");
        expect(mkdtemp(base) != NULL);
        snprintf(folder, sizeof folder, "%s/state", base);
        snprintf(path, sizeof path, "%s/log", base);
        int log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        expect(log_fd >= 0 && log_writer_init(&log_writer, log_target_of(log_fd), 0) &&
               log_writer_start(&log_writer));
        for (uint32_t i = 0; i < WORKERS; i++)
                expect(waker_open(&wakers[i]));
        snapshot.options.sender_store = snapshot.options.sender_prefix = snapshot.options.sender_password =
            snapshot.options.sender_user = snapshot.options.sender_tls_ca = snapshot.options.sender_tls_name =
                "";
        snapshot.options.sender_timeout_ms = 500;
        snapshot.sender_store = (struct sender_target){.kind = SENDER_STORE_LMDB, .path = folder};
}

int main(void)
{
        /* Nobody listens on port 1 of this address; a connection is refused at once. */
        struct endpoint nowhere = {.port = 1};

        set_up();
        snapshot.options.sender_size_octets = 64 << 20;
        store_begin();
        run_workers(count_keys);
        expect(lost() == 0);
        expect_counts();
        store_end();

        store_begin(); /* opened anew it holds the same */
        expect_counts();
        store_end();

        expect(nftw(folder, delete_entry, 8, FTW_DEPTH | FTW_PHYS) == 0);
        snapshot.options.sender_size_octets = 4 << 20;
        store_begin();
        run_workers(flood);
        expect(lost() == 0);
        store_end();
        expect(file_size() <= 4 << 20);

        expect(address_parse(SPAN("127.0.0.99"), &nowhere.address));
        struct redis_instance instance = {"nowhere", {&nowhere, 1}};
        snapshot.sender_store =
            (struct sender_target){.kind = SENDER_STORE_REDIS, .instances = &instance, .instance_count = 1};
        store_begin();
        run_workers(ask_nobody);
        store_end();

        for (uint32_t i = 0; i < WORKERS; i++)
                waker_close(&wakers[i]);
        expect(log_writer_stop(&log_writer));
        log_writer_end(&log_writer);
        nftw(base, delete_entry, 8, FTW_DEPTH | FTW_PHYS);
        return 0;
}
