"""DNS for the attacks on a server of ours, a process of its own: an honest world, and domains that hang, lie, loop and never end.
As a program it prints its port and answers until its input ends."""

import contextlib
import os
import pathlib
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "integration")]

from common.dns_peers import (A, CNAME, MX, NOERROR, TXT, ScriptedDns, address, exchange, framed, text,  # noqa: E402
                              wire_name)

LIST = "bl.example.org"
# Under each of these every name has the fault.
HANGING, LOOPING, MANY, HUGE, CHAINED, POISONED = (f"{kind}.example.net" for kind in ("hang", "loop", "many", "huge", "chain", "poison"))
HONEST = "honest.example.net"
LIE = exchange("mail.example.com")


def is_below(name, domain):
    return name.endswith("." + domain)


def honest(query):
    """example.com and all names below honest.example.net get mail and send it from this machine."""
    if query.name == "mail.example.com":
        return query.answer(address("192.0.2.7")) if query.type == A else query.negative(NOERROR)
    if query.name == "example.com" or is_below(query.name, HONEST):
        data = {MX: exchange("mail.example.com"), TXT: text("v=spf1 ip4:127.0.0.0/8 -all")}.get(query.type)
        return query.answer(data) if data else query.negative(NOERROR)
    if query.name == "2.0.0.127." + LIST and query.type == A:
        return query.answer(address("127.0.0.2"))
    return query.negative()


def truncated(query):
    return query.packet[:2] + struct.pack("!HHHHH", 0x8380, 1, 0, 0, 0) + query.question


def large(query, is_tcp, data):
    return query.answer(*data) if is_tcp else truncated(query)


def looping(query):
    """An alias of a name that asks for the next one, without end."""
    label, _, rest = query.name.partition(".")
    target = wire_name(f"{label[:40]}x.{rest}")
    record = b"\xc0\x0c" + struct.pack("!HHIH", CNAME, 1, 60, len(target)) + target
    return query.header(answers=1) + query.question + record


def chained(query):
    """An SPF record that includes ten others of its own kind, each of which does the same."""
    if query.type == MX:
        return query.answer(exchange("mail.example.com"))
    if query.type != TXT:
        return query.negative(NOERROR)
    rest = query.name if len(query.name) < 100 else CHAINED
    return query.answer(text("v=spf1 " + " ".join(f"include:{letter}.{rest}" for letter in "abcdefghij") + " -all"))


def lies(query, send, send_from_elsewhere):
    """Answers that nobody asked for in this way, each of which would let the sender in; then the truth: there is no such name."""
    kind = query.name.split("-")[0]
    lie = query.answer(LIE)
    if kind == "port":
        send_from_elsewhere(lie)
    elif kind == "id":
        own = struct.unpack("!H", query.packet[:2])[0]
        for step in range(1, 65):
            send(struct.pack("!H", (own + step) & 0xffff) + lie[2:])
    elif kind == "question":
        other = wire_name("mail." + HONEST)
        send(lie[:12] + other + query.question[-4:] + lie[12 + len(query.question):])
    elif kind == "type":
        send(lie[:12] + query.question[:-4] + struct.pack("!HH", TXT, 1) + lie[12 + len(query.question):])
    elif kind == "none":
        send(lie[:4] + b"\0\0" + lie[6:12] + lie[12 + len(query.question):])
    elif kind == "query":
        send(query.answer(LIE, flags=0x0100))
    elif kind == "cut":
        send(lie[:-3])
    if kind == "extra":  # the truth, and with it what was not asked for
        victim = wire_name("victim." + POISONED)
        record = victim + struct.pack("!HHIH", MX, 1, 3600, len(LIE)) + LIE
        truth = query.negative()
        send(truth[:10] + b"\0\1" + truth[12:] + record)
        return
    send(query.negative())


def behave(query, is_tcp, send, elsewhere):
    reply = (lambda octets: send(framed(octets))) if is_tcp else send
    if is_below(query.name, HANGING):
        return
    if is_below(query.name, POISONED) and query.type == MX and not is_tcp:
        lies(query, send, elsewhere)
    elif is_below(query.name, LOOPING):
        reply(looping(query))
    elif is_below(query.name, MANY) and query.type == MX:
        reply(large(query, is_tcp, [exchange(f"mx{number}.{HANGING}", number) for number in range(100)]))
    elif is_below(query.name, HUGE) and query.type in (TXT, MX):
        long_exchanges = [exchange("m" * 60 + f".{number}.{HONEST}") for number in range(600)]
        data = [text("v=spf1 " + "x" * 240)] * 230 if query.type == TXT else long_exchanges
        reply(large(query, is_tcp, data))
    elif is_below(query.name, CHAINED):
        reply(chained(query))
    else:
        reply(honest(query))


def main():
    server = ScriptedDns(lambda *_: None)
    server.behaviour = lambda query, is_tcp, send: behave(query, is_tcp, send,
                                                          lambda octets: server.other.sendto(octets, server.peer))
    print(server.port, flush=True)
    sys.stdin.read()
    server.stop()


@contextlib.contextmanager
def world():
    """Yields the port of a running one."""
    environment = dict(os.environ, PYTHONPATH=f"{HERE.parent}:{HERE.parent / 'integration'}")
    with subprocess.Popen([sys.executable, "-B", HERE / "names.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          env=environment) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            assert process.wait(20) == 0, "the DNS of the attacks broke down"


if __name__ == "__main__":
    main()
