/* Tells a next hop who our client is, so that its log has the real one: by XCLIENT or XFORWARD (Postfix's
 * XCLIENT_README and XFORWARD_README), whichever the target's terms say and the hop offers. */
#pragma once

#include "core/base/address.h"
#include "core/client/hop.h"

/* Bits of the attributes in struct hop. What matters most stands first in the line. */
enum naming_attribute {
        NAMING_ADDR,
        NAMING_PORT,
        NAMING_PROTO,
        NAMING_IDENT,
        NAMING_HELO,
        NAMING_NAME,
        NAMING_ATTRIBUTES
};

struct hop_client {
        struct address address;
        uint16_t port;
        struct span name;  /* verified, of reverse DNS; empty: none */
        struct span helo;  /* any octets; empty: none */
        struct span ident; /* our id of the message; empty: none */
        bool is_esmtp;
};

/* True: the hop is told, and READY comes again; nothing less than a closed connection keeps it from
 * that, for no mail is lost over a name in a log. With XFORWARD and PIPELINING hop_mail() may follow at once.
 * False: nothing was said, for the hop is not ready or asks for nothing. */
bool hop_name_client(struct hop *hop, const struct hop_client *client, struct text *out);

/* ---- for the reply to EHLO: the attributes that stand behind the keyword, as bits */

uint32_t naming_attributes(struct span words);
