#!/usr/bin/env python3
"""Real policy services from Debian's packages: postgrey, and policyd-spf, which is given its connections as spawn(8) of Postfix does it.
Each is started here with its own configuration, on loopback alone."""

import contextlib
import getpass
import pathlib
import re
import socketserver
import subprocess
import threading
import time

from common.dns_peers import DnsStub
from common.dns_world import client_from, dns_server
from common.harness import ROOT, SECONDS, Server, case, die_with_parent, equal, free_port, is_listening, main, need_program, wait_for
from common.messages import HEADER

TEXT = HEADER + b"text\r\n"
DELAY = 2  # seconds


@contextlib.contextmanager
def postgrey_at(directory, address):
    program = need_program("postgrey")
    (directory / "db").mkdir()
    (directory / "none").write_text("")
    command = [program, address, f"--dbdir={directory}/db", f"--delay={DELAY}", f"--user={getpass.getuser()}", "--group=root",
               f"--whitelist-clients={directory}/none", f"--whitelist-recipients={directory}/none", "--hostname=mx1.isp.example"]
    with (directory / "postgrey.log").open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=die_with_parent)
    kind, _, place = address.partition("=")
    try:
        wait_for("postgrey", lambda: process.poll() is not None or
                 (is_listening(int(place.rpartition(":")[2])) if kind == "--inet" else pathlib.Path(place).exists()), 2 * SECONDS)
        assert process.poll() is None, (directory / "postgrey.log").read_text(errors="replace")[-3000:]
        yield process
    finally:
        process.terminate()
        process.wait()


@case("postgrey: a triplet is deferred in its words, taken after its delay, and the mail has its field; by TCP and by a unix socket")
def postgrey(directory):
    port = free_port()
    for name, theirs, ours in (("tcp", f"--inet=127.0.0.1:{port}", f"inet:127.0.0.1:{port}"),
                               ("unix", f"--unix={directory}/unix/socket", f"unix:{directory}/unix/socket")):
        folder = directory / name
        folder.mkdir()
        with postgrey_at(folder, theirs), Server(folder, f'policy_service "postgrey" {{ connect = "{ours}" }}\n') as server, \
                server.client() as client:
            client.command("EHLO client.example.com", 250)
            client.command("MAIL FROM:<me@example.com>", 250)
            said = client.command("RCPT TO:<alice@isp.example>", 450)
            assert said.startswith("4.2.0 Greylisted, see http://postgrey.schweikert.ch/help/isp.example.html ["), said
            client.command("RCPT TO:<bob@isp.example>", 450)
            client.command("RSET", 250)
            time.sleep(DELAY + 1)
            client.deliver(TEXT, helo=None)
            mail = server.mails()[0]
            assert re.search(rb"\r\nX-Greylist: delayed \d+ seconds by postgrey-[0-9.]+ at mx1", mail), mail
            client.deliver(TEXT, helo=None)
            assert b"X-Greylist" not in server.mails()[1], server.mails()[1]
            client.command("QUIT", 221)
            session = wait_for("the session", server.sessions)[0]
            evidence = session["transactions"][0]["verdicts"][0]["evidence"]
            assert evidence.startswith("postgrey defers: Greylisted"), evidence
            counters = server.counters()
            equal([counters[f"filter.postgrey.{what}"] for what in ("asked", "deferred", "failed")], [4, 2, 0], "counters")


# In the place of the resolver that it finds in the system's configuration it has one on loopback; there are two libraries that it may use.
SPAWNED = """
import runpy, sys
port = int(sys.argv.pop(1))
try:
    import dns.resolver
    dns.resolver.default_resolver = dns.resolver.Resolver(configure=False)
    dns.resolver.default_resolver.nameservers, dns.resolver.default_resolver.port = ["127.0.0.1"], port
except ImportError:
    import DNS
    DNS.DiscoverNameServers = lambda: None
    DNS.defaults.update(server=["127.0.0.1"], port=port)
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@contextlib.contextmanager
def spawn(command, log):
    """Each connection has a process of its own, whose standard input and output it is. Yields the port."""
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with log.open("ab") as errors:
                subprocess.run(command, stdin=self.request, stdout=self.request, stderr=errors, preexec_fn=die_with_parent)

    class Listener(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Listener(("127.0.0.1", 0), Handler) as listener:
        threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield listener.server_address[1]
        listener.shutdown()


@case("policyd-spf: a client that may send has Received-SPF in front of its mail, one that may not is refused in its words")
def policyd_spf(directory):
    program = need_program("policyd-spf")
    (directory / "spf.conf").write_text("debugLevel = 0\nTestOnly = 1\nHELO_reject = False\nMail_From_reject = Fail\nskip_addresses = 127.0.0.0/8\n"
                                        "Header_Type = SPF\nDomain_Specific = False\n")
    with DnsStub(ROOT / "conf/example.zone") as dns:
        python = pathlib.Path(program).read_text().splitlines()[0].removeprefix("#!").strip()
        command = [python, "-c", SPAWNED, str(dns.port), program, str(directory / "spf.conf")]
        with spawn(command, directory / "spf.log") as port, \
                dns_server(directory, [dns.port], f'policy_service "spf" {{ connect = "inet:127.0.0.1:{port}" }}\n') as server:
            with client_from(server, "192.0.2.7") as client:
                client.deliver(TEXT, helo="mail.example.com", sender="me@example.com")
                client.deliver(TEXT, helo=None, sender="me@example.com")
            for mail in server.mails():
                assert re.search(rb"\r\nReceived-SPF: Pass \(mailfrom\)[^\r\n]*client-ip=192\.0\.2\.7;[^\r\n]*envelope-from=me@example\.com;", mail), mail
            equal(len(server.mails()), 2, "mails")
            with client_from(server, "198.51.100.9") as client:
                client.command("EHLO mail.example.com", 250)
                client.command("MAIL FROM:<me@example.com>", 250)
                said = client.command("RCPT TO:<alice@isp.example>", 550)
                assert said.startswith("5.7.23 ") and "may not send mail for example.com" in said, said
            counters = server.counters()
            equal([counters[f"filter.spf.{what}"] for what in ("asked", "refused", "failed")], [3, 1, 0], "counters")


main()
