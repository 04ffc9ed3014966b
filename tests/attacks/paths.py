"""Local parts that are paths, commands or no text at all: none may be taken for a mailbox, none may leave the folder of the mail."""

from attacks.target import attempt, new_token, together

WHY = "Programs behind the server read it as a path, a command, or another address"
LOCAL_PARTS = {
    "dot dot": [b"..", b"../x", b"../../../../tmp/gp", b'"../x"', b'"../../tmp/gp"', b'".."', b"a/../b", b".", b'"."', b"./a", b'"/"'],
    "a slash": [b"/etc/passwd", b"a/b", b'"/etc/passwd"', b'"a/b"', b"\\/x", b'"\\/x"'],
    "expansion": [b"%u", b"%d", b"%u/../%d", b"%s%s%n", b"$HOME", b"${run{id}}", b"`id`", b"~root", b"~", b"*", b"?", b"{a,b}"],
    "a command": [b"|id", b'"|id"', b":include:/etc/passwd", b'":include:/etc/passwd"', b"-oQ/tmp", b"-f", b";id"],
    "NUL and control characters": [b"%r\0", b"%r\0x", b'"%r\0"', b"%r\x01", b"%r\x7f", b"%r\x1b[2J", b'"%r\t"', b'"%r\r"', b'"%r\n"'],
    "overlong UTF-8": [b"\xc0\xae\xc0\xae\xc0\xafx", b"%r\xc0\x80", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf"],
    "surrogates and beyond": [b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"\xff\xfe", b"\x80", b"\xc3", b"\xf8\x88\x80\x80\x80"],
    "other spellings": [b"%r\xe2\x80\xae", b"%r\xe2\x80\x8b", b"%r\xc2\xad", b"\xef\xbb\xbf%r", b"%r."],
    "a route inside": [b"%r%@elsewhere.example", b"elsewhere.example!%r", b'"%r@elsewhere.example"', b"%r%elsewhere.example"],
}
# Whole paths; their domain is the server's own, or seems to be.
PATHS = [b"RCPT TO:<%r@%d\0.elsewhere.example>", b"RCPT TO:<%r@elsewhere.example\0%d>", b"RCPT TO:<%r@%d/../x>", b"RCPT TO:<%r@..>",
         b"RCPT TO:<%r@%d@elsewhere.example>", b"RCPT TO:<@%d:%r@elsewhere.example>", b"RCPT TO:<%r@[127.0.0.1]x>", b"RCPT TO:<>",
         b"RCPT TO:<%r@elsewhere.example>", b"RCPT TO:<%r@%d.elsewhere.example>", b"RCPT TO:<%r@elsewhere.example,%r@%d>"]


def filled(target, octets):
    """With the mailbox and its domain put in. What is to be taken for an expansion goes as it is."""
    local = target.rcpt.rpartition("@")[0].encode()
    return octets.replace(b"%r", local).replace(b"%d", target.domain.encode())


def answers(target, line):
    """(code of RCPT, stored) where it was tried to deliver to it. SMTPUTF8 is said where it is offered."""
    with target.session() as peer:
        wide = any(octet > 127 for octet in line) and "SMTPUTF8" in peer.keywords
        peer.need(f"MAIL FROM:<{target.sender}>" + (" SMTPUTF8" if wide else ""), 250)
        code = peer.say(line).code
        if code == 250 and peer.say("DATA").code == 354:
            peer.raw(f"Subject: path {new_token()}\r\n\r\ntext\r\n.\r\n".encode())
            peer.reply()
        return code


def takes_anybody(target):
    with target.session() as peer:
        peer.need(f"MAIL FROM:<{target.sender}>", 250)
        return peer.say(f"RCPT TO:<{new_token()}@{target.domain}>").code == 250


def folders(target):
    """Those below the Maildirs' root, and what stands beside it."""
    root = target.maildir
    return {path for path in root.rglob("*") if path.is_dir()} | set(root.parent.iterdir())


def try_recipients(target, report):
    domain = target.domain.encode()
    tries = [(kind, b"RCPT TO:<" + (local if kind == "expansion" else filled(target, local)) + b"@" + domain + b">")
             for kind, local_parts in LOCAL_PARTS.items() for local in local_parts]
    tries += [("a path of two minds", filled(target, path)) for path in PATHS]
    taken = {}
    for (kind, line), code in together(report, lambda one: answers(target, one[1]), tries):
        if code == 250:
            taken.setdefault(kind, []).append(line[8:])
    for kind, recipients in taken.items():
        report.found("attack", f"a recipient with {kind} is taken: {recipients}", WHY, "RFC 5321 4.1.2")


def try_senders(target, report):
    """What would go into Return-Path: octets that are no UTF-8 are refused even with SMTPUTF8."""
    tries = [local for kind in ("NUL and control characters", "overlong UTF-8", "surrogates and beyond")
             for local in LOCAL_PARTS[kind]]

    def one(local):
        with target.session() as peer:
            wide = b" SMTPUTF8" if "SMTPUTF8" in peer.keywords else b""
            return peer.say(b"MAIL FROM:<" + filled(target, local) + b"@example.com>" + wide).code

    taken = [filled(target, local) for local, code in together(report, one, tries) if code == 250]
    if taken:
        report.found("rfc", f"senders with octets that are neither ASCII nor UTF-8, or with control characters, are taken: {taken}",
                     "They go into fields, logs and notifications as they are", "RFC 5321 4.1.2 and RFC 6531 3.3")


def try_odd_mailboxes(target, report):
    from attacks.own import ODD_MAILBOXES
    for local, code in together(report, lambda one: answers(target, f"RCPT TO:<{one}@{target.domain}>".encode()), ODD_MAILBOXES):
        if code != 250:
            report.found("rfc", f"the mailbox {local} of the configuration is answered {code}", "Its mail is lost")


def is_mailbox(target, path):
    """A folder of the domain, one of a mailbox in it, or one of those in that."""
    if target.maildir not in (path, *path.parents):
        return False
    parts = path.relative_to(target.maildir).parts
    return len(parts) < 3 or len(parts) == 3 and parts[2] in ("cur", "new", "tmp")


def attack(target, report):
    before = folders(target) if target.maildir else set()
    if attempt(report, takes_anybody, target):
        report.leave_out("unknown recipients", "this server takes every address of its domain")
    else:
        try_recipients(target, report)
    try_senders(target, report)
    if target.server is None:
        return
    try_odd_mailboxes(target, report)
    added = folders(target) - before
    strange = sorted(str(path) for path in added if not is_mailbox(target, path))
    if strange:
        report.found("attack", f"new folders: {strange[:5]}", "Strangers choose where files are made")
    report.note(f"{len(added)} folders came of it, {len(strange)} of them elsewhere than mailboxes are")
