/* A mail with many recipients is in the log in pieces, and what became of it is in the last: they are joined here. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* Zero it first. */
struct pieces {
        json_t *open; /* by the mail's id: a line with what is known of that mail alone; NULL: none yet */
};

/* Lines come in their order. Takes pieces of mails that go on from the line, and gives their recipients to the piece
 * that ends each mail. `id`: of this mail alone; NULL: of all. True when it has taken a piece. */
bool pieces_join(struct pieces *pieces, json_t *line, const char *id);
/* Lines in their order, all of which have the id in them: there is one, and of a mail in pieces with this id the
 * first piece is among them. */
bool pieces_are_whole(const json_t *lines, const char *id);
void pieces_end(struct pieces *pieces);
