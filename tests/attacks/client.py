"""A client that may say anything, octet for octet, in the clear or by TLS, and that survives whatever it is answered."""

import collections
import contextlib
import random
import re
import select
import socket
import ssl

# code: None when the server has closed, 0 when what it said is no reply; text: of all lines.
Reply = collections.namedtuple("Reply", "code text")
CLOSED = Reply(None, "")
# By which mails of the good client are known.
GOOD_MAIL = b"Subject: good mail"


class Silent(Exception):
    """No reply came in time."""


class Unexpected(Exception):
    """What an attack needs before it can begin was answered otherwise: with this code, where it was a reply to one line."""

    def __init__(self, text, code=None):
        super().__init__(text)
        self.code = code


def random_source(host):
    """Limits by address shall not keep an attack from being tried: on IPv4's loopback each connection has an address of its own."""
    if not host.startswith("127."):
        return None
    return f"127.{random.randint(64, 127)}.{random.randint(0, 255)}.{random.randint(1, 254)}"


def ready(one, seconds, events=select.POLLIN):
    """Which of the events this socket is ready for, by poll: with many connections numbers are too high for select."""
    poll = select.poll()
    poll.register(one, events)
    return sum(found for _, found in poll.poll(1000 * seconds))


def harmless_context():
    """Takes any certificate: it is the other side that is looked at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Peer:
    """One connection. Nothing is sent or read behind its user's back."""

    def __init__(self, host, port, source=None, seconds=20):
        self.seconds = seconds
        self.buffer = b""
        self.socket = socket.create_connection((host, port), seconds, source and (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.close()

    def raw(self, octets):
        """False when the server takes no more."""
        try:
            self.socket.sendall(octets)
        except OSError:
            return False
        return True

    def line(self, seconds=None):
        """The next line with its end, or b"" when the server has closed."""
        self.socket.settimeout(self.seconds if seconds is None else seconds)
        while b"\n" not in self.buffer:
            try:
                more = self.socket.recv(65536)
            except (TimeoutError, ssl.SSLWantReadError) as error:
                raise Silent("no reply") from error
            except OSError:
                more = b""
            finally:
                self.socket.settimeout(self.seconds)
            if not more:
                return b""
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line + b"\n"

    def reply(self, seconds=None):
        texts = []
        while True:
            line = self.line(seconds)
            if not line:
                return CLOSED
            found = re.fullmatch(rb"([2-5]\d\d)(?:([ -])(.*))?\r\n", line, re.S)
            if found is None:
                return Reply(0, line.decode("latin-1"))
            texts.append((found[3] or b"").decode("latin-1"))
            if found[2] != b"-":
                return Reply(int(found[1]), "\n".join(texts))

    def say(self, line, seconds=None):
        """A line with its CRLF, and the reply to it."""
        self.raw((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
        return self.reply(seconds)

    def need(self, line, *codes):
        """The reply, whose code must be among these for the attack to make sense."""
        reply = self.reply() if line is None else self.say(line)
        if reply.code not in codes:
            raise Unexpected(f"{'connect' if line is None else line!r} was answered {reply.code} {reply.text}", reply.code)
        return reply

    def rest(self, seconds=None):
        """Says QUIT and collects the codes of all replies until the server closes: nothing has to be waited for by the clock."""
        self.raw(b"QUIT\r\n")
        codes = []
        while (reply := self.reply(seconds)).code is not None:
            codes.append(reply.code)
        return codes

    def start_tls(self, seconds=None):
        """The handshake, after the server's 220. False when it fails."""
        self.socket.settimeout(self.seconds if seconds is None else seconds)
        try:
            self.socket = harmless_context().wrap_socket(self.socket)
        except OSError:
            return False
        self.socket.settimeout(self.seconds)
        return True
