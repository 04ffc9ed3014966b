/* A certificate that two threads hold: a reload that a stop has left behind takes it over, while the main thread gives
 * it back with a snapshot of before. */
#include "workers/tls/certificate.h"

#include "core/base/expect.h"

#include <pthread.h>

#define HOLDS 100000

static void *hold_and_release(void *certificate)
{
        for (int i = 0; i < HOLDS; i++) {
                tls_certificate_hold(certificate);
                tls_certificate_release(certificate);
        }
        return NULL;
}

int main(void)
{
        struct tls_certificate certificate = {.references = 1};
        pthread_t other;

        expect(pthread_create(&other, NULL, hold_and_release, &certificate) == 0);
        hold_and_release(&certificate);
        pthread_join(other, NULL);
        expect(atomic_load(&certificate.references) == 1);
        return 0;
}
