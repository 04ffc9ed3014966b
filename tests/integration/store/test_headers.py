#!/usr/bin/env python3
"""Which address a next hop is told where the client has said that of an alias."""

from common.harness import Server, case, equal, main
from common.messages import HEADER
from common.next_hop import NextHop

TEXT = HEADER + b"text\r\n"


@case("a next hop is told the address in the domain that has the mailboxes, with its extension, and nothing of an alias")
def alias(directory):
    others = '}\ndomain "alias.example" { alias_of = "isp.example" '
    recipients = ("alice@isp.example", "Bob+x@alias.example", "postmaster@alias.example", "postmaster")
    with NextHop() as hop, Server(directory, domain='extension = "+"' + others, deliver=hop.address) as server:
        with server.client() as client:
            client.deliver(TEXT, recipients=recipients)
        told = [recipient for _, recipient, _ in hop.mails]
        equal(told, ["alice@isp.example", "Bob+x@isp.example", "postmaster@isp.example", "postmaster@isp.example"], "recipients")
        assert b"alias" not in b"".join(text for _, _, text in hop.mails), hop.mails


if __name__ == "__main__":
    main()
