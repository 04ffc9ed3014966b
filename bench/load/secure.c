/* The clients' side of TLS. */
#include "bench/load/internal.h"

#include "bench/common.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

/* ---- thread -------------------------------------------------------------------------------------------- */

/* Returns 1 because the ticket is now ours. */
static int take_ticket(SSL *ssl, SSL_SESSION *ticket)
{
        struct load_thread *thread = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

        SSL_SESSION_free(thread->ticket);
        thread->ticket = ticket;
        return 1;
}

void secure_open(struct load_thread *thread)
{
        const struct tls_wishes *wishes = &thread->load->plan.workload->tls;

        thread->tls = tls_client_context(wishes);
        thread->wire = wire_new();
        SSL_CTX_set_app_data(thread->tls, thread);
        if (!wishes->is_resumed)
                return;
        SSL_CTX_set_session_cache_mode(thread->tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(thread->tls, take_ticket);
}

void secure_close(struct load_thread *thread)
{
        SSL_SESSION_free(thread->ticket);
        SSL_CTX_free(thread->tls);
        free(thread->wire);
}

/* ---- client -------------------------------------------------------------------------------------------- */

/* A copy, because OpenSSL takes a ticket for used up when another comes instead, and so would other clients' be. */
static void present_ticket(const struct load_thread *thread, const struct client *client)
{
        SSL_SESSION *copy = SSL_SESSION_dup(thread->ticket);

        expect(copy != NULL && SSL_set_session(client->ssl, copy) == 1);
        SSL_SESSION_free(copy);
}

void secure_begin(struct load_thread *thread, struct client *client)
{
        client->ssl = SSL_new(thread->tls);
        expect(client->ssl != NULL);
        wire_attach(thread->wire, client->ssl);
        client->is_with_ticket = thread->ticket != NULL;
        if (client->is_with_ticket)
                present_ticket(thread, client);
        SSL_set_connect_state(client->ssl);
        ERR_clear_error();
        SSL_do_handshake(client->ssl);
}

enum secure_progress secure_handshake(struct load_thread *thread, struct client *client)
{
        for (;;) {
                ERR_clear_error();
                int result = SSL_do_handshake(client->ssl);
                errno = 0;
                if (result == 1)
                        return SECURE_DONE;
                if (SSL_get_error(client->ssl, result) != SSL_ERROR_WANT_READ)
                        return SECURE_FAILED;
                ssize_t received = wire_receive(thread->wire, client->fd);
                if (received < 0)
                        return errno == EAGAIN ? SECURE_WAITS : SECURE_FAILED;
                if (received == 0) {
                        errno = ECONNRESET;
                        return SECURE_FAILED;
                }
        }
}

const char *secure_reason(void)
{
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());
        return reason == NULL ? "no reason known" : reason;
}

bool secure_is_as_wished(const struct load_thread *thread, const struct client *client)
{
        return !thread->load->plan.workload->tls.is_resumed || !client->is_with_ticket ||
               SSL_session_reused(client->ssl) == 1;
}

ssize_t secure_receive(struct load_thread *thread, struct client *client, char *room, size_t size)
{
        for (;;) {
                ERR_clear_error();
                int opened = SSL_read(client->ssl, room, (int)size);
                if (opened > 0)
                        return opened;
                int error = SSL_get_error(client->ssl, opened);
                if (error == SSL_ERROR_ZERO_RETURN)
                        return 0;
                if (error != SSL_ERROR_WANT_READ) {
                        errno = EPROTO;
                        return -1;
                }
                thread->wire->input_length = 0;
                ssize_t received = wire_receive(thread->wire, client->fd);
                if (received <= 0)
                        return received;
        }
}

void secure_seal(struct client *client, const char *octets, size_t length)
{
        ERR_clear_error();
        expect(SSL_write(client->ssl, octets, (int)length) == (int)length);
}

/* Without an end that OpenSSL takes for one of TLS it would not use the ticket again. */
void secure_end(struct client *client)
{
        SSL_set_shutdown(client->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(client->ssl);
        client->ssl = NULL;
}
