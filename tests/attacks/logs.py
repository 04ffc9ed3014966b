"""Log injection: whatever a stranger says, a line of the log stays one line, its reader's terminal obeys nothing in it, and it tells
of nobody else."""

import json
import re
import time

from attacks.report import NotApplicable
from attacks.target import new_token, together

WHY = "Who reads the log, or a program that does, is deceived or commanded"
FORGED = b'{"time":"2026-01-01T00:00:00.000Z","event":"session","client":"192.0.2.99"}'
POISONS = {
    "a forged line": b"\n" + FORGED + b"\n", "a forged line behind CR": b"\r" + FORGED,
    "an end of string": b'","event":"forged","x":"', "a backslash": b"\\",
    "terminal commands": b"\x1b[2J\x1b]0;title\x07\x1b[31m", "control characters": bytes(range(1, 10)) + b"\x0b\x0c\x7f",
    "NUL": b"a\0b", "C1 characters": "\x85\x9b31m\x90\x9d".encode(), "raw C1 octets": bytes(range(0x80, 0xa0)),
    "bidirectional text": "\u202e\u2066\u200f\u061c\u2069".encode(), "line separators": "\u2028\u2029".encode(),
    "invisible characters": "\u200b\ufeff\u00ad\U000e0041".encode(), "no UTF-8": b"\xc0\xaf\xed\xa0\x80\xff\xfe",
    "formats": b"%s%n%08x${jndi:x}", "much": b"x" * 400, "very much": b"x" * 100000, "quotes of a shell": b"'`$(id)`\"",
}
# Where it is said; each is a session of its own.
PLACES = {
    "EHLO": [b"EHLO %s"], "HELO": [b"HELO %s.example.com"], "MAIL": [b"EHLO c.example.com", b"MAIL FROM:<%s@example.com>"],
    "MAIL in quotes": [b"EHLO c.example.com", b'MAIL FROM:<"%s"@example.com>'],
    "MAIL, international": [b"EHLO c.example.com", b"MAIL FROM:<%s@example.com> SMTPUTF8"],
    "a domain": [b"EHLO c.example.com", b"MAIL FROM:<a@%s.example.com>"],
    "RCPT": [b"EHLO c.example.com", b"MAIL FROM:<>", b"RCPT TO:<%s@%d>"],
    "a parameter": [b"EHLO c.example.com", b"MAIL FROM:<a@example.com> X=%s"], "no command": [b"%s"],
    "early": [b"EHLO c.example.com\r\n%s"],
    "Message-ID": [b"EHLO c.example.com", b"MAIL FROM:<me@example.com>", b"RCPT TO:<%r>", b"DATA", b"Message-ID: <%s@x>\r\n\r\nx\r\n."],
}
BIDI = "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"


def say_all(target, lines):
    with target.greeted() as peer:
        for line in lines:
            if not peer.raw(line + b"\r\n") or peer.reply(2).code is None:
                return
        peer.rest(2)


def filled(target, line, poison):
    return line.replace(b"%d", target.domain.encode()).replace(b"%r", target.rcpt.encode()).replace(b"%s", poison)


def around(text, found):
    return text[max(0, found.start() - 40):found.end() + 20]


def judge_octets(target, report, octets):
    """Control characters are a fault of any log. Ours promises more: UTF-8, and nothing that some editors and terminals obey."""
    controls = re.search(rb"[\0-\x08\x0b-\x1f\x7f]", octets)
    if controls:
        report.found("attack", f"the log has a control character: {around(octets, controls)!r}", WHY)
    try:
        octets.decode()
    except UnicodeDecodeError as error:
        tell(target, report, f"the log is no UTF-8: {octets[max(0, error.start - 40):error.end + 10]!r}")
    text = octets.decode(errors="replace")
    for odd in (re.search("[\u0080-\u009f]", text), re.search(f"{BIDI}|[\u2028\u2029]", text)):
        if odd:
            tell(target, report, f"the log has U+{ord(odd[0]):04X} as it came: {around(text, odd)!a}")


def tell(target, report, what):
    if target.server is not None:
        report.found("attack", what, "Editors and terminals show another order, or another line, than there is")
    else:
        report.note(what)


def judge_lines(target, report, octets):
    """Ours is JSON; of a stranger's no more is known than that the forged line must not begin one."""
    lines = octets.split(b"\n")[:-1]
    if any(re.match(rb"\s*" + re.escape(FORGED), line) for line in lines):
        report.found("attack", "the forged line is a line of the log", WHY)
    longest = max(map(len, lines), default=0)
    report.note(f"{len(lines)} lines, the longest of {longest} octets")
    if target.server is None:
        return
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            report.found("attack", f"a line of the log is no JSON object: {line[:200]!r}", WHY)
            continue
        if told.get("client") == "192.0.2.99" or told["event"] == "forged":
            report.found("attack", f"the log tells of a client who was never there: {line[:200]!r}", WHY)
    if longest > 1 << 20:
        report.found("attack", f"a line of the log has {longest} octets", "One client fills the disk")


def written(target, report, began):
    """The whole lines since then, once the last session is told of."""
    token = new_token()
    say_all(target, [f"EHLO {token}.example.com".encode(), f"MAIL FROM:<{target.sender}>".encode(),
                     f"RCPT TO:<{token}@{target.domain}>".encode()])
    end = time.monotonic() + 10 * target.patience
    while True:
        with target.log.open("rb") as log:
            log.seek(began)
            octets = log.read()
        if token.encode() in octets:
            break
        if time.monotonic() > end:
            report.note("the log does not tell of the last session; what is there so far was looked at")
            break
        time.sleep(0.1)
    return octets[:octets.rfind(b"\n") + 1]


def attack(target, report):
    if not target.log:
        raise NotApplicable("the log cannot be seen; tell where it is by --log")
    began = target.log.stat().st_size
    tries = [[filled(target, line, poison) for line in lines] for poison in POISONS.values() for lines in PLACES.values()]
    together(report, lambda lines: say_all(target, lines), tries[::3] if target.is_short else tries)
    octets = written(target, report, began)
    judge_octets(target, report, octets)
    judge_lines(target, report, octets)
