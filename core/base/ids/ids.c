/* A count of 60 bits, in the order of a permutation that has a key: a Feistel network over two halves of 30 bits, with
 * AES as the function of its rounds. What is counted once comes out once. Six rounds are enough against whoever has
 * seen a thousand million ids (Patarin 2004); there are eight, as in FF3-1 (NIST SP 800-38G). */
#include "core/base/ids/ids.h"

#include "core/base/expect.h"

#include <openssl/evp.h>

/* 2024-01-01T00:00:00Z in seconds; with 31 bits lasts until 2092 */
#define EPOCH_S       INT64_C(1704067200)
#define SECOND_BITS   31
#define GIVER_BITS    7
#define SEQUENCE_BITS 22
#define HALF_BITS     30
#define HALF_MASK     ((UINT32_C(1) << HALF_BITS) - 1)
#define ROUNDS        8

_Static_assert(SECOND_BITS + GIVER_BITS + SEQUENCE_BITS == 2 * HALF_BITS && 2 * HALF_BITS == 5 * ID_LENGTH,
               "an id has five bits a character");
_Static_assert(1 << GIVER_BITS == ID_GIVERS, "givers have numbers");

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* read aloud without mistake */

bool ids_init(struct ids *ids, const struct id_key *key, uint32_t giver, uint64_t sequence)
{
        *ids = (struct ids){.cipher = EVP_CIPHER_CTX_new(), .sequence = sequence, .giver = giver};
        return ids->cipher != NULL &&
               EVP_EncryptInit_ex2(ids->cipher, EVP_aes_128_ecb(), key->octets, NULL, NULL) == 1 &&
               EVP_CIPHER_CTX_set_padding(ids->cipher, 0) == 1;
}

void ids_end(struct ids *ids)
{
        EVP_CIPHER_CTX_free(ids->cipher);
        ids->cipher = NULL;
}

/* ---- permutation --------------------------------------------------------------------------------------- */

/* One half of each number of a batch. */
struct halves {
        uint32_t at[IDS_BATCH];
};

/* Half by half, for AES, of a block that has the round and the half it mixes by, and is empty otherwise. */
struct blocks {
        uint64_t at[IDS_BATCH][2];
};

/* Neither allocates nor locks: what AES needs was made with the key. */
static void mix(EVP_CIPHER_CTX *cipher, uint64_t round, const struct halves *by, struct halves *mixed,
                struct blocks *in)
{
        struct blocks out;
        int length;

        for (size_t i = 0; i < IDS_BATCH; i++)
                in->at[i][0] = round << 32 | by->at[i];
        expect(EVP_EncryptUpdate(cipher, (uint8_t *)&out, &length, (const uint8_t *)in, sizeof *in) == 1 &&
               length == sizeof out);
        for (size_t i = 0; i < IDS_BATCH; i++)
                mixed->at[i] ^= (uint32_t)out.at[i][0] & HALF_MASK;
}

static void permute(EVP_CIPHER_CTX *cipher, uint64_t *numbers)
{
        struct halves left, right;
        struct blocks blocks = {0};

        for (size_t i = 0; i < IDS_BATCH; i++) {
                left.at[i] = (uint32_t)(numbers[i] >> HALF_BITS);
                right.at[i] = (uint32_t)numbers[i] & HALF_MASK;
        }
        for (uint64_t round = 0; round < ROUNDS; round += 2) {
                mix(cipher, round, &right, &left, &blocks);
                mix(cipher, round + 1, &left, &right, &blocks);
        }
        for (size_t i = 0; i < IDS_BATCH; i++)
                numbers[i] = (uint64_t)left.at[i] << HALF_BITS | right.at[i];
}

/* ---- giving -------------------------------------------------------------------------------------------- */

/* The second is that of the making. It keeps a server that starts again from counting what its predecessor has. */
void ids_prepare(struct ids *ids, int64_t wall_ms)
{
        uint64_t second = (uint64_t)(wall_ms / 1000 - EPOCH_S) & ((UINT64_C(1) << SECOND_BITS) - 1);
        uint64_t *made = ids->made + ids->left;

        if (ids->left > IDS_BATCH)
                return;
        for (size_t i = 0; i < IDS_BATCH; i++) {
                uint64_t sequence = ids->sequence & ((UINT64_C(1) << SEQUENCE_BITS) - 1);
                made[IDS_BATCH - 1 - i] = second << (GIVER_BITS + SEQUENCE_BITS) |
                                          (uint64_t)(ids->giver % ID_GIVERS) << SEQUENCE_BITS | sequence;
                ids->sequence += ID_LANES;
        }
        if (ids->cipher != NULL)
                permute(ids->cipher, made);
        ids->left += IDS_BATCH;
}

void ids_write(struct ids *ids, int64_t wall_ms, char ret_id[static ID_TEXT_SIZE])
{
        if (ids->left == 0)
                ids_prepare(ids, wall_ms);
        uint64_t id = ids->made[--ids->left];

        for (int i = ID_LENGTH - 1; i >= 0; i--, id >>= 5)
                ret_id[i] = digits[id & 31];
        ret_id[ID_LENGTH] = '\0';
}

/* ---- reading ------------------------------------------------------------------------------------------- */

bool id_read(struct span text, char ret_id[static ID_TEXT_SIZE])
{
        if (text.length != ID_LENGTH)
                return false;
        for (size_t i = 0; i < ID_LENGTH; i++) {
                char c = ascii_lower(text.at[i]);
                if (!ascii_is_alnum(c) || c == 'u')
                        return false;
                c = c == 'o' ? '0' : c == 'i' || c == 'l' ? '1' : c;
                ret_id[i] = c >= 'a' ? (char)(c - 'a' + 'A') : c;
        }
        ret_id[ID_LENGTH] = '\0';
        return true;
}

uint64_t id_number(const char id[static ID_TEXT_SIZE])
{
        uint64_t number = 0;

        for (size_t i = 0; i < ID_LENGTH; i++)
                number = number << 5 | (uint64_t)(strchr(digits, id[i]) - digits);
        return number;
}
