"""Shows the receiver at work: starts one on a free loopback port, and beside it a DNS server that knows conf/example.zone;
sends good and bad sessions, prints each dialogue and whether it went as it should. Exits 0 only when all did. Python's standard
library only."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

# Where the programs are: tests name another build.
BUILD = pathlib.Path(os.environ.get("GATEPOST", pathlib.Path(__file__).resolve().parent.parent / "build/gatepost")).parent
ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 10

CONFIGURATION = """
hostname = "mx1.isp.example"
listen = {{"127.0.0.1:{port}"}}
log = "log"
greeting_pause = 200ms
resolvers = {{"127.0.0.1:{dns_port}"}}
helo_name {{ must_resolve = yes }}
dnsbl {{
    zone "zen.spamhaus.org" {{ answers = {{"127.0.0.[2..9]"}} dynamic = {{"127.0.0.[10..11]"}} }}
    zone "list.dnswl.org" {{ weight = -1 answers = {{"127.0.[2..20].[1..3]"}} errors = {{"127.0.0.255", "127.0.10.[1..255]"}} }}
    zone "dbl.spamhaus.org" {{ names = yes answers = {{"127.0.1.[2..99]"}} }}
}}
domain "isp.example" {{
    recipients = "recipients.txt"
    deliver = "maildir:mail/%d/%u"
    dynamic_client {{ mode = enforce }}
}}
"""

HELO = ("EHLO client.example.com", 250)
MAIL = ("MAIL FROM:<me@example.com>", 250)
RCPT = ("RCPT TO:<alice@isp.example>", 250)
DATA = ("DATA", 354)
QUIT = ("QUIT", 221)
RSET = ("RSET", 250)
LETTER = "Subject: hello\r\n\r\nIt works.\r\n..and so do lines that begin with a dot.\r\n."
SMUGGLED = ("Subject: one message\r\n\r\nand now a second one:\n.\nMAIL FROM:<forged@bank.example>\n"
            "RCPT TO:<bob@isp.example>\nDATA\nSubject: smuggled\n.\r\n.")



def sender(address, reply):
    """Steps: what a recipient of a mail from there is answered."""
    return [(f"MAIL FROM:<{address}>", 250), (RCPT[0], reply)]


def client(reply):
    """Steps of a client that is judged by its address."""
    return [(None, 220), HELO, MAIL, (RCPT[0], reply), QUIT]


# Title, steps of what the client sends (None: it waits for the banner) with the beginning of the reply that must come, delivered
# messages, and the client's address where it matters.
SESSIONS = [
    ("A mail for alice is taken", [(None, 220), HELO, MAIL, RCPT, DATA, (LETTER, 250), QUIT], 1),
    ("An unknown recipient is refused", [(None, 220), HELO, MAIL, ("RCPT TO:<nobody@isp.example>", "550 5.7.1"), QUIT], 0),
    ("No relaying to foreign domains", [(None, 220), HELO, MAIL, ("RCPT TO:<alice@elsewhere.example>", "554 5.7.1"), QUIT], 0),
    ("HELO must be a full name", [(None, 220), ("EHLO localhost", 250), MAIL, (RCPT[0], "504 5.5.2"), QUIT], 0),
    ("HELO must be a name that DNS knows",
     [(None, 220), ("EHLO nowhere.example.com", 250), MAIL, (RCPT[0], "550 5.7.1 HELO name does not resolve"), QUIT], 0),
    ("A client cannot claim to be us", [(None, 220), ("EHLO mx1.isp.example", 250), MAIL, (RCPT[0], "550 5.7.1"), QUIT], 0),
    ("The sender's top-level domain must exist; one that the list has not yet is asked of DNS",
     [(None, 220), HELO, *sender("me@example.invalidtld", "550 5.1.8"), RSET, *sender("me@shop.newtld", 250), QUIT], 0),
    ("A notification goes to one recipient",
     [(None, 220), HELO, ("MAIL FROM:<>", 250), RCPT, ("RCPT TO:<bob@isp.example>", "550 5.5.3"), (DATA[0], 550), QUIT], 0),
    ("Who talks before the banner is sent away", [("EHLO client.example.com", "554 5.5.0"), (None, None)], 0),
    ("Bare line feeds smuggle no second message", [(None, 220), HELO, MAIL, RCPT, DATA, (SMUGGLED, "550 5.5.2"), QUIT], 0),
    ("A client on a DNS blocklist", client("554 5.7.1 client [127.0.0.66] is listed by zen.spamhaus.org"), 0, "127.0.0.66"),
    ("One that is on an allowlist too", client(250), 0, "127.0.0.67"),
    ("A blocklist that answers with an error lists nobody", client(250), 0, "127.0.0.68"),
    ("A dynamic address, by the list", client("550 5.7.1 mail from dynamic addresses"), 0, "127.0.0.77"),
    ("A dynamic address, by its generic name", client("550 5.7.1 mail from dynamic addresses"), 0, "127.0.0.78"),
    ("A client whose name does not lead back to it", client("550 5.7.1 mail from dynamic addresses"), 0, "127.0.0.79"),
    ("A client without a name", client("550 5.7.1 mail from dynamic addresses"), 0, "127.0.0.80"),
    ("A sender whose domain is on a blocklist",
     [(None, 220), HELO, *sender("me@listed.example.org", "554 5.7.1 your domain is listed by dbl.spamhaus.org"), QUIT], 0),
    ("A sender who cannot be answered: null MX, no MX, an MX that is nowhere, no such domain; DNS that fails is asked again later",
     [(None, 220), HELO, *sender("me@nullmx.example.com", "550 5.7.27"), RSET, *sender("me@nomx.example.com", "550 5.1.8"), RSET,
      *sender("me@bogus.example.com", "550 5.1.8"), RSET, *sender("me@nosuch.example.com", "550 5.1.8"), RSET,
      *sender("me@broken.example.com", "451 4.4.3"), QUIT], 0),
    ("SPF: the sender's domain forbids it, with its own words; does not insist; has a faulty record; its DNS fails",
     [(None, 220), HELO, *sender("me@strict.example.org", "550 5.7.23 SPF: 127.0.0.1 may not send mail for strict.example.org"), RSET,
      *sender("me@soft.example.org", 250), RSET, *sender("me@wrong.example.org", 250), RSET,
      *sender("me@lost.example.org", "451 4.4.3"), QUIT], 0),
]


def colour(number, text):
    return f"\033[{number}m{text}\033[0m" if sys.stdout.isatty() else text


def show(who, text):
    """One line of the dialogue; a bare LF is shown, as it would be invisible."""
    for line in text.split("\r\n"):
        line = line.replace("\n", colour(33, "<LF>"))
        print("   ", colour(36, "C:") if who == "C" else colour(35, "S:"), line)


class Client:
    def __init__(self, port, address):
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS, (address, 0))
        self.stream = self.socket.makefile("rb")

    def send(self, text):
        show("C", text)
        self.socket.sendall(text.encode() + b"\r\n")

    def reply(self):
        """The last line of the next reply, None at the end of the connection."""
        while line := self.stream.readline().decode():
            show("S", line.rstrip("\r\n"))
            if line[3:4] != "-":
                return line.rstrip("\r\n")
        print("   ", colour(35, "S:"), "(closes)")
        return None

    def run(self, steps):
        """What went wrong first, or None."""
        for text, expected in steps:
            try:
                if text is not None:
                    self.send(text)
                reply = self.reply()
            except OSError as error:
                return f"expected {expected}: {error}"
            if reply is None or expected is None:
                if reply != expected:
                    return f"expected {expected}, got {reply}"
            elif not reply.startswith(str(expected)):
                return f"expected {expected}, got {reply}"
        return None


@contextlib.contextmanager
def dns_server():
    """Its port."""
    program = [BUILD / "gatepost-dns-stub", "--listen", "127.0.0.1:0", "--parent", str(os.getpid()), ROOT / "conf/example.zone"]
    process = subprocess.Popen(program, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        said = process.stdout.readline().split()
        if said[:1] != ["port"]:
            sys.exit("demo: the DNS server does not start")
        yield int(said[1])
    finally:
        process.terminate()
        process.wait()


class Receiver:
    def __init__(self, directory, dns_port):
        self.directory = directory
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (directory / "gatepost.conf").write_text(CONFIGURATION.format(port=self.port, dns_port=dns_port))
        (directory / "recipients.txt").write_text("alice\nbob\n")
        program = [BUILD / "gatepost", "serve", "--as-root", "-c", directory / "gatepost.conf"]
        self.process = subprocess.Popen(program, stdin=subprocess.DEVNULL)

    def wait_until_up(self):
        for _ in range(SECONDS * 20):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        sys.exit("demo: the receiver does not start")

    def mails(self):
        return sorted(self.directory.glob("mail/*/*/new/*"))

    def log_of(self, code):
        """The first log line that shows a reply with this code."""
        for _ in range(SECONDS * 20):
            for line in (self.directory / "log").read_text().splitlines():
                if f'"{code}' in line or f":{code}" in line:
                    return json.loads(line)
            time.sleep(0.05)
        return None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def run_session(receiver, title, steps, delivered, address="127.0.0.1"):
    print(colour(1, title))
    before = len(receiver.mails())
    wrong = Client(receiver.port, address).run(steps)
    if wrong is None and len(receiver.mails()) - before != delivered:
        wrong = f"{len(receiver.mails()) - before} messages delivered, expected {delivered}"
    print("  ", colour(32, "as it should") if wrong is None else colour(31, "WRONG: " + wrong), "\n")
    return wrong is None


def main():
    with tempfile.TemporaryDirectory(prefix="gatepost-demo-") as name, dns_server() as dns_port:
        receiver = Receiver(pathlib.Path(name), dns_port)
        good, refusal = 0, None
        try:
            receiver.wait_until_up()
            good = sum(run_session(receiver, *session) for session in SESSIONS)
            for path in receiver.mails()[:1]:
                print(colour(1, f"The delivered mail, {path.relative_to(name)}"))
                print("    " + path.read_text().replace("\n", "\n    "))
            refusal = receiver.log_of(550)
            print(colour(1, "The log line of a refusal"))
            print(json.dumps(refusal, indent=4) + "\n")
        finally:
            status = receiver.stop()
    print(f"{good} of {len(SESSIONS)} sessions went as they should; the receiver stopped with status {status}")
    return 0 if good == len(SESSIONS) and refusal and status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
