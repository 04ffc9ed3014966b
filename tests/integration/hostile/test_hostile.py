#!/usr/bin/env python3
"""tests/hostile --short, a case for each of its classes; and that it finds faults where they are."""
# alone: it counts what an attack costs

import pathlib
import subprocess
import sys

from common.harness import PATIENCE, ROOT, SECONDS, Skip, case, equal, free_port, main, note

sys.path[:0] = [str(ROOT / "tests"), str(pathlib.Path(__file__).resolve().parent)]

from attacks.classes import CLASSES, run_class  # noqa: E402
from attacks.own import own_target  # noqa: E402
from attacks.report import row, table  # noqa: E402
from attacks.target import Target, parse_endpoint  # noqa: E402
from common.tls import make_certificate  # noqa: E402
from faulty_server import FaultyServer  # noqa: E402


def told(result):
    for line in (*result.report.lines(), *table([row(*result)])):
        note(line)
    return result


def show_class(name):
    def show(directory):
        with own_target(directory, is_short=True) as target:
            report = told(run_class(name, target)).report
        equal([finding.what for finding in report.findings], [], "findings")
        if report.verdict() == "NOT APPLICABLE":
            raise Skip(report.not_applicable)
    return show


for class_name, chosen in CLASSES.items():
    case(f"{class_name}: {chosen.title}")(show_class(class_name))


# What each class must find in a server that has every fault, as the beginning of a finding or a part of it.
FAULTS = {
    "conformance": {"RCPT before MAIL is refused", "postmaster gets mail", "RSET forgets"},
    "smuggling": {"a false end ends a text, and a second mail was taken: ", "the smuggled mail was stored"},
    "commands": {"LF ends a command, in every argument"},
    "headers": {"CR in EHLO; ", "NUL in HELO", "the header has control characters"},
    "logs": {"the log has a control character", "the forged line is a line of the log"},
    "paths": {"a recipient with dot dot is taken", "a recipient with a command is taken", "senders with octets"},
    "harvest": {"VRFY tells known from unknown"},
    "starttls": {"a command in the clear in the segment of STARTTLS is answered inside of TLS", "HELO of before the handshake",
                 "STARTTLS is offered inside of TLS", "sender and recipients of before the handshake"},
}


@case("a server that has every fault is found to have them")
def faults_found(directory):
    (directory / "mail").mkdir()
    (directory / "log").touch()
    with FaultyServer(directory / "mail", directory / "log", make_certificate(directory, "faulty")) as server:
        target = Target("127.0.0.1", server.server_address[1], "alice@isp.example", maildir=directory / "mail", log=directory / "log",
                        is_short=True, patience=PATIENCE)
        for name, faults in FAULTS.items():
            report = told(run_class(name, target)).report
            for fault in faults:
                assert any(fault in finding.what for finding in report.findings), f"{name} does not find: {fault}"


@case("only what is on this machine is attacked")
def stays_here(directory):
    equal(parse_endpoint("127.1.2.3:2525"), ("127.1.2.3", 2525), "an address on loopback")
    equal(parse_endpoint("[::1]:25"), ("::1", 25), "an IPv6 address on loopback")
    for text in ("192.0.2.1:25", "[2001:db8::1]:25", "localhost:25", "127.0.0.1", "127.0.0.1:0", "0.0.0.0:25"):
        run = subprocess.run([sys.executable, "-B", ROOT / "tests/hostile", "--server", text, "--rcpt", "a@b.example"], cwd=directory,
                             capture_output=True, text=True, timeout=SECONDS)
        equal(run.returncode, 2, f"status for {text} ({run.stderr})")


@case("a server that takes no ordinary mail is not attacked: it says why")
def not_served(directory):
    def run(port, rcpt):
        command = [sys.executable, "-B", ROOT / "tests/hostile", "--short", "--only", "paths", "--server", f"127.0.0.1:{port}", "--rcpt", rcpt]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS * PATIENCE)
        equal((done.returncode, done.stdout), (2, ""), "status and output")
        return done.stderr
    told_of = run(free_port(), "alice@isp.example")
    assert "an ordinary mail is not taken" in told_of and "Connection refused" in told_of, told_of
    with own_target(directory, is_short=True) as target:
        told_of = run(target.port, "nobody@isp.example")
        assert "was answered 550" in told_of, told_of


@case("in a network namespace without a default route its own addresses may be attacked, and no others")
def stays_enclosed(directory):
    prepare = "ip link set lo up && ip address add 192.0.2.1/32 dev lo"
    if subprocess.run(["unshare", "--net", "sh", "-c", prepare], capture_output=True).returncode != 0:
        raise Skip("no namespace can be made here")
    (directory / "ask.py").write_text("import sys\nsys.path[:0] = sys.argv[2:]\nfrom attacks.target import parse_endpoint\n"
                                      "print(*parse_endpoint(sys.argv[1]))\n")
    for text, printed in (("192.0.2.1:25", "192.0.2.1 25\n"), ("192.0.2.2:25", "")):
        ask = f"{prepare} && {sys.executable} -B {directory}/ask.py {text} {ROOT}/tests {ROOT}/tests/integration"
        run = subprocess.run(["unshare", "--net", "sh", "-c", ask], capture_output=True, text=True, timeout=SECONDS)
        equal(run.stdout, printed, f"endpoint of {text} ({run.stderr})")


if __name__ == "__main__":
    main()
