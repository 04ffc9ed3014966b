#!/usr/bin/env python3
"""conf/quickstart as a new user runs it, from the build to the end of both programs, and its demo; on ports of the test's own."""
# threads elsewhere: a server like others
# alone: conf/quickstart builds in the tree

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys

from common.harness import (HELO, PROGRAM, ROOT, SECONDS, Client, case, equal, free_port, is_listening, main, note, sanitizer_environment,
                     wait_for)
from common.quickstart import quickstart, said, sanitizer_reports, start, tree
from common.web import get

# What quickstart says one can see: client, sender, HELO, and the reply to RCPT.
ME = "me@example.com"
REFUSALS = [
    ("127.0.0.66", ME, HELO, 554, "client [127.0.0.66] is listed by zen.spamhaus.org"),
    ("127.0.0.67", ME, HELO, 250, ""),
    ("127.0.0.77", ME, HELO, 550, "dynamic"),
    ("127.0.0.78", ME, HELO, 550, "dynamic"),
    ("127.0.0.80", ME, HELO, 550, "dynamic"),
    ("127.0.0.1", "me@listed.example.org", HELO, 554, "your domain is listed by dbl.spamhaus.org"),
    ("127.0.0.1", "me@nullmx.example.com", HELO, 550, "5.7.27"),
    ("127.0.0.1", "me@nomx.example.com", HELO, 550, "5.1.8"),
    ("127.0.0.1", "me@bogus.example.com", HELO, 550, "5.1.8"),
    ("127.0.0.1", "me@broken.example.com", HELO, 451, "4.4.3"),
    ("127.0.0.1", "me@strict.example.org", HELO, 550, "SPF: 127.0.0.1 may not send mail for strict.example.org"),
    ("127.0.0.1", "me@example.invalidtld", HELO, 550, "top-level domain"),
    ("127.0.0.1", "me@shop.newtld", HELO, 250, ""),
    ("127.0.0.1", ME, "nowhere.example.com", 550, "HELO name does not resolve"),
]


@case("quickstart's own lines work: the mail arrives, explain tells of every check")
def own_lines(directory):
    with quickstart(directory) as (process, port, _):
        page_port(directory)
        line = re.search(r"^  (python3 -c '.*')$", said(directory), re.M)[1]
        subprocess.run(["sh", "-c", line], check=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
        mail = next((directory / "var/mail/isp.example/alice/new").iterdir()).read_text()
        assert "It works." in mail and "Received-SPF: pass" in mail, mail
        line = re.search(r"^  (build/gatepost explain .*)$", said(directory), re.M)[1]
        told = subprocess.run(shlex.split(line), cwd=directory, check=True, timeout=SECONDS, capture_output=True, text=True).stdout
        for check in ("dnsbl", "spf"):
            assert re.search(rf"^{check}\s+enforce\s+refuse\b", told, re.M), told
        assert "DNS: 66.2.0.192.zen.spamhaus.org A found" in told, told
        # A reply that a client got leads to the reason.
        with Client(port, source="127.0.0.66") as client:
            client.command(f"EHLO {HELO}", 250)
            client.command(f"MAIL FROM:<{ME}>", 250)
            reply = client.command("RCPT TO:<alice@isp.example>", 554)
            client.command("QUIT", 221)
        line = re.search(r"^  (build/gatepost explain .*) ID$", said(directory), re.M)[1]
        told = wait_for("the refusal in the log", lambda: subprocess.run(
            [*shlex.split(line), f"554 {reply}"], cwd=directory, timeout=SECONDS, capture_output=True, text=True).stdout)
        assert "Why: the client's address is on a DNS blocklist (zen.spamhaus.org" in told, told
        # SIGHUP goes to the number that it prints.
        number = int(re.search(r"kill -HUP (\d+)$", said(directory), re.M)[1])
        equal(number, process.pid, "number")
        os.kill(number, signal.SIGHUP)
        wait_for("the reload", lambda: "configuration reloaded" in said(directory))
        if swaks := shutil.which("swaks"):
            line = re.search(r"^  (swaks .*)$", said(directory), re.M)[1]
            subprocess.run([swaks, *shlex.split(line)[1:]], check=True, timeout=SECONDS, capture_output=True)


def page_port(directory):
    """Where quickstart says that there is a page, which is looked at."""
    port = int(re.search(r"http://127\.0\.0\.1:(\d+)/$", said(directory), re.M)[1])
    equal(get(port).status, 200, "the page")
    return port


@case("PORT, DNS_PORT and HTTP_PORT move script and configuration together; several run at a time, each with files of its own")
def other_ports(directory):
    old = tree(directory)
    running = []
    try:
        for moved in ({"HTTP_PORT": str(free_port())}, {}):
            port, dns_port = free_port(), free_port()
            running.append((start(directory, PORT=str(port), DNS_PORT=str(dns_port), **moved), port))
            wait_for("the receiver", lambda: running[-1][0].poll() is not None or "gatepost: ready" in said(directory))
            assert is_listening(port) and is_listening(dns_port) and not any(map(is_listening, old)), said(directory)
            assert f"127.0.0.1:{port} " in said(directory) and f"explain -c conf/quickstart-{port}.conf" in said(directory), said(directory)
            assert f"{directory}/var/{port}/mail/isp.example/alice/new/" in said(directory), said(directory)
            page = page_port(directory)
            equal(page, int(moved.get("HTTP_PORT", page)), "the page's port")
        for process, port in running:
            with Client(port) as client:
                client.deliver(b"Subject: x\r\n", sender=ME)
                client.command("QUIT", 221)
            equal(len(list((directory / f"var/{port}/mail/isp.example/alice/new").iterdir())), 1, "mails")
            wait_for("the log", lambda: f'"address":"127.0.0.1:{port}"' in (directory / f"var/{port}/gatepost.log").read_text())
            equal((directory / f"var/{port}/gatepost.log").read_text().count('"event":"start"'), 1, "starts in its log")
        # A third one in the place of the first leaves that one's configuration alone.
        path = directory / f"conf/quickstart-{running[0][1]}.conf"
        before = path.read_text()
        equal(start(directory, PORT=str(running[0][1]), DNS_PORT=str(free_port())).wait(SECONDS), 1, "status")
        equal(path.read_text(), before, "configuration")
    finally:
        for process, _ in running:
            process.kill()
            process.wait(SECONDS)


@case("what quickstart says one can see is seen")
def refusals(directory):
    with quickstart(directory) as (_, port, _):
        for address, sender, helo, code, words in REFUSALS:
            named = f".{address[-2:]}" if address != "127.0.0.1" else helo if helo != HELO else sender.partition("@")[2].partition(".")[0]
            assert named in said(directory), f"quickstart does not name {named}"
            with Client(port, source=address) as client:
                client.command(f"EHLO {helo}", 250)
                client.command(f"MAIL FROM:<{sender}>", 250)
                reply = client.command("RCPT TO:<alice@isp.example>", code)
                assert words in reply, f"{address} {sender} {helo}: {reply}"
                client.command("QUIT", 221)


@case("Ctrl-C, or Ctrl-\\, ends receiver and DNS server, and the receiver says what DNS did")
def control_c(directory):
    for number in (signal.SIGINT, signal.SIGQUIT):
        with quickstart(directory / number.name) as (process, port, dns_port):
            # As at a terminal, where it goes to all: the DNS server answers as long as a session is open.
            with Client(port) as client:
                client.begin()
                os.killpg(process.pid, number)
                wait_for("the receiver's word", lambda: "gatepost: stopping" in said(directory / number.name))
                assert is_listening(dns_port), "the DNS server has gone first"
                client.finish(b"Subject: x\r\n")
            equal(process.wait(SECONDS), 0, "status")
            wait_for("the last lines of the log", lambda: '"event":"stopped"' in said(directory / number.name))
            assert '"event":"dns","cache_hits":' in said(directory / number.name), said(directory / number.name)


@case("a receiver that is killed leaves no DNS server behind")
def killed(directory):
    with quickstart(directory) as (process, _, _):
        process.kill()


@case("it runs in a folder whose path has no room in a socket's address, takes orders there, and has pages at such a path too")
def deep_folder(directory):
    folder = directory / ("deep" * 25) / ("deeper" * 25)
    folder.mkdir(parents=True)
    # By this path, which is short, a client of the test gets there.
    (directory / "near").symlink_to(folder / "var")
    path = folder / "conf/gatepost.conf"

    def command(*words):
        return subprocess.run([PROGRAM, *words, "-c", path], capture_output=True, text=True, timeout=SECONDS,
                              env=sanitizer_environment(directory))
    with quickstart(folder) as (_, *ports):
        equal(command("status").returncode, 0, "status")
        path.write_text(re.sub(r"^http .*$", 'http { listen = "unix:../var/http" }', path.read_text(), flags=re.M))
        reload = command("reload")
        equal(reload.returncode, 0, reload.stderr)
        equal(get(directory / "near/http").status, 200, "the page")
        checked = command("check-config")
        for name in ("control", "http"):
            assert f"var/{name}: somebody listens there" in checked.stderr + checked.stdout, checked
    for name in ("control", "http"):
        assert (folder / "var" / name).is_socket(), "a killed receiver left nothing, so that what follows proves nothing"
    with quickstart(folder, ports) as (process, *_):
        equal(get(directory / "near/http").status, 200, "the page over what was left behind")
        equal(command("status").returncode, 0, "status over what was left behind")
        process.terminate()
        equal(process.wait(SECONDS), 0, "status of the receiver")
    for name in ("control", "http"):
        assert not (folder / "var" / name).exists(), f"{name} is left"


@case("a port that is taken is named, and nothing is left running")
def port_taken(directory):
    for which, option in ((0, "PORT"), (1, "DNS_PORT"), (None, "HTTP_PORT")):
        folder = directory / option
        ports = tree(folder)
        taken = free_port() if which is None else ports[which]
        with socket.create_server(("127.0.0.1", taken)):
            process = start(folder, **({"HTTP_PORT": str(taken)} if which is None else {}))
            equal(process.wait(SECONDS), 1, "status")
        assert f"port {taken} is taken" in said(folder) and f" {option}={taken + 1} " in said(folder), said(folder)
        wait_for("nobody who listens", lambda: not any(map(is_listening, ports)))


@case("where pages have no port, be there no section http or a socket by its path, none is named")
def no_page(directory):
    for name, section in (("none", ""), ("path", 'http { listen = "unix:../var/http" }')):
        folder = directory / name
        tree(folder)
        path = folder / "conf/gatepost.conf"
        path.write_text(re.sub(r"^http .*$", section, path.read_text(), flags=re.M) + '# ""\n')
        for variables in ({}, {"PORT": str(free_port()), "DNS_PORT": str(free_port())}):
            process = start(folder, **variables)
            try:
                wait_for("the receiver", lambda: process.poll() is not None or "gatepost: ready" in said(folder))
                assert process.poll() is None, said(folder)
                assert "See what happens" not in said(folder), said(folder)
                used = re.search(r"explain -c (conf/\S+)", said(folder))[1]
                assert '# ""\n' in (folder / used).read_text(), "an empty text has become an address"
            finally:
                process.kill()
                process.wait(SECONDS)


@case("a zone in error is reported, and nothing is left running")
def zone_wrong(directory):
    ports = tree(directory, zone="example.com. 60 MX\n")
    equal(start(directory).wait(SECONDS), 1, "status")
    assert "quickstart: the DNS server does not start" in said(directory), said(directory)
    assert "1:" in said(directory), said(directory)
    wait_for("nobody who listens", lambda: not any(map(is_listening, ports)))


@case("a receiver that does not start takes the DNS server with it")
def receiver_fails(directory):
    ports = tree(directory)
    path = directory / "conf/gatepost.conf"
    path.write_text(path.read_text() + "nonsense = 1\n")
    equal(start(directory).wait(SECONDS), 1, "status")
    assert "nonsense" in said(directory), said(directory)
    wait_for("the end of both", lambda: not any(map(is_listening, ports)))


@case("the demo's sessions go as they should")
def demo(directory):
    run = subprocess.run([sys.executable, ROOT / "conf/demo.py"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         timeout=3 * SECONDS, env=dict(sanitizer_environment(directory), GATEPOST=str(PROGRAM)))
    for line in run.stdout.splitlines():
        if "WRONG" in line:
            note(line)
    equal(run.returncode, 0, f"status ({run.stderr[-2000:]} {run.stdout[-100:]} {sanitizer_reports(directory)[-3000:]})")
    assert re.search(r"(\d+) of \1 sessions went as they should", run.stdout), run.stdout[-500:]


if __name__ == "__main__":
    main()
