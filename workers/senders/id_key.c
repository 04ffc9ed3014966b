#include "workers/senders/id_key.h"

#include "core/base/digest/mac.h"
#include "core/base/expect.h"

#include <sys/random.h>

#define PURPOSE SPAN("ids of replies and messages")

void id_key_make(const struct sender_store *store, struct id_key *ret_key)
{
        const struct sender_secret *secret =
            store->kind == SENDER_STORE_LMDB ? sender_lmdb_secret(&store->lmdb) : NULL;
        uint8_t mac[MAC_SHA256_SIZE];

        if (secret == NULL) {
                expect(getrandom(ret_key->octets, sizeof ret_key->octets, 0) == sizeof ret_key->octets);
                return;
        }
        mac_sha256_with(&secret->key, PURPOSE, mac);
        memcpy(ret_key->octets, mac, sizeof ret_key->octets);
}
