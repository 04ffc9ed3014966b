"""A server with a DNS list from files, how these are written, and what a listed client hears."""

import os
import pathlib
import time

from common.harness import HELO

ZONES = 'zone "bl.example" { file = {"lists/bl*"} format = ip4set %s }'


def options(zone="", more="", check="feed_interval = 1s"):
    return f"dnsbl {{ {check} {ZONES % zone} {more} }} rhsbl {{ mode = off }} spf {{ mode = off }} sender_mx {{ mode = off }}"


def write(directory, text, name="bl", age_s=0):
    """As rsync does: beside the file, and renamed."""
    folder = directory / "lists"
    folder.mkdir(exist_ok=True)
    (folder / ".new").write_text(text)
    moment = time.time() - age_s
    os.utime(folder / ".new", (moment, moment))
    (folder / ".new").rename(folder / name)


def endless(directory, name="bl"):
    """A list that takes minutes to read."""
    path = directory / "lists/.new"
    with path.open("wb") as file:
        file.truncate(1 << 38)  # of nothing
    path.rename(directory / "lists" / name)


def entries(*addresses):
    return "".join(f"{address}\n" for address in (":2:see http://bl.example/$", "127.0.0.2", *addresses))


def reply(server, source="127.0.0.1"):
    """What the recipient is answered."""
    with server.client(source=source) as client:
        client.command(f"EHLO {HELO}", 250)
        client.command("MAIL FROM:<me@example.com>", 250)
        client.raw(b"RCPT TO:<alice@isp.example>\r\n")
        answer = " ".join(map(str, client.reply()))
        client.command("QUIT", 221)
        return answer


def is_refused(server, source="127.0.0.66"):
    return "5.7.1" in reply(server, source)


def is_open(server, path):
    """Whether the server has this file open, as while it reads a list."""
    files = pathlib.Path(f"/proc/{server.process.pid}/fd")
    return str(path) in {os.path.realpath(file) for file in files.iterdir()}
