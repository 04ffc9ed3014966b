#!/usr/bin/env python3
"""Real mail filters from Debian's packages: rspamd's proxy in milter mode, and OpenDKIM, each started here with its own configuration,
on loopback alone."""

import contextlib
import signal
import subprocess

from common.harness import SECONDS, Server, case, die_with_parent, equal, free_port, is_listening, main, need_program, wait_for
from common.messages import HEADER

GTUBE = HEADER + b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"


@contextlib.contextmanager
def daemon(command, port, log, stop=signal.SIGTERM):
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=die_with_parent)
    try:
        wait_for(command[0], lambda: process.poll() is not None or is_listening(port), 2 * SECONDS)
        assert process.poll() is None, log.read_text(errors="replace")[-3000:]
        yield process
    finally:
        process.send_signal(stop)
        process.wait()


RSPAMD = """
options {{
    filters = "";
    tempdir = "{directory}";
    dns {{ nameserver = ["127.0.0.1:{dns}:1"]; timeout = 0.1s; retransmits = 1; }}
    url_tld = "{directory}/tlds";
    control_socket = "{directory}/control.sock mode=0600";
}}
logging {{ type = "console"; level = "notice"; }}
lua = "{directory}/rspamd.lua";
actions {{ reject = 15; add_header = 6; }}
metric {{ name = "default"; }}
worker "rspamd_proxy" {{
    bind_socket = "127.0.0.1:{port}";
    count = 1;
    milter = yes;
    upstream "local" {{ default = yes; self_scan = yes; }}
}}
"""

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
def rspamd(directory):
    program = need_program("rspamd")
    port = free_port()
    (directory / "rspamd.lua").write_text(RULES)
    (directory / "tlds").write_text("example\ncom\n")  # all that there are take ten seconds
    (directory / "rspamd.conf").write_text(RSPAMD.format(directory=directory, port=port, dns=free_port()))
    command = [program, "-f", "-i", "-c", str(directory / "rspamd.conf")]
    with daemon(command, port, directory / "rspamd.log"), \
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
def opendkim(directory):
    program = need_program("opendkim")
    genkey = need_program("opendkim-genkey")
    need_program("openssl")
    port = free_port()
    subprocess.run([genkey, "-b", "1024", "-s", "sel", "-d", "example.com", "-D", str(directory)], check=True, stderr=subprocess.DEVNULL)
    record = "".join(part for part in (directory / "sel.txt").read_text().split('"')[1::2])
    (directory / "keys").write_text(f"sel._domainkey.example.com {record}\n")
    base = "Syslog no\nCanonicalization relaxed/simple\nOversignHeaders From\n"
    (directory / "verify.conf").write_text(base + f"Mode v\nSocket inet:{port}@127.0.0.1\nTestPublicKeys {directory}/keys\n"
                                           "AuthservID mx1.isp.example\nAlwaysAddARHeader yes\nInternalHosts file:/dev/null\n")
    signer = free_port()
    (directory / "sign.conf").write_text(base + f"Mode s\nSocket inet:{signer}@127.0.0.1\nDomain example.com\nSelector sel\n"
                                         f"KeyFile {directory}/sel.private\nRequireSafeKeys no\nInternalHosts 127.0.0.1\n")
    (directory / "signed").mkdir()
    forged = b"Authentication-Results: mx1.isp.example; dkim=pass header.d=bank.example\r\n"
    with daemon([program, "-f", "-x", str(directory / "sign.conf")], signer, directory / "signer.log", signal.SIGKILL), \
            daemon([program, "-f", "-x", str(directory / "verify.conf")], port, directory / "verifier.log", signal.SIGKILL):  # it takes five seconds to stop
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
