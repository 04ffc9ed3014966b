/* As the server loads it. */
#include "workers/cli/shared/loaded.h"

#include "conf/build/load.h"

#include <stdio.h>

bool loaded_begin(struct loaded *loaded, const char *path)
{
        struct conf_complaints complaints = {0};

        loaded->snapshot = snapshot_load(path, &complaints);
        feed_keeper_init(&loaded->feeds);
        if (loaded->snapshot != NULL)
                feed_keeper_prepare(&loaded->feeds, loaded->snapshot, &complaints);
        if (complaints.text != NULL)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        if (loaded->snapshot == NULL)
                feed_keeper_end(&loaded->feeds);
        return loaded->snapshot != NULL;
}

void loaded_end(struct loaded *loaded)
{
        feed_keeper_forget(loaded->snapshot);
        feed_keeper_end(&loaded->feeds);
        snapshot_free(loaded->snapshot);
}
