/* Transfer encodings (RFC 2045 6.7, 6.8), octet by octet. What is no part of the encoding is left out. */
#include "core/mail/mime/internal.h"

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

static bool decode_base64(struct mime_scan *scan, char *octet)
{
        int value = base64_value(*octet);

        if (value < 0)
                return false;
        scan->decode_bits = scan->decode_bits << 6 | (uint32_t)value;
        scan->decode_state = (uint8_t)(scan->decode_state + 6);
        if (scan->decode_state < 8)
                return false;
        scan->decode_state = (uint8_t)(scan->decode_state - 8);
        *octet = (char)(scan->decode_bits >> scan->decode_state & 0xff);
        return true;
}

static int hex_value(char c)
{
        char lower = ascii_lower(c);
        return ascii_is_digit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

enum { PLAIN, AFTER_EQUALS, AFTER_DIGIT };

static bool decode_quoted(struct mime_scan *scan, char *octet)
{
        int value = hex_value(*octet);

        switch (scan->decode_state) {
        case PLAIN:
                if (*octet == '=')
                        scan->decode_state = AFTER_EQUALS;
                return *octet != '=' && *octet != '\r';
        case AFTER_EQUALS:
                /* Blanks, CR and then LF: a soft line break. */
                if (*octet == ' ' || *octet == '\t' || *octet == '\r')
                        return false;
                scan->decode_state = value >= 0 ? AFTER_DIGIT : PLAIN;
                scan->decode_bits = (uint32_t)value;
                return value < 0 && *octet != '\n';
        default:
                scan->decode_state = PLAIN;
                if (value >= 0)
                        *octet = (char)(scan->decode_bits << 4 | (uint32_t)value);
                return true;
        }
}

bool mime_decode(struct mime_scan *scan, char *octet)
{
        return scan->entity.encoding == MIME_ENCODING_BASE64 ? decode_base64(scan, octet)
                                                             : decode_quoted(scan, octet);
}
