/* gatepost-senders-bench [RECORDS [DIRECTORY]]: what the store of senders in LMDB costs on this machine:
 * filling, size, lookups, the writer, and what the greylist adds to a session whose sender is known. One line
 * for each measurement. */
#include "conf/build/load.h"
#include "core/smtp/session.h"
#include "workers/senders/lmdb.h"

#include "core/base/expect.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* So many records are put in the order of their keys, so that a page is written once a run. */
#define FILL_RUN    1000000
#define LOOKUPS     2000000
#define WRITE_BATCH 1000
#define WRITES      50
#define SESSIONS    200000
#define ROUNDS      3
#define STORE_SIZE  (UINT64_C(16) << 30) /* of addresses, not of memory */

static struct sender_lmdb store;
static MDB_txn *reader;
static char folder[512];
static uint64_t record_count = 10000000;

static double seconds_of(clockid_t clock)
{
        struct timespec now;
        clock_gettime(clock, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* splitmix64 makes numbers that look random and are the same each time. */
static uint64_t mixed(uint64_t number)
{
        number = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
        number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
        return number ^ number >> 31;
}

/* The text is as long as that of a triplet. */
static struct span text_of(uint64_t number, char octets[static SENDER_TEXT_MAX])
{
        uint64_t random = mixed(number);
        int length = snprintf(octets, SENDER_TEXT_MAX,
                              "spf:domain%llu.example sender%llu@domain%llu.example user%llu@isp.example",
                              (unsigned long long)(random % 1000000), (unsigned long long)number,
                              (unsigned long long)(random % 1000000), (unsigned long long)(random >> 44));
        return span_of(octets, (size_t)length);
}

/* ---- filling ------------------------------------------------------------------------------------------- */

static void put(MDB_txn *txn, uint64_t number, bool keeps_text)
{
        char octets[SENDER_TEXT_MAX];
        struct span text = text_of(number, octets);
        uint32_t now_s = (uint32_t)time(NULL);
        struct sender_effect effect = {
            sender_key_of(&store.secret, text), {now_s, now_s, now_s + 3024000, 1}, text};

        if (!keeps_text)
                effect.text = SPAN("");
        expect(sender_lmdb_merge(&store, txn, &effect) == 0);
}

static double octets_of(MDB_txn *txn, MDB_dbi dbi)
{
        MDB_stat tree;
        expect(mdb_stat(txn, dbi, &tree) == 0);
        return (double)((tree.ms_branch_pages + tree.ms_leaf_pages) * tree.ms_psize);
}

static void print_size(void)
{
        char path[600];
        struct stat file;
        MDB_txn *txn;

        expect(mdb_txn_begin(store.env, NULL, MDB_RDONLY, &txn) == 0);
        snprintf(path, sizeof path, "%s/data.mdb", folder);
        expect(stat(path, &file) == 0);
        double records = octets_of(txn, store.records), texts = octets_of(txn, store.texts);
        mdb_txn_abort(txn);
        printf("records %.0f MB (%.0f octets each), texts %.0f MB, file %.0f MB\n", records / 1e6,
               records / (double)record_count, texts / 1e6, (double)file.st_size / 1e6);
        fflush(stdout);
}

struct filling {
        struct sender_key key;
        uint64_t number;
};

static int compare_keys(const void *left, const void *right)
{
        return memcmp(left, right, sizeof(struct sender_key));
}

static void fill_run(struct filling *run, uint64_t first, size_t count, bool keeps_text)
{
        char octets[SENDER_TEXT_MAX];
        MDB_txn *txn;

        for (size_t i = 0; i < count; i++)
                run[i] =
                    (struct filling){sender_key_of(&store.secret, text_of(first + i, octets)), first + i};
        qsort(run, count, sizeof run[0], compare_keys);
        expect(mdb_txn_begin(store.env, NULL, 0, &txn) == 0);
        for (size_t i = 0; i < count; i++)
                put(txn, run[i].number, keeps_text);
        expect(mdb_txn_commit(txn) == 0);
}

static void fill(bool keeps_text)
{
        double begin_s = seconds_of(CLOCK_MONOTONIC);
        struct filling *run = malloc(FILL_RUN * sizeof *run);

        expect(run != NULL && sender_lmdb_open(&store, folder, STORE_SIZE, false) == 0);
        expect(mdb_env_set_flags(store.env, MDB_NOSYNC, 1) == 0);
        for (uint64_t i = 0; i < record_count; i += FILL_RUN)
                fill_run(run, i, record_count - i < FILL_RUN ? (size_t)(record_count - i) : FILL_RUN,
                         keeps_text);
        expect(mdb_env_set_flags(store.env, MDB_NOSYNC, 0) == 0);
        free(run);
        printf("%s: %llu records, filled in %.0f s\n", keeps_text ? "with text" : "hashes alone",
               (unsigned long long)record_count, seconds_of(CLOCK_MONOTONIC) - begin_s);
        print_size();
}

/* ---- lookups and batches ------------------------------------------------------------------------------- */

static void look_up(const char *name, uint64_t first, uint64_t range)
{
        static struct sender_key keys[LOOKUPS];
        struct sender_record record;
        char octets[SENDER_TEXT_MAX];
        uint64_t found = 0;

        for (uint64_t i = 0; i < LOOKUPS; i++)
                keys[i] = sender_key_of(&store.secret, text_of(first + mixed(i) % range, octets));
        double begin_s = seconds_of(CLOCK_THREAD_CPUTIME_ID), wall_s = seconds_of(CLOCK_MONOTONIC);
        for (uint64_t i = 0; i < LOOKUPS; i++)
                found += sender_lmdb_get(&store, reader, &keys[i], &record) == FACT_FOUND;
        printf("lookup, %s: %.2f us CPU, %.2f us wall (%llu%% found)\n", name,
               (seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin_s) / LOOKUPS * 1e6,
               (seconds_of(CLOCK_MONOTONIC) - wall_s) / LOOKUPS * 1e6,
               (unsigned long long)(found * 100 / LOOKUPS));
}

static void write_batches(void)
{
        double begin_s = seconds_of(CLOCK_MONOTONIC), cpu_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        MDB_txn *txn;

        for (uint64_t i = 0; i < WRITES; i++) {
                expect(mdb_txn_begin(store.env, NULL, 0, &txn) == 0);
                for (uint64_t j = 0; j < WRITE_BATCH; j++)
                        put(txn, record_count + i * WRITE_BATCH + j, true);
                expect(mdb_txn_commit(txn) == 0);
        }
        double count = WRITES * WRITE_BATCH;
        printf("writer, batches of %d, synced: %.0f records/s, %.1f us CPU each\n", WRITE_BATCH,
               count / (seconds_of(CLOCK_MONOTONIC) - begin_s),
               (seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu_s) / count * 1e6);
}

/* ---- sessions ------------------------------------------------------------------------------------------ */

static enum fact ask(struct sender_source *source, const struct sender_key *key, uint64_t handle,
                     struct sender_record *ret_record)
{
        (void)source, (void)handle;
        return sender_lmdb_get(&store, reader, key, ret_record);
}

static void apply(struct sender_source *source, const struct sender_effect *effect)
{
        (void)source, (void)effect;
}

static struct sender_source source = {.ask = ask, .apply = apply};
static struct session_host host;
static struct counters counters;

static struct snapshot *configuration(const char *greylist)
{
        struct conf_complaints complaints = {0};
        char text[1024], path[600];

        snprintf(path, sizeof path, "%s/recipients", folder);
        FILE *file = fopen(path, "w");
        expect(file != NULL && fputs("alice\n", file) >= 0 && fclose(file) == 0);
        snprintf(text, sizeof text,
                 "hostname = \"mx.isp.example\" sender_store = \"lmdb:x\" %s\n"
                 "domain \"isp.example\" { recipients = \"recipients\" deliver = \"discard:\" }",
                 greylist);
        struct snapshot *snapshot = snapshot_load_text(text, folder, &complaints);
        if (snapshot == NULL)
                fputs(complaints.text, stderr);
        expect(snapshot != NULL);
        conf_complaints_end(&complaints);
        return snapshot;
}

static void command_play(struct session *session, const char *line, struct text *out)
{
        struct span input = span_from(line);
        out->length = 0;
        session_input(session, &input, out);
        expect(out->at[0] == '2');
}

/* The client's network is one of those that are known, or not known so far. */
static void run_session(const struct snapshot *snapshot, uint64_t number)
{
        static char octets[2 * SESSION_OUT_ROOM];
        struct session_peer peer = {0};
        struct session session;
        struct text out;

        expect(address_parse(SPAN("192.0.2.7"), &peer.client));
        peer.client.octets[13] = (uint8_t)(number >> 8);
        peer.client.octets[14] = (uint8_t)number;
        text_over(&out, octets, sizeof octets);
        session_begin(&session, &host, snapshot, &peer, &out);
        command_play(&session, "EHLO client.example.com\r\n", &out);
        command_play(&session, "MAIL FROM:<carol@example.com>\r\n", &out);
        command_play(&session, "RCPT TO:<alice@isp.example>\r\n", &out);
        command_play(&session, "QUIT\r\n", &out);
        session_end(&session, SESSION_ENDED_BY_QUIT);
        host.log.length = 0;
}

static double session_us(const struct snapshot *snapshot)
{
        for (uint64_t i = 0; i < 65536; i++)
                run_session(snapshot, i);
        double begin_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        for (uint64_t i = 0; i < SESSIONS; i++)
                run_session(snapshot, mixed(i));
        return (seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin_s) / SESSIONS * 1e6;
}

/* What is known of each network of run_session(): one sender that has passed, or that all may pass. */
static void remember_clients(const char *sender, uint32_t count)
{
        uint32_t now_s = (uint32_t)time(NULL);
        MDB_txn *txn;

        expect(mdb_txn_begin(store.env, NULL, 0, &txn) == 0);
        for (unsigned i = 0; i < 65536; i++) {
                char text[128];
                int length = snprintf(text, sizeof text, "net:192.%u.%u.0/24%s", i >> 8, i & 255, sender);
                struct span span = span_of(text, (size_t)length);
                struct sender_effect effect = {
                    sender_key_of(&store.secret, span), {now_s, now_s, now_s + 3024000, count}, span};
                expect(sender_lmdb_merge(&store, txn, &effect) == 0);
        }
        expect(mdb_txn_commit(txn) == 0);
}

static double best_us(const struct snapshot *snapshot)
{
        double best = session_us(snapshot);
        for (int round = 1; round < ROUNDS; round++) {
                double us = session_us(snapshot);
                best = us < best ? us : best;
        }
        return best;
}

static void measure_sessions(void)
{
        static char log_octets[2 * LOG_LINE_MAX];
        struct snapshot *without = configuration("greylist { mode = off }");
        struct snapshot *with = configuration("greylist { mode = enforce }");

        host = (struct session_host){
            .counters = &counters, .now_ms = 1, .wall_ms = (int64_t)time(NULL) * 1000, .senders = &source};
        block_pool_init(&host.session_pool, 256, 64);
        block_pool_init(&host.transaction_pool, 2048, 64);
        content_pool_init(&host.content_pool, 4);
        text_over(&host.log, log_octets, sizeof log_octets);
        double alone = best_us(without);
        remember_clients(" carol@example.com alice@isp.example", 1);
        double passed = best_us(with);
        remember_clients("", 100);
        double allowed = best_us(with);
        printf("session in memory, EHLO to QUIT, best of %d: %.2f us CPU without the greylist\n", ROUNDS,
               alone);
        printf("with it %.2f us more for a sender that has passed, %.2f us more for an allowed client\n",
               passed - alone, allowed - alone);
        snapshot_free(without);
        snapshot_free(with);
        block_pool_end(&host.session_pool);
        block_pool_end(&host.transaction_pool);
        content_pool_end(&host.content_pool);
}

/* ---- whole --------------------------------------------------------------------------------------------- */

static int delete_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
        (void)status, (void)kind, (void)walk;
        return remove(path);
}

static void measure(bool keeps_text)
{
        expect(mkdtemp(folder) != NULL);
        fill(keeps_text);
        reader = sender_lmdb_reader(&store);
        expect(reader != NULL);
        look_up("known", 0, record_count);
        look_up("known, again", 0, record_count);
        look_up("unknown", record_count * 2, record_count);
        measure_sessions();
        write_batches();
        mdb_txn_abort(reader);
        sender_lmdb_close(&store);
        nftw(folder, delete_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(int argc, char **argv)
{
        const char *directory = argc > 2 ? argv[2] : "/var/tmp";

        if (argc > 1)
                record_count = strtoull(argv[1], NULL, 10);
        if (argc > 3 || record_count == 0) {
                fprintf(stderr, "usage: gatepost-senders-bench [RECORDS [DIRECTORY]]\n");
                return 2;
        }
        for (int keeps_text = 0; keeps_text < 2; keeps_text++) {
                snprintf(folder, sizeof folder, "%s/gatepost-senders-XXXXXX", directory);
                measure(keeps_text);
        }
        return 0;
}
