"""Command injection: a second command hidden in the argument of a first one, behind a line end that is none, and commands that run
on behind DATA."""

from attacks.client import CLOSED
from attacks.target import together

CLAUSE = "RFC 5321 2.3.8"
SEPARATORS = {"CR": b"\r", "LF": b"\n", "NUL": b"\0", "CR NUL": b"\r\0", "LF CR": b"\n\r", "VT": b"\v", "FF": b"\f", "NEL": b"\xc2\x85",
              "U+2028": b"\xe2\x80\xa8", "0x8d 0x0a": b"\x8d\n", "%0d%0a": b"%0d%0a", "backslash r n": b"\\r\\n"}
# Hidden in each argument; what comes first is what the session needs.
HIDERS = {
    "EHLO": ((), b"EHLO client.example.com%s"),
    "HELO": ((), b"HELO client.example.com%s"),
    "MAIL": (("EHLO",), b"MAIL FROM:<a%sb@example.com>"),
    "MAIL, behind the path": (("EHLO",), b"MAIL FROM:<a@example.com>%s"),
    "MAIL, in a parameter": (("EHLO",), b"MAIL FROM:<a@example.com> SIZE=1%s"),
    "MAIL, in a quoted string": (("EHLO",), b'MAIL FROM:<"a%sb"@example.com>'),
    "RCPT": (("EHLO", "MAIL"), b"RCPT TO:<a%sb@%d>"),
    "RCPT, behind the path": (("EHLO", "MAIL"), b"RCPT TO:<a@%d>%s"),
    "VRFY": (("EHLO",), b"VRFY a%s"),
    "NOOP": (("EHLO",), b"NOOP a%s"),
    "RSET": (("EHLO",), b"RSET%s"),
    "an unknown command": (("EHLO",), b"XYZZY a%s"),
    "nothing": (("EHLO",), b"%s"),
}


def prepared(target, steps):
    peer = target.session(hello="EHLO" in steps)
    if "MAIL" in steps:
        peer.need(f"MAIL FROM:<{target.sender}>", 250)
    return peer


def inject(target, what):
    """The codes of the replies to one line, in which another command is hidden, before that to QUIT."""
    (_, (steps, form)), (_, separator) = what
    line = form.replace(b"%d", target.domain.encode()).replace(b"%s", separator + b"NOOP ")
    with prepared(target, steps) as peer:
        first = peer.say(line)
        codes = peer.rest() if first != CLOSED else []
        return [code for code in codes if code not in (221, 421)]


def try_arguments(target, report):
    separators = list(SEPARATORS.items())[:5] if target.is_short else SEPARATORS.items()
    tries = [(hider, separator) for hider in HIDERS.items() for separator in separators]
    separating = {}
    for ((hider, _), (separator, _)), codes in together(report, lambda what: inject(target, what), tries):
        if codes:
            separating.setdefault(separator, set()).add(hider)
    for separator, hiders in sorted(separating.items()):
        where = "every argument" if len(hiders) == len(HIDERS) else "the argument of " + "; of ".join(sorted(hiders))
        report.found("rfc", f"{separator} ends a command, in {where}", "A program that lets it pass in an address or a name lets "
                     "a stranger give commands in its session; and it is one half of smuggling", CLAUSE)


def try_data(target, report):
    """Commands in the segment of DATA, before the 354: they are text or refused, never commands."""
    def one(_):
        with target.session() as peer:
            target.give_envelope(peer)
            peer.raw(b"DATA\r\nNOOP\r\nRSET\r\nNOOP\r\n")
            first = peer.reply()
            if first.code != 354:
                return []  # refused, as one that does not wait
            peer.raw(b".\r\n")
            second = peer.reply()
            return peer.rest() if second != CLOSED else []

    for _, codes in together(report, one, range(3)):
        if codes and any(code not in (221, 421) for code in codes):
            report.found("rfc", f"what follows DATA in its segment is read as commands, answered {codes}",
                         "Text turns into commands", "RFC 5321 4.1.1.4")


def attack(target, report):
    try_arguments(target, report)
    try_data(target, report)
