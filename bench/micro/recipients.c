/* gatepost-recipients-bench DB LIST: what a look-up in a mapped file of recipients costs. LIST is what the file was
 * built from. Known addresses and unknown ones are asked for in no order, which is the worst for the processor. */
#include "conf/recipients/map.h"
#include "core/base/expect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LOOKUPS 1000000

struct sample {
        uint8_t local_length, domain_length; /* with "@" between them */
        char octets[62];
};

static struct sample *samples;
static size_t sample_count;

static double seconds(void)
{
        struct timespec now;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Each line has the same chance (reservoir). The lines are addresses without quotes, in lower case. */
static void read_samples(const char *path)
{
        char line[512];
        FILE *file = fopen(path, "r");

        expect(file != NULL);
        samples = calloc(LOOKUPS, sizeof *samples);
        expect(samples != NULL);
        for (uint64_t number = 0; fgets(line, sizeof line, file) != NULL; number++) {
                uint64_t at = number < LOOKUPS ? number : (uint64_t)random() % (number + 1);
                struct span address = span_of(line, strcspn(line, "\n"));
                size_t middle = span_find(address, '@');
                if (at >= LOOKUPS || middle == SIZE_MAX || address.length > sizeof samples->octets)
                        continue;
                struct sample *sample = &samples[at];
                memcpy(sample->octets, line, address.length);
                sample->local_length = (uint8_t)middle;
                sample->domain_length = (uint8_t)(address.length - middle - 1);
                sample_count = at >= sample_count ? at + 1 : sample_count;
        }
        fclose(file);
        for (size_t i = sample_count - 1; i > 0; i--) {
                size_t other = (size_t)random() % (i + 1);
                struct sample kept = samples[i];
                samples[i] = samples[other];
                samples[other] = kept;
        }
}

/* The samples are read as well, which costs about a miss of the cache each. */
static void look_up(const struct recipient_map *map, const char *name, size_t cut)
{
        double begin_s = seconds();
        uint64_t known = 0;

        for (size_t i = 0; i < sample_count; i++) {
                const struct sample *sample = &samples[i];
                struct span domain = {sample->octets + sample->local_length + 1, sample->domain_length};
                struct span local_part = {sample->octets, sample->local_length - cut};
                known += recipient_map_find(map, domain, local_part, NULL) == RECIPIENT_KNOWN;
        }
        printf("%s %.0f ns (%" PRIu64 " of %zu are known)\n", name,
               (seconds() - begin_s) / (double)sample_count * 1e9, known, sample_count);
}

int main(int argc, char **argv)
{
        char fault[RECIPIENT_MAP_FAULT_MAX];

        if (argc != 3) {
                fprintf(stderr, "usage: gatepost-recipients-bench DB LIST\n");
                return 2;
        }
        double begin_s = seconds();
        struct recipient_map *map = recipient_map_open(argv[1], fault);
        if (map == NULL) {
                fprintf(stderr, "%s: %s\n", argv[1], fault);
                return 1;
        }
        printf("open %.0f ms of CPU\n", (seconds() - begin_s) * 1e3);
        read_samples(argv[2]);
        expect(sample_count > 0);
        look_up(map, "known", 0);
        look_up(map, "unknown", 1);
        recipient_map_close(map);
        free(samples);
        return 0;
}
