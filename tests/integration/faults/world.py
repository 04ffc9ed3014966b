"""A server with faults to order, a name server of its own, and senders who remember what they were told of each mail."""

import contextlib
import itertools
import os
import pathlib
import random
import re
import threading

from common.dns_peers import DnsStub
from common.faults import Faults
from common.harness import ROOT, SECONDS, Server, equal, wait_for
from common.tls import TlsClient, tls_options

OPTIONS = """workers = 2
delivery_threads = 2
dns_threads = 1
maildir_sync_together = 2
connections_per_client = 200
connections_per_network = 1000
client_rate {{ mode = off }}
sender_store = "lmdb:senders"
greylist {{ mode = observe }}
resolvers = {{"127.0.0.1:{port}"}}
dns_attempt_timeout = 300ms
dns_question_timeout = 1s
dns_timeout = 2s
dns_failure_ttl = 0ms
tls_no_go = 0
"""
NUMBERS = itertools.count(1)
# A sender who was told nothing gives up soon; the server would keep it for minutes.
UNANSWERED_S = 5


@contextlib.contextmanager
def faulty_server(directory, more=""):
    """(server, faults, post), with one mail delivered; at the end no fault is left, and the server must stop with status 0."""
    faults = Faults(directory)
    # It answers for example.net and its subdomains, whatever their names.
    with DnsStub(ROOT / "bench/zones/bench.zone") as dns:
        server = Server(directory, OPTIONS.format(port=dns.port) + tls_options(directory) + more)
        with server.start(faults.prefix()):
            post = Post(server)
            wait_for("the first mail that is accepted", post.is_served)
            yield server, faults, post
            faults.end_all()


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


class Post:
    """What was sent and what came of it; mails of several threads."""

    def __init__(self, server):
        self.server, self.told, self.texts = server, {}, {}
        self.seen = set()  # mails that were found as they should be

    def send(self, size=200, tls=None):
        """A mail from a domain that nobody has asked for yet, every second one over TLS if nothing else is said. Returns the last
        code; None: the connection ended before."""
        number = next(NUMBERS)
        text = b"X-Number: %d\r\nSubject: proof\r\n\r\n" % number + b"All of this must arrive, or none of it.\r\n" * (size // 40)
        self.texts[number] = text
        self.told[number] = None
        try:
            with TlsClient(self.server.port, banner=None, seconds=UNANSWERED_S) as client:
                self.told[number] = client.try_mail(number, "alice@isp.example", text, number % 2 == 1 if tls is None else tls)
        except OSError:
            pass
        return self.told[number]

    def is_served(self):
        return self.send() == 250

    def check(self):
        """Each mail that was answered 250 is there once, octet for octet; none that was answered otherwise is, nor half a mail.
        What was found is taken away."""
        for path in self.server.directory.glob("mail/isp.example/alice/new/*"):
            mail = path.read_bytes()
            number = int(re.search(rb"^X-Number: (\d+)\r$", mail, re.M)[1])
            assert number not in self.seen, f"mail {number} is there twice"
            assert mail[mail.index(b"X-Number: "):] == self.texts[number], f"mail {number} is not as it was sent"
            assert self.told[number] in (250, None), f"mail {number} is there although it was answered {self.told[number]}"
            self.seen.add(number)
            path.unlink()
        lies = [number for number, code in self.told.items() if code == 250 and number not in self.seen]
        equal(lies, [], "250 for mails that are not there")


def tally(codes):
    """Of the answers to mails: how often each."""
    return {code: codes.count(code) for code in sorted(set(codes), key=str)}


class Senders:
    """Threads that send mails of all sizes until they are told to end."""

    def __init__(self, post, count=6):
        self.post, self.is_ending, self.errors = post, False, []
        self.threads = [threading.Thread(target=self.run, args=(number,), daemon=True) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        dice = random.Random(number)
        try:
            while not self.is_ending:
                self.post.send(dice.choice([100, 3000, 40_000, 100_000]))
        except Exception as error:  # told at the end
            self.errors.append(error)

    def end(self):
        self.is_ending = True
        for thread in self.threads:
            thread.join(3 * SECONDS)
        assert not any(thread.is_alive() for thread in self.threads), "a sender hangs"
        assert not self.errors, self.errors


def has_recovered(server, post, descriptors_before):
    """The server lives and serves, holds no file in the making, and no descriptor more than before."""
    assert server.process.poll() is None, f"the server has ended with {server.process.returncode}: {server.stderr()[-2000:]}"
    wait_for("a mail that is accepted", post.is_served)
    wait_for("no file in the making", lambda: not list(pathlib.Path(server.directory).glob("mail/*/*/tmp/*")))
    wait_for("no descriptor more", lambda: descriptors(server) <= descriptors_before + 2)
    post.check()
