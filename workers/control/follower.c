/* Lines from the workers' rings to those who follow, with a bound for each second. */
#include "workers/control/follower.h"

#include "dns/clock.h"

#define RATE_DEFAULT   200
#define LINES_PER_TURN 4096                     /* orders are heard in between */
#define OUT_ROOM       (FOLLOW_LINE_MAX + 2048) /* for a line, one that tells what was left out, and the last one */
#define SECOND_MS      1000
#define TAKE_WAIT_MS   10000

static bool read_words(struct span words, struct follow_filter *ret_filter, uint64_t *ret_rate)
{
        struct span filter = span_take_word(&words);

        *ret_rate = RATE_DEFAULT;
        if (words.length > 0 &&
            (!span_starts_nocase(words, SPAN("rate=")) || !follow_rate_parse(span_skip(words, 5), ret_rate)))
                return false;
        return follow_filter_parse(filter, ret_filter);
}

void follower_begin(struct control_client *client, struct follow_board *board, struct span words)
{
        struct follow_filter filter;
        uint64_t rate;

        if (!read_words(words, &filter, &rate)) {
                control_client_answer(
                    client, "trace takes ip=NETWORK, from=PATTERN or to=PATTERN, and rate=LINES behind it");
                return;
        }
        uint32_t bit = follow_board_add(board, &filter);
        if (bit == 0) {
                control_client_answer(client,
                                      "as many as can follow sessions already, or have just left; try again");
                return;
        }
        client->follower = bit;
        client->follow_rate = rate;
        client->follow_count = client->follow_left_out = 0;
        client->follow_second_ms = clock_monotonic_ms();
        client->deadline_ms = client->follow_second_ms + TAKE_WAIT_MS;
        text_put(&client->out, SPAN("{\"following\":true}\n"));
}

void follower_end(struct control_client *client, struct follow_board *board)
{
        if (client->follower != 0)
                follow_board_remove(board, client->follower);
        client->follower = 0;
}

static void give(struct control_client *client, const struct follow_line *line, uint64_t now_ms)
{
        if (client->follow_count >= client->follow_rate || text_room(&client->out) < OUT_ROOM) {
                client->follow_left_out++;
                return;
        }
        client->follow_count++;
        /* Its time to take it begins with the first that waits. */
        if (client->out.length == 0)
                client->deadline_ms = now_ms + TAKE_WAIT_MS;
        text_put(&client->out, span_of(line->octets, line->length));
}

static void tell_left_out(struct control_client *client, uint64_t now_ms)
{
        if (now_ms - client->follow_second_ms < SECOND_MS)
                return;
        client->follow_second_ms = now_ms;
        client->follow_count = 0;
        if (client->follow_left_out == 0 || text_room(&client->out) < OUT_ROOM)
                return;
        if (client->out.length == 0)
                client->deadline_ms = now_ms + TAKE_WAIT_MS;
        text_put(&client->out, SPAN("{\"left_out\":"));
        text_put_number(&client->out, client->follow_left_out);
        text_put(&client->out, SPAN("}\n"));
        client->follow_left_out = 0;
}

void followers_feed(struct control_client *clients, size_t count, struct follow_board *board)
{
        uint64_t now_ms = clock_monotonic_ms(), lost = follow_board_lost(board);
        struct follow_line line;

        for (int lines = 0; lines < LINES_PER_TURN && follow_board_take(board, &line); lines++)
                for (size_t i = 0; i < count; i++)
                        if ((clients[i].follower & line.followers) != 0)
                                give(&clients[i], &line, now_ms);
        for (size_t i = 0; i < count; i++) {
                if (clients[i].follower == 0)
                        continue;
                clients[i].follow_left_out += lost;
                tell_left_out(&clients[i], now_ms);
        }
}
