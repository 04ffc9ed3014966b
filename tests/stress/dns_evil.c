/* The resolver pool against a hostile upstream: whatever comes, an answer that is none is never believed,
 * nothing crashes, time is bounded, and the next honest answer is taken. The first label of a name says what
 * the server does. */
#include "dns_asker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#define MUTATIONS   3000
#define ATTEMPT_MS  100
#define DEADLINE_MS 400
#define PACKET_MAX  65535

struct packet {
        unsigned char octets[PACKET_MAX];
        size_t length;
};

static struct {
        int udp_fd, other_fd, tcp_fd, stop_fd;
        uint16_t port;
        uint32_t random;
        struct packet query, answer; /* the thread's */
} evil = {.random = 1};

static uint32_t evil_random(void)
{
        evil.random = evil.random * 1664525u + 1013904223u;
        return evil.random >> 8;
}

/* ---- packets
 * ------------------------------------------------------------------------------------------------------ */

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
        struct packet *answer = &evil.answer;
        answer->length = 0;
        put(answer, evil.query.octets, question_end(&evil.query));
        memcpy(answer->octets + 2, "\x81\x80\0\1\0\0\0\0\0\0", 10);
        answer->octets[6] = (unsigned char)(answers >> 8);
        answer->octets[7] = (unsigned char)answers;
}

#define A_HEAD "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4"

static void answer_good(void)
{
        answer_begin(1);
        PUT(&evil.answer, A_HEAD "\xc0\0\2\1");
}

static void answer_records(unsigned count)
{
        answer_begin(count);
        for (unsigned i = 0; i < count; i++)
                PUT(&evil.answer, A_HEAD "\xc0\0\2\1");
}

/* ---- what the server does
 * ----------------------------------------------------------------------------------------- */

static void do_garbage(void)
{
        evil.answer.length = 60;
        for (size_t i = 2; i < evil.answer.length; i++)
                evil.answer.octets[i] = (unsigned char)evil_random();
        memcpy(evil.answer.octets, evil.query.octets, 2);
}

static void do_short(void)
{
        evil.answer.length = 5;
}

static void do_header(void)
{
        evil.answer.length = 12;
}

static void do_wrong_name(void)
{
        evil.answer.octets[13] ^= 1;
}

static void do_wrong_type(void)
{
        evil.answer.octets[question_end(&evil.query) - 3] = 28;
}

static void do_no_qr(void)
{
        evil.answer.octets[2] &= 0x7f;
}

static void do_no_question(void)
{
        evil.answer.length = 12;
        evil.answer.octets[5] = 0;
        PUT(&evil.answer, "\4evil\0\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1");
}

static void do_pointer_loop(void)
{
        evil.answer.length = question_end(&evil.query);
        size_t at = evil.answer.length;
        unsigned char pointer[2] = {(unsigned char)(0xc0 | at >> 8), (unsigned char)at};
        put(&evil.answer, pointer, 2);
        PUT(&evil.answer, "\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1");
}

static void do_pointer_forward(void)
{
        evil.answer.length = question_end(&evil.query);
        PUT(&evil.answer, "\xff\xff\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1");
}

static void do_question_pointer(void)
{
        memcpy(evil.answer.octets + 12, "\xc0\x0c", 2);
}

static void do_count(void)
{
        evil.answer.octets[7] = 200;
}

static void do_data_length(void)
{
        evil.answer.octets[evil.answer.length - 5] = 200;
}

static void do_short_address(void)
{
        evil.answer.octets[evil.answer.length - 5] = 3;
        evil.answer.length--;
}

static void do_class(void)
{
        evil.answer.octets[question_end(&evil.query) + 5] = 3;
}

static void do_case(void)
{
        for (size_t i = 13; evil.answer.octets[i] != 0; i++)
                if (evil.answer.octets[i] >= 'a' && evil.answer.octets[i] <= 'z' && evil_random() % 2)
                        evil.answer.octets[i] -= 32;
}

/* Two CNAMEs, each to the other's owner. */
static void do_cname_loop(void)
{
        answer_begin(2);
        PUT(&evil.answer, "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\3\1x\0");
        PUT(&evil.answer, "\1x\0\0\5\0\1\0\0\0\x3c\0\2\xc0\x0c");
}

static void do_cname_long(void)
{
        answer_begin(40);
        for (unsigned char i = 0; i < 40; i++) {
                unsigned char owner[3] = {1, i, 0}, target[3] = {1, (unsigned char)(i + 1), 0};
                if (i == 0)
                        PUT(&evil.answer, "\xc0\x0c");
                else
                        put(&evil.answer, owner, 3);
                PUT(&evil.answer, "\0\5\0\1\0\0\0\x3c\0\3");
                put(&evil.answer, target, 3);
        }
}

/* Each answer points to yet another name. */
static void do_cname_endless(void)
{
        char label[12];
        answer_begin(1);
        PUT(&evil.answer, "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\x17\x0c"
                          "cnameendless\x08");
        snprintf(label, sizeof label, "%08x", evil_random());
        put(&evil.answer, label, 8);
        PUT(&evil.answer, "\0");
}

static void do_cname_binary(void)
{
        answer_begin(1);
        PUT(&evil.answer, "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\x05\3\0\xff\\\0");
}

static void do_huge(void)
{
        answer_records(4000);
}

static void do_good(void)
{
}

static void do_truncated(void)
{
        evil.answer.length = question_end(&evil.query);
        evil.answer.octets[2] |= 2;
        evil.answer.octets[7] = 0;
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
                evil.answer.octets[2 + evil_random() % (evil.answer.length - 2)] ^=
                    (unsigned char)(1u << evil_random() % 8);
        if (evil_random() % 8 == 0)
                evil.answer.length = 2 + evil_random() % evil.answer.length;
}

static const struct behaviour {
        const char *label;
        void (*change)(void); /* of the good answer; NULL: silence */
        enum fact expected;
} behaviours[] = {
    {"good", do_good, FACT_FOUND},
    {"silent", NULL, FACT_FAILED},
    {"garbage", do_garbage, FACT_FAILED},
    {"short", do_short, FACT_FAILED},
    {"header", do_header, FACT_FAILED},
    {"wrongname", do_wrong_name, FACT_FAILED},
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
    {"tcgood", do_truncated, FACT_FOUND},
    {"tcclose", do_truncated, FACT_FAILED},
    {"tcmid", do_truncated, FACT_FAILED},
    {"tcshort", do_truncated, FACT_FAILED},
    {"tczero", do_truncated, FACT_FAILED},
    {"tcgarbage", do_truncated, FACT_FAILED},
    {"tcwrong", do_truncated, FACT_FAILED},
    {"tctwice", do_truncated, FACT_FAILED},
    {"tcslow", do_truncated, FACT_FOUND},
    {"tchuge", do_truncated, FACT_FOUND},
    {"tcsilent", do_truncated, FACT_FAILED},
    {"mutate", do_mutate, FACT_PENDING},
};

static bool label_is(const char *label)
{
        size_t length = strlen(label);
        return evil.query.octets[12] == length &&
               strncasecmp((char *)evil.query.octets + 13, label, length) == 0;
}

static const struct behaviour *behaviour_find(void)
{
        for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++)
                if (label_is(behaviours[i].label))
                        return &behaviours[i];
        return &behaviours[0];
}

/* ---- the server
 * --------------------------------------------------------------------------------------------------- */

static void udp_turn(void)
{
        struct sockaddr_in peer;
        socklen_t peer_length = sizeof peer;
        ssize_t length =
            recvfrom(evil.udp_fd, evil.query.octets, PACKET_MAX, 0, (struct sockaddr *)&peer, &peer_length);

        expect(length > 16);
        evil.query.length = (size_t)length;
        const struct behaviour *behaviour = behaviour_find();
        if (behaviour->change == NULL)
                return;
        answer_good();
        if (label_is("spoof")) {
                evil.answer.octets[evil.answer.length - 1] = 66;
                sendto(evil.other_fd, evil.answer.octets, evil.answer.length, 0, (struct sockaddr *)&peer,
                       peer_length);
                answer_good();
        }
        behaviour->change();
        int fd = label_is("source") ? evil.other_fd : evil.udp_fd;
        sendto(fd, evil.answer.octets, evil.answer.length, 0, (struct sockaddr *)&peer, peer_length);
}

static void tcp_send(int fd, size_t announced, size_t length, bool is_slow)
{
        unsigned char prefix[2] = {(unsigned char)(announced >> 8), (unsigned char)announced};

        send(fd, prefix, 2, MSG_NOSIGNAL);
        for (size_t sent = 0; sent < length;) {
                ssize_t more =
                    send(fd, evil.answer.octets + sent, is_slow ? 10 : length - sent, MSG_NOSIGNAL);
                if (more <= 0)
                        return;
                sent += (size_t)more;
                if (is_slow)
                        usleep(2000);
        }
}

static void tcp_answer(int fd)
{
        answer_good();
        if (label_is("tcwrong"))
                do_wrong_name();
        if (label_is("tcgarbage"))
                do_garbage();
        if (label_is("tctwice"))
                do_truncated();
        if (label_is("tchuge"))
                do_huge();
        if (label_is("tcclose"))
                return;
        if (label_is("tcsilent"))
                usleep(2 * ATTEMPT_MS * 1000);
        else if (label_is("tcmid"))
                tcp_send(fd, evil.answer.length, 20, false);
        else if (label_is("tcshort"))
                tcp_send(fd, 5, 5, false);
        else if (label_is("tczero"))
                tcp_send(fd, 0, 0, false);
        else
                tcp_send(fd, evil.answer.length, evil.answer.length, label_is("tcslow"));
}

/* One query a connection, then it is closed: that alone is hard on clients. */
static void tcp_turn(void)
{
        unsigned char prefix[2];
        int fd = accept(evil.tcp_fd, NULL, NULL);

        if (fd < 0)
                return;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_usec = 100000}, sizeof(struct timeval));
        if (recv(fd, prefix, 2, MSG_WAITALL) == 2) {
                size_t length = (size_t)prefix[0] << 8 | prefix[1];
                if (length > 16 && recv(fd, evil.query.octets, length, MSG_WAITALL) == (ssize_t)length) {
                        evil.query.length = length;
                        tcp_answer(fd);
                }
        }
        close(fd);
}

static void *evil_run(void *argument)
{
        struct pollfd fds[] = {{evil.udp_fd, POLLIN, 0}, {evil.tcp_fd, POLLIN, 0}, {evil.stop_fd, POLLIN, 0}};

        for (;;) {
                poll(fds, 3, -1);
                if (fds[0].revents)
                        udp_turn();
                if (fds[1].revents)
                        tcp_turn();
                if (fds[2].revents)
                        return argument;
        }
}

static int bound(int type, uint16_t port)
{
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
        socklen_t length = sizeof address;
        int fd = socket(AF_INET, type, 0), one = 1;

        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, (struct sockaddr *)&address, length) < 0 ||
            (type == SOCK_STREAM && listen(fd, 64) < 0)) {
                close(fd);
                return -1;
        }
        getsockname(fd, (struct sockaddr *)&address, &length);
        evil.port = ntohs(address.sin_port);
        return fd;
}

static pthread_t evil_begin(void)
{
        pthread_t thread;

        evil.tcp_fd = -1;
        for (int tries = 0; tries < 20 && evil.tcp_fd < 0; tries++) {
                if (tries > 0)
                        close(evil.udp_fd);
                evil.udp_fd = bound(SOCK_DGRAM, 0);
                evil.tcp_fd = bound(SOCK_STREAM, evil.port);
        }
        uint16_t port = evil.port;
        evil.other_fd = bound(SOCK_DGRAM, 0);
        evil.port = port;
        evil.stop_fd = eventfd(0, 0);
        expect(evil.udp_fd >= 0 && evil.tcp_fd >= 0 && evil.other_fd >= 0);
        expect(pthread_create(&thread, NULL, evil_run, NULL) == 0);
        return thread;
}

/* ---- tests
 * -------------------------------------------------------------------------------------------------------- */

static void expect_honest(struct asker *asker, const char *label, unsigned number)
{
        struct dns_answer answer;
        char name[64];

        snprintf(name, sizeof name, "%s.n%u.test", label, number);
        enum fact fact = asker_ask(asker, name, DNS_A, &answer);
        if (fact != FACT_FOUND)
                fprintf(stderr, "%s: not answered\n", name);
        expect(fact == FACT_FOUND && memcmp(answer.records[0].data.at, "\300\0\2\1", 4) == 0);
}

static void test_behaviours(struct asker *asker)
{
        for (unsigned i = 0; i < sizeof behaviours / sizeof *behaviours; i++) {
                struct dns_answer answer;
                char name[64];

                if (behaviours[i].expected == FACT_PENDING)
                        continue;
                snprintf(name, sizeof name, "%s.test", behaviours[i].label);
                uint64_t begin_ms = clock_ms();
                enum fact fact = asker_ask(asker, name, DNS_A, &answer);
                uint64_t took_ms = clock_ms() - begin_ms;
                if (fact != behaviours[i].expected || took_ms > DEADLINE_MS + 300)
                        fprintf(stderr, "%s: %d after %u ms\n", name, fact, (unsigned)took_ms);
                expect(fact == behaviours[i].expected && took_ms <= DEADLINE_MS + 300);
                expect(fact != FACT_FOUND || answer.records[0].data.at[3] == 1);
                expect(answer.record_count <= 128);
                expect_honest(asker, "good", i);
                expect_honest(asker, "tcgood", i);
        }
}

static void test_mutations(struct asker *asker)
{
        unsigned pending = 0, facts[4] = {0};

        for (unsigned i = 0; i < MUTATIONS || pending > 0;) {
                struct dns_answer answer;
                char name[64];
                for (; i < MUTATIONS && pending < 500; i++) {
                        snprintf(name, sizeof name, "mutate.m%u.test", i);
                        pending += asker_file(asker, name, DNS_A, i, &answer) == FACT_PENDING;
                }
                const struct dns_reply_message *message = asker_wait(asker, 10000);
                expect(message != NULL);
                facts[message->answer.fact]++;
                pending--;
        }
        expect(facts[FACT_FAILED] > 0 && facts[FACT_FOUND] > 0);
}

int main(void)
{
        struct dns_pool_options options = dns_pool_defaults;
        struct endpoint endpoint;
        struct asker asker;
        uint64_t one = 1;

        urcu_memb_register_thread();
        pthread_t thread = evil_begin();
        expect(address_parse(SPAN("127.0.0.1"), &endpoint.address));
        endpoint.port = evil.port;
        options.cache = dns_cache_create(&dns_cache_defaults);
        options.upstreams = &endpoint;
        options.upstream_count = options.clients = options.threads = 1;
        options.attempt_timeout_ms = ATTEMPT_MS;
        options.deadline_ms = DEADLINE_MS;
        struct dns_pool *pool = dns_pool_create(&options);
        expect(options.cache != NULL && pool != NULL);
        asker_begin(&asker, pool, 0);
        test_behaviours(&asker);
        test_mutations(&asker);
        expect_honest(&asker, "good", 9999);
        expect_honest(&asker, "tcgood", 9999);
        dns_pool_destroy(pool);
        dns_cache_destroy(options.cache);
        asker_end(&asker);
        expect(write(evil.stop_fd, &one, sizeof one) == sizeof one);
        pthread_join(thread, NULL);
        urcu_memb_unregister_thread();
        return 0;
}
