#!/usr/bin/env python3
"""`gatepost dmarc-report`: a real server's log and logs that strangers have filled become mails with reports (RFC 9990), which are
read here by other programs' parsers and held against the tables of the RFC; who has not agreed gets none."""
# threads elsewhere: dmarc-report

import email.parser
import email.policy
import gzip
import json
import os
import re
import shutil
import sys
import xml.etree.ElementTree as ElementTree

try:
    import dkim
except ImportError:  # packages of Debian are there for its own Python
    os.execv("/usr/bin/python3", ["/usr/bin/python3", "-B", *sys.argv])
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
import base64

from common.dns_peers import DnsStub
from common.harness import Server, case, configuration, equal, main, run_program, wait_for
from common.signing import with_crlf

DAY, BEGIN, END = "2026-05-20", 1779235200, 1779321599
NS = "{urn:ietf:params:xml:ns:dmarc-2.0}"
FROM = "dmarc-reports@isp.example"
OFF = "".join(f"{check} {{ mode = off }}\n" for check in ("dnsbl", "rhsbl", "sender_mx"))
ZONE = """
_dmarc.d.example.com 60 TXT "v=DMARC1; p=reject; np=quarantine; adkim=s; rua=mailto:r@d.example.com"
_dmarc.soft.example.com 60 TXT "v=DMARC1; p=quarantine; rua=mailto:r@soft.example.com"
_dmarc.test.example.com 60 TXT "v=DMARC1; p=reject; t=y; rua=mailto:r@test.example.com"
_dmarc.lax.example.com 60 TXT "v=DMARC1; p=none; rua=mailto:r@lax.example.com"
_dmarc.mute.example.com 60 TXT "v=DMARC1; p=reject"
x.example.com 60 TXT "v=spf1 ip4:127.0.0.1 -all"
d.example.com 60 TXT "v=spf1 -all"
_dmarc.one.example 60 TXT "v=DMARC1; p=none"
one.example._report._dmarc.agrees.example 60 TXT "v=DMARC1"
one.example._report._dmarc.moves.example 60 TXT "v=DMARC1; rua=mailto:here@moves.example"
one.example._report._dmarc.betrays.example 60 TXT "v=DMARC1; rua=mailto:victim@elsewhere.example"
one.example._report._dmarc.says.example 60 TXT "hello"
one.example._report._dmarc.hangs.example 60 TXT "x"
one.example._report._dmarc.hangs.example !silent
"""


# ---- the form of a report (RFC 9990, the tables of its section on the XML file) ---------------------------------------------------

POLICY, RESULT, ALIGNED = "none|quarantine|reject", "none|pass|fail|policy|neutral|temperror|permerror|softfail", "pass|fail"
TEXT = r"[^\x00-\x1f]+"
FORM = {
    "feedback": [("version", "?", r"1\.0"), ("report_metadata", "1", None), ("policy_published", "1", None), ("record", "+", None)],
    "report_metadata": [("org_name", "1", TEXT), ("email", "1", r"\S+@\S+"), ("extra_contact_info", "?", TEXT), ("report_id", "1", r"[0-9a-z]+"),
                        ("date_range", "1", None), ("error", "?", TEXT), ("generator", "?", r"gatepost \S+")],
    "date_range": [("begin", "1", r"\d+"), ("end", "1", r"\d+")],
    "policy_published": [("domain", "1", r"[a-z0-9._-]+"), ("discovery_method", "?", "treewalk"), ("p", "1", POLICY), ("sp", "?", POLICY),
                         ("np", "?", POLICY), ("fo", "?", "[01ds](:[01ds])*"), ("adkim", "?", "r|s"), ("aspf", "?", "r|s"), ("testing", "?", "y|n")],
    "record": [("row", "1", None), ("identifiers", "1", None), ("auth_results", "1", None)],
    "row": [("source_ip", "1", r"[0-9a-f.:]+"), ("count", "1", r"[1-9]\d*"), ("policy_evaluated", "1", None)],
    "policy_evaluated": [("disposition", "1", "none|pass|quarantine|reject"), ("dkim", "1", ALIGNED), ("spf", "1", ALIGNED), ("reason", "*", None)],
    "reason": [("type", "1", "local_policy|mailing_list|other|policy_test_mode|trusted_forwarder"), ("comment", "?", TEXT)],
    "identifiers": [("header_from", "1", TEXT), ("envelope_from", "?", ".*")],
    "auth_results": [("dkim", "*", None), ("spf", "?", None)],
    "dkim": [("domain", "1", TEXT), ("selector", "1", TEXT), ("result", "1", RESULT), ("human_result", "?", TEXT)],
    "spf": [("domain", "1", TEXT), ("scope", "?", "mfrom"), ("result", "1", RESULT)],
}
TIMES = {"?": (0, 1), "1": (1, 1), "*": (0, 10 ** 9), "+": (1, 10 ** 9)}


def assert_form(element):
    assert element.tag.startswith(NS) and not element.attrib, element
    form = FORM[element.tag.removeprefix(NS)]
    names = [child.tag.removeprefix(NS) for child in element]
    order = [name for name, _, _ in form]
    equal(names, sorted(names, key=order.index), f"order of what is in {element.tag}")
    for name, times, value in form:
        low, high = TIMES[times]
        assert low <= names.count(name) <= high, (element.tag, name, names)
        for child in element.findall(NS + name):
            if value is None:
                assert_form(child)
            else:
                assert re.fullmatch(value, child.text or ""), (element.tag, name, child.text)


class Report:
    """One mail of the folder, read by Python's parsers."""

    def __init__(self, path):
        self.octets = path.read_bytes()
        assert b"\r" not in self.octets and max(map(len, self.octets.splitlines())) < 998, path
        self.mail = email.parser.BytesParser(policy=email.policy.default).parsebytes(self.octets)
        equal(self.mail.defects, [], f"defects of {path}")
        self.to = str(self.mail["To"])
        told, attached = self.mail.iter_parts()
        equal((told.get_content_type(), attached.get_content_type()), ("text/plain", "application/gzip"), "types of the parts")
        self.file_name = attached.get_filename()
        self.xml = gzip.decompress(attached.get_content())
        self.root = ElementTree.fromstring(self.xml)
        if len(self.xml) < 1_000_000:  # it takes Python seconds
            assert_form(self.root)
        self.domain = self.text("policy_published/domain")
        self.records = self.root.findall(NS + "record")
        self.assert_frame()

    def text(self, path, root=None):
        found = (self.root if root is None else root).find("/".join(NS + name for name in path.split("/")))
        return None if found is None else found.text or ""

    def assert_frame(self):
        """What the mail says of the report has to agree with it."""
        identifier = self.text("report_metadata/report_id")
        equal(self.file_name, f"mx1.isp.example!{self.domain}!{BEGIN}!{END}!{identifier}.xml.gz", "the attachment's name")
        equal(re.sub(r"\s+", " ", self.mail["Subject"]), f"Report Domain: {self.domain} Submitter: mx1.isp.example Report-ID: <{identifier}>", "Subject")
        equal((self.text("report_metadata/date_range/begin"), self.text("report_metadata/date_range/end")), (str(BEGIN), str(END)), "the day")
        equal((self.text("report_metadata/email"), self.mail["From"]), (FROM, FROM), "who reports")
        equal(self.mail["Auto-Submitted"], "auto-generated", "Auto-Submitted")
        assert self.mail["Message-ID"] and self.mail["Date"].datetime.strftime("%Y-%m-%d") == "2026-05-21", self.octets[:800]

    def rows(self):
        """(disposition, dkim, spf, reason or None, header_from, count) of each record."""
        paths = ("row/policy_evaluated/disposition", "row/policy_evaluated/dkim", "row/policy_evaluated/spf", "row/policy_evaluated/reason/type",
                 "identifiers/header_from", "row/count")
        return sorted((tuple(self.text(path, record) for path in paths) for record in self.records), key=str)


def reports(directory):
    """{address: [its reports]}"""
    found = {}
    for path in sorted((directory / "out").iterdir()):
        assert re.fullmatch(r"2026-05-20\.[a-z0-9_.-]+\.[0-9a-f]{32}\.[0-9a-f]{16}\.eml", path.name), path.name
        report = Report(path)
        found.setdefault(report.to, []).append(report)
    return found


# ---- logs that are made up ---------------------------------------------------------------------------------------------------------

MAIL = {"id": "0Y3Q20000001", "from": "joe@one.example", "rcpts": [], "accepted": 1, "refused": 0, "deferred": 0, "spf": "pass",
        "dmarc": "fail", "header_from": "one.example", "dmarc_record": "one.example", "dmarc_policy": "none", "dmarc_disposition": "none",
        "dmarc_applied": "none", "dmarc_text": "v=DMARC1; p=none; rua=mailto:r@one.example", "code": "250 2.0.0"}


def line(client="192.0.2.1", time=f"{DAY}T10:00:00.000Z", transactions=1, **changes):
    mail = {key: value for key, value in {**MAIL, **changes}.items() if value is not None}
    return json.dumps({"time": time, "event": "session", "client": client, "transactions": [mail] * transactions, "end": "quit"},
                      separators=(",", ":")) + "\n"


def configure(directory, stub, options=f'dmarc {{ report_from = "{FROM}" }}\n'):
    (directory / "recipients.txt").write_text("alice\n")
    (directory / "gatepost.conf").write_text(configuration(["127.0.0.1:2525"], f'resolvers = {{"127.0.0.1:{stub.port}"}}\n'
                                                           f"dns_timeout = 6s\ndns_question_timeout = 6s\ndns_attempt_timeout = 6s\n{options}"))


def make(directory, *arguments, status=0, seconds=120):
    run = run_program("dmarc-report", "-c", str(directory / "gatepost.conf"), "--day", DAY, "--out", str(directory / "out"), *arguments, seconds=seconds)
    equal(run.returncode, status, f"status ({run.stdout} {run.stderr})")
    return run.stdout, run.stderr


def started(directory):
    (directory / "zone").write_text(ZONE)
    stub = DnsStub(directory / "zone")
    configure(directory, stub)
    return stub


# ---- cases -------------------------------------------------------------------------------------------------------------------------

KEY = ed25519.Ed25519PrivateKey.generate()
SECRET = base64.b64encode(KEY.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()))
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)).decode()


def letter(domain):
    return b"From: Joe <joe@%s>\r\nTo: alice@isp.example\r\nSubject: a letter\r\n\r\nHi.\r\n" % domain.encode()


def tell(server, message, code, sender="joe@x.example.com"):
    with server.client() as client:
        client.begin(sender=sender)
        client.finish(message, code)


@case("sessions of the real server become reports: counts, dispositions, results and the policy; the policy page tells of them")
def real(directory):
    (directory / "zone").write_text(ZONE + f's._domainkey.d.example.com 60 TXT "v=DKIM1; k=ed25519; p={PUBLIC}"\n')
    with DnsStub(directory / "zone") as stub:
        options = f'resolvers = {{"127.0.0.1:{stub.port}"}}\n{OFF}spf {{ on_fail = dmarc }}\ndmarc {{ mode = enforce\nreport_from = "{FROM}" }}\n'
        server = Server(directory, options + 'policy_page { organisation = "Isp & Söhne"\ncontact = "https://isp.example/?a=1&b=2" }\n')
        with server:
            plain = letter("d.example.com")
            signature = dkim.sign(plain, b"s", b"d.example.com", SECRET, include_headers=[b"from", b"to", b"subject"], signature_algorithm=b"ed25519-sha256")
            signed = with_crlf(signature) + plain
            for message, code in ((signed, 250), (signed, 250), (signed.replace(b"Hi.", b"Ho."), 550), (plain, 550)):
                tell(server, message, code)
            for domain in ("soft", "test", "lax", "mute"):
                tell(server, letter(f"{domain}.example.com"), 550 if domain == "mute" else 250)
            tell(server, letter("x.example.com"), 250, sender="joe@x.example.com")
            wait_for("nine sessions in the log", lambda: len(server.sessions()) == 9)
        (directory / "log").write_text(re.sub(r'(?m)^\{"time":"\d{4}-\d\d-\d\d', f'{{"time":"{DAY}', (directory / "log").read_text()))
        out, err = make(directory)
        equal(err, "", "standard error")
        found = reports(directory)
        equal(sorted(found), ["r@d.example.com", "r@lax.example.com", "r@soft.example.com", "r@test.example.com"], "addresses")
        report, = found["r@d.example.com"]
        equal(report.rows(), [("pass", "pass", "fail", None, "d.example.com", "2"), ("reject", "fail", "fail", None, "d.example.com", "1"),
                              ("reject", "fail", "fail", None, "d.example.com", "1")], "rows of d.example.com")
        passed = next(record for record in report.records if report.text("row/count", record) == "2")
        equal([report.text(path, passed) for path in ("row/source_ip", "identifiers/envelope_from", "auth_results/dkim/selector", "auth_results/dkim/result",
                                                      "auth_results/spf/domain", "auth_results/spf/result")],
              ["127.0.0.1", "x.example.com", "s", "pass", "x.example.com", "pass"], "what authenticated it")
        assert any(report.text("auth_results/dkim/human_result", record) == "the body was altered" for record in report.records), report.xml
        equal([report.text(f"policy_published/{name}") for name in ("p", "sp", "np", "adkim", "aspf", "fo", "testing", "discovery_method")],
              ["reject", "reject", "quarantine", "s", "r", "0", "n", "treewalk"], "the policy")
        equal((report.text("report_metadata/org_name"), report.text("report_metadata/extra_contact_info")),
              ("Isp & Söhne", "https://isp.example/?a=1&b=2"), "who reports")
        equal(found["r@soft.example.com"][0].rows(), [("quarantine", "fail", "fail", None, "soft.example.com", "1")], "what was marked")
        equal(found["r@test.example.com"][0].rows(), [("quarantine", "fail", "fail", "policy_test_mode", "test.example.com", "1")], "a test")
        equal(found["r@lax.example.com"][0].rows(), [("none", "fail", "fail", None, "lax.example.com", "1")], "p=none")
        for told in ("mails whose policy asks for no reports: 1", "mails from domains without a DMARC policy: 1", "reports: 4, of 7 mails",
                     "written into", ": 4; there before: 0"):
            assert told in out, (told, out)
        run = run_program("policy-page", "-c", str(directory / "gatepost.conf"), "--out", str(directory / "page"))
        assert run.returncode == 0 and all("RFC 9990" in (directory / f"page/{language}.html").read_text() for language in ("en", "de")), run


@case("a second run writes nothing anew and changes nothing; the same log gives the same octets; without --out nothing is written")
def again(directory):
    with started(directory):
        (directory / "log").write_text(line() + line(client="2001:db8::1", transactions=3) + line(time="2026-05-21T00:00:00.000Z"))
        run = run_program("dmarc-report", "-c", str(directory / "gatepost.conf"), "--day", DAY)
        assert run.returncode == 0 and "nothing is written without --out" in run.stdout and "reports: 1, of 4 mails" in run.stdout, run
        assert not (directory / "out").exists()
        make(directory)
        path, = (directory / "out").iterdir()
        before, status = path.read_bytes(), path.stat()
        report = Report(path)
        equal([report.text("row/source_ip", record) for record in report.records], ["192.0.2.1", "2001:db8::1"], "addresses")
        equal([row[-1] for row in report.rows()], ["1", "3"], "counts")
        out, _ = make(directory)
        assert ": 0; there before: 1" in out, out
        equal((path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns), (before, status.st_ino, status.st_mtime_ns), "the file")
        path.unlink()
        make(directory)
        equal(path.read_bytes(), before, "the file that was made anew")
        equal(len(list((directory / "out").iterdir())), 1, "files")


@case("destinations elsewhere have to agree, may name another address of the same host, and get nothing where DNS does not say so")
def destinations(directory):
    with started(directory):
        rua = ("mailto:r@one.example, mailto:r@sub.one.example!10m, mailto:a%2Bb@agrees.example?subject=x, MAILTO:r@moves.example, mailto:r@betrays.example,"
               "mailto:r@says.example,mailto:r@hangs.example,mailto:r@absent.example")
        (directory / "log").write_text(line(dmarc_text=f"v=DMARC1; p=none; rua={rua}"))
        out, err = make(directory)
        equal(sorted(reports(directory)), ["a+b@agrees.example", "here@moves.example", "r@one.example", "r@sub.one.example"], "addresses")
        for host, reason in (("betrays", "it has agreed for another host's address"), ("says", "it has not agreed"), ("absent", "it has not agreed"),
                             ("hangs", "DNS does not say whether it agrees")):
            assert f"gatepost: one.example: no report to mailto:r@{host}.example: {reason}" in err, err
        assert "destinations left out: 4" in out, out
        shutil.rmtree(directory / "out")
        bad = ["https://one.example/r", "mailto:r", "mailto:@one.example", "mailto:r@[127.0.0.1]", "mailto:r%0d%0aBcc:x@one.example",
               "mailto:r%2Cx@one.example", "mailto:a..b@one.example", "mailto:r@one.example,mailto:r@ONE.example."]
        (directory / "log").write_text(line(dmarc_text=f"v=DMARC1; p=none; rua={','.join(bad)}"))
        out, err = make(directory)
        equal({to: len(letters) for to, letters in reports(directory).items()}, {"r@one.example": 1}, "mails of the one that is good, once")
        equal(err.count("it is no mailto: with one plain address"), 7, err)


@case("no report is made of pseudonyms, of mail that comes again or of other days, and each of them is counted; damaged lines are passed over")
def passed_over(directory):
    with started(directory):
        whole = line()
        (directory / "log").write_bytes("".join([
            whole, line(client="~a20260520~abcdefghijklmnopqrstuvwxyz"), line(client="nonsense"), line(accepted=0, deferred=1, code="451 4.4.3"),
            line(dmarc_text=None), line(dmarc_policy="kill"), line(dmarc_record="a b"), line(dmarc_text="nonsense"), line(dmarc="none", dmarc_record=None),
            line(time="2026-05-19T23:59:59.999Z"), whole[:-40] + "\n", whole[:300] + "!" + whole[301:].replace(':"quit"', ":quit"), "\n",
            '{"time":"2026-05-20T00:00:00.000Z","event":"stop"}\n', "x" * 2_000_000 + "\n"]).encode() + b"\xff\xfe\1 nonsense\n")
        out, err = make(directory)
        equal(err, "", "standard error")
        report, = reports(directory)["r@one.example"]
        equal(report.rows(), [("none", "fail", "fail", None, "one.example", "1")], "the one mail that is whole")
        for told in ("mails from pseudonyms, of which no report can be made: 1", "mails with values that are none of ours, passed over: 4",
                     "mails that were neither taken nor refused: 1", "mails whose policy the log does not have, so that no report is made of them: 1",
                     "mails from domains without a DMARC policy: 1", "lines that are damaged or none of ours, of any day: 4", "reports: 1, of 1 mails"):
            assert told in out, (told, out)


@case("what strangers wrote is neither markup, nor a field of the mail, nor a path")
def hostile(directory):
    with started(directory):
        evil = "</selector><count>9</count>\r\nBcc: x@evil.example\r\n\t&amp;\x01\u202e\ufffe"
        signatures = [{"domain": evil, "selector": evil, "result": "fail", "reason": evil}, {"domain": "a.example", "selector": "s", "result": evil}]
        deep = "_evil-x." + "x" * 60 + "." + "y" * 60 + "." + "z" * 60 + ".one.example"
        (directory / "log").write_text(
            line(dkim=signatures, **{"from": f"a@{evil}"}) + line(spf=evil) + line(client="1.2.3.4<", header_from="x") + line(header_from=evil) +
            line(dmarc_record="../../../../etc/passwd", header_from="../x") + line(dmarc_record="..", header_from="..") +
            line(dmarc_record="one.example\tx\ny") + line(dmarc_record=deep, header_from=deep) +
            line(dmarc_text="v=DMARC1; p=none; rua=mailto:r@one.example\nBcc: x@evil.example") +
            line(dmarc_text=f"v=DMARC1; p=<{evil}>; rua=mailto:r@one.example"))
        out, err = make(directory)
        found = reports(directory)
        report = next(letter for letter in found["r@one.example"] if letter.domain == "one.example")
        equal(sum(int(row[-1]) for row in report.rows()), 3, report.xml)
        record = next(record for record in report.records if report.text("auth_results/dkim/selector", record))
        equal(report.text("auth_results/dkim/selector", record), report.text("auth_results/dkim/domain", record), "the same words")
        assert "</selector><count>9</count>??Bcc: x@evil.example???&amp;?" in report.text("auth_results/dkim/selector", record), report.xml
        equal(report.mail.keys().count("Bcc"), 0, "a field of strangers")
        assert not any(b"Bcc:" in letter.octets for letters in found.values() for letter in letters)
        assert "mails with values that are none of ours, passed over: 5" in out, out
        equal(sorted(path.name for path in directory.iterdir() if path.name not in ("zone", "log", "out", "gatepost.conf", "recipients.txt")), [], "other files")


@case("why a disposition is not what the policy says is told; the last policy of the day is the one that is shown")
def reasons(directory):
    with started(directory):
        strict = {"dmarc_policy": "reject", "dmarc_disposition": "reject", "dmarc_text": "v=DMARC1; p=reject; rua=mailto:r@one.example"}
        (directory / "log").write_text(
            line(**strict) + line(**{**strict, "dmarc_applied": "reject", "accepted": 0, "code": "550 5.7.1"}) +
            line(**{**strict, "accepted": 0, "code": "554 5.6.0"}) + line(**{**strict, "dmarc_disposition": "none", "arc_sealer": "list.example"}) +
            line(**{**strict, "dmarc": "pass", "dmarc_disposition": "none", "dmarc_aligned": "dkim spf"}) +
            line(**{**strict, "dmarc": "temperror", "dmarc_disposition": "none"}) +
            line(**{**strict, "dmarc_policy": "quarantine", "dmarc_disposition": "quarantine", "dmarc_applied": "reject", "accepted": 0, "code": "550"}) +
            line(time=f"{DAY}T12:00:00.000Z", dmarc="pass", dmarc_aligned="spf", **{"from": ""}, dmarc_text="v=DMARC1; p=none; fo=1:d; ruf=mailto:f@one.example; rua=mailto:n@one.example"))
        make(directory)
        report, = reports(directory)["n@one.example"]
        wanted = {("none", "local_policy", "1"), ("reject", None, "2"), ("none", "trusted_forwarder", "1"), ("pass", None, "1"), ("none", "other", "1"),
                  ("reject", "local_policy", "1"), ("none", None, "1")}
        equal({(row[0], row[3], row[5]) for row in report.rows()}, wanted, "dispositions, reasons and counts")
        equal((report.text("policy_published/p"), report.text("policy_published/fo")), ("none", "1:d"), "the last policy")
        bounce = next(record for record in report.records if report.text("identifiers/envelope_from", record) == "")
        equal(report.text("auth_results/spf/result", bounce), None, "SPF of HELO")


@case("an organisation and a contact that are too long for a report are left out, and the report can be read")
def long_words(directory):
    with started(directory) as stub:
        for words, told in (("ü" * 500, "ü" * 500), ("x" + "ü" * 700, "mx1.isp.example"), ("&" * 300, "mx1.isp.example")):
            configure(directory, stub, f'dmarc {{ report_from = "{FROM}" }}\npolicy_page {{ organisation = "{words}" contact = "https://isp.example/?{"&" * 230}" }}\n')
            (directory / "log").write_text(line())
            make(directory)
            report, = reports(directory)["r@one.example"]
            equal((report.text("report_metadata/org_name"), report.text("report_metadata/extra_contact_info")), (told, None), "who reports")
            shutil.rmtree(directory / "out")


@case("rotated files, compressed or not, are read as far as they are of the day, files by name once; of a log that is not whole nothing is written")
def files(directory):
    with started(directory):
        (directory / "log").write_text(line(time="2026-05-21T00:00:01.000Z"))
        (directory / "log.1").write_text(line(client="192.0.2.2", time=f"{DAY}T12:00:00.000Z") + line(client="192.0.2.2", time="2026-05-21T00:00:00.000Z"))
        (directory / "log.2.gz").write_bytes(gzip.compress((line(client="192.0.2.3", time="2026-05-19T12:00:00.000Z") +
                                                            line(client="192.0.2.4", time=f"{DAY}T11:00:00.000Z")).encode()))
        (directory / "log.3.gz").write_bytes(gzip.compress(line(time="2026-05-18T00:00:00.000Z").encode())[:-10])
        out, err = make(directory)
        equal(err, "", "standard error")
        report, = reports(directory)["r@one.example"]
        equal([report.text("row/source_ip", record) for record in report.records], ["192.0.2.2", "192.0.2.4"], "mails of the day")
        shutil.rmtree(directory / "out")
        make(directory, str(directory / "log.1"), str(directory / "." / "log.1"))
        equal([row[-1] for row in reports(directory)["r@one.example"][0].rows()], ["1"], "a file that is named twice")
        shutil.rmtree(directory / "out")
        (directory / "log.2.gz").write_bytes((directory / "log.2.gz").read_bytes()[:-12])
        _, err = make(directory, status=1)
        assert "the log is not whole" in err and list((directory / "out").iterdir()) == [], err
        (directory / "log.2.gz").write_bytes(gzip.compress((directory / "log.1").read_bytes()))
        _, err = make(directory, status=1)
        assert "log.1 and" in err and "log.2.gz begin at the same time" in err and list((directory / "out").iterdir()) == [], err
        _, err = make(directory, str(directory / "nowhere"), status=1)
        assert "nowhere" in err, err


@case("a domain with more records than eight reports hold says so, and others have all of theirs")
def bounds(directory):
    with started(directory):
        rows = 85_000
        with (directory / "log").open("w") as log:
            for number in range(rows):
                log.write(line(client=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"))
            log.write(line(dmarc_record="zwei.example", header_from="zwei.example", dmarc_text="v=DMARC1; p=none; rua=mailto:r@zwei.example"))
        out, err = make(directory, seconds=300)
        found = reports(directory)
        equal([len(letter.records) for letter in found["r@one.example"]], [10_000] * 8, "records")
        equal(len({letter.text("report_metadata/report_id") for letter in found["r@one.example"]}), 8, "ids")
        equal(sum(letter.text("report_metadata/error") is not None for letter in found["r@one.example"]), 1, "reports that say that there is more")
        equal(len(found["r@zwei.example"][0].records), 1, "records of the other domain")
        assert "mails left out because their domain has too many records: 5000" in out, out


@case("wrong calls and configurations say what is missing, and a folder that takes nothing is told")
def wrong(directory):
    with started(directory) as stub:
        (directory / "log").write_text(line())
        path = str(directory / "gatepost.conf")
        for arguments, status, told in (([], 2, "-c FILE is missing"), (["-c", path], 2, "--day YYYY-MM-DD is missing"),
                                        (["-c", path, "--day", "2026-02-30"], 2, "is no day"), (["-c", path, "--day", "2999-01-01"], 2, "is not over"),
                                        (["-c", "/nowhere", "--day", DAY], 1, "nowhere")):
            run = run_program("dmarc-report", *arguments)
            equal(run.returncode, status, f"status of {arguments}")
            assert told in run.stderr, run.stderr
        configure(directory, stub, "")
        assert "report_from" in make(directory, status=1)[1]
        configure(directory, stub, 'dmarc { report_from = "nobody" }\n')
        assert "must be a mail address" in make(directory, status=1)[1]
        configure(directory, stub)
        (directory / "out").write_text("a file")
        assert "out" in make(directory, status=1)[1]


main()
