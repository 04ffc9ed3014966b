/* What HTTP is given of the server. */
#include "workers/server/pages/pages.h"

#include "conf/value/effective.h"
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
            .overseer = &server->overseer,
            .load = &server->load,
            .budget = &server->budget,
            .sessions_max = server->shares.sessions,
            .dns_cache = server->dns_cache,
            .dns_pool = server->dns_pool,
            .log = &server->log,
        };

        return web_start(&server->web, &parts);
}

/* NULL where nobody is going to read it, or memory is out. */
static char *effective_text(const struct snapshot *snapshot)
{
        char *text = NULL;
        size_t length;
        FILE *file = snapshot->has_http ? open_memstream(&text, &length) : NULL;

        if (file == NULL)
                return NULL;
        effective_print(file, snapshot);
        fclose(file);
        return text;
}

char *pages_before_reload(const struct server *server)
{
        return effective_text(atomic_load(&server->publication.published)->snapshot);
}

void pages_after_reload(struct server *server, char *before)
{
        char *after = effective_text(atomic_load(&server->publication.published)->snapshot);
        char octets[NEWS_TEXT_MAX];
        struct text changes;

        text_over(&changes, octets, sizeof octets - 1);
        if (before != NULL && after != NULL)
                changes_write(before, after, &changes);
        octets[changes.length] = '\0';
        web_note_reload(&server->web, false, octets);
        free(before);
        free(after);
}

void pages_after_failure(struct server *server, const struct conf_complaints *reasons)
{
        web_note_reload(&server->web, true, reasons->text == NULL ? "" : reasons->text);
}
