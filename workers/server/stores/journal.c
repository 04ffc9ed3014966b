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
                hop_thread_connect_journal(&server->hops[i], &journal->drain.returns[i]);
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
        for (size_t i = 0; i < snapshot->domain_count && !journal->is_there; i++) {
                const struct recipient_sets *sets = snapshot->domains[i].sets;
                snapshot->domains[i].deliver.journal = JOURNAL_NEVER;
                for (size_t j = 0; sets != NULL && j < sets->count; j++)
                        sets->sets[j].deliver.journal = JOURNAL_NEVER;
        }
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
