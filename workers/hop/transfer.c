/* Transfers as such: their memory, and what their recipients come to. */
#include "workers/hop/transfer.h"

#include "core/base/expect.h"
#include "core/mail/recipient.h"

#include <assert.h>
#include <stdlib.h>

/* Copies into memory that was taken for all of it. */
static struct span take_copy(char **memory, struct span span)
{
        struct span copy = span_of(*memory, span.length);

        if (span.length > 0)
                memcpy(*memory, span.at, span.length);
        *memory += span.length;
        return copy;
}

static size_t address_length(const struct recipient *recipient)
{
        struct told_address told = recipient_told(recipient);

        return told.local_part.length + (told.domain.length > 0 ? 1 + told.domain.length : 0);
}

static struct span take_address(char **memory, const struct recipient *recipient)
{
        struct told_address told = recipient_told(recipient);
        struct span address = span_of(*memory, address_length(recipient));

        take_copy(memory, told.local_part);
        if (told.domain.length > 0) {
                take_copy(memory, SPAN("@"));
                take_copy(memory, told.domain);
        }
        return address;
}

static size_t hop_length(const struct next_hop *hop)
{
        return hop->name == NULL ? 0 : strlen(hop->name) + 1;
}

/* Octets of all texts. */
static size_t texts_length(const struct transfer_parts *parts)
{
        const struct hop_client *client = &parts->client;
        size_t length = parts->message->sender.length + client->name.length + client->helo.length;

        for (size_t i = 0; i < parts->hop_count; i++)
                length += hop_length(&parts->hops[i]);
        for (const struct recipient *recipient = parts->message->recipients; recipient != NULL;
             recipient = recipient->next)
                length += address_length(recipient);
        return length;
}

static void fill_hops(struct next_hop *hops, const struct transfer_parts *parts, char **memory)
{
        for (size_t i = 0; i < parts->hop_count; i++) {
                hops[i] = parts->hops[i];
                if (hops[i].name != NULL)
                        hops[i].name = take_copy(memory, span_of(hops[i].name, hop_length(&hops[i]))).at;
        }
}

static void fill_envelope(struct transfer *transfer, const struct transfer_parts *parts, char **memory)
{
        uint32_t i = 0;

        memcpy(transfer->id, parts->message->id, sizeof transfer->id);
        /* Nobody knows yet what octets the text has. */
        transfer->sender = (struct hop_sender){.address = take_copy(memory, parts->message->sender),
                                               .size = parts->size,
                                               .is_eight_bit = true,
                                               .is_smtputf8 = parts->is_smtputf8};
        transfer->client = parts->client;
        transfer->client.name = take_copy(memory, parts->client.name);
        transfer->client.helo = take_copy(memory, parts->client.helo);
        transfer->client.ident = span_of(transfer->id, strnlen(transfer->id, sizeof transfer->id));
        for (const struct recipient *recipient = parts->message->recipients; recipient != NULL;
             recipient = recipient->next)
                if (!recipient->is_left_out)
                        transfer->recipients[i++] = (struct transfer_recipient){
                            .address = take_address(memory, recipient), .keys = recipient->keys};
        expect(i == transfer->recipient_count);
}

struct transfer *transfer_create(const struct transfer_parts *parts)
{
        size_t left_out = recipients_left_out(parts->message),
               count = parts->message->recipient_count - left_out;
        size_t hops_size = parts->hop_count * sizeof(struct next_hop);
        size_t recipients_size = count * (sizeof(struct transfer_recipient) + sizeof(uint32_t));
        size_t size = sizeof(struct transfer) + hops_size + recipients_size + texts_length(parts);
        struct transfer *transfer = malloc(size);

        if (transfer == NULL)
                return NULL;
        struct next_hop *hops = (struct next_hop *)(transfer + 1);
        struct transfer_recipient *recipients = (struct transfer_recipient *)(hops + parts->hop_count);
        uint32_t *numbers = (uint32_t *)(recipients + count);
        char *memory = (char *)(numbers + count);
        *transfer = (struct transfer){
            .hops = hops,
            .hop_count = (uint32_t)parts->hop_count,
            .recipients = recipients,
            .recipient_count = (uint32_t)count,
            .left_out = (uint32_t)left_out,
            .size = size,
            .numbers = numbers,
            .owner = parts->owner,
        };
        STAILQ_INIT(&transfer->jobs);
        TAILQ_INIT(&transfer->joined);
        fill_hops(hops, parts, &memory);
        fill_envelope(transfer, parts, &memory);
        return transfer;
}

/* ---- fates --------------------------------------------------------------------------------------------- */

void transfer_forget_answers(struct transfer *transfer)
{
        transfer->answer_count = 0;
        transfer->given = 0;
        for (uint32_t i = 0; i < transfer->recipient_count; i++)
                transfer->recipients[i] = (struct transfer_recipient){
                    .address = transfer->recipients[i].address, .keys = transfer->recipients[i].keys};
}

static bool is_same(const struct hop_answer *left, const struct hop_answer *right)
{
        return left->code == right->code && strcmp(left->enhanced, right->enhanced) == 0 &&
               strcmp(left->text, right->text) == 0;
}

/* Most are alike, and are kept once. */
static uint8_t keep_answer(struct transfer *transfer, const struct hop_answer *answer)
{
        for (uint8_t i = 0; i < transfer->answer_count; i++)
                if (is_same(&transfer->answers[i], answer))
                        return i;
        if (transfer->answer_count == TRANSFER_ANSWERS_MAX)
                return TRANSFER_NO_ANSWER;
        transfer->answers[transfer->answer_count] = *answer;
        return transfer->answer_count++;
}

void transfer_settle(struct transfer *transfer, uint32_t recipient, enum hop_fate fate,
                     const struct hop_answer *answer)
{
        struct transfer_recipient *settled = &transfer->recipients[recipient];

        if (settled->is_settled)
                return;
        settled->is_settled = true;
        settled->fate = fate;
        settled->code = answer->code;
        settled->is_of_rcpt = strcmp(answer->state, "RCPT") == 0;
        memcpy(settled->enhanced, answer->enhanced, sizeof settled->enhanced);
        settled->answer = keep_answer(transfer, answer);
}

void transfer_settle_rest(struct transfer *transfer, enum hop_fate fate, const struct hop_answer *answer)
{
        for (uint32_t i = 0; i < transfer->recipient_count; i++)
                transfer_settle(transfer, i, fate, answer);
}

uint32_t transfer_count(const struct transfer *transfer, enum hop_fate fate)
{
        uint32_t count = 0;

        for (uint32_t i = 0; i < transfer->recipient_count; i++)
                count += transfer->recipients[i].is_settled && transfer->recipients[i].fate == fate;
        return count;
}

struct span transfer_words(const struct transfer *transfer, const struct transfer_recipient *recipient)
{
        return recipient->answer == TRANSFER_NO_ANSWER ? SPAN("")
                                                       : span_from(transfer->answers[recipient->answer].text);
}

struct ruling transfer_ruling(const struct transfer *transfer, const struct transfer_recipient *recipient)
{
        struct span text = recipient->answer == TRANSFER_NO_ANSWER ? SPAN("not taken by the mail store")
                                                                   : transfer_words(transfer, recipient);
        struct ruling ruling = {.kind = recipient->fate == FATE_REFUSED ? RULING_REFUSES : RULING_DEFERS,
                                .code = recipient->code,
                                .text_length = (uint16_t)text.length};

        static_assert(HOP_ANSWER_TEXT_MAX <= RULING_TEXT_MAX, "the words of a hop have room");
        memcpy(ruling.enhanced, recipient->enhanced, sizeof ruling.enhanced);
        memcpy(ruling.text, text.at, text.length);
        return ruling;
}
