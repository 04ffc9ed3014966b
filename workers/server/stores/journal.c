/* The journal between the workers and the hop threads. */
#include "workers/server/stores/journal.h"

#include "workers/server/server.h"

bool server_journal_init(struct server *server, const struct options *options)
{
        struct server_journal *journal = &server->journal;

        journal->is_there = journal_plan_make(&journal->plan, options);
        if (!journal->is_there)
                return true;
        if (!journal_init(&journal->writer, &journal->plan.settings, server->worker_count, &server->log) ||
            !journal_drain_init(&journal->drain, &journal->writer, &journal->plan.drain, server->hop_count,
                                &server->log))
                return false;
        server->counters.sets[server->counters.count++] = &journal->drain.counters;
        for (uint32_t i = 0; i < server->hop_count; i++) {
                journal_drain_connect(&journal->drain, i, server->hops[i].deliveries);
                hop_thread_connect_journal(&server->hops[i], &journal->drain.returns[i], &server->publication,
                                           server->worker_count + 3 + server->acceptor_count +
                                               i); /* behind the pages' */
        }
        return true;
}

bool server_journal_start(struct server_journal *journal)
{
        return !journal->is_there ||
               (journal_drain_start(&journal->drain) && journal_start(&journal->writer));
}

void server_journal_fit(const struct server_journal *journal, struct snapshot *snapshot)
{
        for (size_t i = 0; i < snapshot->domain_count && !journal->is_there; i++)
                snapshot->domains[i].journal = JOURNAL_NEVER;
}

/* Work aside: the journal's disk may hang. */
static void drop(void *argument)
{
        struct server_journal *journal = argument;
        journal->dropped = journal_drain_drop(&journal->drain, journal->dropping);
}

const char *server_journal_drop(struct server *server, struct control_job *job)
{
        static const char *const outcomes[] = {
            [JOURNAL_DROP_DONE] = NULL,
            [JOURNAL_DROP_UNKNOWN] = "this message does not wait in the journal",
            [JOURNAL_DROP_AWAY] = "a next hop has this message at the moment",
            [JOURNAL_DROP_LATE] = "the journal has not recorded it yet",
        };
        struct server_journal *journal = &server->journal;

        if (!journal->is_there)
                return "there is no journal";
        journal->dropping = job->number;
        if (!aside_run(&server->aside, drop, NULL, journal))
                return "the server stops";
        return outcomes[journal->dropped];
}

/* The drain ends when all is back. */
static void stop_draining(struct server *server)
{
        journal_drain_stop(&server->journal.drain);
        for (uint32_t i = 0; i < server->hop_count; i++)
                hop_thread_give_back(&server->hops[i]);
}

void server_journal_release(struct server *server)
{
        if (!server->journal.is_there)
                return;
        journal_release(&server->journal.writer);
        stop_draining(server);
}

bool server_journal_stop_drain(struct server *server, uint64_t until_ms)
{
        if (!server->journal.is_there)
                return true;
        stop_draining(server);
        return journal_drain_join(&server->journal.drain, until_ms);
}

bool server_journal_stop(struct server_journal *journal, uint64_t until_ms)
{
        if (!journal->is_there)
                return true;
        journal_stop(&journal->writer);
        return journal_join(&journal->writer, until_ms);
}

void server_journal_end(struct server_journal *journal)
{
        if (!journal->is_there)
                return;
        journal_drain_end(&journal->drain);
        journal_end(&journal->writer);
}
