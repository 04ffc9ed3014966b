/* A mapped file of recipients is asked by many threads at a time, while others are built over its name, opened, asked
 * and closed. Whoever has mapped a file finds in it what it was built from. */
#include "conf/recipients/build/build.h"
#include "core/base/expect.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ADDRESSES   2000
#define THREADS     4
#define GENERATIONS 6

static char folder[] = "/tmp/gatepost-stress-XXXXXX", list[64], path[64];
static _Atomic bool is_over;

/* Of each generation the addresses are others. */
static struct recipient_map *build(unsigned generation)
{
        struct conf_complaints complaints = {0};
        struct recipient_build wish = {.input = list, .output = path, .folds = true, .memory = "1M"};
        char fault[RECIPIENT_MAP_FAULT_MAX];
        FILE *file = fopen(list, "w");

        expect(file != NULL);
        for (unsigned i = 0; i < ADDRESSES; i++)
                fprintf(file, "user%u@isp.example\n", (i * 7919 % ADDRESSES) * GENERATIONS + generation);
        expect(fclose(file) == 0 && recipients_build(&wish, &complaints) && complaints.text == NULL);
        struct recipient_map *map = recipient_map_open(path, fault);
        expect(map != NULL);
        return map;
}

static void ask_all(const struct recipient_map *map, unsigned generation)
{
        char octets[32];

        for (unsigned i = 0; i < ADDRESSES * GENERATIONS; i++) {
                int length = snprintf(octets, sizeof octets, "user%u", i);
                expect(recipient_map_find(map, SPAN("isp.example"), span_of(octets, (size_t)length), NULL) ==
                       (i % GENERATIONS == generation ? RECIPIENT_KNOWN : RECIPIENT_UNKNOWN));
        }
}

static void *ask_until_over(void *argument)
{
        while (!atomic_load(&is_over))
                ask_all(argument, 0);
        return NULL;
}

int main(void)
{
        pthread_t threads[THREADS];

        signal(SIGPIPE, SIG_IGN);
        expect(mkdtemp(folder) != NULL);
        snprintf(list, sizeof list, "%s/list", folder);
        snprintf(path, sizeof path, "%s/db", folder);
        struct recipient_map *first = build(0);
        for (unsigned i = 0; i < THREADS; i++)
                expect(pthread_create(&threads[i], NULL, ask_until_over, first) == 0);
        for (unsigned generation = 1; generation < GENERATIONS; generation++) {
                struct recipient_map *map = build(generation);
                ask_all(map, generation);
                recipient_map_close(map);
        }
        atomic_store(&is_over, true);
        for (unsigned i = 0; i < THREADS; i++)
                expect(pthread_join(threads[i], NULL) == 0);
        recipient_map_close(first);
        expect(unlink(list) == 0 && unlink(path) == 0 && rmdir(folder) == 0);
        return 0;
}
