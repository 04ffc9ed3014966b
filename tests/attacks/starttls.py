"""STARTTLS injection: what is said in the clear must not count once the session is encrypted, and nothing said in the clear behind the
STARTTLS line may be taken for what came by TLS."""

import time

from attacks.client import ready
from attacks.target import attempt

CLAUSE = "RFC 3207 4 and 4.2"
WHY = "Whoever sits on the wire puts commands of his own into a session that both sides believe to be protected"
GAP_SECONDS = 0.05
ANSWER_SECONDS = 2


def secured(peer):
    """Whether the server went on to TLS, and the handshake succeeded."""
    return peer.reply().code == 220 and peer.start_tls(seconds=5)


def judge_inside(report, peer, how):
    """Inside TLS nothing was said: the first reply must be that to QUIT."""
    codes = peer.rest(5)
    if codes and codes[0] != 221 or len(codes) > 1:
        report.found("attack", f"a command in the clear {how} is answered inside of TLS: {codes}", WHY, CLAUSE)


def same_segment(target, report):
    with target.session() as peer:
        peer.raw(b"STARTTLS\r\nNOOP injected\r\n")
        if secured(peer):
            judge_inside(report, peer, "in the segment of STARTTLS")


def half_command(target, report):
    """The beginning of a command, which what comes by TLS would complete."""
    with target.session() as peer:
        peer.raw(b"STARTTLS\r\nNOOP ")
        if secured(peer):
            peer.raw(b"XYZZY\r\n")
            if peer.reply(5).code == 250:
                report.found("attack", "half a command in the segment of STARTTLS is completed inside of TLS", WHY, CLAUSE)


def next_segment(target, report):
    with target.session() as peer:
        peer.raw(b"STARTTLS\r\n")
        time.sleep(GAP_SECONDS)
        peer.raw(b"NOOP injected\r\n")
        if secured(peer):
            judge_inside(report, peer, "in the segment after STARTTLS")


def plaintext_after_220(target, report):
    with target.session() as peer:
        peer.need("STARTTLS", 220)
        peer.raw(b"NOOP in the clear\r\n")
        # An alert is no reply either; a server that says nothing waits for a handshake.
        octets = peer.socket.recv(100) if ready(peer.socket, ANSWER_SECONDS) else b""
        if octets[:3] == b"250":
            report.found("attack", "after the 220 to STARTTLS commands in the clear are obeyed", WHY, CLAUSE)


def helo_remembered(target, report):
    with target.session(hello=False) as peer:
        if peer.say(f"MAIL FROM:<{target.sender}>").code == 250:
            report.leave_out("HELO after TLS", "this server asks for no HELO at all")
            return
    with target.tls_session() as peer:
        if peer.say(f"MAIL FROM:<{target.sender}>").code == 250:
            report.found("rfc", "HELO of before the handshake still counts after it", "It may be that of an attacker", CLAUSE)


def mail_remembered(target, report):
    with target.session() as peer:
        target.give_envelope(peer)
        if peer.say("STARTTLS").code != 220:
            return  # not within a mail: as good
        if peer.start_tls():
            peer.need(f"EHLO {target.helo}", 250)
            if peer.say("DATA").code == 354:
                report.found("attack", "sender and recipients of before the handshake still count after it", WHY, CLAUSE)


def offered_again(target, report):
    with target.tls_session() as peer:
        lines = peer.need(f"EHLO {target.helo}", 250).text.upper().split("\n")
        if "STARTTLS" in lines:
            report.found("rfc", "STARTTLS is offered inside of TLS", "It MUST NOT be", "RFC 3207 4.2")
        if peer.say("STARTTLS").code == 220:
            report.found("rfc", "STARTTLS is begun inside of TLS", "It MUST NOT be offered there", "RFC 3207 4.2")


def with_argument(target, report):
    with target.session() as peer:
        code = peer.say("STARTTLS now").code
        if code == 220:
            report.found("rfc", "STARTTLS with an argument is taken", "501 is the reply to it", "RFC 3207 4")


def closed_in_text(target, report):
    """A text that ends with the connection, not with its dot, is no mail."""
    with target.tls_session() as peer:
        peer.need(f"EHLO {target.helo}", 250)
        target.give_envelope(peer)
        peer.need("DATA", 354)
        peer.raw(b"Subject: cut off\r\n\r\nhalf a mail\r\n")
        peer.socket.settimeout(5)
        peer.socket = peer.socket.unwrap()
        peer.raw(b".\r\n")
        if peer.socket.recv(3) == b"250":
            report.found("attack", "the dot in the clear, behind close_notify, ends a text that came by TLS", WHY, "RFC 8446 6.1")


PARTS = (same_segment, half_command, next_segment, plaintext_after_220, helo_remembered, mail_remembered, offered_again,
         with_argument, closed_in_text)


def attack(target, report):
    target.need_tls()
    for part in PARTS:
        for _ in range(target.count(5, 2)):
            attempt(report, part, target, report)
