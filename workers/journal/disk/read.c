/* Records from their places, and chains of pieces. */
#include "workers/journal/disk/read.h"

#include <stdlib.h>

#define CHAIN_MAX (16u << 20)

enum journal_read journal_read_record(const struct journal_folder *folder, uint64_t generation,
                                      uint32_t offset, struct journal_copy *ret_copy)
{
        struct journal_copy copy = {0};
        struct journal_segment segment;
        uint8_t head[JOURNAL_HEAD];
        bool is_empty;
        uint32_t slot = journal_slot_of(folder, generation);

        if (slot == UINT32_MAX || !journal_slot_header(folder, slot, &segment, &is_empty) ||
            segment.generation != generation ||
            !journal_read_exactly(folder->slots[slot].fd, head, sizeof head, offset) ||
            !journal_head_read(head, &segment, offset, &copy.head))
                return JOURNAL_READ_DAMAGED;
        copy.octets = malloc(copy.head.body_length + 1);
        if (copy.octets == NULL)
                return JOURNAL_READ_NO_MEMORY;
        copy.body = span_of(copy.octets, copy.head.body_length);
        if (!journal_read_exactly(folder->slots[slot].fd, copy.octets, copy.body.length,
                                  offset + sizeof head) ||
            !journal_body_is_whole(copy.body, &segment, &copy.head)) {
                free(copy.octets);
                return JOURNAL_READ_DAMAGED;
        }
        *ret_copy = copy;
        return JOURNAL_READ_DONE;
}

/* A piece of a chain. The copy is to be freed where it is read. */
static enum journal_read read_piece(const struct journal_folder *folder, const struct journal_text *at,
                                    struct journal_copy *ret_copy, struct journal_text *ret_piece)
{
        enum journal_read result = journal_read_record(folder, at->generation, at->offset, ret_copy);

        if (result != JOURNAL_READ_DONE)
                return result;
        if (ret_copy->head.kind == JOURNAL_TEXT && journal_text_read(ret_copy->body, ret_piece) &&
            ret_piece->number == at->number)
                return JOURNAL_READ_DONE;
        free(ret_copy->octets);
        return JOURNAL_READ_DAMAGED;
}

/* Notes where each piece is, from the last to the first. */
static enum journal_read walk_chain(const struct journal_folder *folder, const struct piece_chain *chain,
                                    struct journal_text *pieces)
{
        struct journal_text at = {chain->generation, chain->offset, chain->count, {0}};

        while (at.number > 0) {
                struct journal_copy copy;
                struct journal_text piece;
                pieces[at.number - 1] = at;
                enum journal_read result = read_piece(folder, &at, &copy, &piece);
                if (result != JOURNAL_READ_DONE)
                        return result;
                free(copy.octets);
                at = (struct journal_text){piece.generation, piece.offset, at.number - 1, {0}};
        }
        return JOURNAL_READ_DONE;
}

static enum journal_read append_chain(const struct journal_folder *folder, const struct piece_chain *chain,
                                      const struct journal_text *pieces, struct content_pool *pool,
                                      struct content *content)
{
        enum journal_read result = JOURNAL_READ_DONE;

        for (uint32_t i = 0; i < chain->count && result == JOURNAL_READ_DONE; i++) {
                struct journal_copy copy;
                struct journal_text piece;
                result = read_piece(folder, &pieces[i], &copy, &piece);
                if (result != JOURNAL_READ_DONE)
                        break;
                if (!content_append(content, pool, piece.text))
                        result = JOURNAL_READ_NO_MEMORY;
                free(copy.octets);
        }
        if (result == JOURNAL_READ_DONE && content->length != chain->octets)
                result = JOURNAL_READ_DAMAGED;
        return result;
}

static enum journal_read read_text(const struct journal_folder *folder, const struct journal_message *message,
                                   struct content_pool *pool, struct content *content)
{
        enum journal_read result = JOURNAL_READ_DONE;

        if (message->chain.count > CHAIN_MAX)
                return JOURNAL_READ_DAMAGED;
        if (message->chain.count > 0) {
                struct journal_text *pieces = calloc(message->chain.count, sizeof *pieces);
                if (pieces == NULL)
                        return JOURNAL_READ_NO_MEMORY;
                result = walk_chain(folder, &message->chain, pieces);
                if (result == JOURNAL_READ_DONE)
                        result = append_chain(folder, &message->chain, pieces, pool, content);
                free(pieces);
        }
        if (result == JOURNAL_READ_DONE && !content_append(content, pool, message->text))
                result = JOURNAL_READ_NO_MEMORY;
        return result;
}

enum journal_read journal_read_message(const struct journal_folder *folder, const struct journal_place *place,
                                       struct content_pool *pool, struct journal_copy *ret_copy,
                                       struct journal_message *ret_message, struct content *content)
{
        struct journal_message message;
        struct journal_copy copy;
        enum journal_read result = journal_read_record(folder, place->generation, place->offset, &copy);

        if (result != JOURNAL_READ_DONE)
                return result;
        if (copy.head.kind != JOURNAL_MESSAGE || !journal_message_read(copy.body, &message))
                result = JOURNAL_READ_DAMAGED;
        else
                result = read_text(folder, &message, pool, content);
        if (result != JOURNAL_READ_DONE) {
                free(copy.octets);
                return result;
        }
        *ret_copy = copy;
        *ret_message = message;
        return JOURNAL_READ_DONE;
}

enum journal_read journal_read_states(const struct journal_folder *folder, const struct journal_place *place,
                                      uint8_t *states, uint32_t count)
{
        struct journal_outcome outcome;
        struct journal_copy copy;

        memset(states, RECIPIENT_WAITS, count);
        if (place->generation == 0)
                return JOURNAL_READ_DONE;
        enum journal_read result = journal_read_record(folder, place->generation, place->offset, &copy);
        if (result != JOURNAL_READ_DONE)
                return result;
        if (copy.head.kind == JOURNAL_OUTCOME && journal_outcome_read(copy.body, &outcome) &&
            outcome.states.length == count)
                memcpy(states, outcome.states.at, count);
        else
                result = JOURNAL_READ_DAMAGED;
        free(copy.octets);
        return result;
}
