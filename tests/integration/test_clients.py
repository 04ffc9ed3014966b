#!/usr/bin/env python3
"""Clients from Debian packages and Python's smtplib deliver mail that arrives octet for octet."""

import re
import select
import smtplib
import subprocess

from common.harness import (HELO, SENDER, SECONDS, Server, case, die_with_parent, dot_stuffed, equal, main, need_program, run_program,
                            wait_for, without_trace)
from common.messages import HEADER, MESSAGES

LF_ONLY = b"From: me@example.com\nSubject: test\n\n.one\n..two\n.\nthree\r\n"


def arrived(server, sent, user="alice", number=1):
    mails = wait_for(f"{number} mails", lambda: len(server.mails(user)) >= number and server.mails(user))
    equal(len(mails), number, "number of mails")
    equal(without_trace(mails[-1]), sent, "mail")


@case("octet for octet, dialogue by hand")
def by_hand(directory):
    with Server(directory) as server, server.client() as client:
        for number, (name, text) in enumerate(MESSAGES.items(), 1):
            client.deliver(text, helo=HELO if number == 1 else None)
            equal(without_trace(server.mails()[-1]), text, name)
        equal(server.sessions(), [], "log lines before the session's end")
        client.command("QUIT", 221)
        wait_for("the session's log line", server.sessions)
        equal([t["size"] for t in server.sessions()[0]["transactions"]], [len(text) for text in MESSAGES.values()], "sizes")


@case("octet for octet, smtplib")
def by_smtplib(directory):
    with Server(directory) as server:
        for number, text in enumerate(MESSAGES.values(), 1):
            with smtplib.SMTP("127.0.0.1", server.port, HELO, SECONDS) as client:
                client.sendmail(SENDER, ["alice@isp.example"], text, ["BODY=8BITMIME"])
            # smtplib ends a text that lacks it with CRLF, an empty one too.
            arrived(server, text or b"\r\n", number=number)


@case("text without a last line end gets one")
def no_line_end(directory):
    with Server(directory) as server, server.client() as client:
        client.deliver(HEADER + b"no line end")
        arrived(server, HEADER + b"no line end\r\n")


@case("maildir_newline = lf stores LF only")
def newline_lf(directory):
    with Server(directory, "maildir_newline = lf") as server, server.client() as client:
        client.deliver(MESSAGES["dots"])
        mail = server.mails()[0]
        assert b"\r" not in mail, mail
        equal(without_trace(mail), MESSAGES["dots"].replace(b"\r\n", b"\n"), "mail")


@case("octet for octet, octet by octet")
def slowly(directory):
    with Server(directory) as server, server.client() as client:
        client.begin()
        for octet in dot_stuffed(MESSAGES["dots"]) + b".\r\n":
            client.raw(bytes([octet]))
        client.expect(250, "end of data")
        arrived(server, MESSAGES["dots"])


@case("one file for each recipient, with its own mailbox")
def several_recipients(directory):
    users = [f"user{n}" for n in range(100)]
    with Server(directory, recipients=users) as server, server.client() as client:
        client.deliver(MESSAGES["UTF-8"], recipients=[f"{user.upper()}@ISP.example" for user in users])
        for user in users:
            arrived(server, MESSAGES["UTF-8"], user)


# swaks takes a last line "." for the end of data, and sends nothing else than text.
SWAKS_MESSAGES = ("plain text", "UTF-8", "dots around the edges of 16 KiB", "all 8-bit octets", "blank lines at the end")


@case("octet for octet, swaks")
def by_swaks(directory):
    swaks = need_program("swaks")
    with Server(directory) as server:
        for number, name in enumerate(SWAKS_MESSAGES, 1):
            # swaks puts a line end before its final dot in any case.
            (directory / "data").write_bytes(MESSAGES[name].removesuffix(b"\r\n").replace(b"\r\n", b"\n"))
            run = subprocess.run([swaks, "--server", f"127.0.0.1:{server.port}", "--helo", HELO, "--from", SENDER, "--to",
                                  "alice@isp.example", "--data", f"@{directory}/data"],
                                 capture_output=True, timeout=SECONDS)
            equal(run.returncode, 0, run.stdout + run.stderr)
            arrived(server, MESSAGES[name], number=number)


def typed(port, lines, unanswered):
    """What a person at a terminal does: reads what is said, and types the next line. Returns what was said, in lines."""
    with subprocess.Popen([need_program("nc"), "-C", "127.0.0.1", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                          preexec_fn=die_with_parent) as process:
        try:
            said = [read_line(process)]
            for line in lines:
                process.stdin.write(f"{line}\n".encode())
                if line not in unanswered:
                    said.append(read_line(process))
        finally:
            process.kill()
    return said


def read_line(process):
    assert select.select([process.stdout], [], [], SECONDS)[0], "nothing is said"
    return process.stdout.readline().decode()


def hasty(port, lines):
    """All lines at once; returns what is said."""
    command = [need_program("nc"), "-C", "127.0.0.1", str(port)]
    return subprocess.run(command, input="".join(f"{line}\n" for line in lines), capture_output=True, text=True, timeout=SECONDS).stdout


TEXT = ["typed by hand", "..dotted"]
LINES = [f"HELO {HELO}", f"MAIL FROM:<{SENDER}>", "RCPT TO:<alice@isp.example>", "DATA", *TEXT, ".", "QUIT"]


@case("netcat, a line at a time, delivers")
def by_netcat(directory):
    with Server(directory) as server:
        said = typed(server.port, LINES, TEXT)
        equal([line[:3] for line in said], ["220", "250", "250", "250", "354", "250", "221"], "replies")
        arrived(server, b"typed by hand\r\n.dotted\r\n")


@case("netcat, all at once, is an early talker")
def by_hasty_netcat(directory):
    with Server(directory, "greeting_pause = 5s") as server:
        said = hasty(server.port, LINES)
        equal([line[:3] for line in said.splitlines()], ["554"], "replies")
        equal(server.mails(), [], "mails")


@case("mailboxes of 252 octets, ASCII and not, have folders, and each its own")
def long_mailboxes(directory):
    users = ["l" * 250 + end for end in ("aa", "ab")] + ["ü" * 60, "ü" * 120 + "aa", "ü" * 120 + "ab"]
    # The shortest domain: a path has 256 octets.
    with Server(directory, options='domain "d" { recipients = "recipients.txt" deliver = "maildir:mail/%d/u-%u" }',
                recipients=users) as server, server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        for number, user in enumerate(users):
            client.raw(b"MAIL FROM:<carol@example.com> SMTPUTF8\r\n")
            client.expect(250)
            client.raw(f"RCPT TO:<{user}@d>\r\n".encode())
            client.expect(250, user)
            client.command("DATA", 354)
            client.finish(HEADER + b"%d\r\n" % number)
        folders = sorted(path for path in (directory / "mail/d").iterdir())
        equal(len(folders), len(users), "folders")
        texts = sorted(without_trace(mail.read_bytes())[-3:] for folder in folders for mail in (folder / "new").iterdir())
        equal(texts, [b"%d\r\n" % number for number in range(len(users))], "texts")
        assert any(path.name == "u-" + "%C3%BC" * 25 + path.name[-34:] for path in folders), folders
    equal([line for line in server.log() if line["event"] == "store_failed"], [], "failures of the store")


# ---- line ends and the end of the text ---------------------------------------------------------------------------

@case("smtplib with octets and LF alone is refused at once, and told where")
def lf_refused(directory):
    with Server(directory) as server, smtplib.SMTP("127.0.0.1", server.port, HELO, SECONDS) as client:
        try:
            client.sendmail(SENDER, ["alice@isp.example"], LF_ONLY)
            raise AssertionError("accepted")
        except smtplib.SMTPDataError as error:
            equal(error.smtp_code, 550)
            assert b"bare LF at octet 21 of line 1" in error.smtp_error, error.smtp_error


@case("smtplib with octets and LF alone is stored with CRLF where bare_newline = normalise says so")
def lf_normalised(directory):
    with Server(directory, "syntax { bare_newline = normalise }") as server:
        with smtplib.SMTP("127.0.0.1", server.port, HELO, SECONDS) as client:
            client.sendmail(SENDER, ["alice@isp.example"], LF_ONLY)
        arrived(server, re.sub(rb"\r?\n", b"\r\n", LF_ONLY))
        wait_for("the log line", server.sessions)
        verdict = server.sessions()[0]["transactions"][0]["verdicts"][0]
        equal([verdict[key] for key in ("check", "mode", "reply")], ["syntax", "observe", "message_bare_lf"], "verdict")


@case("a client that ends its text with LF.LF is told so before it gives up, and explain finds the reject id")
def lf_dot_lf(directory):
    with Server(directory) as server, server.client(seconds=4 * SECONDS) as client:
        client.begin()
        client.raw(LF_ONLY + b".\n")
        code, said = client.reply()
        equal(code, 550)
        assert "bare LF" in said and client.is_closed(), said
        wait_for("the log line", server.sessions)
        told = run_program("explain", "-c", str(directory / "gatepost.conf"), re.search(r"\[(\w+)\]$", said)[1])
        assert told.returncode == 0 and "bare LF" in told.stdout, told.stdout + told.stderr


@case("explain finds the reject id of a command that was refused outside of any mail")
def bad_command(directory):
    with Server(directory) as server, server.client() as client:
        said = client.command("MAIL FROM:<a@example.com>", 503)
        client.command("QUIT", 221)
        wait_for("the log line", server.sessions)
        told = run_program("explain", "-c", str(directory / "gatepost.conf"), re.search(r"\[(\w+)\]$", said)[1])
        assert told.returncode == 0 and "helo_first" in told.stdout, told.stdout + told.stderr


@case("QUIT in the segment of the final dot: the message is stored and answered, then the early talker is refused")
def quit_with_dot(directory):
    for number, text in enumerate((MESSAGES["plain text"], MESSAGES["a megabyte"]), 1):
        (directory / str(number)).mkdir()
        with Server(directory / str(number)) as server, server.client() as client:
            client.begin()
            client.raw(dot_stuffed(text) + b".\r\nQUIT\r\n")
            equal([client.reply()[0], client.reply()[0], client.is_closed()], [250, 554, True], "replies")
            arrived(server, text)


@case("what an observed early talker sends behind the final dot is worked off in order")
def pipelined(directory):
    with Server(directory, "early_talker { mode = observe }") as server, server.client() as client:
        client.begin()
        client.raw(dot_stuffed(MESSAGES["a megabyte"]) + b".\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<bob@isp.example>\r\nDATA\r\n")
        equal([client.reply()[0] for _ in range(4)], [250, 250, 250, 354], "replies")
        client.raw(MESSAGES["plain text"] + b".\r\nQUIT\r\n")
        equal([client.reply()[0] for _ in range(2)], [250, 221], "replies")
        arrived(server, MESSAGES["a megabyte"])
        arrived(server, MESSAGES["plain text"], user="bob")


if __name__ == "__main__":
    main()
