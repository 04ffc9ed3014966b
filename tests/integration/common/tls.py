"""TLS for integration tests: certificates, a client that decides about each record and each segment, and records that no library
would write."""

import hashlib
import hmac
import shutil
import ssl
import struct
import subprocess

from common.harness import Client, Skip, need_program

KINDS = {"ecdsa": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "rsa": ("rsa:2048",)}
ALERT, HANDSHAKE, APPLICATION = 21, 22, 23
KEY_UPDATE_QUIETLY, KEY_UPDATE_WITH_ANSWER = b"\x18\0\0\1\0", b"\x18\0\0\1\1"


def alternative_names(hosts):
    return ",".join(("IP:" if host[0].isdigit() or ":" in host else "DNS:") + host for host in hosts)


def make_certificate(directory, name, kind="ecdsa", hosts=("mx1.isp.example",), days=30, comment=0, subject=None):
    """NAME.pem and NAME.key, signed by itself; `comment`: so many octets more."""
    names = alternative_names(hosts)
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    more = ["-addext", "nsComment=" + "c" * comment] if comment else []
    subprocess.run([need_program("openssl"), "req", "-x509", "-newkey", *KINDS[kind], "-nodes", "-days", str(days), "-subj",
                    subject or f"/CN={hosts[0]}", "-addext", f"subjectAltName={names}", *more, "-keyout", key, "-out", certificate],
                   stdin=subprocess.DEVNULL, capture_output=True, check=True)
    key.chmod(0o600)
    return certificate, key


def make_expired(directory, name, hosts=("mx1.isp.example",)):
    """Puts another certificate for the key of NAME in its place. `openssl req` makes none: a small authority does, by dates."""
    authority = directory / "authority"
    shutil.rmtree(authority, ignore_errors=True)
    authority.mkdir()
    (authority / "index").write_text("")
    (authority / "conf").write_text("[ca]\ndefault_ca=a\n[a]\ndatabase=index\nnew_certs_dir=.\nserial=serial\ndefault_md=sha256\n"
                                    "policy=p\nrand_serial=yes\ncopy_extensions=copy\n[p]\ncommonName=supplied\n")
    subprocess.run(["openssl", "req", "-new", "-key", directory / f"{name}.key", "-subj", f"/CN={name}", "-addext",
                    f"subjectAltName={alternative_names(hosts)}", "-out", "request"], cwd=authority, capture_output=True, check=True)
    subprocess.run(["openssl", "ca", "-batch", "-selfsign", "-notext", "-config", "conf", "-keyfile", directory / f"{name}.key",
                    "-in", "request", "-startdate", "20200101000000Z", "-enddate", "20210101000000Z", "-out",
                    directory / f"{name}.pem"], cwd=authority, capture_output=True, check=True)


def tls_options(directory, more="", kinds=("ecdsa",)):
    """Section tls, with certificates that are made here."""
    pairs = [make_certificate(directory, kind, kind) for kind in kinds]
    certificates = ", ".join(f'"{certificate.name}"' for certificate, _ in pairs)
    keys = ", ".join(f'"{key.name}"' for _, key in pairs)
    return f"tls {{\n    certificate = {{{certificates}}}\n    key = {{{keys}}}\n    {more}\n}}\n"


def context(version=None):
    """A client that believes any certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    if version is not None:
        made.minimum_version = made.maximum_version = version
    return made


class Opened:
    """The replies of a server that speaks TLS, line by line. `ended`: how it ended; None: not yet."""

    def __init__(self, client):
        self.client, self.octets, self.ended = client, b"", None

    def fill(self):
        try:
            octets = self.client.tls.read(65536)
            self.octets += octets
            if not octets:
                self.ended = "close_notify"
        except ssl.SSLWantReadError:
            self.client.send_sealed()  # what the library answers by itself
            received = self.client.socket.recv(65536)
            if received:
                self.client.incoming.write(received)
            else:
                self.ended = "end of file"
        except ssl.SSLError as error:
            self.ended = error.reason

    def readline(self):
        while b"\n" not in self.octets and self.ended is None:
            self.fill()
        line, newline, self.octets = self.octets.partition(b"\n")
        return line + newline

    def close(self):
        pass


class TlsClient(Client):
    """In plain text until starttls() or shake()."""

    tls = None

    def starttls(self, tls_context=None, **shaking):
        self.command("STARTTLS", 220)
        return self.shake(tls_context, **shaking)

    def begin_tls(self, tls_context=None, name="mx1.isp.example", session=None):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = (tls_context or context()).wrap_bio(self.incoming, self.outgoing, server_hostname=name, session=session)
        return self

    def shake(self, tls_context=None, send=None, **beginning):
        """`send`: what sends octets of the handshake instead."""
        send = send or self.socket.sendall
        self.begin_tls(tls_context, **beginning)
        while not self.step():
            send(self.outgoing.read())
            received = self.socket.recv(65536)
            if not received:
                raise ConnectionError("the server has ended the handshake")
            self.incoming.write(received)
        self.stream = Opened(self)
        send(self.outgoing.read())
        return self

    def step(self):
        """True when the handshake is over on this side."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def seal(self, octets):
        """In one record, not sent."""
        self.tls.write(octets)
        return self.outgoing.read()

    def send_sealed(self):
        octets = self.outgoing.read()
        if octets:
            self.socket.sendall(octets)

    def raw(self, octets):
        self.socket.sendall(octets if self.tls is None else self.seal(octets))

    def go_on(self, code, *lines):
        """Says them from this reply on, as long as all is well; returns the last code."""
        for line in lines:
            if code not in (220, 250):
                return code
            self.raw(line.encode() + b"\r\n")
            code = self.reply()[0]
        return code

    def try_mail(self, name, rcpt, text, tls):
        """A mail from a domain that nobody has asked for yet, whatever comes of it, from the banner on; returns the last code."""
        code = self.reply()[0]
        if tls:
            code = self.go_on(code, "EHLO mail.example.net", "STARTTLS")
            if code != 220:
                return code
            self.shake()
        code = self.go_on(code, f"EHLO mail-{name}.example.net", f"MAIL FROM:<me@d{name}.example.net>", f"RCPT TO:<{rcpt}>", "DATA")
        if code != 354:
            return code
        self.raw(text + b".\r\n")
        return self.reply()[0]

    def rest(self):
        """(all that comes until the end, how it ended)."""
        while self.stream.ended is None:
            self.stream.fill()
        return self.stream.octets, self.stream.ended


# ---- records of a test's own (RFC 8446 5.2, 7.1, 7.2) -------------------------------------------------------------

def expand_label(secret, label, length, digest):
    label = b"tls13 " + label
    info = struct.pack("!HB", length, len(label)) + label + b"\0\1"
    return hmac.new(secret, info, digest).digest()[:length]


class RecordWriter:
    """Seals for a client of TLS 1.3 instead of its library, which must not write any more. Its context had `keylog_filename`."""

    def __init__(self, client, keylog):
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError as missing:
            raise Skip("no python3-cryptography") from missing
        cipher = client.tls.cipher()[0]
        self.digest = hashlib.sha384 if "SHA384" in cipher else hashlib.sha256
        self.key_length = 32 if "AES_256" in cipher else 16
        assert "GCM" in cipher, cipher
        self.aead, self.client = AESGCM, client
        lines = [line.split() for line in keylog.read_text().splitlines()]
        self.use([bytes.fromhex(line[2]) for line in lines if line[0] == "CLIENT_TRAFFIC_SECRET_0"][-1])

    def use(self, secret):
        self.secret, self.sequence = secret, 0
        self.key = self.aead(expand_label(secret, b"key", self.key_length, self.digest))
        self.nonce = expand_label(secret, b"iv", 12, self.digest)

    def record(self, content, kind=APPLICATION, padding=0):
        inner = content + bytes([kind]) + bytes(padding)
        header = struct.pack("!BHH", APPLICATION, 0x0303, len(inner) + 16)
        nonce = (int.from_bytes(self.nonce, "big") ^ self.sequence).to_bytes(12, "big")
        self.sequence += 1
        return header + self.key.encrypt(nonce, inner, header)

    def key_update(self, content=KEY_UPDATE_QUIETLY, **record):
        octets = self.record(content, HANDSHAKE, **record)
        self.use(expand_label(self.secret, b"traffic upd", self.digest().digest_size, self.digest))
        return octets

    def send(self, *records):
        self.client.socket.sendall(b"".join(records))
