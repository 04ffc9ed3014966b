"""The server under attack: where it is, what it offers, and where what it stored and logged can be seen."""

import concurrent.futures
import contextlib
import ipaddress
import pathlib
import secrets
import socket
import time

from attacks.client import GOOD_MAIL, Peer, Silent, Unexpected, random_source
from attacks.report import NotApplicable


def has_default_route():
    routes4 = [line.split() for line in pathlib.Path("/proc/net/route").read_text().splitlines()[1:]]
    path6 = pathlib.Path("/proc/net/ipv6_route")
    routes6 = [line.split() for line in path6.read_text().splitlines()] if path6.exists() else []
    return any(route[1] == route[7] == "00000000" for route in routes4) or any(
        route[1] == "00" and route[9] != "lo" for route in routes6)


def is_own(address):
    """Whether this machine, or network namespace, has the address itself: then nothing said to it leaves."""
    with socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return not address.is_unspecified


def parse_endpoint(text):
    """(host, port) of HOST:PORT. ValueError says what is wrong with it, for one that others could be hit by too."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text} is not HOST:PORT")
    address = ipaddress.ip_address(host.strip("[]"))
    if not address.is_loopback and (has_default_route() or not is_own(address)):
        raise ValueError(f"{address} is not on loopback; elsewhere only an own address may be attacked, where there is no default route")
    return str(address), int(port)


class Target:
    """server: the harness's Server when it is ours, else None. maildir: the folder below which it stores. log: its log file. known: the
    first two numbers of a network whose clients the server knows."""

    def __init__(self, host, port, rcpt, sender="me@example.com", helo="client.example.com", maildir=None, log=None, server=None,
                 proxy_port=None, is_short=False, pid=None, patience=1, slow_seconds=10, known=None):
        self.host, self.port, self.rcpt, self.sender, self.helo = host, port, rcpt, sender, helo
        self.maildir, self.log, self.server, self.proxy_port, self.known = maildir, log, server, proxy_port, known
        self.is_short, self.pid, self.slow_seconds = is_short, pid, slow_seconds
        self.mails = {}
        # Every limit of time goes through this.
        self.seconds = 20 * patience
        self.patience = patience
        self.domain = rcpt.rpartition("@")[2]

    def count(self, long, short):
        return short if self.is_short else long

    # ---- sessions ----

    def connect(self, port=None, source=None):
        return Peer(self.host, port or self.port, source or random_source(self.host), self.seconds)

    def greeted(self):
        """A connection whose banner has come."""
        peer = self.connect()
        peer.need(None, 220)
        return peer

    def session(self, hello=True):
        """A connection that has said EHLO, and knows what it was offered."""
        peer = self.greeted()
        peer.keywords = set()
        if hello:
            lines = peer.need(f"EHLO {self.helo}", 250).text.upper().split("\n")[1:]
            peer.keywords = {line.split()[0] for line in lines if line.split()}
        return peer

    def give_envelope(self, peer):
        """From MAIL to before DATA."""
        peer.need(f"MAIL FROM:<{self.sender}>", 250)
        peer.need(f"RCPT TO:<{self.rcpt}>", 250, 251)

    def mail(self):
        """A session that has been told to send its text."""
        peer = self.session()
        self.give_envelope(peer)
        peer.need("DATA", 354)
        return peer

    def tls_session(self):
        """A session that has come as far as the end of the handshake."""
        peer = self.session()
        peer.need("STARTTLS", 220)
        if not peer.start_tls():
            raise Unexpected("the TLS handshake fails")
        return peer

    def offers_tls(self):
        with self.session() as peer:
            return "STARTTLS" in peer.keywords

    def need_tls(self):
        """NotApplicable unless TLS is offered and a plain handshake succeeds: only then others mean something."""
        if not self.offers_tls():
            raise NotApplicable("STARTTLS is not offered")
        try:
            self.tls_session().close()
        except Unexpected as error:
            raise NotApplicable(f"STARTTLS is offered, but {error}") from error

    def is_alive(self):
        if self.server is not None and self.server.process.poll() is not None:
            return False
        try:
            with self.session() as peer:
                return peer.say("NOOP").code == 250
        except (OSError, Unexpected, Silent):
            return False

    # ---- what was stored ----

    def look(self):
        """Reads what has been stored since the last look; files that still grow stand in tmp/. The good client's are left out."""
        for path in self.maildir.rglob("*") if self.maildir else ():
            if path in self.mails or path.parent.name == "tmp" or not path.is_file():
                continue
            with contextlib.suppress(OSError):  # moved meanwhile
                octets = path.read_bytes()
                self.mails[path] = b"" if GOOD_MAIL in octets else octets
        return sum(bool(octets) for octets in self.mails.values())

    def stored(self, token):
        """The octets of all stored files that contain the token, as of the last look."""
        return [octets for octets in self.mails.values() if token.encode() in octets]

    def settle(self):
        """Returns when what was accepted before this has been stored, as far as can be known: servers may queue."""
        token = new_token()
        with self.mail() as peer:
            peer.raw(f"Subject: sentinel {token}\r\n\r\n.\r\n".encode())
            if peer.reply().code != 250:
                raise Unexpected("a plain message is not taken")
        end = time.monotonic() + self.seconds
        self.look()
        while not self.stored(token):
            if time.monotonic() > end:
                raise Unexpected(f"nothing arrives below {self.maildir}")
            time.sleep(0.05)
            self.look()
        # Others deliver several at a time, in any order.
        count = -1
        while self.server is None and count != (count := self.look()) and time.monotonic() < end:
            time.sleep(1)


def new_token():
    return "gp" + secrets.token_hex(8)


def attempt(report, function, *arguments):
    """Calls it for one try; where the server refuses or is silent before the attack has begun, that is noted and is no finding."""
    report.tried()
    try:
        return function(*arguments)
    except Unexpected as error:
        report.did_not_begin(error)
    except Silent:
        report.note("a try got no reply in time")
    except OSError as error:
        report.note(f"a try lost its connection: {error}")
    return None


def together(report, function, inputs, threads=8):
    """[(input, what the function returned for it)], several at a time."""
    inputs = list(inputs)
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(zip(inputs, pool.map(lambda one: attempt(report, function, one), inputs)))
