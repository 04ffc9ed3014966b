/* Runs a fuzzer's corpus without the fuzzer: every file of the folders given, each a test (TAP). */
#include "core/base/expect.h"

#include <dirent.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

static void replay(const char *path, unsigned number)
{
        FILE *file = fopen(path, "rb");
        expect(file != NULL && fseek(file, 0, SEEK_END) == 0);
        long length = ftell(file);
        uint8_t *octets = malloc(length > 0 ? (size_t)length : 1);
        expect(length >= 0 && octets != NULL);
        rewind(file);
        expect(fread(octets, 1, (size_t)length, file) == (size_t)length);
        fclose(file);
        /* A crash leaves this name as the last line. */
        fprintf(stderr, "%s\n", path);
        LLVMFuzzerTestOneInput(octets, (size_t)length);
        free(octets);
        printf("ok %u - %s\n", number, strrchr(path, '/') + 1);
}

int main(int argc, char **argv)
{
        unsigned count = 0;
        char path[4096];

        for (int i = 1; i < argc; i++) {
                DIR *folder = opendir(argv[i]);
                struct dirent *entry;
                expect(folder != NULL);
                while ((entry = readdir(folder)) != NULL) {
                        if (entry->d_name[0] == '.')
                                continue;
                        expect(snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name) <
                               (int)sizeof path);
                        replay(path, ++count);
                }
                closedir(folder);
        }
        printf("1..%u\n", count);
        return count > 0 ? 0 : 1;
}
