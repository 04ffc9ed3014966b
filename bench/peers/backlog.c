/* Preloaded into OpenSMTPD, whose listen queue of 5 loses most of a load's connections before it sees them: a
 * long queue instead. */
#include <dlfcn.h>

#define BACKLOG 1000

int listen(int fd, int backlog);

int listen(int fd, int backlog)
{
        int (*next)(int, int);

        /* As POSIX has it: ISO C knows no way from one kind of pointer to the other. */
        *(void **)&next = dlsym(RTLD_NEXT, "listen");
        return next(fd, backlog > BACKLOG ? backlog : BACKLOG);
}
