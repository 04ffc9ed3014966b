/* The signals of the server. */
#include "workers/server/signals.h"

#include <stddef.h>

void signals_block(sigset_t *ret_signals)
{
        static const int awaited[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGQUIT};
        /* write() says EPIPE and EFBIG then. */
        static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGXCPU, SIGALRM,  SIGVTALRM,
                                      SIGPROF, SIGIO,   SIGPWR,  SIGSTKFLT};

        sigemptyset(ret_signals);
        sigaddset(ret_signals, SIGNAL_OF_CONTROL);
        for (size_t i = 0; i < sizeof awaited / sizeof *awaited; i++)
                sigaddset(ret_signals, awaited[i]);
        pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
        for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
                signal(ignored[i], SIG_IGN);
        for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
                signal(number, SIG_IGN);
}

bool signal_is_end(int number)
{
        return number == SIGTERM || number == SIGINT || number == SIGQUIT;
}

bool signal_of_end_is_pending(void)
{
        sigset_t pending;

        return sigpending(&pending) == 0 &&
               (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1 ||
                sigismember(&pending, SIGQUIT) == 1);
}

void signals_let_end(bool may_end)
{
        sigset_t ends;

        sigemptyset(&ends);
        for (int number = 1; number < SIGRTMIN; number++)
                if (signal_is_end(number))
                        sigaddset(&ends, number);
        pthread_sigmask(may_end ? SIG_UNBLOCK : SIG_BLOCK, &ends, NULL);
}
