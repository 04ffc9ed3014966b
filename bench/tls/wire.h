/* Between OpenSSL and a thread's buffers: it reads what the thread has received, and writes what the thread then sends.
 * So each side makes one system call for each flight, as gatepost does. */
#pragma once

#include <openssl/types.h>
#include <stddef.h>
#include <sys/types.h>

#define WIRE_INPUT_SIZE  ((size_t)64 << 10)
#define WIRE_OUTPUT_SIZE ((size_t)256 << 10)

/* Owned by one thread, whose connections take turns; between two of them both are empty. */
struct wire {
        const char *input; /* what is left of `received` */
        size_t input_length;
        size_t output_length;
        char received[WIRE_INPUT_SIZE];
        char output[WIRE_OUTPUT_SIZE];
};

/* The caller free()s it. */
struct wire *wire_new(void);
/* Has the SSL read and write by the wire, which must outlive it. */
void wire_attach(struct wire *wire, SSL *ssl);
/* Receives what the socket has, when all before has been read. As recv(); errno is EAGAIN when nothing is there. */
ssize_t wire_receive(struct wire *wire, int fd);
