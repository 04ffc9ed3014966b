"""Sessions that greylist and client_rate judge, for tests of these and of the store of senders."""

import re
import threading
import time

from common.harness import HELO, PATIENCE, SENDER, equal, run_program, wait_for

ANYBODY = "carol@example.com"
# Milliseconds for a question to the store; the machine may be busy, or stand still, and who is late is let in.
SENDER_TIMEOUT = max(3000, 600 * PATIENCE)
ANSWERED_IN = 2.5 * SENDER_TIMEOUT / 1000  # seconds for a session, with one question that is late
# The same where the store is not made to stand still: then whoever is late is one that the machine holds up.
PATIENT_TIMEOUT = 30_000


def options(store, delay="1h", more=""):
    return f'sender_store = "{store}"\nsender_timeout = {SENDER_TIMEOUT}ms\ngreylist {{ mode = enforce delay = {delay} auto_allow_after = 0 {more} }}'


def mail(server, sender=ANYBODY, recipient="alice"):
    """RCPT's code and text; what is taken is delivered."""
    with server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        client.command(f"MAIL FROM:<{sender}>", 250)
        client.raw(f"RCPT TO:<{recipient}@isp.example>\r\n".encode())
        code, text = client.reply()
        if code == 250:
            client.command("DATA", 354)
            client.finish(b"Subject: x\r\n\r\ntext\r\n")
        client.command("QUIT", 221)
        return code, text


def seconds_left(answer):
    equal(answer[0], 451, f"code of {answer}")
    return int(re.match(r"4\.7\.1 greylisted, try again in (\d+) s", answer[1])[1])


def greylist(server, *arguments, status=0):
    verb, *rest = arguments
    run = run_program("greylist", verb, "-c", str(server.directory / "gatepost.conf"), *rest)
    equal(run.returncode, status, f"status ({run.stderr})")
    return run.stdout


def named(number):
    """A name without digits, which the greylist takes for one another."""
    return "sender-" + "".join(chr(ord("a") + int(digit)) for digit in str(number))


class Load:
    """Threads of which each asks about new senders, one after the other, while the block runs: `codes` has what RCPT was answered, and
    `slowest` how long a session took at most."""

    def __init__(self, server, threads=3, pause=0.005):
        self.server, self.pause, self.codes, self.slowest, self.faults = server, pause, [], 0, []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,), daemon=True) for number in range(threads)]

    def run(self, number):
        count = 0
        while not self.is_over.is_set():
            began = time.monotonic()
            try:
                self.codes.append(mail(self.server, f"{named(number)}{named(count)}{named(id(self))}@example.com")[0])
            except (AssertionError, OSError) as fault:
                self.faults.append(repr(fault))
            self.slowest = max(self.slowest, time.monotonic() - began)
            count += 1
            time.sleep(self.pause)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *ignored):
        self.is_over.set()
        for thread in self.threads:
            thread.join()


def connect(server, source):
    """The code of the first reply."""
    with server.client(source=source, banner=None) as client:
        return client.reply()[0]


def harvest(server, source, guesses):
    """Guesses so many recipients of one mail, who are unknown. The codes of the replies; a last one of 421 ends the connection."""
    codes = []
    with server.client(source=source) as client:
        client.command(f"EHLO {HELO}", 250)
        client.command(f"MAIL FROM:<{SENDER}>", 250)
        for number in range(guesses):
            client.raw(f"RCPT TO:<guess{number}@isp.example>\r\n".encode())
            codes.append(client.reply()[0])
        assert codes[-1] != 421 or client.is_closed(), codes
    return codes


def wait_until_refused(server, source):
    wait_for(f"421 for {source}", lambda: connect(server, source) == 421)
