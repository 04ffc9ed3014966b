#!/usr/bin/env python3
"""OpenDKIM and rspamd sign and seal mail as filters of a gatepost, and another one that enforces DMARC judges it: as it is, and with
each part altered. What a signature or a seal does not cover may change, and nothing else."""

import contextlib
import itertools
import os
import re
import time

from common.daemons.real_filters import opendkim, rspamd
from common.dns_peers import DnsStub
from common.harness import Server, case, equal, main, wait_for
from common.signing import ed25519_key, key_record, rsa_key

RSA, OTHER, ED25519 = rsa_key(), rsa_key(), ed25519_key()
RECORDS = [
    key_record("rsa._domainkey.d.example.com", RSA[1]),
    key_record("other._domainkey.d.example.com", OTHER[1]),
    key_record("rsa._domainkey.strange.example.com", RSA[1]),
    *(key_record(f"ed._domainkey.{name}.example.com", ED25519[1], "ed25519") for name in ("d", "strange")),
    *(key_record(f"rsa._domainkey.{name}.example.com", RSA[1]) for name in ("one", "two", "three")),
    '_dmarc.d.example.com 60 TXT "v=DMARC1; p=reject"\n',
]
FROM_HERE = 'd.example.com 60 TXT "v=spf1 ip4:127.0.0.1 -all"\n'  # for whoever is asked by the sealers
FIELDS = {
    "From": b"From: =?utf-8?q?J=C3=B6rg?=  <joerg@d.example.com>\r\n",
    "To": b"To: alice@isp.example,\r\n\tbob@isp.example\r\n",
    "Subject": b"Subject:  Is   dinner\r\n \t ready? \r\n",
    "Date": b"Date: Sat, 28 Nov 2026 10:00:00 +0000\r\n",
    "Message-ID": b"Message-ID: <1@d.example.com>\r\n",
}
BODY = b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\t \r\nJoe.\r\n\r\n"
MESSAGE = b"".join(FIELDS.values()) + b"\r\n" + BODY
CHECKS_OFF = "".join(f"{check} {{ mode = off }}\n" for check in ("dnsbl", "rhsbl", "sender_mx", "spf"))
JUDGES = (f"{CHECKS_OFF}authentication_results = yes\ndmarc {{ mode = enforce arc_trusted = {{\"one.example.com\"}} }}\n"
          "client_rate { exempt = {\"127.0.0.0/8\"} }\n")


@contextlib.contextmanager
def dns(directory, *records):
    directory.mkdir(exist_ok=True)
    (directory / "zone").write_text("".join((*RECORDS, *records)))
    with DnsStub(directory / "zone") as stub:
        yield stub.port


@contextlib.contextmanager
def filtered(directory, port):
    """A function that has the filter at this port sign a message."""
    with Server(directory, f'milter "signer" {{ connect = "inet:127.0.0.1:{port}" }}\n') as server:
        def sign(message):
            with server.client() as client:
                client.begin(sender="joerg@d.example.com")
                client.finish(message)
            return re.sub(rb"\AReturn-Path: [^\n]*\n", b"", server.mails()[-1])
        yield sign


def key_file(directory, pem):
    path = directory / "key.pem"  # with a dot: rspamd takes some paths for base64
    path.write_bytes(pem)
    os.chmod(path, 0o644)  # rspamd has a user of its own
    return path


class Judge:
    """Judges messages, each in a session of its own whose name its line in the log has."""

    def __init__(self, server):
        self.server, self.numbers, self.expected = server, itertools.count(1), {}

    def expect(self, what, message, code, **found):
        """What the log must have of it: keys of the transaction, and `dkim` for the result of its first signature."""
        name = f"n{next(self.numbers)}.example.com"
        self.expected[name] = what, found
        with self.server.client(source="127.0.0.9") as client:
            client.begin(helo=name, sender="joerg@d.example.com")
            client.raw(re.sub(rb"(?m)^\.", b"..", message) + b".\r\n")
            said = client.reply()
        assert said[0] == code, f"{what}: {said}\n{message.decode(errors='replace')}"

    def compare(self):
        wait_for("all in the log", lambda: len(self.server.sessions()) == len(self.expected))
        for session in self.server.sessions():
            what, expected = self.expected[session["helo"]]
            transaction = session["transactions"][0]
            transaction["dkim"] = transaction.get("dkim", [{"result": "none"}])[0]["result"]
            equal({key: transaction.get(key) for key in expected}, expected, f"{what} in {transaction}")


@contextlib.contextmanager
def judge(directory, *records):
    place = directory / "judge"
    with dns(place, *records) as port, Server(place, f'resolvers = {{"127.0.0.1:{port}"}}\n{JUDGES}') as server:
        judges = Judge(server)
        yield judges
        judges.compare()


# ---- alterations -------------------------------------------------------------------------------------------------

def changed(message, old, new):
    assert old in message, (old, message)
    return message.replace(old, new, 1)


def field_of(message, name):
    """The field as it stands there, with its line end."""
    return re.search(rb"(?:\A|(?<=\n))" + name.encode() + rb":(?:[^\n]|\n[ \t])*\n", message)[0]


def with_tag(message, name, tag, value):
    """The field with another value of a tag, which stands behind its first tag if there was none. A function gets the old value."""
    field = field_of(message, name)
    found = re.search(rb"(?<=[\s;:])" + tag + rb"=([^;]*?)(?=\s*(?:;|\Z))", field)
    if callable(value):
        value = value(found[1])
    if found:
        return message.replace(field, field[:found.start(1)] + value + field[found.end(1):])
    end = field.index(b";") + 1
    return message.replace(field, field[:end] + b" " + tag + b"=" + value + b";" + field[end:])


def other_digit(value):
    at = len(value) // 2
    while not re.match(rb"[A-Za-z0-9]", value[at:at + 1]):
        at += 1
    return value[:at] + (b"A" if value[at:at + 1] != b"A" else b"B") + value[at + 1:]


def altered_by_tag(message):
    """What becomes of the field of the signature: (what, message, result of DKIM)."""
    now = int(time.time())

    def tag(name, value):
        return with_tag(message, "DKIM-Signature", name, value)
    yield "b=", tag(b"b", other_digit), "fail"
    yield "b= without its end", tag(b"b", lambda value: value[:-8]), "fail"
    yield "b= empty", tag(b"b", b""), "neutral"
    yield "bh=", tag(b"bh", other_digit), "fail"
    yield "d= of no key", tag(b"d", b"nowhere.example.com"), "permerror"
    yield "d= of the same key", tag(b"d", b"strange.example.com"), "fail"
    yield "s= of no key", tag(b"s", b"nowhere"), "permerror"
    yield "s= of another key", tag(b"s", b"other"), "fail" if b"a=rsa" in message else "permerror"
    yield "l=0", tag(b"l", b"0"), "policy"
    yield "l= beyond the body", tag(b"l", b"99999"), "fail"
    yield "l= of a part", tag(b"l", b"5"), "policy"
    yield "t= of yesterday", tag(b"t", str(now - 86400).encode()), "fail"
    yield "t= of tomorrow", tag(b"t", str(now + 86400).encode()), "policy"
    yield "x= of yesterday", with_tag(tag(b"t", b"1"), "DKIM-Signature", b"x", str(now - 86400).encode()), "fail"
    yield "x= of tomorrow", tag(b"x", str(now + 86400).encode()), "fail"
    yield "x= before t=", tag(b"x", b"1"), "neutral"
    yield "h= without the last name", tag(b"h", lambda value: value.rpartition(b":")[0]), "fail"
    yield "h= without From", tag(b"h", b"to:subject"), "permerror"
    yield "h= with one more", tag(b"h", lambda value: value + b":subject"), "fail"
    yield "a= that is past", tag(b"a", b"rsa-sha1"), "fail"
    yield "a= of another key", tag(b"a", b"ed25519-sha256" if b"a=rsa" in message else b"rsa-sha256"), "permerror"
    yield "a= unknown", tag(b"a", b"rsa-sha512"), "neutral"
    yield "c= of neither", tag(b"c", b"nowsp/simple"), "neutral"
    yield "v= of tomorrow", tag(b"v", b"2"), "neutral"
    yield "i= elsewhere", tag(b"i", b"@e.example.com"), "permerror"
    yield "i= within", tag(b"i", b"@d.example.com"), "fail"
    yield "q= of no DNS", tag(b"q", b"http"), "neutral"
    yield "a tag twice", tag(b"x", b"9999999999; x=9999999999"), "neutral"
    yield "a tag that nobody knows", tag(b"zz", b"1"), "fail"
    yield "no signature", message.replace(field_of(message, "DKIM-Signature"), b""), "none"


def altered_by_part(message, oversigned):
    """What becomes of what is signed; `oversigned`: names of which not even one more may be there."""
    head, end, body = message.partition(b"\r\n\r\n")
    for name in FIELDS:
        field = field_of(message, name)
        if name != "From":  # a message without From has no author; see below
            yield f"{name} removed", message.replace(field, b""), "fail"
            yield f"{name} in front", field.replace(b":", b": x", 1) + message, "fail" if name in oversigned else "pass"
        yield f"{name} changed", message.replace(field, field.replace(b":", b": x", 1)), "fail"
        yield f"{name} behind", head + b"\r\n" + field.replace(b":", b": x", 1).rstrip() + end + body, "fail"
    yield "first octet", head + end + b"x" + body, "fail"
    yield "a letter", changed(message, b"game", b"gamE"), "fail"
    yield "last line", message.rstrip() + b"x\r\n", "fail"
    yield "a line more", message + b"x\r\n", "fail"
    yield "no body", head + end, "fail"
    yield "an empty line within", changed(message, b"Joe.", b"\r\nJoe."), "fail"
    yield "empty lines at the end", message + b"\r\n\r\n", "pass"
    yield "no empty line at the end", message.rstrip() + b"\r\n", "pass"


def expect_alterations(judges, name, message, oversigned):
    judges.expect(name, message, 250, dkim="pass", dmarc="pass", dmarc_aligned="dkim")
    parts = altered_by_part(message, oversigned)
    for what, altered, result in itertools.chain(altered_by_tag(message), parts):
        is_good = result == "pass"
        # Two fields From have no one policy.
        verdict = "permerror" if what.startswith("From behind") else "pass" if is_good else "fail"
        judges.expect(f"{name}: {what}", altered, 250 if is_good else 550, dkim=result, dmarc=verdict)
    field = field_of(message, "From")
    judges.expect(f"{name}: From in front", field + message, 550, dkim="fail" if "From" in oversigned else "pass", dmarc="permerror")
    judges.expect(f"{name}: From removed", message.replace(field, b""), 250, dkim="fail", dmarc="none")
    judges.expect(f"{name}: another author", changed(message, b"@d.example.com>", b"@other.d.example.com>"), 550, dkim="fail", dmarc="fail")


def blanks(message):
    """Changes that the relaxed forms do not see: of the header, and of the body."""
    yield "header", message.replace(FIELDS["Subject"], b"SUBJECT : Is dinner ready?\r\n")
    yield "header", message.replace(b"isp.example,\r\n\t", b"isp.example, ")
    yield "body", message.replace(b"Joe.\r\n", b"Joe. \t\r\n")
    yield "body", message.replace(b"game.  Are", b"game. \tAre")


# ---- DKIM --------------------------------------------------------------------------------------------------------

# What OpenDKIM 2.11 signs by Ed25519 with a simple header nobody can verify.
SIGNED = [("rsa", "relaxed/relaxed"), ("rsa", "simple/simple"), ("rsa", "relaxed/simple"), ("rsa", "simple/relaxed"),
          ("ed25519", "relaxed/relaxed"), ("ed25519", "relaxed/simple")]


@case("what OpenDKIM signs, by RSA and Ed25519 and in each canonical form, passes and is aligned, and altered in any part it is refused")
def by_opendkim(directory):
    with judge(directory) as judges:
        for algorithm, canon in SIGNED:
            place = directory / f"{algorithm}-{canon.replace('/', '-')}"
            place.mkdir()
            path = key_file(place, RSA[0] if algorithm == "rsa" else ED25519[0])
            options = (f"Mode s\nDomain d.example.com\nSelector {'rsa' if algorithm == 'rsa' else 'ed'}\nKeyFile {path}\nRequireSafeKeys no\n"
                       f"SignatureAlgorithm {algorithm}-sha256\nCanonicalization {canon}\nOversignHeaders From\nInternalHosts 127.0.0.1\n"
                       "SignHeaders From,To,Subject,Date,Message-ID\n")
            with opendkim(place, options) as port, filtered(place, port) as sign:
                message = sign(MESSAGE)
            name = f"{algorithm} {canon}"
            if len(set(canon.split("/"))) == 1:
                expect_alterations(judges, name, message, ("From",))
            for part, altered in blanks(message):
                assert altered != message, part
                passes = canon.split("/")[part == "body"] == "relaxed"
                judges.expect(f"{name}: blanks in the {part}", altered, 250 if passes else 550, dkim="pass" if passes else "fail")


KEYS = 'path = "{key}"; selector = "rsa"; use_esld = false; sign_local = true; allow_username_mismatch = true; allow_hdrfrom_mismatch = true;'
SIGNS = "dkim_signing {{ use_domain = \"header\"; " + KEYS + " }}\n"
SEALS = "dkim {{ }}\nspf {{ }}\ndmarc {{ }}\narc {{ use_domain = \"{sealer}\"; " + KEYS + " }}\n"


@case("what rspamd signs passes and is aligned, and altered in any part it is refused")
def by_rspamd(directory):
    directory.chmod(0o755)
    options = SIGNS.format(key=key_file(directory, RSA[0]))
    with rspamd(directory, filters=("dkim",), plugins=("dkim_signing",), options=options) as port, filtered(directory, port) as sign:
        message = sign(MESSAGE)
    with judge(directory) as judges:
        expect_alterations(judges, "rspamd", message, ("From", "To", "Subject", "Date", "Message-ID"))


# ---- ARC ---------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def sealer(directory, name):
    """A function that has rspamd seal a message in the name of a domain; it has SPF say that it comes from its author."""
    place = directory / name
    with dns(place, FROM_HERE) as resolver:
        options = SEALS.format(key=key_file(place, RSA[0]), sealer=f"{name}.example.com")
        with rspamd(place, filters=("dkim",), plugins=("spf", "dmarc", "arc"), options=options, dns=resolver) as port, \
                filtered(place, port) as seal:
            yield seal


def altered_chains(message):
    """Of a message that was sealed twice: (what, message, ARC's result)."""
    def tag(field, name, value):
        return with_tag(message, field, name, value)
    for field in ("ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"):
        newest = field_of(message, field)
        oldest = field_of(message[message.index(newest) + len(newest):], field)
        assert b"i=2;" in newest and b"i=1;" in oldest, (newest, oldest)
        yield f"{field} 2 removed", message.replace(newest, b""), "fail"
        yield f"{field} 1 removed", message.replace(oldest, b""), "fail"
        yield f"{field} twice", newest + message, "fail"
        yield f"{field} 2 as 3", tag(field, b"i", b"3"), "fail"
        yield f"{field} 2 as 1", tag(field, b"i", b"1"), "fail"
        yield f"{field} 2 as 0", tag(field, b"i", b"0"), "fail"
        yield f"{field} 2 without a number", message.replace(newest, newest.replace(b"i=2;", b"")), "fail"
        yield f"{field} 1 and 2 exchanged", message.replace(newest, newest.replace(b"i=2;", b"i=9;")).replace(
            oldest, oldest.replace(b"i=1;", b"i=2;")).replace(b"i=9;", b"i=1;"), "fail"
        yield f"{field} 1 altered", message.replace(oldest, re.sub(rb"([;\s](?:b|header.from|dmarc)=)(.)", rb"\1x\2", oldest)), "fail"
        # The order of fields in the header says nothing.
        yield f"{field} 1 at the top", oldest + message.replace(oldest, b""), "pass"
        if field != "ARC-Authentication-Results":
            yield f"{field} 2: b=", tag(field, b"b", other_digit), "fail"
            yield f"{field} 2: d=", tag(field, b"d", b"three.example.com"), "fail"
            yield f"{field} 2: s=", tag(field, b"s", b"nowhere"), "fail"
            yield f"{field} 2: a=", tag(field, b"a", b"rsa-sha1"), "fail"
    yield "cv= of the second: none", tag("ARC-Seal", b"cv", b"none"), "fail"
    yield "cv= of the second: fail", tag("ARC-Seal", b"cv", b"fail"), "fail"
    yield "cv= of the second: unknown", tag("ARC-Seal", b"cv", b"good"), "fail"
    yield "cv= of the first: pass", changed(message, b"cv=none", b"cv=pass"), "fail"
    yield "h= in a seal", tag("ARC-Seal", b"h", b"from"), "fail"
    yield "bh=", tag("ARC-Message-Signature", b"bh", other_digit), "fail"
    yield "h= of a message signature", tag("ARC-Message-Signature", b"h", b"from:to"), "fail"
    yield "h= with a seal", tag("ARC-Message-Signature", b"h", lambda value: value + b":arc-seal"), "fail"
    yield "body", message + b"x\r\n", "fail"
    yield "Subject", changed(message, b"dinner", b"dinneR"), "fail"
    yield "Subject removed", message.replace(field_of(message, "Subject"), b""), "fail"
    yield "Subject in front", b"Subject: x\r\n" + message, "fail"
    yield "blanks", changed(message, b"Joe.\r\n", b"Joe. \r\n"), "pass"
    yield "what nobody signs", b"X-Test: x\r\n" + message, "pass"
    yield "From", changed(message, b"joerg@d.", b"joerG@d."), "fail"
    sets = [field_of(message, field) for field in ("ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results")]
    without = message
    for field in sets:
        without = without.replace(field, b"")
    yield "the newest set removed", without, "pass"


@case("what rspamd has sealed saves mail whose DMARC has failed since, if its sealer is trusted and nothing was altered")
def chains(directory):
    with sealer(directory, "one") as by_one, sealer(directory, "two") as by_two, judge(directory) as judges:
        judges.expect("not sealed", MESSAGE, 550, dmarc="fail", arc=None)
        one = by_one(MESSAGE)
        assert b"dmarc=pass" in field_of(one, "ARC-Authentication-Results"), one
        both = by_two(one)
        saved = {"dmarc": "fail", "arc": "pass", "arc_sealer": "one.example.com", "dmarc_disposition": "none"}
        judges.expect("sealed by one", one, 250, **saved)
        judges.expect("sealed by one, then two", both, 250, **saved)
        # No third one: rspamd 3.4 seals the sets before its own in the wrong order, so that nobody can verify it.
        lost = {"dmarc": "fail", "arc_sealer": None, "dmarc_disposition": "reject"}
        judges.expect("sealed by two", by_two(MESSAGE), 550, arc="pass", **lost)
        # Two has sealed what One has not seen so: its word of before counts no more.
        judges.expect("altered between", by_two(changed(one, b"Joe.", b"Eve.")), 550, **lost)
        for what, message, result in altered_chains(both):
            expected = saved if result == "pass" else lost
            judges.expect(f"chain: {what}", message, 250 if result == "pass" else 550, **{"arc": result, **expected})


main()
