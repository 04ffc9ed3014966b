/* The PROXY protocol, versions 1 and 2 (haproxy, doc/proxy-protocol.txt): a balancer names the real
 * client. */
#include "core/smtp/internal.h"

#define V1_LINE_MAX 107 /* with CRLF, section 2.1 */
#define V2_HEAD     16  /* signature, version and command, family, length */
#define V2_LOCAL    0
#define V2_PROXY    1

_Static_assert(V1_LINE_MAX <= PROXY_HEADER_MAX && V2_HEAD + 36 <= PROXY_HEADER_MAX, "more is never kept");

static const struct span v1_start = {"PROXY ", 6};
static const struct span v2_signature = {"\r\n\r\n\0\r\nQUIT\n", 12};

static bool begins_like(struct span input, struct span start)
{
        size_t length = input.length < start.length ? input.length : start.length;
        return memcmp(input.at, start.at, length) == 0;
}

/* ---- version 1: "PROXY TCP4 SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT" --------------------------- */

static bool port_parse(struct span word, uint16_t *ret_port)
{
        uint64_t port;
        if (word.length > 5 || !span_number(word, &port) || port > UINT16_MAX)
                return false;
        *ret_port = (uint16_t)port;
        return true;
}

static enum proxy_result v1_parse(struct session *session, struct span line)
{
        struct span family = span_take_word(&line), source = span_take_word(&line),
                    destination = span_take_word(&line);
        struct address client, server;
        uint16_t client_port, server_port;

        if (span_equals(family, SPAN("UNKNOWN")))
                return PROXY_DONE;
        if (!span_equals(family, SPAN("TCP4")) && !span_equals(family, SPAN("TCP6")))
                return PROXY_BAD;
        if (!address_parse(source, &client) || !address_parse(destination, &server) ||
            !port_parse(span_take_word(&line), &client_port) ||
            !port_parse(span_take_word(&line), &server_port) || line.length > 0)
                return PROXY_BAD;
        if (span_equals(family, SPAN("TCP4")) && !address_is_ipv4(&client))
                return PROXY_BAD;
        session_name_client(session, &client, client_port);
        session->peer.server = server;
        session->peer.server_port = server_port;
        return PROXY_DONE;
}

static enum proxy_result v1_read(struct session *session, struct span *input)
{
        size_t lf = span_find(*input, '\n');

        if (lf == SIZE_MAX)
                return input->length > V1_LINE_MAX ? PROXY_BAD : PROXY_PART;
        if (lf >= V1_LINE_MAX || lf == 0 || input->at[lf - 1] != '\r')
                return PROXY_BAD;
        struct span line = span_skip(span_of(input->at, lf - 1), v1_start.length);
        *input = span_skip(*input, lf + 1);
        return v1_parse(session, line);
}

/* ---- version 2: binary (section 2.2) ------------------------------------------------------------------- */

static uint16_t read_u16(const uint8_t *at)
{
        return (uint16_t)(at[0] << 8 | at[1]);
}

static void take_v4(struct session *session, const uint8_t *at)
{
        struct address client = {.octets = {[10] = 0xff, [11] = 0xff}}, server = client;
        memcpy(client.octets + 12, at, 4);
        memcpy(server.octets + 12, at + 4, 4);
        session_name_client(session, &client, read_u16(at + 8));
        session->peer.server = server;
        session->peer.server_port = read_u16(at + 10);
}

static void take_v6(struct session *session, const uint8_t *at)
{
        struct address client;
        memcpy(client.octets, at, 16);
        session_name_client(session, &client, read_u16(at + 32));
        memcpy(session->peer.server.octets, at + 16, 16);
        session->peer.server_port = read_u16(at + 34);
}

/* The families and protocols that a header may have, and the least that follows it. */
static const struct family {
        uint8_t code;
        uint8_t octets;
        void (*take)(struct session *session, const uint8_t *at); /* NULL: of no use here, as UNSPEC */
} families[] = {
    {0x00, 0, NULL},     /* UNSPEC */
    {0x11, 12, take_v4}, /* TCP over IPv4 */
    {0x12, 12, NULL},    /* UDP */
    {0x21, 36, take_v6}, /* TCP over IPv6 */
    {0x22, 36, NULL},    /* UDP */
    {0x31, 216, NULL},   /* AF_UNIX, stream */
    {0x32, 216, NULL},   /* datagram */
};

/* NULL: there is no such family. LOCAL is the balancer itself, whatever family it says. */
static const struct family *family_find(uint8_t code, bool is_local)
{
        for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
                if (is_local || families[i].code == code)
                        return &families[i];
        return NULL;
}

/* What follows the addresses, up to 64 KiB, is thrown away as it comes. */
static enum proxy_result v2_skip(struct session *session, struct span *input)
{
        size_t length = input->length < session->header_left ? input->length : session->header_left;

        session->header_left -= (uint16_t)length;
        *input = span_skip(*input, length);
        return session->header_left > 0 ? PROXY_PART : PROXY_DONE;
}

static enum proxy_result v2_read(struct session *session, struct span *input)
{
        const uint8_t *at = (const uint8_t *)input->at;

        if (input->length < V2_HEAD)
                return PROXY_PART;
        size_t length = read_u16(at + 14);
        uint8_t version = at[12] >> 4, command = at[12] & 15;
        const struct family *family = family_find(at[13], command == V2_LOCAL);
        if (version != 2 || command > V2_PROXY || family == NULL || length < family->octets)
                return PROXY_BAD;
        size_t used = family->take == NULL ? 0 : family->octets;
        if (input->length < V2_HEAD + used)
                return PROXY_PART;
        if (family->take != NULL)
                family->take(session, at + V2_HEAD);
        *input = span_skip(*input, V2_HEAD + used);
        session->header_left = (uint16_t)(length - used);
        return v2_skip(session, input);
}

static enum proxy_result read_more(struct session *session, struct span *input)
{
        if (session->header_left > 0)
                return v2_skip(session, input);
        if (begins_like(*input, v1_start))
                return input->length < v1_start.length ? PROXY_PART : v1_read(session, input);
        if (begins_like(*input, v2_signature))
                return input->length < v2_signature.length ? PROXY_PART : v2_read(session, input);
        return PROXY_NONE;
}

enum proxy_result proxy_read(struct session *session, struct span *input)
{
        enum proxy_result result = read_more(session, input);

        if (result == PROXY_DONE && session->naming == NAMING_OPEN)
                session->naming = NAMING_NOBODY;
        return result;
}
