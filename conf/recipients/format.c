/* What proves a file of recipients. */
#include "conf/recipients/format.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)

static bool read_tree(int file, uint64_t octets, XXH3_state_t *state, char *buffer)
{
        for (uint64_t at = 0; at < octets;) {
                size_t wanted = octets - at < PIECE ? (size_t)(octets - at) : PIECE;
                ssize_t length = pread(file, buffer, wanted, (off_t)at);
                if (length < 0 && errno == EINTR)
                        continue;
                if (length <= 0)
                        return false;
                XXH3_128bits_update(state, buffer, (size_t)length);
                at += (uint64_t)length;
        }
        return true;
}

bool recipient_digest(int file, const struct recipient_trailer *trailer, XXH128_canonical_t *ret_digest)
{
        char *buffer = malloc(PIECE);
        XXH3_state_t *state = XXH3_createState();
        bool is_read = false;

        if (buffer == NULL || state == NULL) {
                errno = ENOMEM;
        } else {
                XXH3_128bits_reset(state);
                is_read = read_tree(file, trailer->tree_octets, state, buffer);
                XXH3_128bits_update(state, trailer, offsetof(struct recipient_trailer, digest));
                XXH128_canonicalFromHash(ret_digest, XXH3_128bits_digest(state));
        }
        XXH3_freeState(state);
        free(buffer);
        return is_read;
}
