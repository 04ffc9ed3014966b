/* sort(1) as a child process. */
#include "conf/recipients/build/sorter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

static int spawn(pid_t *ret_process, int in, int out, const char *folder, const char *memory)
{
        const char *const words[] = {"sort", "-S", memory, "-T", folder, NULL};
        const char *const environment[] = {"LC_ALL=C", NULL}; /* lines compare as octets */
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t defaults;

        sigemptyset(&defaults);
        sigaddset(&defaults, SIGPIPE);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setsigdefault(&attributes, &defaults);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
        int error = posix_spawnp(ret_process, words[0], &actions, &attributes, (char *const *)words,
                                 (char *const *)environment);
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
        return error;
}

bool sorter_begin(struct sorter *sorter, const char *folder, const char *memory)
{
        int in[2], out[2];

        *sorter = (struct sorter){0};
        if (pipe2(in, O_CLOEXEC) != 0)
                return false;
        if (pipe2(out, O_CLOEXEC) != 0) {
                close(in[0]), close(in[1]);
                return false;
        }
        int error = spawn(&sorter->process, in[0], out[1], folder, memory);
        close(in[0]), close(out[1]);
        sorter->in = fdopen(in[1], "w");
        sorter->out = fdopen(out[0], "r");
        if (error == 0 && sorter->in != NULL && sorter->out != NULL)
                return true;
        if (error == 0)
                sorter_end(sorter);
        errno = error == 0 ? ENOMEM : error;
        return false;
}

bool sorter_turn(struct sorter *sorter)
{
        FILE *in = sorter->in;
        bool is_good = !ferror(in);

        sorter->in = NULL;
        return fclose(in) == 0 && is_good;
}

bool sorter_end(struct sorter *sorter)
{
        int status;
        bool is_whole =
            sorter->in == NULL && sorter->out != NULL && feof(sorter->out) && !ferror(sorter->out);

        if (!is_whole)
                kill(sorter->process, SIGTERM); /* it removes its files */
        if (sorter->in != NULL)
                fclose(sorter->in);
        if (sorter->out != NULL)
                fclose(sorter->out);
        while (waitpid(sorter->process, &status, 0) < 0)
                if (errno != EINTR)
                        return false;
        return is_whole && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
