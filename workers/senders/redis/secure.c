#include "workers/senders/redis/secure.h"

#include "core/base/expect.h"

#if REDIS_HAS_TLS

#include "workers/tls/client/client.h"

#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>

SSL_CTX *redis_secure_open(const char *authorities, struct conf_complaints *complaints)
{
        return tls_client_open_for(authorities, complaints);
}

void redis_secure_close(SSL_CTX *tls)
{
        SSL_CTX_free(tls);
}

SSL *redis_secure_begin(redisContext *context, SSL_CTX *tls, const char *name, const struct address *address)
{
        struct tls_client_wish wish = {name[0] == '\0' ? NULL : name, address, true, NULL};
        SSL *ssl = tls_client_new_ssl(tls, &wish);

        if (ssl == NULL)
                return NULL;
        if (redisInitiateSSL(context, ssl) != REDIS_OK) {
                SSL_free(ssl);
                ssl = NULL;
        }
        ERR_clear_error();
        return ssl;
}

const char *redis_secure_fault(const SSL *ssl)
{
        ERR_clear_error();
        return ssl == NULL ? NULL : tls_client_fault(ssl);
}

#else

SSL_CTX *redis_secure_open(const char *authorities, struct conf_complaints *complaints)
{
        conf_complain(complaints, COMPLAINT_ERROR, &(struct place){authorities, 0},
                      "this program was built without TLS to Redis");
        return NULL;
}

void redis_secure_close(SSL_CTX *tls)
{
        expect(tls == NULL);
}

SSL *redis_secure_begin(redisContext *context, SSL_CTX *tls, const char *name, const struct address *address)
{
        (void)context, (void)tls, (void)name, (void)address;
        return NULL;
}

const char *redis_secure_fault(const SSL *ssl)
{
        (void)ssl;
        return NULL;
}

#endif
