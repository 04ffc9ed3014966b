/* The parent-death signal would be simpler, but the kernel forgets it when a server changes its user. */
#include "bench/peers/cleaner.h"

#include "bench/common.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
        (void)status, (void)kind, (void)place;
        return remove(path);
}

void folder_remove(const char *folder)
{
        nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Returns when nobody has the other end of the pipe any more. */
static void wait_for_end(int fd)
{
        char octet;

        while (read(fd, &octet, 1) != 0)
                continue;
}

pid_t cleaner_start(const struct watched *watched, const char *folder)
{
        static int ends[2] = {-1, -1}; /* the second one is ours alone */

        if (watched->cgroup[0] == '\0')
                return 0;
        if (ends[0] < 0)
                expect(pipe2(ends, O_CLOEXEC) == 0);
        pid_t cleaner = fork();
        expect(cleaner >= 0);
        if (cleaner > 0)
                return cleaner;
        setpgid(0, 0); /* out of the terminal's reach */
        close(ends[1]);
        wait_for_end(ends[0]);
        cgroup_kill(watched);
        cgroup_remove(watched);
        folder_remove(folder);
        _exit(0);
}

void cleaner_end(pid_t cleaner)
{
        if (cleaner == 0)
                return;
        kill(cleaner, SIGKILL);
        waitpid(cleaner, NULL, 0);
}
