"""The zones that the DNS tests ask for, a world of them, and a client that comes from any address."""

import contextlib
import re
import socket

from common.harness import Client, Server, equal, free_port, wait_for
from common.dns_peers import reversed_address, start_nsd, start_unbound

PROBE = "mail.example.com"
OFF = {name: f"{name} {{ mode = off }}\n" for name in ("dnsbl", "rhsbl", "sender_mx", "spf")}

SOA = "IN SOA ns.example.com. hostmaster.example.com. 1 3600 600 86400 60"


def listing(zone, client, *answers, reason=None):
    name = f"{reversed_address(client)}.{zone}."
    lines = [f"{name} IN A {answer}" for answer in answers]
    return lines + ([f'{name} IN TXT "{reason}"'] if reason else [])


def listings():
    lines = []
    for zone in ("bl.example", "weak.example", "quota.example"):
        lines += listing(zone, "127.0.0.2", "127.0.0.2")
    lines += listing("white.example", "127.0.0.2", "127.0.5.1")
    lines += [f"test.names.example. IN A 127.0.1.2", "bad.example.com.names.example. IN A 127.0.1.2",
              'bad.example.com.names.example. IN TXT "sells pills"', "badhelo.example.com.names.example. IN A 127.0.1.3"]
    lines += listing("bl.example", "192.0.2.66", "127.0.0.2", "127.0.0.4", reason="see https://bl.example/ for 192.0.2.66")
    lines += listing("bl.example", "192.0.2.67", "127.0.0.99")  # no code of ours
    lines += listing("bl.example", "192.0.2.68", "127.255.255.254")  # an error code
    lines += listing("bl.example", "192.0.2.69", "127.0.0.2", "203.0.113.5")  # somebody else answers
    lines += listing("bl.example", "2001:db8::66", "127.0.0.3")
    lines += listing("bl.example", "192.0.2.70", "127.0.0.10")
    lines += listing("weak.example", "192.0.2.71", "127.0.0.2")
    lines += listing("weak.example", "192.0.2.72", "127.0.0.2") + listing("quota.example", "192.0.2.72", "127.0.0.2")
    lines += listing("bl.example", "192.0.2.73", "127.0.0.2") + listing("white.example", "192.0.2.73", "127.0.5.3")
    lines += listing("bl.example", "192.0.2.74", "127.0.0.2") + listing("white.example", "192.0.2.74", "127.0.0.255")
    lines += [f"{reversed_address('192.0.2.75')}.bl.example. IN CNAME listed.bl.example.", "listed.bl.example. IN A 127.0.0.2"]
    return lines


def reverse_names():
    names = {"192.0.2.7": "mail.example.com", "192.0.2.80": "nowhere.example.com", "192.0.2.81": "mail.example.com",
             "192.0.2.82": "dsl-192-0-2-82.pool.example.com", "192.0.2.83": "loop.example.com", "192.0.2.84": "x.broken.example.com",
             "2001:db8::7": "mail6.example.com", "192.0.2.70": "seventy.example.com"}
    return [f"{reversed_address(client)}.{'ip6' if ':' in client else 'in-addr'}.arpa. IN PTR {name}."
            for client, name in names.items()]


def strings(octets):
    return " ".join(f'"{octets[at:at + 250]}"' for at in range(0, len(octets), 250))


RECORDS = r"""
ns.example.com. IN A 127.0.0.1
mail.example.com. IN A 192.0.2.7
mail.example.com. IN MX 10 mail.example.com.
mail6.example.com. IN AAAA 2001:db8::7
dsl-192-0-2-82.pool.example.com. IN A 192.0.2.82
seventy.example.com. IN A 192.0.2.70
nodata.example.com. IN HINFO "x" "y"
loop.example.com. IN CNAME loop2.example.com.
loop2.example.com. IN CNAME loop.example.com.
endless.example.com. IN CNAME loop.example.com.
alias.example.com. IN CNAME alias2.example.com.
alias2.example.com. IN CNAME alias3.example.com.
alias3.example.com. IN CNAME pass.example.com.
dangling.example.com. IN CNAME missing.example.com.

pass.example.com. IN TXT "v=spf1 ip4:192.0.2.0/25 ip6:2001:db8::/64 -all"
pass.example.com. IN MX 10 mail.example.com.
split.example.com. IN TXT "v=spf1 ip4:192.0" ".2.7 -all"
mechanisms.example.com. IN TXT "v=spf1 a:mail6.example.com mx include:inner.example.com exists:%{ir}.%{v}.spf.example.com -all"
mechanisms.example.com. IN MX 10 seventy.example.com.
inner.example.com. IN TXT "v=spf1 a:mail.example.com -all"
9.2.0.192.in-addr.spf.example.com. IN A 127.0.0.2
fail.example.com. IN TXT "v=spf1 ip4:203.0.113.0/24 -all exp=why.example.com"
why.example.com. IN TXT "%{i} may not send as %{s}"
bare.example.com. IN TXT "v=spf1 -all"
soft.example.com. IN TXT "v=spf1 ~all"
neutral.example.com. IN TXT "v=spf1 ?all"
wrong.example.com. IN TXT "v=spf1 nonsense -all"
twice.example.com. IN TXT "v=spf1 -all"
twice.example.com. IN TXT "v=spf1 +all"
lookups.example.com. IN TXT "v=spf1 a:a1.x a:a2.x a:a3.x -all"
lost.example.com. IN TXT "v=spf1 include:x.broken.example.com -all"

ok.example.com. IN MX 10 mail.example.com.
null.example.com. IN MX 0 .
home.example.com. IN MX 10 localhost.example.com.
localhost.example.com. IN A 127.0.0.1
localhost.example.com. IN AAAA ::1
private.example.com. IN MX 10 inside.example.com.
private.example.com. IN MX 20 unspecified.example.com.
inside.example.com. IN A 10.1.2.3
unspecified.example.com. IN A 0.0.0.0
halfprivate.example.com. IN MX 10 inside.example.com.
halfprivate.example.com. IN MX 20 mail.example.com.
gone.example.com. IN MX 10 missing.example.com.
unsure.example.com. IN MX 10 mx.broken.example.com.
addressonly.example.com. IN A 192.0.2.7
addressonly6.example.com. IN AAAA 2001:db8::7
privateonly.example.com. IN A 192.168.1.1
mxalias.example.com. IN MX 10 mailalias.example.com.
mailalias.example.com. IN CNAME mail.example.com.
"""


def root_zone():
    large = [f'large.example.com. IN TXT {strings(f"filler-{n}-" + "x" * 700)}' for n in range(8)]
    large.append('large.example.com. IN TXT "v=spf1 ip4:192.0.2.7 -all"')
    huge = [f'huge.example.com. IN TXT {strings(f"filler-{n}-" + "x" * 4000)}' for n in range(8)]
    huge.append('huge.example.com. IN TXT "v=spf1 ip4:192.0.2.7 -all"')
    many = [f"many.example.com. IN MX {n} mx{n}.example.com." for n in range(100)] + ["mx3.example.com. IN A 192.0.2.7"]
    head = ["$TTL 300", f". {SOA}", ". IN NS ns.example.com."]
    return "\n".join(head + listings() + reverse_names() + large + huge + many) + RECORDS


ZONES = {
    ".": root_zone(),
    "newtld.": f"$TTL 300\nnewtld. {SOA}\nnewtld. IN NS ns.example.com.\n",
    "broken.example.com.": None,
    "brokentld.": None,
}


@contextlib.contextmanager
def world(directory):
    """NSD, one that refuses, a silent address, and unbound before them: yields unbound."""
    with start_nsd(directory / "nsd", ZONES, PROBE) as nsd, \
            start_nsd(directory / "refuses", {"only.example.": f"only.example. 60 {SOA}\nonly.example. 60 IN NS ns.example.com.\n"},
                      "only.example") as refuses, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        authorities = {".": nsd.port, "refused.example.com": refuses.port, "silent.example.com": silent.getsockname()[1],
                       "dead.example.com": free_port()}
        with start_unbound(directory / "unbound", authorities, PROBE) as unbound:
            yield unbound


def options_with(resolvers, checks, off=("dnsbl", "rhsbl", "sender_mx", "spf")):
    """Options of a server that asks these ports; what is not in `checks` is off. Returns them and the port for PROXY clients."""
    proxy_port = free_port()
    named = ", ".join(f'"127.0.0.1:{port}"' for port in resolvers)
    text = (f'resolvers = {{{named}}}\nproxy_listen = {{"127.0.0.1:{proxy_port}"}}\nproxy_networks = {{"127.0.0.0/8"}}\n'
            + "".join(OFF[name] for name in off) + checks)
    return text, proxy_port


def dns_server(directory, resolvers, checks, off=("dnsbl", "rhsbl", "sender_mx", "spf"), **places):
    text, proxy_port = options_with(resolvers, checks, off)
    server = Server(directory, text, **places)
    server.proxy_port = proxy_port
    return server


def client_from(server, ip, **options):
    family, ours = ("TCP6", "2001:db8::1") if ":" in ip else ("TCP4", "192.0.2.1")
    header = f"PROXY {family} {ip} {ours} 40000 25\r\n".encode()
    return Client(server.proxy_port, before_banner=header, **options)


def envelope(server, ip="192.0.2.7", helo="mail.example.com", sender="me@example.com", recipient="alice@isp.example"):
    """The reply to RCPT: (code, text)."""
    with client_from(server, ip) as client:
        client.command(f"EHLO {helo}", 250)
        client.command(f"MAIL FROM:<{sender}>", 250)
        client.raw(f"RCPT TO:<{recipient}>\r\n".encode())
        reply = client.reply()
        client.command("QUIT", 221)
    return reply


def expect_reply(server, code, pattern="", **envelope_parts):
    found, said = envelope(server, **envelope_parts)
    equal(found, code, f"reply to {envelope_parts} ({said})")
    assert re.search(pattern, said), f"{envelope_parts}: {said!r} lacks {pattern!r}"


def verdicts(server, number):
    """Of the last of `number` sessions: check -> (result, mode, evidence)."""
    wait_for(f"{number} sessions in the log", lambda: len(server.sessions()) >= number)
    found = [verdict for transaction in server.sessions()[number - 1]["transactions"]
             for verdict in transaction.get("verdicts", [])]
    return {verdict["check"]: (verdict["result"], verdict["mode"], verdict["evidence"]) for verdict in found}
