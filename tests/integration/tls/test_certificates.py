#!/usr/bin/env python3
"""Certificates: what a reload takes and what it refuses, which one a client sees, tickets, and what check-config and DNS say."""

import hashlib
import os
import pwd
import re
import shutil
import signal
import ssl
import subprocess

from common.dns_peers import MX, SERVFAIL, TXT, ScriptedDns, by_table, exchange, text
from common.harness import IS_ROOT, PROGRAM, SECONDS, Server, Skip, case, equal, main, run_program, wait_for
from common.tls import TlsClient, context, make_certificate, make_expired
from common.web import wait_for_status, web_server

TLSA = 52
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def make(directory, name, kind="ecdsa", hosts=("mx1.isp.example",), days=90, subject=None):
    """NAME.pem and NAME.key, signed by itself, with NAME as the common name; renamed into their places, as an operator would."""
    (directory / "made").mkdir(exist_ok=True)
    for path in reversed(make_certificate(directory / "made", name, kind, hosts, days, subject=f"/CN={subject or name}")):
        path.rename(directory / path.name)


def expired_one(directory, name):
    make(directory, name)
    make_expired(directory, name)


def sign_by_unknown(directory, name):
    """Puts another certificate for the key of NAME in its place, by an authority that nobody knows and that stands in no file."""
    make(directory, "authority")
    subprocess.run(["openssl", "x509", "-in", directory / f"{name}.pem", "-CA", directory / "authority.pem", "-CAkey",
                    directory / "authority.key", "-days", "90", "-set_serial", "1", "-out", directory / "signed"],
                   capture_output=True, check=True)
    (directory / "signed").rename(directory / f"{name}.pem")


def tls(*names, more=""):
    certificates, keys = (", ".join(f'"{name}.{part}"' for name in names) for part in ("pem", "key"))
    return f"tls {{\n    certificate = {{{certificates}}}\n    key = {{{keys}}}\n    {more}\n}}\n"


def common_name(certificate):
    """Of a certificate in DER."""
    run = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject", "-nameopt", "multiline"], input=certificate,
                         capture_output=True, check=True)
    return re.search(r"commonName\s*= (.*)", run.stdout.decode())[1]


def connect(server, tls_context=None, **beginning):
    """(common name that is seen, whether it was resumed, the session)"""
    with TlsClient(server.port) as client:
        client.command("EHLO client.example.com", 250)
        client.starttls(tls_context, **beginning)
        client.command("EHLO client.example.com", 250)
        seen = client.tls.getpeercert(binary_form=True), client.tls.session_reused, client.tls.session
        client.command("QUIT", 221)
    return common_name(seen[0]), seen[1], seen[2]


def shown(server, **beginning):
    return connect(server, **beginning)[0]


def reload(server, event):
    return server.ask(signal.SIGHUP, event)


def refused(server, reason):
    """A reload that fails for this reason, and changes nothing."""
    said = reload(server, "reload_failed")["complaints"]
    assert re.search(reason, said), said
    equal(shown(server), "a", "certificate")


# ---- reload ------------------------------------------------------------------------------------------------------

@case("the log tells of certificates at the start and when they change, and of those that end soon; counters have their days")
def told(directory):
    make(directory, "a", hosts=("mx1.isp.example", "*.isp.example"))
    make(directory, "b", "rsa", days=9)
    with Server(directory, tls("a", "b")) as server:
        wait_for("ready", lambda: server.events("ready"))
        equal([(found["path"], found["kind"], found["names"]) for found in server.events("certificate")],
              [(f"{directory}/a.pem", "ECDSA P-256", "mx1.isp.example, *.isp.example"),
               (f"{directory}/b.pem", "RSA 2048", "mx1.isp.example")], "certificates")
        assert [found["days_left"] in (8, 9) for found in server.events("certificate_ends")] == [True], server.events("certificate_ends")
        assert "b.pem: warning: expires in" in server.stderr(), server.stderr()
        make(directory, "b", "rsa")
        reload(server, "reload")
        wait_for("the new one", lambda: len(server.events("certificate")) == 3)
        equal(server.events("certificate")[-1]["path"], f"{directory}/b.pem", "the one that has changed")
        equal(len(server.events("certificate_ends")), 1, "warnings")
        server.signal(signal.SIGUSR2)
        counters = wait_for("counters", lambda: [line for line in server.events("counters") if line["certificate_days"] > 80])
        equal(counters[-1]["certificates_ending"], 0, "certificates that end soon")


@case("a good pair is shown after a reload; a bad one leaves the old one in force, with file and reason in the log")
def reloads(directory):
    make(directory, "a")
    with Server(directory, tls("a")) as server:
        equal(shown(server), "a", "certificate")
        saved = {part: (directory / f"a.{part}").read_bytes() for part in ("pem", "key")}

        def restore():
            for part, octets in saved.items():
                (directory / f"a.{part}").write_bytes(octets)
                (directory / f"a.{part}").chmod(0o600)

        make(directory, "b")
        (directory / "b.key").rename(directory / "a.key")
        refused(server, rf"{directory}/a\.key: error: is not the key of {directory}/a\.pem")
        restore()
        (directory / "a.key").chmod(0o644)
        refused(server, rf"{directory}/a\.key: error: every user of this machine may read it")
        restore()
        (directory / "a.pem").write_bytes(saved["pem"][:300])
        refused(server, rf"{directory}/a\.pem: error: ")
        (directory / "a.pem").unlink()
        refused(server, rf"{directory}/a\.pem: error: No such file")
        restore()
        subprocess.run(["openssl", "pkey", "-in", directory / "a.key", "-aes128", "-passout", "pass:secret", "-out",
                        directory / "e.key"], capture_output=True, check=True)
        (directory / "e.key").chmod(0o600)
        (directory / "e.key").rename(directory / "a.key")
        refused(server, rf"{directory}/a\.key: error: the key is encrypted")
        expired_one(directory, "a")
        refused(server, rf"{directory}/a\.pem: error: has expired on 2021-01-01")
        make(directory, "a", subject="new")
        reload(server, "reload")
        equal(shown(server), "new", "certificate")


@case("whose handshake has failed is offered STARTTLS again when there is another certificate, and not by any other reload")
def failed_before(directory):
    make(directory, "a")
    with Server(directory, tls("a")) as server:
        def is_offered():
            with TlsClient(server.port) as client:
                return "STARTTLS" in client.command("EHLO client.example.com", 250)
        with TlsClient(server.port) as client:
            client.command("STARTTLS", 220)
            client.raw(b"QUIT\r\n")
            client.stream.read()
        wait_for("the failure", lambda: not is_offered())
        reload(server, "reload")
        assert not is_offered(), "offered after a reload without a new certificate"
        make(directory, "a", subject="new")
        reload(server, "reload")
        wait_for("STARTTLS with the new certificate", is_offered)


@case("an expired certificate does not keep the server from starting, nor other changes from a reload; without one there is no STARTTLS")
def expired(directory):
    expired_one(directory, "a")
    with Server(directory, tls("a")) as server:
        assert "a.pem: warning: has expired on 2021-01-01" in server.stderr(), server.stderr()
        equal(shown(server), "a", "certificate")
        equal(wait_for("the log", lambda: server.events("certificate_ends"))[0]["days_left"], 0, "days left")
        server.write_configuration(options=tls("a") + "idle_timeout = 6m\n")
        reload(server, "reload")
        server.write_configuration(options="")
        reload(server, "reload")
        with server.client() as client:
            assert "STARTTLS" not in client.command("EHLO client.example.com", 250)
        server.write_configuration()
        assert "has expired" in reload(server, "reload_failed")["complaints"]


@case("a session keeps the certificates that it began with, and new ones see the new one, through many reloads")
def sessions_keep(directory):
    make(directory, "a")
    with Server(directory, tls("a")) as server, TlsClient(server.port) as early:
        early.command("EHLO client.example.com", 250)
        for number in range(5):
            make(directory, "a", subject=f"a{number}")
            reload(server, "reload")
            equal(shown(server), f"a{number}", "certificate")
        early.starttls()
        equal(common_name(early.tls.getpeercert(binary_form=True)), "a", "certificate of the session that began first")
        early.command("QUIT", 221)


@case("the status page has one word for each certificate: valid, expiring or expired")
def words_of_the_page(directory):
    make(directory, "a")
    make(directory, "b", "rsa", days=9)
    make(directory, "c")
    expired_one(directory, "c")
    own = 'tls_certificate = {"c.pem"}\n    tls_key = {"c.key"}'
    with web_server(directory, tls("a", "b"), domain=own) as server:
        text = wait_for_status(server.web, "/", 200).text()
        rows = re.findall(r'<td class="number[^>]*>(\d+)</td><td><span class="badge (\w+)">(\w+)</span>', text)
        equal([row[1:] for row in rows if int(row[0]) < 100], [("bad", "expired"), ("warn", "expiring"), ("good", "valid")], rows)


# ---- names -------------------------------------------------------------------------------------------------------

@case("a client sees the certificate with the name that it asks for, else the default; ECDSA, or RSA if it wants that")
def server_names(directory):
    make(directory, "a")
    make(directory, "r", "rsa")
    make(directory, "b", hosts=("mail.one.example", "*.two.example"))
    own = 'tls_certificate = {"b.pem"}\n    tls_key = {"b.key"}'
    rsa = context(ssl.TLSVersion.TLSv1_2)
    rsa.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    with Server(directory, tls("a", "r"), domain=own) as server:
        for name, expected in ((None, "a"), ("mx1.isp.example", "a"), ("mail.one.example", "b"), ("MAIL.ONE.example", "b"),
                               ("x.two.example", "b"), ("two.example", "a"), ("x.y.two.example", "a"), ("other.example", "a")):
            for version in VERSIONS:
                equal(shown(server, tls_context=context(version), name=name), expected, f"certificate for {name}")
        equal(shown(server, tls_context=rsa), "r", "certificate for a client of RSA")


# ---- tickets -----------------------------------------------------------------------------------------------------

def is_resumed(server, tls_context, session):
    return connect(server, tls_context, session=session)[1]


@case("tickets are taken after a reload, also by another certificate, and not after a restart")
def tickets_and_reloads(directory):
    make(directory, "a")
    server = Server(directory, tls("a"))
    made = context(ssl.TLSVersion.TLSv1_2), context(ssl.TLSVersion.TLSv1_3)
    with server:
        sessions = [connect(server, one)[2] for one in made]
        reload(server, "reload")
        make(directory, "a")
        reload(server, "reload")
        for one, session in zip(made, sessions):
            assert is_resumed(server, one, session), one.minimum_version
    with server.start():
        for one, session in zip(made, sessions):
            assert not is_resumed(server, one, session), one.minimum_version


@case("two servers with one file of secrets take each other's tickets; a new secret forgets none of the old one's")
def fleet(directory):
    folders = directory / "one", directory / "two"
    secret = hashlib.sha256(b"1").hexdigest() + "\n", hashlib.sha256(b"2").hexdigest() + "\n"
    options = tls("a", more='ticket_keys = "tickets"')

    def write(folder, text):
        (folder / "tickets").write_text(text)
        (folder / "tickets").chmod(0o600)

    for folder in folders:
        folder.mkdir()
        make(folder, "a")
        write(folder, secret[0])
    with Server(folders[0], options) as one, Server(folders[1], options) as two:
        made = context(ssl.TLSVersion.TLSv1_2), context(ssl.TLSVersion.TLSv1_3)
        sessions = [connect(one, client)[2] for client in made]
        for client, session in zip(made, sessions):
            assert is_resumed(two, client, session), client.minimum_version
        write(folders[1], secret[1] + secret[0])
        reload(two, "reload")
        new = connect(two, made[1])[2]
        assert is_resumed(two, made[1], connect(one, made[1])[2])
        assert not is_resumed(one, made[1], new), "the secret is not known there"
        write(folders[1], secret[1])
        reload(two, "reload")
        assert is_resumed(two, made[1], connect(one, made[1])[2]), "until their time is over"
        (folders[1] / "tickets").chmod(0o644)
        assert re.search(r"tickets: error: every user", reload(two, "reload_failed")["complaints"])


@case("keys of tickets turn by time, without a reload")
def keys_turn(directory):
    make(directory, "a")
    with Server(directory, tls("a", more="ticket_lifetime = 1s")) as server:
        client = context(ssl.TLSVersion.TLSv1_2)
        session = connect(server, client)[2]
        wait_for("a ticket that is too old", lambda: not is_resumed(server, client, session))
        assert any(is_resumed(server, client, connect(server, client)[2]) for _ in range(5)), "a young one"


# ---- check-config ------------------------------------------------------------------------------------------------

def check(directory, *arguments, status=0):
    run = run_program("check-config", "-c", str(directory / "gatepost.conf"), *arguments)
    equal(run.returncode, status, run.stdout + run.stderr)
    return run.stdout + run.stderr


@case("check-config tells names and end, warns of fewer than 14 days, and refuses what has expired; --no-open looks at no certificate")
def checks(directory):
    make(directory, "a", hosts=("mx1.isp.example", "b.example"), days=30)
    Server(directory, tls("a"))
    said = check(directory)
    assert re.search(r"a\.pem: note: ECDSA P-256, until \d{4}-\d\d-\d\d \((29|30) days\), for mx1\.isp\.example, b\.example\n", said), said
    make(directory, "a", days=13)
    said = check(directory)
    assert re.search(r"a\.pem: warning: expires in 1[23] days\n", said), said
    expired_one(directory, "a")
    assert "a.pem: error: has expired on 2021-01-01" in check(directory, status=1)
    assert "a.pem: warning: has expired on 2021-01-01" in check(directory, "--start")
    (directory / "a.key").unlink()
    assert "a.key: error: No such file" in check(directory, status=1)
    said = check(directory, "--no-open")
    assert "0 errors, 0 warnings" in said and "note: certificates were not looked at, as --no-open says\n" in said, said
    Server(directory, tls("a") + "erors_max = 1\n")
    said = check(directory, status=1)
    assert "note: certificates, and what else serve opens, were not looked at: errors come first\n" in said, said
    Server(directory, "")
    assert "certificates" not in check(directory, "--no-open")


@case("a chain that ends before a root is warned of at each reload, also when the files have not changed")
def chain_warnings(directory):
    make(directory, "a")
    sign_by_unknown(directory, "a")
    with Server(directory, tls("a")) as server:
        assert "a.pem: warning: the chain ends before" in server.stderr(), server.stderr()
        for _ in range(2):
            assert "a.pem: warning: the chain ends before" in reload(server, "reload")["complaints"]


@case("check-config and serve, started as root, find that the user cannot read the key")
def user(directory):
    if not IS_ROOT:
        raise Skip("only root can become another user")
    make(directory, "a")
    Server(directory, tls("a") + 'user = "nobody"\n')
    for path in directory.iterdir():
        if path.name != "a.key":
            shutil.chown(path, "nobody")
    shutil.chown(directory, "nobody")
    said = check(directory, status=1)
    assert re.search(r"a\.key: error: permission denied: the user that serves must be able to read it.*; tried as nobody, it belongs to "
                     r"root:root with mode 0600\n", said), said
    run = subprocess.run([PROGRAM, "serve", "-c", directory / "gatepost.conf"], capture_output=True, text=True, timeout=SECONDS)
    equal(run.returncode, 1, run.stderr)
    assert "a.key: error: permission denied" in run.stderr, run.stderr
    os.chown(directory / "a.key", 0, pwd.getpwnam("nobody").pw_gid)
    (directory / "a.key").chmod(0o640)
    assert "0 errors" in check(directory)


# ---- DNS ---------------------------------------------------------------------------------------------------------

def key_digest(path):
    """Of the public key, computed by openssl alone."""
    key = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-pubkey"], capture_output=True, check=True).stdout
    return hashlib.sha256(subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, capture_output=True,
                                         check=True).stdout).hexdigest()


def check_dns(directory, records, status=0):
    table = {("_25._tcp.mx1.isp.example", TLSA): (), ("isp.example", MX): (exchange("mx1.isp.example"),)} | records

    def behave(query, is_tcp, send):
        if table.get((query.name, query.type)) == SERVFAIL:
            send(query.failure())
        else:
            by_table(table)(query, is_tcp, send)

    with ScriptedDns(behave) as dns:
        Server(directory, tls("a", "b") + f'resolvers = {{"127.0.0.1:{dns.port}"}}\n')
        return check(directory, "--dns", status=status)


@case("check-config --dns prints the TLSA records and the policy that are right, and says whether the published ones are")
def dns(directory):
    make(directory, "a")
    make(directory, "b", "rsa")
    digests = [key_digest(directory / f"{name}.pem") for name in ("a", "b")]
    said = check_dns(directory, {})
    for digest in digests:
        assert said.count(f"_25._tcp.mx1.isp.example. IN TLSA 3 1 1 {digest} ;") == 1, said
    identity = re.search(r'_mta-sts\.isp\.example\. IN TXT "v=STSv1; id=([0-9a-f]{32});"\n# https://mta-sts\.isp\.example/'
                         r"\.well-known/mta-sts\.txt\nversion: STSv1\nmode: testing\nmx: mx1\.isp\.example\nmax_age: \d+\n", said)
    assert identity, said
    assert "_25._tcp.mx1.isp.example: no TLSA record is published" in said and "no policy is published" in said, said

    right = tuple(bytes([3, 1, 1]) + bytes.fromhex(digest) for digest in digests)
    published = {("_25._tcp.mx1.isp.example", TLSA): (*right, bytes([3, 1, 1]) + bytes(32)),
                 ("_mta-sts.isp.example", TXT): (text(f"v=STSv1; id={identity[1]};"), text("another text"))}
    said = check_dns(directory, published)
    equal(said.count("note: _25._tcp.mx1.isp.example: a published TLSA record is right"), 2, said)
    assert "_mta-sts.isp.example: the policy of this id is published" in said, said

    published = {("_25._tcp.mx1.isp.example", TLSA): right[:1], ("isp.example", MX): (exchange("mx9.isp.example"),),
                 ("_mta-sts.isp.example", TXT): (text("v=STSv1; id=1;"),)}
    said = check_dns(directory, published, status=1)
    assert f"error: _25._tcp.mx1.isp.example: no published TLSA record is right for {directory}/b.pem" in said, said
    assert "warning: isp.example: no certificate here is for its MX mx9.isp.example" in said, said
    assert "a policy is published by another id" in said, said

    published = {("_25._tcp.mx1.isp.example", TLSA): SERVFAIL, ("_mta-sts.isp.example", TXT): (text("v=STSv1; id=1;"),) * 2}
    said = check_dns(directory, published)
    assert "warning: _25._tcp.mx1.isp.example: DNS does not answer for TLSA" in said, said
    assert "warning: _mta-sts.isp.example: more than one policy is published" in said, said
    assert "--no-open does not" in check(directory, "--dns", "--no-open", status=2)


@case("check-config --dns prints no policy where MX cannot be asked or takes no mail, and says where our name stands for an MX")
def policy_without_exchange(directory):
    make(directory, "a")
    make(directory, "b", "rsa")
    said = check_dns(directory, {("isp.example", MX): SERVFAIL, ("_mta-sts.isp.example", TXT): (text("v=STSv1; id=1;"),)})
    assert "warning: isp.example: MX of it could not be asked, so no policy is printed" in said, said
    assert "note: _mta-sts.isp.example: a policy is published, and cannot be compared" in said, said
    assert "STSv1\n" not in said and "IN TXT" not in said, said
    said = check_dns(directory, {("isp.example", MX): ()})
    assert "note: isp.example: there is no MX: in the policy stands mx1.isp.example instead" in said, said
    assert "mx: mx1.isp.example\n" in said, said
    said = check_dns(directory, {("isp.example", MX): (exchange("."),)})
    assert "note: isp.example: its MX says that it takes no mail (RFC 7505), so no policy is printed" in said, said
    assert "STSv1\n" not in said, said


if __name__ == "__main__":
    main()
