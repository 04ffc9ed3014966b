/* ClientHello, as far as it is of use to the log, and to the bounds of memory. */
#include "workers/tls/hello.h"

#define RECORD_CHANGE      20
#define RECORD_HANDSHAKE   22
#define MESSAGE_HELLO      1
#define SUPPORTED_VERSIONS 43 /* RFC 8446 4.2.1 */
#define RANDOM_LENGTH      32

/* ---- version ------------------------------------------------------------------------------------------- */

/* Cuts a number of so many octets off the front. False when there are fewer. */
static bool take_number(struct span *rest, size_t octets, size_t *ret_number)
{
        size_t number = 0;

        if (rest->length < octets)
                return false;
        for (size_t i = 0; i < octets; i++)
                number = number << 8 | (unsigned char)rest->at[i];
        *rest = span_skip(*rest, octets);
        *ret_number = number;
        return true;
}

/* The same with a vector behind a length of so many octets. */
static bool take_vector(struct span *rest, size_t octets, struct span *ret_vector)
{
        size_t length;

        if (!take_number(rest, octets, &length) || rest->length < length)
                return false;
        *ret_vector = span_of(rest->at, length);
        *rest = span_skip(*rest, length);
        return true;
}

/* The highest of supported_versions. The values that RFC 8701 reserves are none. */
static size_t highest_of(struct span extension, size_t highest)
{
        struct span versions;
        size_t version;

        if (!take_vector(&extension, 1, &versions))
                return highest;
        while (take_number(&versions, 2, &version))
                if (version > highest && version <= 0x03ff)
                        highest = version;
        return highest;
}

static const char *name_of(size_t version)
{
        static const char *const names[] = {"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
        size_t minor = version & 0xff;

        if (version >> 8 != 3)
                return "";
        return names[minor < sizeof names / sizeof names[0] ? minor : sizeof names / sizeof names[0] - 1];
}

const char *tls_hello_version(struct span message)
{
        size_t type, length, version, kind;
        struct span skipped, extensions, extension;

        if (!take_number(&message, 1, &type) || type != MESSAGE_HELLO || !take_number(&message, 3, &length) ||
            !take_number(&message, 2, &version))
                return "";
        message = span_skip(message, RANDOM_LENGTH);
        if (!take_vector(&message, 1, &skipped) || !take_vector(&message, 2, &skipped) ||
            !take_vector(&message, 1, &skipped) || !take_vector(&message, 2, &extensions))
                return name_of(version);
        while (take_number(&extensions, 2, &kind) && take_vector(&extensions, 2, &extension))
                if (kind == SUPPORTED_VERSIONS)
                        version = highest_of(extension, version);
        return name_of(version);
}

/* ---- lengths ------------------------------------------------------------------------------------------- */

/* The record's header is whole. */
static void begin_record(struct tls_walk *walk, bool seals_after_change)
{
        walk->is_over = seals_after_change && walk->header[0] == RECORD_CHANGE;
        walk->record_left = (unsigned)walk->header[3] << 8 | walk->header[4];
        walk->header_length = 0;
}

/* One more octet of a message's header. False when that is whole and the message too long. */
static bool walk_message_header(struct tls_walk *walk, unsigned char octet)
{
        const unsigned char *header = walk->message_header;

        walk->message_header[walk->message_header_length++] = octet;
        if (walk->message_header_length < sizeof walk->message_header)
                return true;
        walk->message_header_length = 0;
        walk->message_left = (unsigned)header[1] << 16 | (unsigned)header[2] << 8 | header[3];
        return header[0] != MESSAGE_HELLO || walk->message_left <= TLS_HELLO_MAX;
}

/* Passes octets of one record, all of what is left of it or of the message in it. */
static void walk_over(struct tls_walk *walk, struct span *octets, bool is_message)
{
        size_t length = octets->length < walk->record_left ? octets->length : walk->record_left;

        if (is_message && length > walk->message_left)
                length = walk->message_left;
        if (is_message)
                walk->message_left -= (unsigned)length;
        walk->record_left -= (unsigned)length;
        *octets = span_skip(*octets, length);
}

bool tls_walk(struct tls_walk *walk, struct span octets, bool seals_after_change)
{
        while (octets.length > 0 && !walk->is_over) {
                bool is_handshake = walk->header[0] == RECORD_HANDSHAKE;
                if (walk->record_left > 0 && (!is_handshake || walk->message_left > 0)) {
                        walk_over(walk, &octets, is_handshake);
                        continue;
                }
                unsigned char octet = (unsigned char)octets.at[0];
                octets = span_skip(octets, 1);
                if (walk->record_left > 0) {
                        walk->record_left--;
                        if (!walk_message_header(walk, octet))
                                return false;
                } else {
                        walk->header[walk->header_length++] = octet;
                        if (walk->header_length == sizeof walk->header)
                                begin_record(walk, seals_after_change);
                }
        }
        return true;
}
