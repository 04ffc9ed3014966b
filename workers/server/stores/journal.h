/* The server's journal, with both its threads. What it is like was decided at the start. */
#pragma once

#include "workers/journal/plan.h"

struct server;
struct control_job;
struct snapshot;

struct server_journal {
        bool is_there; /* else nothing of the rest is of use */
        struct journal_plan plan;
        struct journal writer;
        struct journal_drain drain;
        /* What is asked for aside, and what comes of it. */
        uint64_t dropping;
        enum journal_drop dropped;
};

/* The hop threads are there, and not started. False when memory or descriptors are out. */
bool server_journal_init(struct server *server, const struct options *options);
bool server_journal_start(struct server_journal *journal);
/* An order: the message with the job's number is not delivered. NULL, or why that was not done, a constant. */
const char *server_journal_drop(struct server *server, struct control_job *job);
/* Before a snapshot is published: where there is no journal none is made use of, whatever the snapshot says. */
void server_journal_fit(const struct server_journal *journal, struct snapshot *snapshot);
/* Another process is to have the journal, as soon as the hop threads have given back what they have of it. */
void server_journal_release(struct server *server);
/* The stop, before the hop threads and behind them. False when the thread runs still at this moment. */
bool server_journal_stop_drain(struct server *server, uint64_t until_ms);
bool server_journal_stop(struct server_journal *journal, uint64_t until_ms);
void server_journal_end(struct server_journal *journal);
