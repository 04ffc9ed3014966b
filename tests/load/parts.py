"""What goes on during the soak, each part in a thread of its own: loads, and what an operator and his machines do meanwhile."""

import contextlib
import itertools
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import threading
import time

from common.dns_peers import DnsStub
from common.harness import PROGRAM, ROOT, die_with_parent, free_port
from common.tls import TlsClient

BENCH = PROGRAM.parent / "gatepost-bench"
ZONE = ROOT / "bench/zones/bench.zone"
SLICE_S = 10  # of one run of the load generator
NUMBERS = itertools.count(1)


class Part:
    """A thread that does turns until the end; what goes wrong is kept, and ends the soak."""

    def __init__(self, soak):
        self.soak, self.error, self.count = soak, None, 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.soak.is_ending.is_set():
                self.turn()
        except Exception as error:  # told by the soak
            self.error = error

    def turn(self):
        raise NotImplementedError

    def pause(self, seconds):
        self.soak.is_ending.wait(seconds)


class Generator(Part):
    """Slices of the load generator, one after the other."""

    def __init__(self, soak, scenario, concurrency):
        self.scenario, self.concurrency = scenario, concurrency
        self.failures, self.texts = 0, set()
        super().__init__(soak)

    def turn(self):
        path = self.soak.directory / f"{self.scenario}.json"
        command = [BENCH, "run", self.scenario, "--server", f"127.0.0.1:{self.soak.server.port}", "--seconds", str(SLICE_S),
                   "--concurrency", str(self.concurrency), "--json", path]
        began = time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              preexec_fn=die_with_parent) as process:
            said = process.communicate(timeout=20 * SLICE_S)[1]
        if process.returncode not in (0, 1):
            raise AssertionError(f"{self.scenario}: {said[-500:]}")
        figures = json.loads(path.read_text())[0]
        self.count += figures["sessions"]
        # Where names cannot be asked for a good client is deferred: that is no fault.
        if not self.soak.names.was_away_since(began):
            self.failures += figures["failures"]
            self.texts.update(said.splitlines()[:3] if figures["failures"] else ())


class Mail(Part):
    """Mail from domains that nobody has asked for; every 250 is remembered."""

    def __init__(self, soak, seed, tls=False):
        self.dice, self.tls, self.codes, self.deferred = random.Random(seed), tls, {}, 0
        super().__init__(soak)

    def turn(self):
        number = next(NUMBERS)
        text = b"X-Number: %d\r\n\r\n" % number + b"This must arrive.\r\n" * self.dice.choice([1, 50, 3000])
        began = time.monotonic()
        try:
            with TlsClient(self.soak.server.port, banner=None, source="127.0.2.1", seconds=60) as client:
                code = client.try_mail(number, "bob@bench.example", text, self.tls)
        except OSError as error:
            code = type(error).__name__
        self.codes[code] = self.codes.get(code, 0) + 1
        self.count += code == 250
        self.deferred += code == 451 and not self.soak.names.was_away_since(began)
        if code == 250:
            self.soak.mailbox.expect(number, text)
        self.pause(0.02)


class SlowClients(Part):
    """So many connections that say an octet now and then, in any state, and make room for others."""

    LINES = b"EHLO mail.example.net\r\nMAIL FROM:<me@slow.example.net>\r\nRCPT TO:<alice@bench.example>\r\nDATA\r\nSubject: slow\r\n\r\n"
    CLIENTS = 150

    def __init__(self, soak):
        self.clients, self.dice = [], random.Random(5)
        super().__init__(soak)

    def begin(self):
        with contextlib.suppress(OSError):
            client = socket.create_connection(("127.0.0.1", self.soak.server.port), 20, (f"127.0.3.{self.dice.randrange(1, 250)}", 0))
            # At once for the most part, so that each state is met.
            head = self.LINES[:self.dice.randrange(len(self.LINES))]
            self.clients.append((client, iter(self.LINES[len(head):])))
            client.sendall(head)
            self.count += 1

    def turn(self):
        while len(self.clients) < self.CLIENTS and not self.soak.is_ending.is_set():
            self.begin()
        for entry in list(self.clients):
            client, rest = entry
            octet = next(rest, None)
            try:
                client.sendall(b"x" if octet is None else bytes([octet]))
                if octet is None and self.dice.random() < 0.05:
                    raise OSError
            except OSError:
                client.close()
                self.clients.remove(entry)
        self.pause(2)

    def run(self):
        super().run()
        for client, _ in self.clients:
            client.close()


class Reloads(Part):
    """The recipients change every few seconds."""

    def turn(self):
        self.pause(4)
        self.count += 1
        self.soak.server.write_recipients(["alice", "bob", f"more{self.count}", f"nobody-else{self.count % 3}"])
        self.soak.server.signal(signal.SIGHUP)


class Rotation(Part):
    """The log is renamed, and opened anew; old ones are thrown away."""

    def turn(self):
        self.pause(7)
        log = self.soak.server.directory / "log"
        with contextlib.suppress(FileNotFoundError):
            log.rename(log.with_name("log.1"))
        self.soak.server.signal(signal.SIGUSR1)
        self.count += 1


class Names(Part):
    """The name server dies and comes back."""

    LIVES_S, AWAY_S = 18, 4

    def __init__(self, soak):
        self.port = free_port()
        self.stub, self.last_away = DnsStub(ZONE, port=self.port), 0.0
        super().__init__(soak)

    def was_away_since(self, moment):
        """Also when it has just come back: questions of before may fail still."""
        return self.last_away + 6 > moment

    def turn(self):
        self.pause(self.LIVES_S)
        if self.soak.is_ending.is_set():
            return
        self.stub.stop()
        end = time.monotonic() + self.AWAY_S
        while time.monotonic() < end:
            self.last_away = time.monotonic()
            self.pause(0.1)
            if self.soak.is_ending.is_set():
                break
        self.last_away = time.monotonic()
        self.stub = DnsStub(ZONE, port=self.port)
        self.count += 1


class Mailbox(Part):
    """Takes delivered mail away, as its owners do, and compares it with what was sent."""

    def __init__(self, soak):
        self.lock, self.expected, self.early, self.spoilt = threading.Lock(), {}, {}, []
        super().__init__(soak)

    def expect(self, number, text):
        with self.lock:
            if number not in self.early:
                self.expected[number] = text
            elif self.early.pop(number) != text:
                self.spoilt.append(number)

    def take(self, octets):
        at = octets.find(b"X-Number: ")
        if at < 0:
            return
        text = octets[at:]
        number = int(text[10:text.index(b"\r")])
        with self.lock:
            if number not in self.expected:
                self.early[number] = text
            elif self.expected.pop(number) != text:
                self.spoilt.append(number)

    def empty(self):
        for path in pathlib.Path(self.soak.server.directory).glob("mail/*/*/new/*"):
            if path.parts[-3] == "bob":
                self.take(path.read_bytes())
            os.unlink(path)
            self.count += 1

    def turn(self):
        self.empty()
        self.pause(0.5)
