"""What the integration tests share: the real program with a configuration of the test's on free loopback ports, a client that
speaks SMTP, and TAP. The program and its sanitizer come from the environment: GATEPOST, GATEPOST_SANITIZE."""

import contextlib
import ctypes
import itertools
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = pathlib.Path(os.environ.get("GATEPOST", ROOT / "build/gatepost")).resolve()
SANITIZE = os.environ.get("GATEPOST_SANITIZE", "")
# Sanitizers slow the program down; every time limit of a test goes through this.
PATIENCE = 6 if SANITIZE else 1
SECONDS = 20 * PATIENCE
IS_ROOT = os.geteuid() == 0
HELO = "client.example.com"
SENDER = "me@example.com"


class Skip(Exception):
    """The machine lacks what the case needs."""


# ---- TAP ---------------------------------------------------------------------------------------------------------

CASES = []


def case(title):
    """Registers a function that takes a fresh directory (pathlib.Path) and fails by an exception."""
    def register(function):
        CASES.append((title, function))
        return function
    return register


def note(text):
    """Each line of it, because what stands around a result is said again where that is a failure."""
    print("\n".join(f"# {line}" for line in text.splitlines()) or "#", flush=True)


def run_case(title, function):
    with tempfile.TemporaryDirectory(prefix="gatepost-test-", ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)
        try:
            function(pathlib.Path(name))
        except Skip as reason:
            return f"ok {{}} - {title} # SKIP {reason}"
        except Exception:  # any failure of a case is its result
            for line in traceback.format_exc().splitlines():
                note(line)
            return f"not ok {{}} - {title}"
    return f"ok {{}} - {title}"


def main():
    raise_descriptor_limit()
    print(f"1..{len(CASES)}", flush=True)
    failed = 0
    for number, (title, function) in enumerate(CASES, 1):
        began = time.monotonic()
        line = run_case(title, function)
        failed += line.startswith("not ok")
        note(f"{time.monotonic() - began:.1f} s")
        print(line.format(number), flush=True)
    sys.exit(1 if failed else 0)


# ---- small helps -------------------------------------------------------------------------------------------------

def raise_descriptor_limit():
    """To what the machine allows, within reason; returns it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = 20000 if hard == resource.RLIM_INFINITY else min(hard, 20000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


PORTS = itertools.count(os.getpid() * 31)
TAKEN_PORTS = []


def take_port(host, port):
    """False: somebody has it, or a test that runs at the same time was given it, and may need it only later. A name stands for it,
    of a socket in the abstract namespace, which is as wide as that of the ports and ends with the process."""
    token = socket.socket(socket.AF_UNIX)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as stream, socket.socket(family, socket.SOCK_DGRAM) as datagram, contextlib.suppress(OSError):
        token.bind(f"\0gatepost-test-port-{port}")
        stream.bind((host, port))
        datagram.bind((host, port))
        TAKEN_PORTS.append(token)
        return True
    token.close()
    return False


def free_port(host="127.0.0.1"):
    """One below those that clients are given as their own, so that it stays free. Tests that run at the same time look from
    different places on. Nobody gives out one twice, nor its neighbours, which quickstart takes where one is taken."""
    first_of_clients = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(2000):
        port = first_of_clients - 4 - next(PORTS) % 2000 * 4
        if take_port(host, port):
            return port
    raise AssertionError("no port is free below those of clients")


def low_port():
    """A free port below 1024. Tests that run at the same time look from different places on."""
    begin = os.getpid() * 7 % 300
    for port in (1023 - (begin + step) % 300 for step in range(300)):
        if take_port("127.0.0.1", port):
            return port
    raise Skip("no port below 1024 is free")


def wait_for(what, condition, seconds=SECONDS):
    """Asks until the condition is truthy and returns that."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"in {seconds} s not seen: {what}")
        time.sleep(0.02)
    return found


def equal(found, expected, what="value"):
    if found != expected:
        raise AssertionError(f"{what}: {str(found)[:2000]!r}, expected {str(expected)[:2000]!r}")


def die_with_parent():
    """In the child: a test that is killed leaves no server behind (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


# ---- the program -------------------------------------------------------------------------------------------------

def configuration(listen, options="", domain="", recipients="recipients.txt", deliver="maildir:mail/%d/%u"):
    if (SANITIZE or not IS_ROOT) and "core_dumps" not in options:
        options = "core_dumps = yes\n" + options  # leak checks and this user look into the process
    addresses = ", ".join(f'"{address}"' for address in listen)
    return f"""hostname = "mx1.isp.example"
listen = {{{addresses}}}
log = "log"
{options}
domain "isp.example" {{
    recipients = "{recipients}"
    deliver = "{deliver}"
    {domain}
}}
"""


def sanitizer_environment(directory):
    """Reports go into the directory; what tests/run or the user has set stays in force otherwise."""
    names = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")
    return dict(os.environ, **{name: f"{os.environ.get(name, '')}:log_path={directory}/sanitizer:exitcode=99" for name in names})


class Server:
    """A running `gatepost serve` in `directory`. As a context manager it must end with status 0 when the block is left."""

    def __init__(self, directory, options="", domain="", recipients=("alice", "bob"), host="127.0.0.1", **places):
        self.directory = directory
        self.host = host
        self.port = free_port(host)
        self.process = None
        self.may_refuse_calls = False
        self.listen = [f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"]
        self.options, self.domain, self.places = options, domain, places
        self.write_recipients(recipients)
        self.write_configuration()

    def write_recipients(self, recipients):
        (self.directory / "recipients.txt").write_text("".join(f"{name}\n" for name in recipients))

    def write_configuration(self, **changes):
        """The configuration file, with some of it changed: listen, options, domain, recipients, deliver."""
        parts = {"options": self.options, "domain": self.domain, "listen": self.listen, **self.places, **changes}
        (self.directory / "gatepost.conf").write_text(configuration(**parts))

    def start(self, prefix=(), limits=(), descriptors=(), program=None):
        """`prefix`: a command that starts the program. `limits`: (resource, number) pairs of the child. It inherits `descriptors`."""
        def prepare():
            die_with_parent()
            for which, number in limits:
                resource.setrlimit(which, (number, number))
        command = [*prefix, program or PROGRAM, "serve", "--as-root", "-c", self.directory / "gatepost.conf"]
        with (self.directory / "stderr").open("ab") as stderr:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr, cwd="/",
                                            env=sanitizer_environment(self.directory), preexec_fn=prepare, pass_fds=descriptors)
        wait_for("a listening server", lambda: self.process.poll() is not None or is_listening(self.port))
        if self.process.poll() is not None:
            raise AssertionError(f"the server does not start: {self.stderr()}")
        return self

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, kind, error, trace):
        if kind is not None:
            note(f"stderr of the server: {self.stderr()[-1000:]}")
            with contextlib.suppress(OSError):
                note(f"log of the server: {(self.directory / 'log').read_text(errors='replace')[-2000:]}")
            self.kill()
        else:
            self.stop()

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=SECONDS):
        """SIGTERM; returns how long it took."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        status = self.process.wait(seconds)
        reports = "".join(path.read_text() for path in self.directory.glob("sanitizer.*"))
        assert not reports, f"sanitizer: {reports[:6000]}"
        equal(status, 0, f"exit status (stderr {self.stderr()[-2000:]})")
        self.expect_no_refused_calls()
        return time.monotonic() - began

    def expect_no_refused_calls(self):
        """The sandbox is on in every test: what the program does itself must be let through."""
        if not self.may_refuse_calls and (self.directory / "log").is_file():
            octets = (self.directory / "log").read_bytes()
            equal([line for line in octets.splitlines() if b'"event":"call_refused"' in line], [], "refused system calls")

    def stderr(self):
        return (self.directory / "stderr").read_text(errors="replace")

    def log(self):
        """The log's lines, all of them JSON objects; the last one may be half written while the program runs."""
        path = self.directory / "log"
        is_running = self.process is not None and self.process.poll() is None
        octets = path.read_bytes() if path.exists() else b""
        if is_running:
            octets = octets[:octets.rfind(b"\n") + 1]
        return [json.loads(line) for line in octets.decode().splitlines()]

    def events(self, name):
        """The log lines of this event."""
        return [line for line in self.log() if line["event"] == name]

    def ask(self, number, *events):
        """Sends the signal; returns the log line that comes of it, which has one of these events."""
        def told():
            return [line for line in self.log() if line["event"] in events]
        before = len(told())
        self.signal(number)
        return wait_for(" or ".join(events), lambda: told()[before:])[-1]

    def reload(self):
        """By SIGHUP; it must succeed. The counters that it logs behind that are in the log, too: nobody takes them for his own."""
        before = len(self.events("dns"))
        told = self.ask(signal.SIGHUP, "reload")
        wait_for("the counters of a reload", lambda: len(self.events("dns")) > before)
        return told

    def counters(self):
        """All counters as of now, but for those of DNS, which are logged behind them."""
        self.dns_counters()
        return self.events("counters")[-1]

    def dns_counters(self):
        return self.ask(signal.SIGUSR2, "dns")

    def sessions(self):
        """The log lines of sessions that have ended."""
        return self.events("session")

    def mails(self, user="alice", domain="isp.example"):
        """Delivered messages, the oldest first."""
        folder = self.directory / "mail" / domain / user / "new"
        found = sorted(folder.glob("*"))  # a name begins with the time
        return [path.read_bytes() for path in found]

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_kib(self, name):
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1])

    def client(self, **options):
        return Client(self.port, self.host, **options)


def is_listening(port):
    """From the kernel's table, so that no session is begun."""
    wanted = f":{port:04X}"
    tables = (pathlib.Path(name).read_text().splitlines()[1:] for name in ("/proc/net/tcp", "/proc/net/tcp6"))
    rows = (row.split() for table in tables for row in table)
    return any(row[1].endswith(wanted) and row[3] == "0A" for row in rows)


def thread_names(process):
    """The name of each thread by the kernel's number of it. One that ends meanwhile is not there."""
    names = {}
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            names[int(task.name)] = (task / "comm").read_text().strip()
    return names


def run_program(*arguments, seconds=SECONDS):
    return subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)


# ---- the client --------------------------------------------------------------------------------------------------

def dot_stuffed(text):
    return re.sub(rb"(?m)^\.", b"..", text)


class Client:
    """One session, octet for octet: nothing is sent or left out behind the test's back."""

    def __init__(self, port, host="127.0.0.1", before_banner=b"", banner=220, source=None, seconds=SECONDS):
        self.socket = socket.create_connection((host, port), seconds, source and (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")
        if before_banner:
            self.raw(before_banner)
        if banner is not None:
            self.expect(banner)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.stream.close()
            self.socket.close()

    def raw(self, octets):
        self.socket.sendall(octets)

    def reply(self):
        """(code, text of all lines); (None, "") when the connection has ended."""
        texts = []
        while True:
            try:
                line = self.stream.readline().decode()
            except ConnectionResetError:
                line = ""
            if not line:
                return None, ""
            assert re.fullmatch(r"[2-5]\d\d[ -][ -~]*\r\n", line), f"malformed reply {line!r}"
            texts.append(line[4:-2])
            if line[3] == " ":
                return int(line[:3]), "\n".join(texts)

    def expect(self, code, after="connect"):
        found, text = self.reply()
        equal(found, code, f"reply to {after!r} ({text})")
        return text

    def command(self, line, code):
        self.raw(line.encode() + b"\r\n")
        return self.expect(code, line)

    def envelope(self, recipients=("alice@isp.example",), sender=SENDER, helo=HELO, parameters=""):
        """EHLO to the last RCPT."""
        if helo:
            self.command(f"EHLO {helo}", 250)
        self.command(f"MAIL FROM:<{sender}>{parameters}", 250)
        for recipient in recipients:
            self.command(f"RCPT TO:<{recipient}>", 250)

    def begin(self, *parts, **more):
        """EHLO to DATA."""
        self.envelope(*parts, **more)
        self.command("DATA", 354)

    def finish(self, text, code=250):
        """Sends the message text (CRLF line ends, without the final dot) and returns the reply's text."""
        self.raw(dot_stuffed(text) + (b".\r\n" if not text or text.endswith(b"\r\n") else b"\r\n.\r\n"))
        return self.expect(code, "end of data")

    def deliver(self, text, **envelope):
        self.begin(**envelope)
        return self.finish(text)

    def is_closed(self):
        return self.reply() == (None, "")


TRACE = re.compile(rb"Return-Path: <[^\r\n]*>\r?\nReceived: [^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*")


def without_trace(mail):
    """The message as the client sent it: our Return-Path and Received fields taken off."""
    found = TRACE.match(mail)
    assert found, f"no trace fields: {mail[:300]!r}"
    return mail[found.end():]


def need_program(name):
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if path is None:
        raise Skip(f"no {name}")
    return path
