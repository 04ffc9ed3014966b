"""Everything without end: connections, lines, header fields, recipients, text, and commands whose replies nobody reads. Each must meet a
bound with a defined answer, and what it took must come back."""

import resource
import select
import socket
import time

from attacks.client import Silent, Unexpected, ready
from attacks.good import GoodClient
from attacks.target import attempt, together

LINE_OCTETS = 8 << 20
CHUNK = 64 << 10
# Descriptors that the attack itself keeps free for the good client, files and threads.
RESERVE = 500


def pour(peer, chunk, octets, seconds):
    """Sends until the server answers, closes, or takes no more for so long; returns the octets that it took."""
    sent, at = 0, 0
    end = time.monotonic() + seconds
    peer.socket.setblocking(False)
    try:
        while sent < octets and time.monotonic() < end:
            events = ready(peer.socket, 1, select.POLLIN | select.POLLOUT)
            if events & select.POLLIN:
                break
            if events & select.POLLOUT:
                count = peer.socket.send(chunk[at:])
                sent, at = sent + count, (at + count) % len(chunk)
                end = time.monotonic() + seconds
    except OSError:
        pass
    finally:
        peer.socket.settimeout(peer.seconds)
    return sent


def answer_of(peer):
    try:
        return peer.reply(peer.seconds).code
    except Silent:
        return 0


def end_text(target, report, peer, sent, what):
    """Of ours the bound is known, and that it is told for good, or ends the connection."""
    from attacks.own import MESSAGE_SIZE_MAX
    # The rest of a line, in case that it was cut.
    peer.raw(b"\r\n.\r\n")
    code = answer_of(peer)
    report.note(f"{sent >> 20} MiB of {what}: {code}")
    if target.server is not None and sent > MESSAGE_SIZE_MAX and code not in (552, 421, None):
        report.found("attack", f"{sent >> 20} MiB of {what} are answered {code}", "A mail has no bound")


def endless_line(target, report):
    with target.session() as peer:
        sent = pour(peer, b"NOOP " + b"x" * CHUNK, LINE_OCTETS, 2)
        if sent >= LINE_OCTETS:
            peer.raw(b"\r\n")
            report.note(f"a command line of {LINE_OCTETS >> 20} MiB is read to its end, then answered {answer_of(peer)}")
        else:
            report.note(f"a command line without end is answered {answer_of(peer)} after {sent >> 10} KiB")


def endless_fields(target, report):
    """A header of ever further fields: refused or taken by its size, not by the memory that they need."""
    with target.mail() as peer:
        field = b"X-Field-%08d: " + b"x" * 60 + b"\r\n"
        chunk = b"".join(field % number for number in range(800))
        size = target.count(32 << 20, 8 << 20)
        end_text(target, report, peer, pour(peer, chunk, size, 5), "header fields")


def endless_recipients(target, report):
    with target.session() as peer:
        peer.need(f"MAIL FROM:<{target.sender}>", 250)
        count = target.count(5000, 1200)
        codes = []
        for _ in range(count):
            codes.append(peer.say(f"RCPT TO:<{target.rcpt}>").code)
            if codes[-1] not in (250, 251):
                break
        report.note(f"{len(codes)} times the same recipient: the last was answered {codes[-1]}")
        if len(codes) <= 100 and codes[-1] is not None and codes[-1] >= 500:
            report.found("rfc", f"recipient {len(codes)} of a mail is refused for good", "A server takes 100 at least, and puts the rest "
                         "off (452)", "RFC 5321 4.5.3.1.8 and 4.5.3.1.10")


def unread_replies(target, report):
    """Commands in a stream whose replies are never read: the server must stop reading, or close; it must not keep them all."""
    with target.session() as peer:
        peer.socket.setblocking(False)
        sent, last = 0, time.monotonic()
        limit = target.count(256 << 20, 32 << 20)
        chunk = b"HELP\r\n" * 10000
        try:
            while sent < limit and time.monotonic() - last < 2:
                if ready(peer.socket, 0.5, select.POLLOUT):
                    sent += peer.socket.send(chunk)
                    last = time.monotonic()
        except OSError:
            report.note(f"a stream of commands whose replies are not read is cut off after {sent >> 10} KiB")
            return
        if sent >= limit:
            report.found("attack", f"{sent >> 20} MiB of commands are read while their replies are not", "Replies pile up in memory")
        else:
            report.note(f"a stream of commands whose replies are not read stands still after {sent >> 10} KiB")


def endless_text(target, report):
    """Beyond SIZE: 552, or the end of the connection."""
    with target.mail() as peer:
        end_text(target, report, peer, pour(peer, b"x" * 998 + b"\r\n", target.count(64 << 20, 12 << 20), 5), "text")


def room_for_connections(target):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(hard - RESERVE, target.count(10000, 1000))


def first_digits(peer):
    """Of what the server has said so far."""
    try:
        return peer.socket.recv(3, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:
        return b""


def hold_connections(target, report, held):
    """As many as this machine, or the server, allows."""
    wanted = room_for_connections(target)
    began = time.monotonic()
    while len(held) < wanted and time.monotonic() - began < target.count(30, 5):
        try:
            peer = target.connect()
        except OSError as error:
            report.note(f"connection {len(held) + 1} fails: {error}")
            break
        held.append(peer)
    report.tried(len(held))
    taken = time.monotonic() - began
    time.sleep(target.count(3, 1))
    digits = [first_digits(peer) for peer in held]
    report.note(f"{len(held)} connections in {taken:.1f} s; {digits.count(b'220')} of them were greeted, {digits.count(b'421')} turned away")


def tell_good(report, who, good):
    slowest = 1000 * good.deferrals[-1][0] if good.deferrals else 0
    report.note(f"meanwhile {who}: {good.mails} mails stored, p50 {good.text(50)} ms, p99 {good.text(99)} ms; {len(good.deferrals)} "
                f"deferred, each within {slowest:.0f} ms; {len(good.failures)} failed")
    if good.failures:
        report.found("attack", f"while connections hold all places {who} fails: {good.failures[0]}", "It is neither served nor told "
                     "to come again")


def await_strangers(target, report):
    """What was taken is given back step by step: not before the last one are strangers served as ever."""
    began = time.monotonic()
    while time.monotonic() - began < target.seconds:
        try:
            target.session().close()
            break
        except (OSError, Silent, Unexpected):
            time.sleep(0.1)
    report.note(f"{time.monotonic() - began:.1f} s after the end of these connections a stranger is greeted")


def take_all_places(target, report):
    """A server that knows nobody is judged by strangers, as in all classes."""
    held = []
    try:
        if target.known is None:
            hold_connections(target, report, held)
        else:
            with GoodClient(target, target.known) as known, GoodClient(target, may_be_deferred=True) as stranger:
                hold_connections(target, report, held)
            tell_good(report, "a good client that is known", known)
            tell_good(report, "a good client that nobody knows", stranger)
    finally:
        for peer in held:
            peer.close()
    await_strangers(target, report)


PARTS = (endless_line, endless_fields, endless_recipients, unread_replies, endless_text)


def attack(target, report):
    for part in PARTS:
        together(report, lambda _, part=part: part(target, report), range(target.count(6, 2)), threads=6)
    attempt(report, take_all_places, target, report)
