#!/usr/bin/env python3
"""Real mail filters from Debian's packages: rspamd's proxy in milter mode, and OpenDKIM, each started here with its own configuration,
on loopback alone."""

import subprocess

from common.daemons.real_filters import opendkim, rspamd
from common.harness import Server, case, equal, main, need_program
from common.messages import HEADER

GTUBE = HEADER + b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"


RULES = """
rspamd_config.SAYS_HEADER = {
    score = 6.5, description = "x", group = "test",
    callback = function(task) return task:get_header("X-Test") == "add header" end
}
rspamd_config.SAYS_LATER = {
    score = 0, description = "x", group = "test",
    callback = function(task)
        if task:get_header("X-Test") == "later" then task:set_pre_result("soft reject", "come again later") end
    end
}
"""


@case("rspamd: GTUBE is refused in its words, a soft reject is 451, and what it says of spam stands in the header")
def judged(directory):
    with rspamd(directory, RULES) as port, \
            Server(directory, f'milter "rspamd" {{ connect = "inet:127.0.0.1:{port}" }}\n') as server, server.client() as client:
        client.begin()
        client.finish(HEADER + b"ham\r\n")
        client.begin(helo=None)
        said = client.finish(GTUBE, 554)
        assert "Gtube" in said, said
        client.begin(helo=None)
        said = client.finish(b"X-Test: later\r\n" + HEADER + b"text\r\n", 451)
        assert "come again later" in said, said
        client.begin(helo=None)
        client.finish(b"X-Test: add header\r\n" + HEADER + b"text\r\n")
        mails = server.mails()
        equal(len(mails), 2, "mails")
        assert b"\r\nX-Spam: Yes\r\n" in mails[1] and b"X-Spam" not in mails[0], mails


@case("OpenDKIM: a good signature and a broken one are told in Authentication-Results in our name, and a forged field is not there")
def signed(directory):
    need_program("opendkim")
    genkey = need_program("opendkim-genkey")
    need_program("openssl")
    subprocess.run([genkey, "-b", "1024", "-s", "sel", "-d", "example.com", "-D", str(directory)], check=True, stderr=subprocess.DEVNULL)
    record = "".join(part for part in (directory / "sel.txt").read_text().split('"')[1::2])
    (directory / "keys").write_text(f"sel._domainkey.example.com {record}\n")
    (directory / "signed").mkdir()
    base = "Canonicalization relaxed/simple\nOversignHeaders From\n"
    verifying = f"{base}Mode v\nTestPublicKeys {directory}/keys\nAuthservID mx1.isp.example\nAlwaysAddARHeader yes\nInternalHosts file:/dev/null\n"
    signing = f"{base}Mode s\nDomain example.com\nSelector sel\nKeyFile {directory}/sel.private\nRequireSafeKeys no\nInternalHosts 127.0.0.1\n"
    forged = b"Authentication-Results: mx1.isp.example; dkim=pass header.d=bank.example\r\n"
    with opendkim(directory, signing, "signer") as signer, opendkim(directory, verifying, "verifier") as port:
        with Server(directory / "signed", f'milter "signer" {{ connect = "inet:127.0.0.1:{signer}" }}\n') as server, server.client() as client:
            client.deliver(HEADER + b"text\r\n")
            mail = server.mails()[0]
            signed = mail[mail.index(b"DKIM-Signature"):]
        with Server(directory, f'milter "opendkim" {{ connect = "inet:127.0.0.1:{port}" }}\n') as server, server.client() as client:
            for text in signed, signed + b"more\r\n":
                client.deliver(forged + text)
            for mail, result in zip(server.mails(), (b"dkim=pass", b"dkim=fail")):
                fields = [line for line in mail.split(b"\r\n") if line.startswith(b"Authentication-Results:")]
                equal(len(fields), 1, "fields")
                assert fields[0].startswith(b"Authentication-Results: mx1.isp.example;"), mail
                assert result in mail and b"bank.example" not in mail, mail


main()
