/* Transfer encodings (RFC 2045 6.7, 6.8). What is no part of the encoding is left out. */
#include "core/mail/line.h"
#include "core/mail/mime/internal.h"

void mime_decode_begin(struct mime_decoder *decoder, enum mime_encoding encoding)
{
        *decoder = (struct mime_decoder){.encoding = encoding};
}

/* Of tables with one more than the value of a digit; 0: it is none. */
#define DIGIT(c, value) [c] = (value) + 1
#define DIGITS(c, value)                                                                                     \
        DIGIT(c, value), DIGIT((c) + 1, (value) + 1), DIGIT((c) + 2, (value) + 2), DIGIT((c) + 3, (value) + 3)
static const uint8_t base64_digits[256] = {
    DIGITS('A', 0),  DIGITS('E', 4),  DIGITS('I', 8),  DIGITS('M', 12), DIGITS('Q', 16), DIGITS('U', 20),
    DIGIT('Y', 24),  DIGIT('Z', 25),  DIGITS('a', 26), DIGITS('e', 30), DIGITS('i', 34), DIGITS('m', 38),
    DIGITS('q', 42), DIGITS('u', 46), DIGIT('y', 50),  DIGIT('z', 51),  DIGITS('0', 52), DIGITS('4', 56),
    DIGIT('8', 60),  DIGIT('9', 61),  DIGIT('+', 62),  DIGIT('/', 63),
};

/* What has come in plain although base64 was promised: a header that a gateway put there. */
static bool is_never_base64(char c)
{
        return c == ':' || c == '<' || c == '>' || c == '@';
}

static bool decode_base64(struct mime_decoder *decoder, char *octet)
{
        uint8_t digit = base64_digits[(unsigned char)*octet];

        if (digit == 0) {
                if (is_never_base64(*octet))
                        mime_decode_begin(decoder, MIME_ENCODING_NONE);
                return decoder->encoding == MIME_ENCODING_NONE;
        }
        decoder->bits = decoder->bits << 6 | (uint32_t)(digit - 1);
        decoder->state = (uint8_t)(decoder->state + 6);
        if (decoder->state < 8)
                return false;
        decoder->state = (uint8_t)(decoder->state - 8);
        *octet = (char)(decoder->bits >> decoder->state & 0xff);
        return true;
}

/* One more than the value of a hexadecimal digit. */
static const uint8_t hex_digits[256] = {
    DIGITS('0', 0), DIGITS('4', 4), DIGIT('8', 8),   DIGIT('9', 9),  DIGITS('A', 10),
    DIGIT('E', 14), DIGIT('F', 15), DIGITS('a', 10), DIGIT('e', 14), DIGIT('f', 15),
};

int mime_hex_value(char octet)
{
        return hex_digits[(unsigned char)octet] - 1;
}

enum { PLAIN, AFTER_EQUALS, AFTER_DIGIT };

static bool decode_quoted(struct mime_decoder *decoder, char *octet)
{
        int value = mime_hex_value(*octet);

        switch (decoder->state) {
        case PLAIN:
                if (*octet == '=')
                        decoder->state = AFTER_EQUALS;
                return *octet != '=' && *octet != '\r';
        case AFTER_EQUALS:
                /* Blanks, CR and then LF: a soft line break. */
                if (*octet == ' ' || *octet == '\t' || *octet == '\r')
                        return false;
                decoder->state = value >= 0 ? AFTER_DIGIT : PLAIN;
                decoder->bits = (uint32_t)value;
                return value < 0 && *octet != '\n';
        default:
                decoder->state = PLAIN;
                if (value >= 0)
                        *octet = (char)(decoder->bits << 4 | (uint32_t)value);
                return true;
        }
}

bool mime_decode(struct mime_decoder *decoder, char *octet)
{
        switch (decoder->encoding) {
        case MIME_ENCODING_BASE64:
                return decode_base64(decoder, octet);
        case MIME_ENCODING_QUOTED:
                return decode_quoted(decoder, octet);
        case MIME_ENCODING_NONE:
                break;
        }
        return true;
}

/* ---- many at once: the same, in fewer steps */

/* In locals: octets that are written may be anything's, as far as a compiler knows. */
struct piece {
        const char *at, *end;
        char *into, *into_end;
        bool in_part;   /* a line that begins with "-" may be a delimiter */
        bool is_quoted; /* lines without "=" are passed by dull.c in fewer steps yet */
};

#define QUOTED_LOOK_AHEAD 32

/* At LF: the next line is not for this piece. */
static bool is_last_line(const struct piece *piece)
{
        size_t left = (size_t)(piece->end - piece->at) - 1;

        if (left == 0 || (piece->in_part && piece->at[1] == '-'))
                return true;
        return piece->is_quoted &&
               memchr(piece->at + 1, '=', left < QUOTED_LOOK_AHEAD ? left : QUOTED_LOOK_AHEAD) == NULL;
}

/* Four digits, three octets, whatever is left over from before. */
static bool take_quartet(struct piece *piece, uint32_t *bits, unsigned count)
{
        uint32_t quartet = 0;

        for (size_t i = 0; i < 4; i++) {
                uint8_t digit = base64_digits[(unsigned char)piece->at[i]];
                if (digit == 0)
                        return false;
                quartet = quartet << 6 | (uint32_t)(digit - 1);
        }
        uint64_t all = (uint64_t)*bits << 24 | quartet;
        for (int shift = 16; shift >= 0; shift -= 8)
                *piece->into++ = (char)(all >> count >> shift & 0xff);
        piece->at += 4;
        *bits = quartet;
        return true;
}

/* Up to a LF that ends the piece, or to what ends the encoding. */
static struct piece take_digits(struct mime_decoder *decoder, struct piece piece)
{
        uint32_t bits = decoder->bits;
        unsigned count = decoder->state;

        for (; piece.at < piece.end && piece.into < piece.into_end; piece.at++) {
                while (piece.end - piece.at > 4 && piece.into_end - piece.into > 3 &&
                       take_quartet(&piece, &bits, count))
                        ;
                uint8_t digit = base64_digits[(unsigned char)*piece.at];
                if (digit == 0 && (is_never_base64(*piece.at) || (*piece.at == '\n' && is_last_line(&piece))))
                        break;
                if (digit == 0)
                        continue;
                bits = bits << 6 | (uint32_t)(digit - 1);
                count += 6;
                if (count < 8)
                        continue;
                count -= 8;
                *piece.into++ = (char)(bits >> count & 0xff);
        }
        decoder->bits = bits;
        decoder->state = (uint8_t)count;
        return piece;
}

/* A value that is written as "=XX" at the front, or -1. */
static int escape_value(const struct piece *piece)
{
        int high = piece->end - piece->at > 2 ? mime_hex_value(piece->at[1]) : -1;
        int low = high < 0 ? -1 : mime_hex_value(piece->at[2]);

        return low < 0 ? -1 : high << 4 | low;
}

/* A line that is not at its end, and soft: the LF is next. */
static bool is_soft_end(const struct piece *piece)
{
        return piece->end - piece->at > 2 && piece->at[1] == '\r' && piece->at[2] == '\n';
}

/* Octets that stand for themselves, and "=XX", up to a LF that ends the piece. Where one comes behind a "=", the
 * decoder is left there. */
static struct piece take_quoted(struct mime_decoder *decoder, struct piece piece)
{
        while (piece.at < piece.end && piece.into < piece.into_end) {
                if (*piece.at == '=') {
                        int value = escape_value(&piece);
                        if (value < 0 && !is_soft_end(&piece))
                                break;
                        piece.at += value < 0 ? 2 : 3;
                        if (value >= 0) {
                                *piece.into++ = (char)value;
                        } else if (is_last_line(&piece)) {
                                decoder->state = AFTER_EQUALS;
                                break;
                        } else {
                                piece.at++;
                        }
                } else if (*piece.at == '\r') {
                        piece.at++;
                } else if (*piece.at == '\n' && is_last_line(&piece)) {
                        break;
                } else {
                        *piece.into++ = *piece.at++;
                }
        }
        return piece;
}

static struct piece take_plain(struct piece piece)
{
        while (piece.at < piece.end && piece.into < piece.into_end && *piece.at != '\n')
                *piece.into++ = *piece.at++;
        return piece;
}

size_t mime_decode_some(struct mime_decoder *decoder, struct span *input, char *ret_octets, size_t room,
                        bool in_part)
{
        struct piece piece = {input->at,  input->at + input->length,
                              ret_octets, ret_octets + room,
                              in_part,    decoder->encoding == MIME_ENCODING_QUOTED};
        char octet, came = '\0';

        while (piece.at < piece.end && piece.into < piece.into_end && came != '\n') {
                if (decoder->encoding == MIME_ENCODING_BASE64)
                        piece = take_digits(decoder, piece);
                else if (decoder->encoding == MIME_ENCODING_NONE)
                        piece = take_plain(piece);
                else if (decoder->state == PLAIN)
                        piece = take_quoted(decoder, piece);
                if (piece.at == piece.end || piece.into == piece.into_end)
                        break;
                octet = came = *piece.at++;
                if (mime_decode(decoder, &octet))
                        *piece.into++ = octet;
        }
        *input = span_of(piece.at, (size_t)(piece.end - piece.at));
        return (size_t)(piece.into - ret_octets);
}
