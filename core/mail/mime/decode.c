/* Transfer encodings (RFC 2045 6.7, 6.8), octet by octet. What is no part of the encoding is left out. */
#include "core/mail/mime/internal.h"

void mime_decode_begin(struct mime_decoder *decoder, enum mime_encoding encoding)
{
        *decoder = (struct mime_decoder){.encoding = encoding};
}

/* One more than the value of a digit of base64; 0: it is none. */
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
                        decoder->encoding = MIME_ENCODING_NONE;
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

int mime_hex_value(char octet)
{
        char lower = ascii_lower(octet);
        return ascii_is_digit(octet) ? octet - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
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
