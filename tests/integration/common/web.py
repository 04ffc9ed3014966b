"""HTTP of a server under test: requests octet for octet, and where its section has it listen."""

import contextlib
import html
import json
import re
import socket

from common.harness import SECONDS, Server, free_port, wait_for


def web_server(directory, options="", listen=None, http="", **places):
    """A server with section http, and these options in it; `server.web` is its port, or its path."""
    web = listen or free_port()
    place = f"127.0.0.1:{web}" if isinstance(web, int) else f"unix:{web}"
    server = Server(directory, options=f'{options}\nhttp {{ listen = "{place}" {http} }}', **places)
    server.web = web
    return server


def connect(web, seconds=SECONDS):
    if isinstance(web, int):
        return socket.create_connection(("127.0.0.1", web), seconds)
    found = socket.socket(socket.AF_UNIX)
    found.settimeout(seconds)
    found.connect(str(web))
    return found


def receive_all(stream):
    octets = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := stream.recv(65536):
            octets += piece
    return octets


class Answer:
    def __init__(self, octets):
        head, _, self.body = octets.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        found = re.fullmatch(r"HTTP/1\.[01] (\d\d\d) .*", lines[0])
        self.status = int(found[1]) if found else None
        pairs = [line.partition(": ") for line in lines[1:]]
        self.headers = {name.lower(): value for name, _, value in pairs}

    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)


def exchange(web, octets, seconds=SECONDS):
    """Sends the octets, and gives what comes until the server closes."""
    with connect(web, seconds) as stream:
        stream.sendall(octets)
        return Answer(receive_all(stream))


def get(web, path="/", method="GET", seconds=SECONDS, **headers):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return exchange(web, "\r\n".join([*lines, "", ""]).encode("latin-1"), seconds)


def wait_for_status(web, path, status):
    """Looks at the path until it has this status, and gives the answer."""
    def look():
        with contextlib.suppress(OSError):
            answer = get(web, path)
            return answer.status == status and answer
    return wait_for(f"{path} with {status}", look)


# ---- the status page


def page(server):
    return wait_for_status(server.web, "/", 200)


def text_of(octets):
    """What is read of it."""
    without = re.sub(r"<style>.*?</style>", "", octets, flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", without)))


def row(text, name):
    """The numbers behind the name of a row."""
    found = re.search(rf'<th scope="row">{re.escape(name)}</th>(.*?)</tr>', text, re.S)
    return [int(number.replace(",", "")) for number in re.findall(r'<td class="number[^"]*">([\d,]+)</td>', found[1])]
