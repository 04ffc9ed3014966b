/* A BIO of our own. */
#include "bench/tls/wire.h"

#include "bench/common.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static int wire_read(BIO *bio, char *room, int size)
{
        struct wire *wire = BIO_get_data(bio);
        size_t length = wire->input_length < (size_t)size ? wire->input_length : (size_t)size;

        BIO_clear_retry_flags(bio);
        if (length == 0) {
                BIO_set_retry_read(bio);
                return -1;
        }
        memcpy(room, wire->input, length);
        wire->input += length;
        wire->input_length -= length;
        return (int)length;
}

static int wire_write(BIO *bio, const char *octets, int length)
{
        struct wire *wire = BIO_get_data(bio);

        expect((size_t)length <= sizeof wire->output - wire->output_length);
        memcpy(wire->output + wire->output_length, octets, (size_t)length);
        wire->output_length += (size_t)length;
        return length;
}

static long wire_ctrl(BIO *bio, int command, long number, void *pointer)
{
        (void)bio, (void)number, (void)pointer;
        return command == BIO_CTRL_FLUSH;
}

static void method_make(void)
{
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
        expect(method != NULL && BIO_meth_set_read(method, wire_read) == 1 &&
               BIO_meth_set_write(method, wire_write) == 1 && BIO_meth_set_ctrl(method, wire_ctrl) == 1);
}

struct wire *wire_new(void)
{
        struct wire *wire = malloc(sizeof *wire);

        expect(wire != NULL);
        wire->input_length = wire->output_length = 0;
        return wire;
}

void wire_attach(struct wire *wire, SSL *ssl)
{
        pthread_once(&method_once, method_make);
        BIO *bio = BIO_new(method);
        expect(bio != NULL);
        BIO_set_data(bio, wire);
        BIO_set_init(bio, 1);
        SSL_set_bio(ssl, bio, bio);
}

ssize_t wire_receive(struct wire *wire, int fd)
{
        ssize_t received = recv(fd, wire->received, sizeof wire->received, 0);

        if (received > 0) {
                wire->input = wire->received;
                wire->input_length = (size_t)received;
        }
        return received;
}
