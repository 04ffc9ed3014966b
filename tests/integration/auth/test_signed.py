#!/usr/bin/env python3
"""Messages that others signed, judged by core/auth: dkimpy (DKIM with RSA and Ed25519, ARC) and OpenDKIM. Each passes as it is,
and fails when a part of it is altered. Each is judged three times, in pieces of its own and with DNS that is late."""
# threads elsewhere: it judges mail without a server

import base64
import os
import random
import re
import socket
import subprocess
import sys
import time

try:
    import dkim
except ImportError:  # packages of Debian are there for its own Python
    os.execv("/usr/bin/python3", ["/usr/bin/python3", "-B", *sys.argv])
import nacl.signing
from cryptography.hazmat.primitives import serialization

from common.daemons.real_filters import opendkim
from common.harness import PROGRAM, case, equal, main
from common.signing import rsa_key, with_crlf

JUDGE = PROGRAM.parent / "tests/auth/gatepost-auth-judge"
HEADER = (b"Received: from a.example by b.example;\r\n\tSat, 28 Nov 2026 10:00:00 +0000\r\nFrom: =?utf-8?q?J=C3=B6rg?=  <joerg@d.example>\r\n"
          b"To: b@x.example,\r\n\tc@y.example\r\nSubject:  Is   dinner\r\n \t ready? \r\nDate: Sat, 28 Nov 2026 10:00:00 +0000\r\n"
          b"Message-ID: <1@d.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n")
BODIES = {
    "plain": b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n",
    "empty": b"",
    "blank": b" \r\n\t\r\n\r\n\r\n",
    "odd": b" leading\ttabs\t \r\n  \r\ntwo  blanks \r\n\r\n.\r\n..dots\r\n\r\n\r\n",
    "long": b"".join(b"%d and so on,  and so forth\t\r\n" % i for i in range(3000)) + b"x" * 70000 + b"\r\n",
    "binary": bytes(octet for octet in range(256) if octet not in (10, 13)) * 20 + b"\r\n",
}


def ed25519_key():
    key = nacl.signing.SigningKey.generate()
    return base64.b64encode(bytes(key)), base64.b64encode(bytes(key.verify_key)).decode()


RSA = rsa_key()
ED25519 = ed25519_key()
ZONE = (f"rsa._domainkey.d.example TXT v=DKIM1; k=rsa; p={RSA[1]}\ned._domainkey.d.example TXT v=DKIM1; k=ed25519; p={ED25519[1]}\n"
        "_dmarc.d.example TXT v=DMARC1; p=reject\n"
        + "".join(f"arc._domainkey.{name}.example TXT v=DKIM1; p={RSA[1]}\n" for name in ("one", "trusted", "three")))


def judge(directory, message, zone=ZONE, mail_from=None):
    """The lines of the judge by their first word, and the field of Authentication-Results."""
    path = os.path.join(directory, "zone")
    with open(path, "w", encoding="ascii") as file:
        file.write(zone)
    run = subprocess.run([JUDGE, path, str(int(time.time())), *([mail_from] if mail_from else [])], input=message, capture_output=True,
                         check=False, timeout=60)
    assert run.returncode == 0, (run.returncode, run.stdout, run.stderr)
    lines, _, field = run.stdout.decode().partition("Authentication-Results: ")
    found = {}
    for line in lines.splitlines():
        word, _, rest = line.partition(" ")
        found.setdefault(word, []).append(rest)
    return found, field


def signed(body, canon, algorithm="rsa", **more):
    key = RSA if algorithm == "rsa" else ED25519
    message = HEADER + b"\r\n" + body
    field = dkim.sign(message, algorithm[:3].encode() if algorithm == "rsa" else b"ed", b"d.example", key[0],
                      canonicalize=tuple(canon.encode().split(b"/")), signature_algorithm=b"rsa-sha256" if algorithm == "rsa" else b"ed25519-sha256",
                      include_headers=[b"from", b"to", b"subject", b"date", b"message-id"], **more)
    return with_crlf(field) + message


def result(found):
    return [line.split()[0] for line in found.get("dkim", [])]


@case("what dkimpy signs passes, in all canonical forms, with RSA and Ed25519, and is aligned")
def dkimpy_passes(directory):
    for name, body in BODIES.items():
        for canon in ("simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"):
            for algorithm in ("rsa", "ed25519"):
                found, field = judge(directory, signed(body, canon, algorithm))
                equal(result(found), ["pass"], f"{name} {canon} {algorithm}: {found}")
                assert found["dmarc"][0].startswith("pass policy=reject disposition=none dkim=1"), found
                assert "dkim=pass header.d=d.example" in field and "dmarc=pass" in field, field


def alterations(message):
    """(what, message): each part altered, so that no canonical form hides it."""
    header, _, body = message.partition(b"\r\n\r\n")
    for field in (b"From", b"To", b"Subject", b"Date", b"Message-ID"):
        at = header.index(b"\r\n" + field + b":") + len(field) + 6
        yield field, header[:at] + b"x" + header[at:] + b"\r\n\r\n" + body
    yield "another From", message.replace(b"joerg@d.example", b"joerg@e.example")
    yield "body", header + b"\r\n\r\nx" + body
    yield "end of body", message + b"x\r\n"
    yield "line in body", message.replace(b"game", b"gamE")
    for tag in (b"bh=", b"b="):
        at = re.search(rb"[ \t;]" + tag + rb"\s*", message).end() + 3
        yield tag, message[:at] + (b"A" if message[at:at + 1] != b"A" else b"B") + message[at + 1:]


@case("what dkimpy signed fails when it is altered in any part, and DMARC refuses it")
def altered_fails(directory):
    for canon in ("simple/simple", "relaxed/relaxed"):
        for algorithm in ("rsa", "ed25519"):
            for what, message in alterations(signed(BODIES["plain"], canon, algorithm)):
                found, field = judge(directory, message)
                equal(result(found), ["fail"], f"{what} {canon} {algorithm}: {found}")
                if what != "another From":
                    assert found["dmarc"][0].startswith("fail policy=reject disposition=reject"), found
                    assert "dmarc=fail" in field and "policy.dmarc=reject" in field, field


@case("white space that the relaxed form does not see may change, and the simple form sees it")
def white_space(directory):
    for canon, expected in (("relaxed/relaxed", "pass"), ("simple/simple", "fail")):
        message = signed(BODIES["plain"], canon)
        for old, new in ((b"Subject:  Is   dinner\r\n \t ready? \r\n", b"SUBJECT : Is dinner ready?\r\n"), (b"Joe.\r\n", b"Joe. \t\r\n"),
                         (b"game.  Are", b"game. \tAre")):
            found, _ = judge(directory, message.replace(old, new))
            equal(result(found), [expected], f"{canon} {new}: {found}")
    # Empty lines at the end count in neither.
    found, _ = judge(directory, signed(BODIES["plain"], "simple/simple") + b"\r\n\r\n")
    equal(result(found), ["pass"])


@case("any octet that changes changes the verdict, as dkimpy says")
def random_octets(directory):
    chance = random.Random(1)
    resolve = {b"rsa._domainkey.d.example.": f"v=DKIM1; k=rsa; p={RSA[1]}".encode()}
    for canon in ("simple/simple", "relaxed/relaxed"):
        message = signed(BODIES["plain"], canon)
        begin = message.index(b"From:")
        for _ in range(60):
            at = chance.randrange(begin, len(message))
            if message[at:at + 1] in b"\r\n: \t":
                continue
            altered = message[:at] + bytes([message[at] ^ 1]) + message[at + 1:]
            theirs = dkim.verify(altered, dnsfunc=lambda name, timeout=5: resolve.get(name))
            found, _ = judge(directory, altered)
            equal(result(found) == ["pass"], theirs, f"{canon} at {at}: {found}")


@case("keys: lengths, both forms of RSA, l=, two signatures")
def keys(directory):
    for bits, expected in ((512, "policy"), (1024, "pass"), (4096, "pass")):
        pem, public = rsa_key(bits)
        message = dkim.sign(HEADER + b"\r\n" + BODIES["plain"], b"k", b"d.example", pem) + HEADER + b"\r\n" + BODIES["plain"]
        found, _ = judge(directory, message, f"k._domainkey.d.example TXT p={public}\n")
        equal(result(found), [expected], f"{bits}: {found}")
    key = serialization.load_der_public_key(base64.b64decode(RSA[1]))
    plain = base64.b64encode(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)).decode()
    found, _ = judge(directory, signed(BODIES["plain"], "relaxed/relaxed"), f"rsa._domainkey.d.example TXT k=rsa; p={plain}\n")
    equal(result(found), ["pass"], str(found))
    message = signed(BODIES["plain"], "relaxed/relaxed", length=True)
    equal(result(judge(directory, message)[0]), ["pass"])
    found, _ = judge(directory, message + b"more\r\n")
    equal(result(found), ["policy"], str(found))
    both = signed(BODIES["plain"], "relaxed/relaxed")
    both = signed(BODIES["plain"], "simple/simple", "ed25519")[:-len(HEADER + b"\r\n" + BODIES["plain"])] + both
    equal(result(judge(directory, both)[0]), ["pass", "pass"])


def sealed(message, domain, results=b"dmarc=pass header.from=d.example"):
    """A set of ARC by dkimpy in front of the message, with what the sealer has found of it; dkimpy takes cv= from there."""
    results += b"; arc=pass" if b"ARC-Seal" in message else b"; arc=none"
    message = b"Authentication-Results: " + domain + b"; " + results + b"\r\n" + message
    fields = dkim.arc_sign(message, b"arc", domain, RSA[0], domain, include_headers=[b"from", b"to", b"subject"])
    return b"".join(map(with_crlf, fields)) + message


@case("chains that dkimpy sealed: whole, altered, of a sealer whom we believe")
def chains(directory):
    message = HEADER + b"\r\n" + BODIES["plain"]
    one = sealed(message, b"one.example")
    found, field = judge(directory, one)
    assert found["arc"][0].startswith("pass sets=1 oldest-pass=1 trusted=0"), found
    assert "arc=pass header.oldest-pass=0" in field, field
    two = sealed(one, b"trusted.example")
    found, _ = judge(directory, two)
    assert found["arc"][0].startswith("pass sets=2 oldest-pass=1 trusted=2 says-dmarc-pass=1"), found
    three = sealed(two.replace(b"Hi.", b"[list] Hi."), b"three.example")
    found, field = judge(directory, three)
    assert found["arc"][0].startswith("pass sets=3 oldest-pass=3 trusted=0"), found
    assert "header.oldest-pass=3" in field, field
    for what, altered in (("body", two + b"x\r\n"), ("Subject", two.replace(b"dinner", b"Dinner")),
                          ("results", two.replace(b"i=1; one.example; dmarc=pass", b"i=1; one.example; dmarc=fail")),
                          ("cv", two.replace(b"cv=pass", b"cv=none"))):
        assert altered != two, what
        found, field = judge(directory, altered)
        assert found["arc"][0].startswith("fail"), (what, found)
        assert "arc=fail" in field, field


class Milter:
    """The least of the milter protocol that makes a filter sign a message."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.file = self.socket.makefile("rb")

    def send(self, kind, octets=b""):
        self.socket.sendall((len(octets) + 1).to_bytes(4, "big") + kind + octets)

    def reply(self):
        length = int.from_bytes(self.file.read(4), "big")
        octets = self.file.read(length)
        return octets[:1], octets[1:]

    def command(self, kind, octets):
        self.send(kind, octets)
        equal(self.reply()[0] in (b"c", b"O"), True, f"{kind}")

    def sign(self, header, body):
        """The value of the field that the filter wants in front."""
        self.command(b"O", (6).to_bytes(4, "big") + (0x1ff).to_bytes(4, "big") + (0).to_bytes(4, "big"))
        self.command(b"C", b"localhost\0" + b"4" + (25).to_bytes(2, "big") + b"127.0.0.1\0")
        self.command(b"H", b"localhost\0")
        self.command(b"M", b"<joerg@d.example>\0")
        self.command(b"R", b"<b@x.example>\0")
        for field in re.split(rb"\r\n(?![ \t])", header.rstrip(b"\r\n")):
            name, _, value = field.partition(b":")
            # Sendmail's way: without the first blank, and folds with LF alone.
            self.command(b"L", name + b"\0" + value.removeprefix(b" ").replace(b"\r\n", b"\n") + b"\0")
        self.command(b"N", b"")
        self.command(b"B", body)
        self.send(b"E")
        found = None
        while (reply := self.reply())[0] not in (b"a", b"c"):
            if reply[0] in (b"i", b"h"):
                name, value = reply[1][4 if reply[0] == b"i" else 0:].split(b"\0")[:2]
                found = value if name == b"DKIM-Signature" else found
        self.socket.close()
        return found


@case("what OpenDKIM signs passes, and fails when it is altered")
def opendkim_passes(directory):
    key = directory / "key.pem"
    key.write_bytes(RSA[0])
    key.chmod(0o600)
    for canon in ("relaxed/relaxed", "relaxed/simple"):
        signing = (f"Mode s\nDomain d.example\nSelector rsa\nKeyFile {key}\nCanonicalization {canon}\nBackground no\nInternalHosts 127.0.0.1\n"
                   "RequireSafeKeys no\nOversignHeaders From\nSignHeaders From,To,Subject,Date\n")
        with opendkim(directory, signing) as port:
            for name in ("plain", "odd", "blank"):
                value = Milter(port).sign(HEADER, BODIES[name])
                assert value is not None, (canon, name)
                message = b"DKIM-Signature: " + with_crlf(value) + b"\r\n" + HEADER + b"\r\n" + BODIES[name]
                equal(result(judge(directory, message)[0]), ["pass"], f"{canon} {name}: {message!r}")
                for old, new in ((b"dinner", b"dinneR"), (b"joerg@", b"joerG@"), (b"\r\n\r\n", b"\r\n\r\nx")):
                    found, _ = judge(directory, message.replace(old, new, 1))
                    equal(result(found), ["fail"], f"{canon} {name} {new}: {found}")


if __name__ == "__main__":
    main()
