/* Transfer encodings (RFC 2045 6.7, 6.8), octet by octet. What is no part of the encoding is left out. */
#include "core/mail/mime/internal.h"

void mime_decode_begin(struct mime_decoder *decoder, enum mime_encoding encoding)
{
        *decoder = (struct mime_decoder){.encoding = encoding};
}

static int base64_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (ascii_is_digit(c))
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* What has come in plain although base64 was promised: a header that a gateway put there. */
static bool is_never_base64(char c)
{
        return c == ':' || c == '<' || c == '>' || c == '@';
}

static bool decode_base64(struct mime_decoder *decoder, char *octet)
{
        int value = base64_value(*octet);

        if (value < 0) {
                if (is_never_base64(*octet))
                        decoder->encoding = MIME_ENCODING_NONE;
                return decoder->encoding == MIME_ENCODING_NONE;
        }
        decoder->bits = decoder->bits << 6 | (uint32_t)value;
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
