#!/usr/bin/env python3
"""What a next hop is told of the client, by XCLIENT and XFORWARD, with names and addresses that come by real connections."""

from common.harness import Client, Server, case, equal, free_port, main
from common.messages import HEADER
from common.daemons.next_hop import NextHop

TEXT = HEADER + b"text\r\n"
CLIENTS = {"TCP4 192.0.2.7 192.0.2.1 4711": ("192.0.2.7", "4711"), "TCP6 2001:db8::7 2001:db8::1 4712": ("IPv6:2001:db8::7", "4712")}
# As they are said, and in xtext (RFC 3461 4).
GREETINGS = {"EHLO client.example.com": ("ESMTP", "client.example.com"), "HELO a+b=c.example.com": ("SMTP", "a+2Bb+3Dc.example.com"),
             "EHLO [192.0.2.7]": ("ESMTP", "[192.0.2.7]")}


def said_of(hop, verb):
    """The attributes of the last such command."""
    line = [command for command in hop.commands if command.startswith(verb)][-1]
    return dict(word.split("=", 1) for word in line.split()[1:])


def deliver(port, proxied, greeting):
    with Client(port, before_banner=f"PROXY {proxied} 25\r\n".encode()) as client:
        client.command(greeting, 250)
        client.command("MAIL FROM:<me@example.com>", 250)
        client.command("RCPT TO:<alice@isp.example>", 250)
        client.command("DATA", 354)
        client.finish(TEXT)
        client.command("QUIT", 221)


@case("XFORWARD and XCLIENT tell address, port, protocol and greeting, in xtext, for each message anew; what is unknown is said so")
def named(directory):
    port = free_port()
    options = f'proxy_listen = {{"127.0.0.1:{port}"}} proxy_networks = {{"127.0.0.0/8"}} helo_name {{ mode = off }}\n'
    for naming in "xforward", "xclient":
        (directory / naming).mkdir()
        with NextHop("smtp") as hop, Server(directory / naming, options, deliver=f"{hop.address} naming={naming}") as server:
            hop.answers = {"EHLO": f"250-hop\r\n250-PIPELINING\r\n250 {naming.upper()} NAME ADDR PORT PROTO HELO IDENT"}
            for proxied, (address, client_port) in CLIENTS.items():
                for greeting, (protocol, helo) in GREETINGS.items():
                    deliver(port, proxied, greeting)
                    said = said_of(hop, naming.upper())
                    assert len(said.pop("IDENT", "")) >= 8 or naming == "xclient", said
                    said.pop("IDENT", None)
                    equal(said, {"ADDR": address, "PORT": client_port, "PROTO": protocol, "HELO": helo, "NAME": "[UNAVAILABLE]"}, greeting)
            equal((len(hop.mails), hop.connections), (6, 1), "mails, connections")
            assert not server.events("next_hop_down"), server.log()


@case("a next hop that takes a part of it, refuses it or does not offer it gets its mail all the same")
def partly(directory):
    port = free_port()
    options = f'proxy_listen = {{"127.0.0.1:{port}"}} proxy_networks = {{"127.0.0.0/8"}} next_hops {{ naming = xforward }}\n'
    with NextHop("smtp") as hop, Server(directory, options, deliver=hop.address):
        proxied, greeting = "TCP4 192.0.2.7 192.0.2.1 4711", "EHLO client.example.com"
        deliver(port, proxied, greeting)
        assert not any(command.startswith("XFORWARD") for command in hop.commands), hop.commands
    with NextHop("smtp") as hop, Server(directory, options, deliver=hop.address):
        hop.answers = {"EHLO": "250-hop\r\n250 XFORWARD ADDR HELO", "XFORWARD": "501 5.5.4 not that"}
        deliver(port, proxied, greeting)
        equal(said_of(hop, "XFORWARD"), {"ADDR": "192.0.2.7", "HELO": "client.example.com"}, "attributes")
        equal(len(hop.mails), 1, "mails")


if __name__ == "__main__":
    main()
