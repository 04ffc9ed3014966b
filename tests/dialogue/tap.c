/* See tap.h. */
#include "tests/dialogue/tap.h"

#include "core/base/expect.h"

#include <ftw.h>
#include <unistd.h>

void tap_begin(struct tap *tap, size_t tests)
{
        *tap = (struct tap){.is_good = true};
        printf("TAP version 13\n1..%zu\n", tests);
}

void tap_make_folder(struct tap *tap)
{
        strcpy(tap->directory, "/tmp/gatepost-dialogue.XXXXXX");
        expect(mkdtemp(tap->directory) != NULL);
}

void tap_test(struct tap *tap, bool is_good, const char *name)
{
        printf("%sok %u - %s\n", is_good ? "" : "not ", ++tap->count, name);
        tap->is_good = tap->is_good && is_good;
}

void tap_play(struct tap *tap, bool is_good, const struct script *script, const struct text *failure,
              const char *mode)
{
        char name[512];

        snprintf(name, sizeof name, "%s, %s", script->path, mode);
        tap_test(tap, is_good, name);
        if (failure->length > 0)
                printf("# %.*s\n", (int)failure->length, failure->at);
}

static int delete_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
        (void)status, (void)kind, (void)walk;
        return remove(path);
}

int tap_end(struct tap *tap)
{
        if (tap->directory[0] != '\0')
                nftw(tap->directory, delete_entry, 8, FTW_DEPTH | FTW_PHYS);
        return tap->is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
