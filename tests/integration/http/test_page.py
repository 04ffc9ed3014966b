#!/usr/bin/env python3
"""The status page: valid, whole without anything from elsewhere, and true."""

import base64
import hashlib
import re
import subprocess

from common.dns_peers import A, ScriptedDns, by_table
from common.harness import Skip, case, equal, main, wait_for
from common.tls import tls_options
from common.web import page, row, text_of, web_server

LISTS = 'dnsbl { zone "zen.spamhaus.org" { } zone "dbl.example" { names = yes } }\n'

# The Debian package is for the system's own Python.
VALIDATOR = "import html5lib, sys; html5lib.HTMLParser(strict=True).parse(sys.stdin.read())"


@case("the page is valid HTML, needs nothing from elsewhere and no script, and its sheet is the one that its header allows")
def valid(directory):
    with web_server(directory, tls_options(directory)) as server:
        answer = page(server)
        text = answer.text()
        equal(answer.headers["content-type"], "text/html; charset=utf-8", "type")
        sheet = re.search(r"<style>(.*?)</style>", text, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in answer.headers["content-security-policy"], answer.headers
        assert not re.search(r"<script|<img|<iframe|\bon\w+=|style=|https?://|url\(|@import", text), "something from elsewhere"
        for needed in ('<html lang="en">', '<meta name="viewport"', "prefers-color-scheme:dark", "<main>", "<h1>"):
            assert needed in text, needed
        ids = re.findall(r' id="([^"]+)"', text)
        equal(len(ids), len(set(ids)), "ids")
        for name in re.findall(r'aria-labelledby="([^"]+)"', text):
            assert name in ids, name
        assert all('aria-label="' in svg for svg in re.findall(r"<svg[^>]*>", text)), "a drawing without a name"
        run = subprocess.run(["/usr/bin/python3", "-c", VALIDATOR], input=text, capture_output=True, text=True, check=False)
        if "No module named" in run.stderr:
            raise Skip("no python3-html5lib")
        equal(run.stderr, "", "html5lib in its strict mode")


@case("the page tells who is refused by what, what DNS says, and what the last reload has changed")
def told(directory):
    listing = {("2.0.0.127.zen.spamhaus.org", A): (bytes([127, 0, 0, 2]),), ("9.0.0.127.zen.spamhaus.org", A): (bytes([127, 0, 0, 2]),)}
    with ScriptedDns(by_table(listing)) as dns, \
            web_server(directory, f'workers = 2\nresolvers = {{"127.0.0.1:{dns.port}"}}\n{LISTS}' + tls_options(directory),
                       domain="dynamic_client { mode = enforce }") as server:
        page(server)
        for _ in range(3):
            with server.client(source="127.0.0.9") as client:
                client.command("EHLO client.example.com", 250)
                client.command("MAIL FROM:<>", 250)
                # Zones count a session of which no check waits any more; the next command looks at what has come.
                wait_for("all answers", lambda: (counts := server.dns_counters())["pool_in_flight"] + counts["pool_waiting"] == 0)
                client.command("RCPT TO:<alice@isp.example>", 554)
                client.command("RCPT TO:<nobody@isp.example>", 550)
                client.command("QUIT", 221)
        text = wait_for("three sessions", lambda: (found := page(server).text()) and row(found, "Sessions")[:1] == [3] and
                        row(found, "127.0.0.0/24")[:1] == [3] and row(found, "zen.spamhaus.org") == [3] and found)
        equal(row(text, "dnsbl")[:3], [3, 3, 3], "dnsbl")
        equal(row(text, "recipient")[:3], [3, 3, 3], "recipient")
        equal(row(text[text.index('id="dns"'):], "zen.spamhaus.org"), [3, 3], "zone")
        equal(row(text, "Recipients refused"), [6, 6, 6], "recipients")
        assert '<a href="/policy">' in text, "a way to the policy page"
        read = text_of(text)
        assert re.search(r"dbl\.example names (counts|only observes) - - ", read), f"clients of a list of names are not counted: {read}"
        assert "dynamic_client by domain" in read and "greylist off" in read, f"modes: {read}"
        assert f"127.0.0.1:{dns.port} answers" in read and "worker-1 turns" in read and "mx1.isp.example ECDSA P-256" in read, read
        server.write_configuration(options=server.options + "\nidle_timeout = 4m\nspf { mode = observe }")
        server.reload()
        read = text_of(page(server).text())
        assert "Generation 2" in read and "idle_timeout: 5m becomes 4m" in read and "spf mode: enforce becomes observe" in read, read


@case("what files say is shown, and never obeyed")
def escaped(directory):
    with web_server(directory) as server:
        page(server)
        server.write_configuration(options=server.options + '\n"<script>alert(1)</script>" = 1\npolicy_url = "https://x/<b>&\'"')
        server.ask(1, "reload_failed")
        text = page(server).text()
        assert "<script" not in text and "<b>" not in text, text
        assert "last reload failed" in text_of(text), text


if __name__ == "__main__":
    main()
