/* What HTTP is given of the server. */
#include "workers/server/pages/pages.h"

#include "workers/server/pages/changes.h"

#include <stdlib.h>

bool pages_start(struct server *server)
{
        const struct web_parts parts = {
            .publication = &server->publication,
            .pinner = server->worker_count + 2 + server->acceptor_count, /* behind the overseer's */
            .counters = &server->counters,
            .workers = server->workers,
            .worker_count = server->worker_count,
            .acceptors = server->acceptors,
            .acceptor_count = server->acceptor_count,
            .hops = server->hops,
            .hop_count = server->hop_count,
            .journal = server->journal.is_there ? &server->journal.writer : NULL,
            .overseer = &server->overseer,
            .load = &server->load,
            .budget = &server->budget,
            .sessions_max = server->shares.sessions,
            .dns_cache = server->dns_cache,
            .dns_pool = server->dns_pool,
            .senders = &server->senders.board,
            .shadow = &server->shadow,
            .log = &server->log,
        };

        return web_start(&server->web, &parts);
}

/* NULL where nobody is going to read it, or memory is out. */
static char *effective_text(const struct snapshot *snapshot)
{
        return snapshot->has_http ? changes_effective(snapshot) : NULL;
}

char *pages_changes(const struct server *server, const struct snapshot *next)
{
        char *before = effective_text(atomic_load(&server->publication.published)->snapshot);
        char *after = effective_text(next);
        char *changes = before == NULL || after == NULL ? NULL : malloc(NEWS_TEXT_MAX);
        struct text text;

        if (changes != NULL) {
                text_over(&text, changes, NEWS_TEXT_MAX - 1);
                changes_write(before, after, &text);
                changes[text.length] = '\0';
        }
        free(before);
        free(after);
        return changes;
}

void pages_after_reload(struct server *server, const char *changes)
{
        web_note_reload(&server->web, false, changes == NULL ? "" : changes);
}

void pages_after_failure(struct server *server, const struct conf_complaints *reasons)
{
        web_note_reload(&server->web, true, reasons->text == NULL ? "" : reasons->text);
}
