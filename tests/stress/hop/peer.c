/* Scripts of next hops, step by step. */
#include "tests/stress/hop/peer.h"

#include "core/base/expect.h"
#include "tests/stress/tls/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 2048

struct play {
        struct peer *peer;
        int fd;   /* -1: none */
        SSL *ssl; /* NULL: in plain text */
        size_t length;
        char octets[65536];
};

static void need_connection(struct play *play)
{
        if (play->fd >= 0)
                return;
        play->fd = accept(play->peer->listener, NULL, NULL);
        expect(play->fd >= 0);
        play->length = 0;
        play->peer->connections++;
}

/* False: the other side has closed. */
static bool read_more(struct play *play)
{
        size_t room = sizeof play->octets - play->length;
        ssize_t received = play->ssl == NULL ? recv(play->fd, play->octets + play->length, room, 0)
                                             : SSL_read(play->ssl, play->octets + play->length, (int)room);
        if (received <= 0)
                return false;
        play->length += (size_t)received;
        return true;
}

static void use(struct play *play, size_t length)
{
        play->length -= length;
        memmove(play->octets, play->octets + length, play->length);
}

static void hear_line(struct play *play, const char *start)
{
        char *end;

        while ((end = memmem(play->octets, play->length, "\r\n", 2)) == NULL)
                expect(read_more(play));
        if (strncmp(play->octets, start, strlen(start)) != 0) {
                fprintf(stderr, "wanted %s, got %.*s\n", start, (int)(end - play->octets), play->octets);
                abort();
        }
        use(play, (size_t)(end - play->octets) + 2);
}

static void hear_text(struct play *play)
{
        struct peer *peer = play->peer;

        peer->text_length = 0;
        for (;;) {
                expect(peer->text_length + play->length < PEER_TEXT_MAX);
                memcpy(peer->text + peer->text_length, play->octets, play->length);
                peer->text_length += play->length;
                play->length = 0;
                if (peer->text_length >= 3 && memcmp(peer->text, ".\r\n", 3) == 0)
                        break;
                if (peer->text_length >= 5 && memcmp(peer->text + peer->text_length - 5, "\r\n.\r\n", 5) == 0)
                        break;
                expect(read_more(play));
        }
        peer->text[peer->text_length] = '\0';
}

static void say(struct play *play, const char *line)
{
        char octets[LINE_SIZE];
        int length = snprintf(octets, sizeof octets, "%s\r\n", line);
        ssize_t sent = play->ssl == NULL ? send(play->fd, octets, (size_t)length, MSG_NOSIGNAL)
                                         : SSL_write(play->ssl, octets, length);
        expect(sent == length);
}

/* Whoever is not content with its certificate leaves here. */
static void secure(struct play *play)
{
        SSL_CTX *context = tls_peers_server(TLS1_3_VERSION);

        expect(play->length == 0);
        play->ssl = SSL_new(context);
        SSL_CTX_free(context);
        expect(play->ssl != NULL && SSL_set_fd(play->ssl, play->fd) == 1);
        SSL_accept(play->ssl);
}

static void leave(struct play *play)
{
        SSL_free(play->ssl);
        play->ssl = NULL;
        close(play->fd);
        play->fd = -1;
}

static void wait_for_permit(struct peer *peer)
{
        while (peer->permits == 0)
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        peer->permits--;
}

static void play_step(struct play *play, char what, const char *rest)
{
        if (what != 'W')
                need_connection(play);
        switch (what) {
        case 'S':
                say(play, rest);
                break;
        case 'C':
                hear_line(play, rest);
                break;
        case 'T':
                hear_text(play);
                break;
        case 'O':
                while (play->length < strtoul(rest, NULL, 10))
                        expect(read_more(play));
                break;
        case 'W':
                wait_for_permit(play->peer);
                break;
        case 'L':
                secure(play);
                break;
        case 'E':
                while (read_more(play))
                        play->length = 0;
                leave(play);
                break;
        default:
                expect(what == 'X');
                leave(play);
        }
        play->peer->steps++;
}

static void *peer_main(void *argument)
{
        struct peer *peer = argument;
        struct play *play = malloc(sizeof *play);
        char line[LINE_SIZE];

        expect(play != NULL);
        play->peer = peer;
        play->fd = -1;
        play->ssl = NULL;
        for (const char *at = peer->script; *at != '\0';) {
                size_t length = strcspn(at, "\n");
                expect(length >= 2 && length < sizeof line);
                memcpy(line, at, length);
                line[length] = '\0';
                play_step(play, line[0], length > 3 ? line + 3 : "");
                at += length + 1;
        }
        if (play->fd >= 0)
                leave(play);
        free(play);
        return NULL;
}

static uint16_t bind_somewhere(int *ret_fd)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;

        *ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        expect(*ret_fd >= 0 && bind(*ret_fd, (struct sockaddr *)&address, length) == 0);
        expect(getsockname(*ret_fd, (struct sockaddr *)&address, &length) == 0);
        return ntohs(address.sin_port);
}

static struct next_hop hop_at(enum hop_protocol protocol, uint16_t port)
{
        struct next_hop hop = {.protocol = protocol, .weight = 1};

        expect(address_parse(SPAN("127.0.0.1"), &hop.endpoint.address));
        hop.endpoint.port = port;
        return hop;
}

void peer_begin(struct peer *peer, enum hop_protocol protocol, const char *script)
{
        *peer = (struct peer){.script = script, .text = malloc(PEER_TEXT_MAX)};
        peer->hop = hop_at(protocol, bind_somewhere(&peer->listener));
        expect(listen(peer->listener, 16) == 0);
        expect(peer->text != NULL && pthread_create(&peer->thread, NULL, peer_main, peer) == 0);
}

void peer_go_on(struct peer *peer)
{
        peer->permits++;
}

void peer_await(const struct peer *peer, uint32_t steps)
{
        while (peer->steps < steps)
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

void peer_end(struct peer *peer)
{
        pthread_join(peer->thread, NULL);
        close(peer->listener);
        free(peer->text);
}

/* Bound until the program ends: a port that is free would be somebody's who runs beside. */
struct next_hop peer_nobody(enum hop_protocol protocol)
{
        int fd;

        return hop_at(protocol, bind_somewhere(&fd));
}
