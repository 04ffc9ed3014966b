/* One good answer, and what is done to it. */
#include "evil_server.h"

#include "core/base/expect.h"

#include <string.h>
#include <strings.h>

struct packet evil_query, evil_answer;

static uint32_t evil_random(void)
{
        static uint32_t state = 1;
        state = state * 1664525u + 1013904223u;
        return state >> 8;
}

/* ---- packets ------------------------------------------------------------------------------------------- */

static void put(struct packet *packet, const void *octets, size_t length)
{
        expect(packet->length + length <= PACKET_MAX);
        memcpy(packet->octets + packet->length, octets, length);
        packet->length += length;
}

#define PUT(packet, literal) put(packet, literal, sizeof(literal) - 1)

static size_t question_end(const struct packet *query)
{
        size_t at = 12;
        while (at < query->length && query->octets[at] != 0)
                at += query->octets[at] + 1u;
        return at + 5;
}

/* Header with QR and RA, the question; no records yet. */
static void answer_begin(unsigned answers)
{
        struct packet *answer = &evil_answer;
        answer->length = 0;
        put(answer, evil_query.octets, question_end(&evil_query));
        memcpy(answer->octets + 2, "\x81\x80\0\1\0\0\0\0\0\0", 10);
        answer->octets[6] = (unsigned char)(answers >> 8);
        answer->octets[7] = (unsigned char)answers;
}

#define A_HEAD "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4"

void evil_answer_good(void)
{
        answer_begin(1);
        PUT(&evil_answer, A_HEAD "\xc0\0\2\1");
}

static void answer_records(unsigned count)
{
        answer_begin(count);
        for (unsigned i = 0; i < count; i++)
                PUT(&evil_answer, A_HEAD "\xc0\0\2\1");
}

/* ---- what the server does ------------------------------------------------------------------------------ */

void evil_do_garbage(void)
{
        evil_answer.length = 60;
        for (size_t i = 2; i < evil_answer.length; i++)
                evil_answer.octets[i] = (unsigned char)evil_random();
        memcpy(evil_answer.octets, evil_query.octets, 2);
}

static void do_short(void)
{
        evil_answer.length = 5;
}

static void do_header(void)
{
        evil_answer.length = 12;
}

void evil_do_wrong_name(void)
{
        evil_answer.octets[13] ^= 1;
}

static void do_wrong_type(void)
{
        evil_answer.octets[question_end(&evil_query) - 3] = 28;
}

static void do_no_qr(void)
{
        evil_answer.octets[2] &= 0x7f;
}

static void do_no_question(void)
{
        evil_answer.length = 12;
        evil_answer.octets[5] = 0;
        PUT(&evil_answer, "\4evil\0\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1");
}

static void do_pointer_loop(void)
{
        evil_answer.length = question_end(&evil_query);
        size_t at = evil_answer.length;
        unsigned char pointer[2] = {(unsigned char)(0xc0 | at >> 8), (unsigned char)at};
        put(&evil_answer, pointer, 2);
        PUT(&evil_answer, "\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1");
}

static void do_pointer_forward(void)
{
        evil_answer.length = question_end(&evil_query);
        PUT(&evil_answer, "\xff\xff\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1");
}

static void do_question_pointer(void)
{
        memcpy(evil_answer.octets + 12, "\xc0\x0c", 2);
}

static void do_count(void)
{
        evil_answer.octets[7] = 200;
}

static void do_data_length(void)
{
        evil_answer.octets[evil_answer.length - 5] = 200;
}

static void do_short_address(void)
{
        evil_answer.octets[evil_answer.length - 5] = 3;
        evil_answer.length--;
}

static void do_class(void)
{
        evil_answer.octets[question_end(&evil_query) + 5] = 3;
}

static void do_case(void)
{
        for (size_t i = 13; evil_answer.octets[i] != 0; i++)
                if (evil_answer.octets[i] >= 'a' && evil_answer.octets[i] <= 'z' && evil_random() % 2)
                        evil_answer.octets[i] -= 32;
}

/* Two CNAMEs, each to the other's owner. */
static void do_cname_loop(void)
{
        answer_begin(2);
        PUT(&evil_answer, "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\3\1x\0");
        PUT(&evil_answer, "\1x\0\0\5\0\1\0\0\0\x3c\0\2\xc0\x0c");
}

static void do_cname_long(void)
{
        answer_begin(40);
        for (unsigned char i = 0; i < 40; i++) {
                unsigned char owner[3] = {1, i, 0}, target[3] = {1, (unsigned char)(i + 1), 0};
                if (i == 0)
                        PUT(&evil_answer, "\xc0\x0c");
                else
                        put(&evil_answer, owner, 3);
                PUT(&evil_answer, "\0\5\0\1\0\0\0\x3c\0\3");
                put(&evil_answer, target, 3);
        }
}

/* Each answer points to yet another name. */
static void do_cname_endless(void)
{
        char label[12];
        answer_begin(1);
        PUT(&evil_answer, "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\x17\x0c"
                          "cnameendless\x08");
        snprintf(label, sizeof label, "%08x", evil_random());
        put(&evil_answer, label, 8);
        PUT(&evil_answer, "\0");
}

static void do_cname_binary(void)
{
        answer_begin(1);
        PUT(&evil_answer, "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\x05\3\0\xff\\\0");
}

void evil_do_huge(void)
{
        answer_records(4000);
}

static void do_good(void)
{
}

void evil_do_truncated(void)
{
        evil_answer.length = question_end(&evil_query);
        evil_answer.octets[2] |= 2;
        evil_answer.octets[7] = 0;
}

/* From one octet changed to half of them, now and then cut short. The id stays. */
static void do_mutate(void)
{
        uint32_t changes = 1 + evil_random() % (evil_random() % 8 == 0 ? 40 : 4);
        if (evil_random() % 2)
                answer_records(1 + evil_random() % 5);
        if (evil_random() % 8 == 0)
                do_cname_loop();
        for (; changes > 0; changes--)
                evil_answer.octets[2 + evil_random() % (evil_answer.length - 2)] ^=
                    (unsigned char)(1u << evil_random() % 8);
        if (evil_random() % 8 == 0)
                evil_answer.length = 2 + evil_random() % evil_answer.length;
}

const struct evil_behaviour evil_behaviours[] = {
    {"good", do_good, FACT_FOUND},
    {"silent", NULL, FACT_FAILED},
    {"garbage", evil_do_garbage, FACT_FAILED},
    {"short", do_short, FACT_FAILED},
    {"header", do_header, FACT_FAILED},
    {"wrongname", evil_do_wrong_name, FACT_FAILED},
    {"wrongtype", do_wrong_type, FACT_FAILED},
    {"noqr", do_no_qr, FACT_FAILED},
    {"noquestion", do_no_question, FACT_FAILED},
    {"pointerloop", do_pointer_loop, FACT_FAILED},
    {"pointerforward", do_pointer_forward, FACT_FAILED},
    {"questionpointer", do_question_pointer, FACT_FAILED},
    {"count", do_count, FACT_FAILED},
    {"datalength", do_data_length, FACT_FOUND},
    /* getdns takes the octets that are there */
    {"shortaddress", do_short_address, FACT_FAILED},
    {"class", do_class, FACT_FAILED},
    {"case", do_case, FACT_FOUND},
    {"cnameloop", do_cname_loop, FACT_FAILED},
    {"cnamelong", do_cname_long, FACT_FAILED},
    {"cnameendless", do_cname_endless, FACT_FAILED},
    {"cnamebinary", do_cname_binary, FACT_FAILED},
    {"source", do_good, FACT_FAILED},
    {"spoof", do_good, FACT_FOUND},
    {"tcgood", evil_do_truncated, FACT_FOUND},
    {"tcclose", evil_do_truncated, FACT_FAILED},
    {"tcmid", evil_do_truncated, FACT_FAILED},
    {"tcshort", evil_do_truncated, FACT_FAILED},
    {"tczero", evil_do_truncated, FACT_FAILED},
    {"tcgarbage", evil_do_truncated, FACT_FAILED},
    {"tcwrong", evil_do_truncated, FACT_FAILED},
    {"tctwice", evil_do_truncated, FACT_FAILED},
    {"tcslow", evil_do_truncated, FACT_FOUND},
    {"tchuge", evil_do_truncated, FACT_FAILED},
    {"tcsilent", evil_do_truncated, FACT_FAILED},
    {"mutate", do_mutate, FACT_PENDING},
};

const size_t evil_behaviour_count = sizeof evil_behaviours / sizeof *evil_behaviours;

bool evil_label_is(const char *label)
{
        size_t length = strlen(label);
        return evil_query.octets[12] == length &&
               strncasecmp((char *)evil_query.octets + 13, label, length) == 0;
}

const struct evil_behaviour *evil_behaviour_find(void)
{
        for (size_t i = 0; i < evil_behaviour_count; i++)
                if (evil_label_is(evil_behaviours[i].label))
                        return &evil_behaviours[i];
        return &evil_behaviours[0];
}
