"""Header injection: what a client says in HELO, MAIL and RCPT ends up in Received and Return-Path; it must not become a field of its
own there, nor spoil theirs."""

import re

from attacks.client import CLOSED
from attacks.report import NotApplicable
from attacks.target import attempt, new_token, together

WHY = "Filters and people believe what the receiver seems to have written, and programs differ in what ends a line"
CLAUSE = "RFC 5321 4.4 and RFC 5322 2.2"
BREAKS = {"CR": b"\r", "LF": b"\n", "LF blank": b"\n ", "NUL": b"\0", "VT": b"\v", "NEL": b"\xc2\x85", "U+2028": b"\xe2\x80\xa8",
          "TAB": b"\t", "CR in quotes": b'"\r"', "parenthesis": b")(", "semicolon": b";", "backslash": b"\\", "ESC": b"\x1b[2J"}
FIELD = b"X-Injected: yes"


def places(target, name, octets):
    """Where the break is put: the lines that a session says before its text, in each of them once."""
    injected = octets + FIELD
    blankless = injected.replace(b": ", b":")
    hello, sender, rcpt = target.helo.encode(), target.sender.encode(), target.rcpt.encode()
    plain = [b"EHLO " + hello, b"MAIL FROM:<" + sender + b">", b"RCPT TO:<" + rcpt + b">"]
    yield f"{name} in EHLO", [b"EHLO " + hello + injected, *plain[1:]]
    yield f"{name} in EHLO, without a blank", [b"EHLO " + hello + blankless, *plain[1:]]
    yield f"{name} in HELO", [b"HELO " + hello + blankless, *plain[1:]]
    yield f"{name} in MAIL", [plain[0], b'MAIL FROM:<"a' + injected + b'"@' + sender.rpartition(b"@")[2] + b">", plain[2]]
    yield f"{name} in MAIL, without quotes", [plain[0], b"MAIL FROM:<a" + blankless + b"@" + sender.rpartition(b"@")[2] + b">", plain[2]]
    yield f"{name} in a parameter", [plain[0], plain[1] + b" BODY=8BITMIME" + injected, plain[2]]
    yield f"{name} in RCPT", [*plain[:2], plain[2], plain[2][:-1] + blankless + b">"]
    yield f"{name} before RCPT's domain", [*plain[:2], plain[2], b'RCPT TO:<"a' + injected + b'"@' + rcpt.rpartition(b"@")[2] + b">"]


def deliver(target, lines, token):
    """Whether a mail came of it. Lines that are refused are left out where the mail can go on without them."""
    with target.greeted() as peer:
        for line in lines:
            reply = peer.say(line)
            # A break that ends the command has further replies; they are collected before the next line.
            while reply != CLOSED and peer.buffer:
                reply = peer.reply()
            if reply == CLOSED:
                return False
        if peer.say("DATA").code != 354:
            return False
        peer.raw(f"Subject: header {token}\r\n\r\ntext\r\n.\r\n".encode())
        return peer.reply().code == 250


def lines_of_header(octets):
    """Unfolded fields of what the server wrote before the client's own header, and whatever else stands there."""
    header = octets.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0]
    return header.split(b"\nSubject: header", 1)[0].split(b"\n")


def faults_of(octets):
    """(grade, what) of each fault of the header."""
    for line in lines_of_header(octets):
        if line.startswith(b"X-Injected"):
            yield "attack", "the mail has a field X-Injected"
        elif not re.match(rb"[!-9;-~]+:|[ \t]+\S|From ", line):
            yield "attack", "the header has a line that is no field"
        if re.search(rb"[\0\r\v\f\x1b\x7f]", line):
            yield "rfc", f"the header has control characters, as in {re.sub(rb'gp[0-9a-f]+', b'', line)[:80]!r}"


def judge(report, results):
    """`results`: (place, octets of the mail) pairs. The same fault in several places is one finding."""
    places_of, examples = {}, {}
    for place, octets in results:
        for grade, what in faults_of(octets):
            key = grade, what.partition(", as in")[0]
            places_of.setdefault(key, {})[place] = None
            examples.setdefault(key, what)
    for key, found in places_of.items():
        report.found(key[0], f"{'; '.join(found)}: {examples[key]}", WHY, CLAUSE)


def attack(target, report):
    if not target.maildir:
        raise NotApplicable("stored mails cannot be seen; tell where they are by --maildir")
    breaks = list(BREAKS.items())[:5] if target.is_short else BREAKS.items()
    tries = [(*place, new_token()) for name, octets in breaks for place in places(target, name, octets)]
    delivered = together(report, lambda one: deliver(target, one[1], one[2]), tries)
    attempt(report, target.settle)
    report.note(f"{sum(bool(came) for _, came in delivered)} of {len(tries)} came to a mail")
    judge(report, [(place, octets) for (place, _, token), came in delivered if came
                   for octets in target.stored(f"Subject: header {token}")])
