"""What RFC 5321 demands of every server, as far as a client can see it: order of commands, limits, postmaster, the meaning of RSET and
EHLO, dots and octets of the text."""

from attacks.client import CLOSED
from attacks.target import attempt, new_token

# (title, [(line, codes that it may have)], clause). {helo}, {sender}, {rcpt} and {domain} are filled in; EHLO has gone before.
# 4xx mean "not now" and are no fault of the dialogue. A negative code ends it: the server may say so, and then the rest means nothing.
DIALOGUES = [
    ("verbs in any case", [("nOoP", {250}), ("mail from:<{sender}>", {250}), ("rSeT", {250})], "2.4"),
    ("an unknown command is refused", [("XYZZY", {500, 502, 550})], "4.2.4"),
    ("RCPT before MAIL is refused", [("RCPT TO:<{rcpt}>", {503, 550, 554})], "4.1.4"),
    ("DATA before MAIL is refused", [("DATA", {503, 554})], "4.1.4"),
    ("DATA without a recipient is refused", [("MAIL FROM:<{sender}>", {250}), ("DATA", {503, 554})], "4.1.1.4"),
    ("MAIL within a mail is refused", [("MAIL FROM:<{sender}>", {250}), ("MAIL FROM:<{sender}>", {503})], "4.1.4"),
    ("RSET forgets sender and recipients", [("MAIL FROM:<{sender}>", {250}), ("RCPT TO:<{rcpt}>", {250, 251}), ("RSET", {250}),
                                            ("DATA", {503, 554})], "4.1.1.5"),
    ("EHLO forgets sender and recipients", [("MAIL FROM:<{sender}>", {250}), ("RCPT TO:<{rcpt}>", {250, 251}), ("EHLO {helo}", {250, -503}),
                                            ("DATA", {503, 554})], "4.1.4"),
    ("the null sender is taken", [("MAIL FROM:<>", {250}), ("RCPT TO:<{rcpt}>", {250, 251})], "3.6.3 and 6.1"),
    ("postmaster gets mail", [("MAIL FROM:<{sender}>", {250}), ("RCPT TO:<postmaster@{domain}>", {250, 251})], "4.5.1"),
    ("Postmaster in any case", [("MAIL FROM:<{sender}>", {250}), ("RCPT TO:<PostMaster@{domain}>", {250, 251})], "4.5.1"),
    ("bare postmaster gets mail", [("MAIL FROM:<{sender}>", {250}), ("RCPT TO:<Postmaster>", {250, 251})], "4.5.1"),
    ("a domain in any case", [("MAIL FROM:<{sender}>", {250}), ("RCPT TO:<{local}@{upper}>", {250, 251})], "2.3.5"),
    ("a quoted local part is its content", [("MAIL FROM:<{sender}>", {250}), ('RCPT TO:<"{local}"@{domain}>', {250, 251})], "4.1.2"),
    ("a local part of 64 octets is no error of syntax", [("MAIL FROM:<" + "x" * 64 + "@example.com>", {250})], "4.5.3.1.1"),
    ("VRFY is known", [("VRFY {rcpt}", {250, 251, 252, 501, 502, 504, 550, 551, 553})], "4.5.1"),
    ("HELP does not end the session", [("HELP", {211, 214, 500, 502}), ("NOOP", {250})], "4.1.1.8"),
    ("DATA takes no argument", [("MAIL FROM:<{sender}>", {250}), ("RCPT TO:<{rcpt}>", {250, 251}),
                                ("DATA now", {500, 501, 503, 554})], "4.1.1.4"),
    ("RSET takes no argument", [("RSET now", {250, 500, 501, 503})], "4.1.1.5"),
    ("an unknown parameter of MAIL is refused", [("MAIL FROM:<{sender}> XYZZY=1", {501, 504, 550, 555, 503})], "4.1.1.11"),
    ("an address without an at is refused", [("MAIL FROM:<{sender}>", {250}),
                                             ("RCPT TO:<nobody here>", {500, 501, 550, 553, 555})], "4.1.1.3"),
]


def play(target, report, dialogue):
    title, lines, clause = dialogue
    local, _, domain = target.rcpt.rpartition("@")
    words = {"helo": target.helo, "sender": target.sender, "rcpt": target.rcpt, "local": local, "domain": domain, "upper": domain.upper()}
    with target.session() as peer:
        for form, codes in lines:
            line = form.format(**words)
            code = peer.say(line).code
            if code is not None and 400 <= code < 500:
                report.leave_out(title, f"{line} is answered {code}, not now")
                return
            if code is not None and -code in codes:
                report.leave_out(title, f"{line} is answered {code}, which it may be")
                return
            if code not in codes:
                report.found("rfc", f"{title}: as it is configured, {line} is answered {code}", "Clients rely on it",
                             f"RFC 5321 {clause}")
                return


def many_recipients(target, report):
    with target.session() as peer:
        peer.need(f"MAIL FROM:<{target.sender}>", 250)
        codes = [peer.say(f"RCPT TO:<{target.rcpt}>").code for _ in range(100)]
    bad = [(number, code) for number, code in enumerate(codes, 1) if code not in (250, 251)]
    if bad:
        report.found("rfc", f"recipient {bad[0][0]} of 100 is answered {bad[0][1]}", "A server takes 100 in a mail", "RFC 5321 4.5.3.1.8")


def longest_line(target, report):
    """A command line of 512 octets with its CRLF is within the limit. That NOOP has an argument should be ignored."""
    with target.session() as peer:
        if (code := peer.say("NOOP x").code) != 250:
            report.note(f"NOOP with an argument is answered {code}; it should be ignored (RFC 5321 4.1.1.9)")
            return
        code = peer.say("NOOP " + "x" * (512 - 7)).code
    if code != 250:
        report.found("rfc", f"a command line of 512 octets is answered {code}", "It is within the limit", "RFC 5321 4.5.3.1.4")


def quit_closes(target, report):
    with target.session() as peer:
        reply = peer.say("QUIT")
        if reply.code != 221 or peer.reply() != CLOSED:
            report.found("rfc", f"QUIT is answered {reply.code}, or the connection stays", "221, and then the end", "RFC 5321 4.1.1.10")


def quit_forgets(target, report):
    """A text whose connection ends without a dot is no mail."""
    token = new_token()
    with target.mail() as peer:
        peer.raw(f"Subject: lost {token}\r\n\r\nhalf\r\n".encode())
    return token


def whole_text(target, report):
    """Octets of the text come back as they went: dots, a line of 998 octets, 8-bit text where it is offered."""
    token = new_token()
    lines = [b".", b"..", b"...x", b"x" * 998, b"", b"  blanks  ", b"\tTAB"]
    with target.mail() as peer:
        if "8BITMIME" in peer.keywords:
            lines.append("Grüße".encode())
        peer.raw(f"Subject: whole {token}\r\n\r\n".encode() + b"".join(
            (b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines) + b".\r\n")
        code = peer.reply().code
    if code != 250:
        report.found("rfc", f"a plain text with dots and a line of 998 octets is answered {code}", "It is within all limits",
                     "RFC 5321 4.5.3.1.6")
    return token, lines


def look_at_files(target, report, lost, whole):
    attempt(report, target.settle)
    if lost and target.stored(f"Subject: lost {lost}"):
        report.found("attack", "a text whose client vanished before the dot was stored", "Half a mail, and a second one when he comes back",
                     "RFC 5321 4.1.1.4")
    if not whole:
        return
    token, lines = whole
    for octets in target.stored(f"Subject: whole {token}"):
        body = octets.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1]
        if body.rstrip(b"\n").split(b"\n") != lines:
            report.found("rfc", f"the text is stored changed: {body[:60]!r}", "Signatures break, text is lost", "RFC 5321 4.5.2")


def attack(target, report):
    for dialogue in DIALOGUES:
        attempt(report, play, target, report, dialogue)
    for part in (many_recipients, longest_line, quit_closes):
        attempt(report, part, target, report)
    lost = attempt(report, quit_forgets, target, report)
    whole = attempt(report, whole_text, target, report)
    if target.maildir:
        look_at_files(target, report, lost, whole)
