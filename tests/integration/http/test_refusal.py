#!/usr/bin/env python3
"""/policy/ID: whoever has a reject id is told what was seen when that reply was given, and nobody is told anything else."""

import re
import signal
import sys

from common.browser import Browser
from common.dns_peers import A, TXT, ScriptedDns, by_table
from common.harness import HELO, Skip, case, equal, main, wait_for
from common.web import get, wait_for_status, web_server

# Debian's modules, for a Python that is not Debian's; they are of no special version.
sys.path.append("/usr/lib/python3/dist-packages")

UNKNOWN = "0123456789AB"


def id_of(reply):
    return re.search(r"\[([0-9A-Z]{12})\]$", reply)[1]


def refuse(server, sender="me@example.com", helo=HELO):
    """The id of one refusal, whose session has ended and is in the log."""
    with server.client() as client:
        client.command(f"EHLO {helo}", 250)
        client.command(f"MAIL FROM:<{sender}>", 250)
        found = id_of(client.command("RCPT TO:<nobody@isp.example>", 550))
        client.command("QUIT", 221)
    wait_for("its line", lambda: any(found in path.read_text() for path in server.directory.glob("log*")))
    return found


def page(server, path, status=200, **headers):
    answer = get(server.web, f"/policy/{path}", **headers)
    equal(answer.status, status, path)
    return answer.text()


def parsed(text):
    """The document, of which a strict parser has nothing to complain."""
    try:
        import html5lib
    except ImportError:
        raise Skip("no html5lib") from None
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def cells(text, language):
    """What the table in this language tells."""
    section = re.search(rf'<section lang="{language}">(.*?)</section>', text, re.S)[1]
    return re.findall(r'<tr><th scope="row">(.*?)</th><td>(?:<bdi>)?(.*?)(?:</bdi>)?</td></tr>', section)


@case("the page tells what was seen, in both languages, and nothing of other recipients, local parts or the rest of the session")
def told(directory):
    table = {("9.0.0.127.zen.spamhaus.org", A): (bytes([127, 0, 0, 2]),), ("9.0.0.127.zen.spamhaus.org", TXT): (b"\x10said by the list",)}
    options = 'dnsbl { zone "zen.spamhaus.org" { self_test = no } }\nsender_mx { mode = off }\nspf { mode = off }\n'
    with ScriptedDns(by_table(table)) as dns, \
            web_server(directory, f'resolvers = {{"127.0.0.1:{dns.port}"}}\n{options}') as server:
        wait_for_status(server.web, "/", 200)
        with server.client(source="127.0.0.9") as client:
            client.command("EHLO client.example.com", 250)
            client.command("MAIL FROM:<secret.person@example.com>", 250)
            listed = id_of(client.command("RCPT TO:<alice@isp.example>", 554))
            unknown = id_of(client.command("RCPT TO:<hidden@isp.example>", 550))
            relay = id_of(client.command("RCPT TO:<carol@elsewhere.example>", 554))
            client.command("QUIT", 221)
        wait_for("the line", server.sessions)
        text = page(server, listed)
        rows = dict(cells(text, "en"))
        equal((rows["Id"], rows["Address of the client"], rows["Greeting (HELO)"], rows["Domain of the sender"], rows["Domain of the recipient"],
               rows["Code of the reply"]), (listed, "127.0.0.9", "client.example.com", "example.com", "isp.example", "554 5.7.1"), "rows")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ", rows["Time (UTC)"]), rows
        assert rows["Evidence"].startswith("zen.spamhaus.org 127.0.0.2"), rows
        equal([value for _, value in cells(text, "de")], list(rows.values()), "the German table")
        assert 'href="/policy/en#dnsbl"' in text and 'href="/policy/de#postmaster"' in text, text
        session = server.sessions()[0]
        other = (session["transactions"][0]["id"], unknown, relay, "secret", "hidden", "alice", "carol", "elsewhere", str(session["port"]))
        equal([word for word in other if word in text], [], "what the page has of others")
        assert "elsewhere.example" in page(server, relay) and listed not in page(server, relay)
        equal(page(server, session["transactions"][0]["id"], 404), page(server, UNKNOWN, 404), "the id of the mail opens nothing")


@case("ids are read as people type them, languages are chosen by path and header, and no one keeps the page")
def asked(directory):
    with web_server(directory, 'policy_page { language = "de" }\n') as server:
        wait_for_status(server.web, "/", 200)
        one = refuse(server)
        answer = get(server.web, f"/policy/{one}")
        expected = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store", "x-robots-tag": "noindex",
                    "referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}
        equal({name: answer.headers.get(name) for name in expected}, expected, "headers")
        policies = get(server.web, "/policy/en").headers
        equal(answer.headers["content-security-policy"], policies["content-security-policy"], "policy")
        equal(policies.get("x-robots-tag"), None, "search engines may know the rules")
        german, english = page(server, one), page(server, f"{one}/en")
        equal([re.findall(r'<(?:html|section) lang="(..)"', text) for text in (german, english)], [["de", "de", "en"], ["en", "en", "de"]], "languages")
        for path in (one.lower(), f"/{one}", one.replace("0", "o").replace("1", "l")):
            equal(page(server, path), german, path)
        equal(page(server, f"{one}/de", accept_language="en"), german, "the path before the header")
        equal(page(server, one, accept_language="fr, en;q=0.5"), english, "the header")
        for text in (german, english, page(server, UNKNOWN, 404)):
            parsed(text)
        equal(get(server.web, f"/policy/{one}", "HEAD").body, b"", "HEAD")


@case("the address in a reply is a link to the page of that reply, and the policy page says what it is for")
def linked(directory):
    with web_server(directory, 'policy_url = "http://127.0.0.1/policy/%i"\n') as server:
        wait_for_status(server.web, "/", 200)
        with server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            client.command("MAIL FROM:<me@example.com>", 250)
            reply = client.command("RCPT TO:<nobody@isp.example>", 550)
            client.command("QUIT", 221)
        wait_for("the line", server.sessions)
        path, one = re.search(r"; see http://127\.0\.0\.1(/policy/\w+) \[(\w+)\]$", reply).groups()
        assert one in get(server.web, path).text() and path.endswith(one), reply
        told = get(server.web, "/policy/en").text()
        assert "Open the address in the reply" in told and "http://127.0.0.1/policy/1BS0T7G1VBQC [1BS0T7G1VBQC]" in told, told


@case("unknown, malformed and old ids get the same page, which says how long an id is known; of reject_ids the oldest make room")
def unknown(directory):
    with web_server(directory, "errors_max = 1000\n", http="reject_ids = 32 lookups = off") as server:
        wait_for_status(server.web, "/", 200)
        with server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            client.command("MAIL FROM:<me@example.com>", 250)
            ids = [id_of(client.command("RCPT TO:<nobody@isp.example>", 550)) for _ in range(40)]
            client.command("QUIT", 221)
        wait_for("the line", server.sessions)
        equal([get(server.web, f"/policy/{one}").status for one in ids], 8 * [404] + 32 * [200], "the last 32")
        expected = page(server, UNKNOWN, 404)
        assert "about the last 32 and" in expected and "ungefähr den letzten 32 gehört" in expected, expected
        for path in (ids[0], "fr", "x", "..", f"{ids[-1]}x", f"{ids[-1]}/fr", f"{ids[-1]}/", f"/{ids[-1]}//", "en/", "%65n", "%3Cscript%3E",
                     "<script>", "U23456789ABC", f"{ids[-1]}%00", 300 * "A"):
            equal(page(server, path, 404), expected, path)
        equal(page(server, UNKNOWN + "/de", 404) == expected, False, "German first")


@case("what strangers said is text on the page, whatever it is")
def hostile(directory):
    script = '"><script>alert(1)</script>'
    with web_server(directory, "reject_at = first\nerrors_max = 1000\n") as server:
        wait_for_status(server.web, "/", 200)
        with server.client() as client:
            said = []
            for command in (f"EHLO {script}", "EHLO a.b@<script>", f"EHLO {HELO}", f"MAIL FROM:<{script}@example.com>", f'MAIL FROM:<"{script[2:]}"@example.invalid>', f"MAIL FROM:<a@{script}>",
                            f"BEGIN {script}", f"MAIL FROM:<a@b.example> {script}", 'MAIL FROM:<a@b.example> "reject_id":"0123456789AB"',
                            'NOOP\\","reject_id":"0123456789AB","', "MAIL FROM:<\u202e\x1b[31m@example.com>"):
                client.raw(command.encode() + b"\r\n")
                said.append(client.reply()[1])
            client.command("QUIT", 221)
        wait_for("the line", server.sessions)
        ids = re.findall(r"\[([0-9A-Z]{12})\]", "\n".join(said))
        assert len(ids) >= 8, said
        for one in ids:
            text = page(server, one)
            parsed(text)
            equal([word for word in ("<script", "\u202e", "\x1b") if word in text], [], one)
        equal(get(server.web, f"/policy/{UNKNOWN}").status, 404, "an id that a client has made up")


@case("ids are known across rotations and restarts, as long as the file of the log is there; what is cut off begins anew")
def rotated(directory):
    log = directory / "log"
    with web_server(directory) as server:
        wait_for_status(server.web, "/", 200)
        first = refuse(server)
        page(server, first)
        log.rename(directory / "log.1")
        second = refuse(server, sender="second@example.org")  # the server has not heard of it yet
        server.ask(signal.SIGUSR1, "log_opened")
        third = refuse(server)
        for one in (first, second, third):
            page(server, one)
    with web_server(directory) as server:
        wait_for_status(server.web, "/", 200)
        for one in (first, second, third):
            assert one in page(server, one)
        assert "example.org" in page(server, second)
        (directory / "log.1").unlink()
        wait_for_status(server.web, f"/policy/{first}", 404)
        equal(get(server.web, f"/policy/{third}").status, 200, "the newer file")
        fourth = refuse(server)
        page(server, fourth)
        with log.open("r+b") as file:
            file.truncate(0)
        fifth = refuse(server)
        equal([get(server.web, f"/policy/{one}").status for one in (third, fourth, fifth)], [404, 404, 200], "after the cut")
        log.unlink()
        equal(get(server.web, f"/policy/{fifth}").status, 404, "its file is gone")
        server.ask(signal.SIGUSR1, "log_opened")
        page(server, refuse(server))


@case("a client looks up so many ids and no more; a proxy on this machine names its clients")
def limited(directory):
    with web_server(directory, http="lookups = 5/1h") as server:
        wait_for_status(server.web, "/", 200)
        one = refuse(server)

        def statuses(count, **headers):
            return [get(server.web, f"/policy/{one}", **headers).status for _ in range(count)]
        equal(statuses(7), 5 * [200] + 2 * [429], "a client")
        answer = get(server.web, "/policy/x")
        equal((answer.status, answer.headers.get("retry-after")), (429, "60"), "a guess counts")
        parsed(answer.text())
        assert "Too many ids" in answer.text() and "zu viele Kennungen" in answer.text(), answer.text()
        equal(get(server.web, "/policy/en").status, 200, "the rules are for all")
        equal(statuses(6, X_Forwarded_For="192.0.2.1"), 5 * [200] + [429], "a client of a proxy")
        equal(statuses(1, X_Forwarded_For="192.0.2.1, 198.51.100.7"), [200], "the last one is the proxy's own word")
        equal(statuses(1, X_Forwarded_For="203.0.113.9,192.0.2.1"), [429], "what a client says itself is of no use")
        equal(statuses(1, X_Forwarded_For="unknown"), [429], "nobody is named")
        equal(statuses(6, X_Forwarded_For="2001:db8::1")[-1:] + statuses(1, X_Forwarded_For="2001:db8::2"), [429, 429], "a /64")


@case("a server without a file of its log says so, and one that is not to look ids up as well")
def without(directory):
    with web_server(directory) as server:
        wait_for_status(server.web, "/", 200)
        one = refuse(server)
        page(server, one)
        path = server.directory / "gatepost.conf"
        configured = path.read_text()
        for change, words in ((("http {", "http { reject_ids = 0"), "does not look ids up"), (('log = "log"', 'log = "stderr"'), "keeps no file of its log")):
            path.write_text(configured.replace(*change))
            server.signal(signal.SIGHUP)
            text = wait_for(words, lambda: (found := get(server.web, f"/policy/{one}")).status == 404 and words in found.text() and found.text())
            parsed(text)
            equal(page(server, "x", 404), text, "any id")
        path.write_text(configured)
        server.signal(signal.SIGHUP)
        wait_for_status(server.web, f"/policy/{one}", 200)


@case("in a browser: on a phone and on a desk, light and dark, read aloud, and with nothing that runs or is loaded")
def browser(directory):
    with web_server(directory, 'policy_url = "https://isp.example/policy"\n') as server:
        wait_for_status(server.web, "/", 200)
        one = refuse(server, helo="a-name-that-is-long-and-breaks-nowhere.of-a-site-with-a-long-name-as-well.example.com")
        with Browser(directory) as tab:
            for path, words in ((f"{one}/de", "Warum diese Mail abgelehnt wurde"), (UNKNOWN, "This refusal cannot be shown")):
                colours = set()
                for width, scheme in ((320, "light"), (390, "dark"), (1280, "light")):
                    tab.show(f"http://127.0.0.1:{server.web}/policy/{path}", width, color_scheme=scheme)
                    wide = tab.evaluate("document.documentElement.scrollWidth")
                    assert wide <= width, f"{path} is {wide} pixels wide on {width}"
                    colours.add(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
                equal(len(colours), 2, f"backgrounds: the style is let in ({colours})")
                tree = tab.tree()
                equal([name for role, name, of in tree if role == "heading" and of["level"] == 1], [words], "heading")
                levels = [of["level"] for role, _, of in tree if role == "heading"]
                equal([pair for pair in zip(levels, levels[1:]) if pair[1] > pair[0] + 1], [], "levels that are left out")
                equal([name for role, name, _ in tree if role == "link" and not name.strip()], [], "links without a name")
                equal(tab.evaluate("performance.getEntriesByType('resource').length"), 0, "what was loaded")


if __name__ == "__main__":
    main()
