/* What a stream may cost: its memory as the budget counts it, memory that is out at any moment, and floods of
 * records. */
#include "peers.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <time.h>

#define STREAMS 64

/* ---- memory that is counted, and fails when it is told to ---------------------------------------------- */

enum side { SIDE_CLIENT, SIDE_OURS };

struct block {
        size_t size;
        enum side side;
        _Alignas(16) char octets[];
};

static enum side turn;
static size_t held[2];
static long fails_in = -1; /* so many blocks of ours from now on, that one is refused; negative: never */
static bool fails_on;      /* and all that come behind it */
static unsigned refused;

static bool is_refused(void)
{
        if (turn != SIDE_OURS || fails_in < 0)
                return false;
        bool is_now = fails_in == 0;
        if (!is_now || !fails_on)
                fails_in--;
        refused += is_now;
        return is_now;
}

static void *counted_realloc(void *octets, size_t size, const char *file, int line)
{
        struct block *before =
            octets == NULL ? NULL : (struct block *)((char *)octets - offsetof(struct block, octets));
        enum side side = before == NULL ? turn : before->side;
        size_t size_before = before == NULL ? 0 : before->size;

        (void)file;
        (void)line;
        if (is_refused())
                return NULL;
        struct block *block = realloc(before, sizeof *block + size);
        if (block == NULL)
                return NULL;
        held[side] += size - size_before;
        *block = (struct block){.size = size, .side = side};
        return block->octets;
}

static void *counted_malloc(size_t size, const char *file, int line)
{
        return counted_realloc(NULL, size, file, line);
}

static void counted_free(void *octets, const char *file, int line)
{
        (void)file;
        (void)line;
        if (octets == NULL)
                return;
        struct block *block = (struct block *)((char *)octets - offsetof(struct block, octets));
        held[block->side] -= block->size;
        free(block);
}

/* ---- memory -------------------------------------------------------------------------------------------- */

static struct tls_buffers buffers;
static struct tls_peer peers[STREAMS];
static char room[65536];
static char kept[STREAMS];
static SSL_SESSION *ticket; /* NULL: clients have none */

static void say(const char *what, int version, size_t octets, size_t counted)
{
        printf("# %s, %s: %zu octets, counted as %zu\n", version == TLS1_3_VERSION ? "TLS 1.3" : "TLS 1.2",
               what, octets, counted);
        expect(octets <= counted);
}

static size_t ours_each(size_t before)
{
        return (held[SIDE_OURS] - before) / STREAMS;
}

/* Ours is given all that the client has said. */
static size_t open_said(struct tls_peer *peer, struct span said)
{
        turn = SIDE_OURS;
        size_t length = tls_stream_open(peer->stream, said, room, sizeof room);
        turn = SIDE_CLIENT;
        return length;
}

/* Ours is given all that the client has said but the last octet, which is kept. */
static void shake_partly(int number)
{
        SSL_do_handshake(peers[number].client);
        struct span said = tls_peer_said(&peers[number]);

        kept[number] = said.at[said.length - 1];
        turn = SIDE_OURS;
        expect(tls_stream_handshake(peers[number].stream, span_of(said.at, said.length - 1)) == TLS_WAITS);
        turn = SIDE_CLIENT;
}

static void shake_wholly(int number, enum tls_progress expected)
{
        turn = SIDE_OURS;
        expect(tls_stream_handshake(peers[number].stream, span_of(&kept[number], 1)) == expected);
        if (expected == TLS_DONE)
                expect(tls_stream_open(peers[number].stream, SPAN(""), room, sizeof room) == 0);
        turn = SIDE_CLIENT;
        tls_peer_hear(&peers[number], &buffers);
}

/* The client has said its first words, less an octet. */
static void begin_all(SSL_CTX *server, SSL_CTX *client)
{
        for (int i = 0; i < STREAMS; i++) {
                tls_peer_begin(&peers[i], client);
                if (ticket != NULL)
                        expect(SSL_set_session(peers[i].client, ticket) == 1);
                turn = SIDE_OURS;
                peers[i].stream = tls_stream_create(SSL_new(server), &buffers);
                turn = SIDE_CLIENT;
                shake_partly(i);
        }
}

/* Each client says a full record, of which all but the last octet come. */
static void send_parts(void)
{
        for (int i = 0; i < STREAMS; i++) {
                memset(room, 'x', 16384);
                expect(SSL_write(peers[i].client, room, 16384) == 16384);
                struct span said = tls_peer_said(&peers[i]);
                expect(open_said(&peers[i], span_of(said.at, said.length - 1)) == 0);
        }
}

static void measure_memory(int version, size_t chain)
{
        SSL_CTX *server = tls_peers_server(version), *client = tls_peers_client(version);
        size_t before = held[SIDE_OURS];

        if (chain > 0)
                tls_peers_certify(client, chain);
        begin_all(server, client);
        say("with a part of the first record", version, ours_each(before), tls_stream_size(peers[0].stream));
        for (int i = 0; i < STREAMS; i++)
                shake_wholly(i, TLS_WAITS);
        say("in the handshake", version, ours_each(before), tls_stream_size(peers[0].stream));
        for (int i = 0; i < STREAMS; i++)
                shake_partly(i);
        say("with a part of the last record", version, ours_each(before), tls_stream_size(peers[0].stream));
        for (int i = 0; i < STREAMS; i++)
                shake_wholly(i, TLS_DONE);
        say(chain > 0 ? "idle, with a large certificate" : "idle", version, ours_each(before),
            tls_stream_size(peers[0].stream));
        send_parts();
        say("with a part of a record", version, ours_each(before), tls_stream_size(peers[0].stream));
        for (int i = 0; i < STREAMS; i++)
                tls_peer_end(&peers[i]);
        SSL_CTX_free(server);
        SSL_CTX_free(client);
}

/* A ticket brings the client's certificate again, though no message does. */
static void measure_resumption(int version)
{
        SSL_CTX *server = tls_peers_server(version), *client = tls_peers_client(version);

        tls_peers_certify(client, 9000);
        tls_peer_begin(&peers[0], client);
        peers[0].stream = tls_stream_create(SSL_new(server), &buffers);
        expect(tls_peer_shake(&peers[0], &buffers) == TLS_DONE);
        expect(SSL_do_handshake(peers[0].client) == 1 && SSL_read(peers[0].client, room, 1) < 0);
        SSL_shutdown(peers[0].client); /* else nobody may resume it */
        ticket = SSL_get1_session(peers[0].client);
        tls_peer_end(&peers[0]);
        size_t before = held[SIDE_OURS];
        begin_all(server, client);
        for (int i = 0; i < STREAMS; i++) {
                shake_wholly(i, TLS_WAITS);
                shake_partly(i);
                shake_wholly(i, TLS_DONE);
        }
        expect(SSL_session_reused(peers[0].client));
        say("idle, resumed with a certificate", version, ours_each(before), tls_stream_size(peers[0].stream));
        for (int i = 0; i < STREAMS; i++)
                tls_peer_end(&peers[i]);
        SSL_SESSION_free(ticket);
        ticket = NULL;
        SSL_CTX_free(server);
        SSL_CTX_free(client);
}

/* New keys where there are any, a line, its answer and the end, as far as there is memory for them. */
static void converse(struct tls_peer *peer)
{
        SSL_key_update(peer->client, SSL_KEY_UPDATE_REQUESTED);
        SSL_write(peer->client, "QUIT\r\n", 6);
        open_said(peer, tls_peer_said(peer));
        turn = SIDE_OURS;
        tls_stream_seal(peer->stream, SPAN("221 2.0.0 goodbye\r\n"));
        tls_stream_size(peer->stream);
        tls_stream_close(peer->stream);
        turn = SIDE_CLIENT;
        buffers.output.length = 0;
}

/* Handshakes that failed, and those of which the client will not be held guilty (core/smtp/handshake.c). */
static unsigned failed, failed_ours;

static void note_failure(const char *reason)
{
        failed++;
        failed_ours += strstr(reason, "malloc") != NULL || strstr(reason, "internal") != NULL;
}

/* Of the blocks from now on this one is refused. Returns how the handshake went. */
static enum tls_progress try_without(long number, SSL_CTX *server, SSL_CTX *client)
{
        struct tls_peer peer;
        enum tls_progress progress = TLS_WAITS;

        tls_peer_begin(&peer, client);
        turn = SIDE_OURS;
        refused = 0;
        fails_in = number;
        peer.stream = tls_stream_create(SSL_new(server), &buffers);
        turn = SIDE_CLIENT;
        for (int i = 0; peer.stream != NULL && i < 4 && progress == TLS_WAITS; i++) {
                SSL_do_handshake(peer.client);
                struct span said = tls_peer_said(&peer);
                turn = SIDE_OURS;
                progress = tls_stream_handshake(peer.stream, said);
                turn = SIDE_CLIENT;
                tls_peer_hear(&peer, &buffers);
        }
        if (peer.stream != NULL)
                converse(&peer);
        fails_in = -1;
        if (progress == TLS_FAILED)
                note_failure(tls_stream_reason(peer.stream));
        tls_peer_end(&peer);
        return progress;
}

/* One block after the other is refused, or from one on all, until none is. */
static void run_out_of_memory(int version)
{
        SSL_CTX *server = tls_peers_server(version), *client = tls_peers_client(version);

        for (int i = 0; i < 2; i++) {
                long number = 0;
                enum tls_progress progress;
                fails_on = i == 1;
                do {
                        progress = try_without(number++, server, client);
                } while (refused > 0);
                expect(progress == TLS_DONE);
                printf("# memory was refused at %ld places%s\n", number - 1,
                       fails_on ? ", and from there on" : "");
        }
        SSL_CTX_free(server);
        SSL_CTX_free(client);
}

/* ---- floods -------------------------------------------------------------------------------------------- */

static double cpu_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static struct tls_peer *established(int version)
{
        SSL_CTX *server = tls_peers_server(version), *client = tls_peers_client(version);

        tls_peer_begin(&peers[0], client);
        peers[0].stream = tls_stream_create(SSL_new(server), &buffers);
        expect(tls_peer_shake(&peers[0], &buffers) == TLS_DONE);
        expect(tls_stream_open(peers[0].stream, SPAN(""), room, sizeof room) == 0);
        SSL_CTX_free(server);
        SSL_CTX_free(client);
        return &peers[0];
}

static void update_key(SSL *client)
{
        expect(SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(client) == 1);
}

/* One that is asked for is refused, and the session goes on (RFC 5246 7.2.2); the messages count as records of
 * little use. */
static void refuse_renegotiation(void)
{
        struct tls_peer *peer = established(TLS1_2_VERSION);

        expect(SSL_renegotiate(peer->client) == 1);
        SSL_do_handshake(peer->client);
        expect(tls_stream_open(peer->stream, tls_peer_said(peer), room, sizeof room) == 0);
        expect(tls_stream_end(peer->stream) == TLS_OPEN);
        expect(tls_stream_seal(peer->stream, SPAN("250 2.0.0 ok\r\n")));
        tls_peer_hear(peer, &buffers);
        tls_peer_end(peer);
}

static void write_octet(SSL *client)
{
        expect(SSL_write(client, "x", 1) == 1);
}

static void write_line(SSL *client)
{
        expect(SSL_write(client, "x234567890123456789012345678901234567890", 40) == 40);
}

/* Returns how many records were taken, 20000 at most; and tells what they cost. */
static unsigned flood(const char *what, int version, void (*write)(SSL *client))
{
        struct tls_peer *peer = established(version);
        double spent = 0;
        unsigned records = 0;

        while (tls_stream_end(peer->stream) == TLS_OPEN && records < 20000) {
                for (int i = 0; i < 500; i++)
                        write(peer->client);
                records += 500;
                struct span said = tls_peer_said(peer);
                double began = cpu_ms();
                tls_stream_open(peer->stream, said, room, sizeof room);
                spent += cpu_ms() - began;
                buffers.output.length = 0;
        }
        printf("# %s: broken after at most %u records and %.1f ms of CPU (%s)\n", what, records, spent,
               tls_stream_end(peer->stream) == TLS_BROKEN ? tls_stream_reason(peer->stream) : "not broken");
        tls_peer_end(peer);
        return records;
}

/* What one command and its reply cost, in records. */
static void measure_round_trip(int version)
{
        struct tls_peer *peer = established(version);
        double spent = 0;

        for (int i = 0; i < 20000; i++) {
                write_line(peer->client);
                struct span said = tls_peer_said(peer);
                double began = cpu_ms();
                expect(tls_stream_open(peer->stream, said, room, sizeof room) == 40);
                expect(tls_stream_seal(peer->stream, span_of(room, 100)));
                spent += cpu_ms() - began;
                buffers.output.length = 0;
        }
        printf("# a command and its reply: %.2f us\n", spent / 20);
        tls_peer_end(peer);
}

int main(void)
{
        CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free);
        expect(tls_buffers_init(&buffers));
        run_out_of_memory(TLS1_2_VERSION);
        run_out_of_memory(TLS1_3_VERSION);
        printf("# of %u handshakes that failed, the reason of %u is want of memory\n", failed, failed_ours);
        expect(failed_ours * 10 >= failed * 9);
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
                measure_memory(version, 0);
                measure_memory(version, 15000);
                measure_resumption(version);
                measure_round_trip(version);
        }
        refuse_renegotiation();
        expect(flood("key updates", TLS1_3_VERSION, update_key) <= 500);
        expect(flood("records of one octet, TLS 1.2", TLS1_2_VERSION, write_octet) <= 2500);
        expect(flood("records of one octet, TLS 1.3", TLS1_3_VERSION, write_octet) <= 2500);
        expect(flood("records of 40 octets", TLS1_3_VERSION, write_line) == 20000);
        tls_buffers_end(&buffers);
        return 0;
}
