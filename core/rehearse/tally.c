/* Counts. */
#include "core/rehearse/tally.h"

#include "core/base/domain_name.h"

#include <stdlib.h>
#include <xxhash.h>

#define PLACES          ((size_t)4 * TALLY_NAMES_MAX) /* a power of two */
#define NETWORK_PREFIX4 120
#define NETWORK_PREFIX6 48

const char *const tally_kind_names[TALLY_KINDS] = {[TALLY_SENDER_DOMAIN] = "sender_domain",
                                                   [TALLY_CLIENT_NETWORK] = "client_network",
                                                   [TALLY_RECIPIENT_DOMAIN] = "recipient_domain"};

bool tally_begin(struct tally *tally)
{
        bool is_good = true;

        memset(tally, 0, sizeof *tally);
        for (size_t kind = 0; kind < TALLY_KINDS; kind++) {
                struct tally_table *table = &tally->tables[kind];
                table->rows = calloc(TALLY_NAMES_MAX, sizeof *table->rows);
                table->places = calloc(PLACES, sizeof *table->places);
                is_good &= table->rows != NULL && table->places != NULL;
        }
        if (!is_good)
                tally_end(tally);
        return is_good;
}

void tally_end(struct tally *tally)
{
        for (size_t kind = 0; kind < TALLY_KINDS; kind++) {
                free(tally->tables[kind].rows);
                free(tally->tables[kind].places);
                tally->tables[kind] = (struct tally_table){0};
        }
}

/* Its own, or the one that it is to have. */
static uint32_t *place_of(const struct tally_table *table, const char *name)
{
        size_t at = XXH3_64bits(name, strlen(name)) & (PLACES - 1);

        while (table->places[at] != 0 && strcmp(table->rows[table->places[at] - 1].name, name) != 0)
                at = (at + 1) & (PLACES - 1);
        return &table->places[at];
}

/* NULL: there is no room for another name. */
static struct tally_row *row_of(struct tally_table *table, const char *name)
{
        uint32_t *place = place_of(table, name);

        if (*place != 0)
                return &table->rows[*place - 1];
        if (table->count == TALLY_NAMES_MAX)
                return NULL;
        struct tally_row *row = &table->rows[table->count];
        *place = (uint32_t)++table->count;
        span_copy_cut(span_from(name), row->name, sizeof row->name);
        return row;
}

/* Letter case of domains does not count. */
static void put_domain(struct text *text, struct span address, const char *without)
{
        struct span domain = address_domain(address);

        if (domain.length == 0)
                text_put_string(text, without);
        else
                text_put_lower(text, span_of(domain.at, domain.length < text_room(text) ? domain.length
                                                                                        : text_room(text)));
}

static void put_name(struct text *text, enum tally_kind kind, const struct rehearsed *rehearsed)
{
        const struct address *client = rehearsed->client;
        struct network network =
            network_of(client, address_is_ipv4(client) ? NETWORK_PREFIX4 : NETWORK_PREFIX6);

        switch (kind) {
        case TALLY_SENDER_DOMAIN:
                put_domain(text, rehearsed->sender, rehearsed->matter == MATTER_SESSION ? "-" : "<>");
                break;
        case TALLY_RECIPIENT_DOMAIN:
                put_domain(text, rehearsed->recipient, "-");
                break;
        case TALLY_CLIENT_NETWORK:
        case TALLY_KINDS:
                network_write(text, &network);
                break;
        }
}

static void count_name(struct tally *tally, enum tally_kind kind, const struct rehearsed *rehearsed)
{
        struct tally_table *table = &tally->tables[kind];
        char name[TALLY_NAME_SIZE];
        struct text text;

        text_over(&text, name, sizeof name - 1);
        put_name(&text, kind, rehearsed);
        name[text.length] = '\0';
        struct tally_row *row = row_of(table, name);
        if (row == NULL)
                table->left_out[rehearsed->change]++;
        else
                row->changes[rehearsed->change]++;
}

static void put_word(struct text *text, struct span word)
{
        if (text->length > 0)
                text_put_char(text, ' ');
        text_put_printable(text, word.length == 0 ? SPAN("-") : word, true);
}

static void keep_example(struct tally *tally, const struct rehearsed *rehearsed)
{
        size_t *count = &tally->example_count[rehearsed->change];
        const struct rehearse_side *blamed = rehearse_blamed(rehearsed);
        struct text text;

        if (rehearsed->change == CHANGE_NONE || *count == TALLY_EXAMPLES)
                return;
        char *octets = tally->examples[rehearsed->change][(*count)++];
        text_over(&text, octets, TALLY_EXAMPLE_MAX - 1);
        put_word(&text, rehearsed->live.id.length > 0 ? rehearsed->live.id : rehearsed->mail);
        put_word(&text, blamed->check < CHECK_COUNT   ? span_from(check_infos[blamed->check].name)
                        : blamed->reply == REPLY_NONE ? SPAN("")
                                                      : span_from(reply_infos[blamed->reply].name));
        put_word(&text, rehearsed->matter == MATTER_SESSION ? SPAN("")
                        : rehearsed->sender.length == 0     ? SPAN("<>")
                                                            : rehearsed->sender);
        put_word(&text, rehearsed->recipient);
        octets[text.length] = '\0';
}

void tally_add(struct tally *tally, const struct rehearsed *rehearsed)
{
        const struct rehearse_side *blamed = rehearse_blamed(rehearsed);

        tally->changes[rehearsed->change]++;
        tally->by_check[blamed->check][rehearsed->change]++;
        /* Nobody is told whose answers stay, or are not known. */
        for (enum tally_kind kind = 0; kind < TALLY_KINDS && rehearse_differs(rehearsed->change); kind++)
                count_name(tally, kind, rehearsed);
        keep_example(tally, rehearsed);
}

uint64_t tally_answers(const struct tally *tally)
{
        uint64_t sum = 0;

        for (size_t change = 0; change < REHEARSE_CHANGES; change++)
                sum += tally->changes[change];
        return sum;
}

static int compare_rows(const void *left, const void *right, void *context)
{
        const struct tally_row *first = left, *second = right;
        enum rehearse_change change = *(const enum rehearse_change *)context;

        if (first->changes[change] != second->changes[change])
                return first->changes[change] < second->changes[change] ? 1 : -1;
        return strcmp(first->name, second->name);
}

size_t tally_sort(struct tally_table *table, enum rehearse_change change)
{
        size_t count = 0;

        qsort_r(table->rows, table->count, sizeof *table->rows, compare_rows, &change);
        memset(table->places, 0, PLACES * sizeof *table->places);
        for (size_t i = 0; i < table->count; i++) {
                *place_of(table, table->rows[i].name) = (uint32_t)i + 1;
                count += table->rows[i].changes[change] > 0;
        }
        return count;
}
