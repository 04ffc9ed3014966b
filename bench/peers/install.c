/* Whether fetched servers are there, and fetching them: the work is that of the script
 * bench/peers/install. */
#include "bench/peers/install.h"

#include "bench/common.h"
#include "bench/measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK "@FETCHED@/"

const char *peer_fetched(enum peer_kind kind)
{
        static char names[PEERS][32];
        const char *mark = strstr(peer_command(kind), MARK);

        if (mark == NULL)
                return NULL;
        mark += strlen(MARK);
        snprintf(names[kind], sizeof names[kind], "%.*s", (int)strcspn(mark, " /"), mark);
        return names[kind];
}

const char *install_folder(const struct bench_options *options)
{
        static char folder[500];

        snprintf(folder, sizeof folder, "%s/bench/peers", options->build);
        return folder;
}

/* Several processes are measured and ended by their cgroup only. */
static bool can_make_cgroups(void)
{
        struct watched watched = {0};
        bool can = cgroup_make("try", &watched);

        cgroup_remove(&watched);
        return can;
}

bool peer_is_available(const struct bench_options *options, enum peer_kind kind, char *ret_why, size_t size)
{
        const char *fetched = peer_fetched(kind), *why = NULL;
        char path[600];

        if (fetched == NULL)
                return true;
        snprintf(path, sizeof path, "%s/%s", install_folder(options), fetched);
        if (access(path, F_OK) != 0)
                why = "not installed (gatepost-bench compare --install)";
        else if (geteuid() != 0)
                why = "needs root, for a root folder and users of its own";
        else if (!can_make_cgroups())
                why = "needs a cgroup (version 2) of its own, to measure and end all of its processes";
        if (why != NULL)
                snprintf(ret_why, size, "%s", why);
        return why == NULL;
}

void peer_version_write(const struct bench_options *options, enum peer_kind kind, char *ret_text, size_t size)
{
        const char *fetched = peer_fetched(kind);
        char path[600];

        if (fetched == NULL) {
                snprintf(ret_text, size, "commit %s", bench_commit());
                return;
        }
        snprintf(path, sizeof path, "%s/%s/version", install_folder(options), fetched);
        FILE *file = fopen(path, "re");
        if (file == NULL || fgets(ret_text, (int)size, file) == NULL)
                snprintf(ret_text, size, "version unknown");
        ret_text[strcspn(ret_text, "\n")] = '\0';
        if (file != NULL)
                fclose(file);
}

/* Lists the folders of the named servers, each once; `list` has room for all. */
static unsigned wanted_folders(const char *names, const char **list)
{
        unsigned count = 0, seen;

        for (unsigned i = 0; i < PEERS; i++) {
                const char *folder = peer_fetched((enum peer_kind)i);
                if (folder == NULL || !peer_is_named(names, (enum peer_kind)i))
                        continue;
                for (seen = 0; seen < count && strcmp(list[seen], folder) != 0; seen++)
                        continue;
                if (seen == count)
                        list[count++] = folder;
        }
        return count;
}

bool install_peers(const struct bench_options *options, const char *names)
{
        const char *arguments[PEERS + 3] = {NULL};
        char script[600];
        int status;

        snprintf(script, sizeof script, "%s/../peers/install", options->scenarios);
        arguments[0] = script;
        arguments[1] = install_folder(options);
        if (wanted_folders(names, arguments + 2) == 0)
                return true;
        fflush(NULL);
        pid_t child = fork();
        expect(child >= 0);
        if (child == 0) {
                execv(script, (char *const *)arguments);
                fprintf(stderr, "cannot run %s: %s\n", script, strerror(errno));
                _exit(127);
        }
        while (waitpid(child, &status, 0) < 0)
                expect(errno == EINTR);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
