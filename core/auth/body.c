/* Most text is its own relaxed form: that is seen in blocks, sixteen octets at a time, and goes into the digest from
 * where it lies. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/auth/body.h"

#include "core/mail/leap.h"

#define BLOCK 64

void body_digest_init(struct body_digest *body, enum canon canon)
{
        *body = (struct body_digest){.canon = canon};
        SHA256_Init(&body->sha);
}

static void put(struct body_digest *body, struct span octets)
{
        body->length += octets.length;
        SHA256_Update(&body->sha, octets.at, octets.length);
}

/* Something follows the empty lines. */
static void put_empty_lines(struct body_digest *body)
{
        static const char lines[] = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
                                    "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";
        const uint64_t most = (sizeof lines - 1) / 2;

        while (body->empty_lines > 0) {
                uint64_t count = body->empty_lines < most ? body->empty_lines : most;
                put(body, span_of(lines, 2 * (size_t)count));
                body->empty_lines -= count;
        }
}

/* A CR that is none of a line end. */
static void put_cr(struct body_digest *body)
{
        put_empty_lines(body);
        put(body, SPAN("\r"));
        body->has_cr = false;
}

/* Takes all but the line ends that it ends with. */
static void put_text(struct body_digest *body, struct span octets)
{
        uint64_t lines = 0;
        size_t length;

        if (octets.length > 0 && body->has_cr) {
                if (octets.at[0] == '\n') {
                        octets = span_skip(octets, 1);
                        body->empty_lines++;
                        body->has_cr = false;
                } else {
                        put_cr(body);
                }
        }
        length = octets.length;
        if (length > 0 && octets.at[length - 1] == '\r') {
                body->has_cr = true;
                length--;
        }
        for (; length > 1 && octets.at[length - 1] == '\n' && octets.at[length - 2] == '\r'; length -= 2)
                lines++;
        if (length > 0) {
                put_empty_lines(body);
                put(body, span_of(octets.at, length));
        }
        body->empty_lines += lines;
}

/* ---- relaxed ------------------------------------------------------------------------------------------- */

static bool is_blank(char octet)
{
        return octet == ' ' || octet == '\t';
}

/* The BLOCK octets stay as they are, and so does the one behind them for what these are. */
static bool is_plain(const char *at)
{
        leap_octets changes = {0};

        for (size_t i = 0; i < BLOCK; i += LEAP_STEP) {
                leap_octets octets = leap_load(at + i), next = leap_load(at + i + 1);
                changes |= leap_is(octets, '\t') |
                           (leap_is(octets, ' ') & (leap_is_blank(next) | leap_is(next, '\r')));
        }
        return !leap_any(changes);
}

static size_t plain_length(struct span octets)
{
        size_t length = 0;

        while (octets.length - length > BLOCK && is_plain(octets.at + length))
                length += BLOCK;
        return length;
}

/* Appends what an octet comes to, three at most. */
static size_t relax(struct body_digest *body, char octet, char *ret_octets)
{
        size_t length = 0;

        if (body->blank == BODY_BLANK_CR) {
                body->blank = BODY_NO_BLANK;
                if (octet != '\n')
                        ret_octets[length++] = ' ';
                ret_octets[length++] = '\r';
        }
        if (is_blank(octet)) {
                body->blank = BODY_BLANK;
                return length;
        }
        if (body->blank == BODY_BLANK && octet == '\r') {
                body->blank = BODY_BLANK_CR;
                return length;
        }
        if (body->blank == BODY_BLANK)
                ret_octets[length++] = ' ';
        body->blank = BODY_NO_BLANK;
        ret_octets[length++] = octet;
        return length;
}

/* As many octets as a block has. */
static size_t relax_some(struct body_digest *body, struct span octets)
{
        size_t most = octets.length < BLOCK ? octets.length : BLOCK, length = 0;
        char relaxed[3 * BLOCK];

        for (size_t i = 0; i < most; i++)
                length += relax(body, octets.at[i], relaxed + length);
        put_text(body, span_of(relaxed, length));
        return most;
}

void body_digest_add(struct body_digest *body, struct span octets)
{
        size_t length;

        if (body->canon == CANON_SIMPLE) {
                put_text(body, octets);
                return;
        }
        while (octets.length > 0) {
                length = body->blank == BODY_NO_BLANK ? plain_length(octets) : 0;
                if (length > 0)
                        put_text(body, span_of(octets.at, length));
                else
                        length = relax_some(body, octets);
                octets = span_skip(octets, length);
        }
}

void body_digest_end(struct body_digest *body)
{
        if (body->blank == BODY_BLANK_CR)
                put_text(body, SPAN(" \r"));
        if (body->has_cr)
                put_cr(body);
        /* 3.4.3: an empty body is one line end; 3.4.4: it is nothing */
        if (body->canon == CANON_SIMPLE || body->length > 0)
                put(body, SPAN("\r\n"));
        SHA256_Final(body->digest, &body->sha);
}
