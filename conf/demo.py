"""Shows the receiver at work: starts one on a free loopback port, sends it good and bad sessions, prints each dialogue and
whether it went as it should. Exits 0 only when all did. Python's standard library only."""

import json
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 10

CONFIGURATION = """
hostname = "mx1.isp.example"
listen = {{"127.0.0.1:{port}"}}
log = "log"
greeting_pause = 200ms
domain "isp.example" {{
    recipients = "recipients.txt"
    deliver = "maildir:mail/%d/%u"
}}
"""

HELO = ("EHLO client.example.com", 250)
MAIL = ("MAIL FROM:<me@example.com>", 250)
RCPT = ("RCPT TO:<alice@isp.example>", 250)
DATA = ("DATA", 354)
QUIT = ("QUIT", 221)
LETTER = "Subject: hello\r\n\r\nIt works.\r\n..and so do lines that begin with a dot.\r\n."
SMUGGLED = ("Subject: one message\r\n\r\nand now a second one:\n.\nMAIL FROM:<forged@bank.example>\n"
            "RCPT TO:<bob@isp.example>\nDATA\nSubject: smuggled\n.\r\n.")

# Title, steps of what the client sends (None: it waits for the banner) with the code that must come, delivered messages.
SESSIONS = [
    ("A mail for alice is taken", [(None, 220), HELO, MAIL, RCPT, DATA, (LETTER, 250), QUIT], 1),
    ("An unknown recipient is refused", [(None, 220), HELO, MAIL, ("RCPT TO:<nobody@isp.example>", 550), QUIT], 0),
    ("No relaying to foreign domains", [(None, 220), HELO, MAIL, ("RCPT TO:<alice@elsewhere.example>", 554), QUIT], 0),
    ("HELO must be a full name", [(None, 220), ("EHLO localhost", 250), MAIL, (RCPT[0], 504), QUIT], 0),
    ("A client cannot claim to be us", [(None, 220), ("EHLO mx1.isp.example", 250), MAIL, (RCPT[0], 550), QUIT], 0),
    ("The sender's top-level domain must exist",
     [(None, 220), HELO, ("MAIL FROM:<me@example.invalidtld>", 250), (RCPT[0], 550), QUIT], 0),
    ("A notification goes to one recipient",
     [(None, 220), HELO, ("MAIL FROM:<>", 250), RCPT, ("RCPT TO:<bob@isp.example>", 550), (DATA[0], 550), QUIT], 0),
    ("Who talks before the banner is sent away", [("EHLO client.example.com", 554), (None, None)], 0),
    ("Bare line feeds smuggle no second message", [(None, 220), HELO, MAIL, RCPT, DATA, (SMUGGLED, 550), QUIT], 0),
]


def colour(number, text):
    return f"\033[{number}m{text}\033[0m" if sys.stdout.isatty() else text


def show(who, text):
    """One line of the dialogue; a bare LF is shown, as it would be invisible."""
    for line in text.split("\r\n"):
        line = line.replace("\n", colour(33, "<LF>"))
        print("   ", colour(36, "C:") if who == "C" else colour(35, "S:"), line)


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self.stream = self.socket.makefile("rb")

    def send(self, text):
        show("C", text)
        self.socket.sendall(text.encode() + b"\r\n")

    def reply(self):
        """The code of the next reply, None at the end of the connection."""
        while line := self.stream.readline().decode():
            show("S", line.rstrip("\r\n"))
            if line[3:4] != "-":
                return int(line[:3])
        print("   ", colour(35, "S:"), "(closes)")
        return None

    def run(self, steps):
        """What went wrong first, or None."""
        for text, expected in steps:
            try:
                if text is not None:
                    self.send(text)
                code = self.reply()
            except OSError as error:
                return f"expected {expected}: {error}"
            if code != expected:
                return f"expected {expected}, got {code}"
        return None


class Receiver:
    def __init__(self, directory):
        self.directory = directory
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (directory / "gatepost.conf").write_text(CONFIGURATION.format(port=self.port))
        (directory / "recipients.txt").write_text("alice\nbob\n")
        program = [ROOT / "build/gatepost", "serve", "-c", directory / "gatepost.conf"]
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
        """The newest log line that shows a reply with this code."""
        for _ in range(SECONDS * 20):
            for line in reversed((self.directory / "log").read_text().splitlines()):
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


def run_session(receiver, title, steps, delivered):
    print(colour(1, title))
    before = len(receiver.mails())
    wrong = Client(receiver.port).run(steps)
    if wrong is None and len(receiver.mails()) - before != delivered:
        wrong = f"{len(receiver.mails()) - before} messages delivered, expected {delivered}"
    print("  ", colour(32, "as it should") if wrong is None else colour(31, "WRONG: " + wrong), "\n")
    return wrong is None


def main():
    with tempfile.TemporaryDirectory(prefix="gatepost-demo-") as name:
        receiver = Receiver(pathlib.Path(name))
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
