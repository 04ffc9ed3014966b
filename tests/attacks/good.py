"""The good client, a process of its own: it delivers one mail after the other for as long as an attack goes on, and says how it was
served. As a program it reads what to do from its argument, and ends when its input does."""

import json
import os
import pathlib
import random
import select
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from attacks.client import GOOD_MAIL, Peer, Silent, Unexpected  # noqa: E402

PAUSE_SECONDS = 0.02
DEFERRED = (421, 450, 451, 452)
STRANGERS = "127.20"


def source_of(host, network):
    return f"{network}.{random.randint(0, 255)}.{random.randint(1, 254)}" if host.startswith("127.") else None


def deliver(host, port, rcpt, sender, helo, seconds, network):
    """One mail; returns the seconds from connecting to the reply that it is stored."""
    began = time.monotonic()
    with Peer(host, port, source_of(host, network), seconds) as peer:
        peer.need(None, 220)
        peer.need(f"EHLO {helo}", 250)
        peer.need(f"MAIL FROM:<{sender}>", 250)
        peer.need(f"RCPT TO:<{rcpt}>", 250, 251)
        peer.need("DATA", 354)
        peer.need(GOOD_MAIL + b"\r\n\r\nIt is good.\r\n.", 250)
        took = time.monotonic() - began
        peer.raw(b"QUIT\r\n")
    return took


def why_not_served(target):
    """Why no attack would say anything: what an ordinary mail is answered; None where it is taken, or put off."""
    try:
        deliver(target.host, target.port, target.rcpt, target.sender, target.helo, target.seconds, STRANGERS)
        target.mail().close()
    except (OSError, Silent, Unexpected) as error:
        return None if getattr(error, "code", None) in DEFERRED else str(error)
    return None


def main():
    options = json.loads(sys.argv[1])
    times, failures, deferrals = [], [], []
    is_over = False
    while not is_over:
        began = time.monotonic()
        try:
            times.append(deliver(**options))
        except (OSError, Silent, Unexpected) as error:
            text = f"{type(error).__name__}: {error}"[:200]
            if getattr(error, "code", None) in DEFERRED:
                deferrals.append((time.monotonic() - began, text))
            else:
                failures.append(text)
        if len(times) + len(failures) + len(deferrals) == 1:
            print("going on", flush=True)
        # At least one mail is sent after the end of an attack: it is served then too.
        is_over = bool(select.select([sys.stdin], [], [], PAUSE_SECONDS)[0])
    json.dump({"times": times, "failures": failures, "deferrals": deferrals}, sys.stdout)


class GoodClient:
    """A context manager; the figures are there when it is left. `network`: where it comes from. `may_be_deferred`: else it is a failure."""

    def __init__(self, target, network=STRANGERS, may_be_deferred=False):
        self.options = {"host": target.host, "port": target.port, "rcpt": target.rcpt, "sender": target.sender,
                        "helo": target.helo, "seconds": 2 * target.seconds, "network": network}
        self.may_be_deferred = may_be_deferred
        self.mails, self.times, self.failures, self.deferrals = 0, [], [], []

    def __enter__(self):
        environment = dict(os.environ, PYTHONPATH=str(HERE.parent))
        self.process = subprocess.Popen([sys.executable, "-B", HERE / "good.py", json.dumps(self.options)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        # The attack begins when a first mail has shown that there is a service to be lost.
        self.process.stdout.readline()
        return self

    def __exit__(self, *ignored):
        output = self.process.communicate(b"end\n")[0]
        told = json.loads(output or '{"times": [], "failures": ["the good client broke down"], "deferrals": []}')
        self.times, self.failures = sorted(told["times"]), told["failures"]
        self.deferrals = sorted(told["deferrals"])
        if not self.may_be_deferred:
            self.failures += [text for _, text in self.deferrals]
        self.mails = len(self.times)

    def percentile_ms(self, percent):
        return 1000 * self.times[min(len(self.times) - 1, len(self.times) * percent // 100)] if self.times else None

    def text(self, percent):
        found = self.percentile_ms(percent)
        return "-" if found is None else f"{found:.0f}"


if __name__ == "__main__":
    main()
