#!/usr/bin/env python3
"""HTTP as such: what is answered, where it listens, and that whoever is slow, silent or many holds nobody up."""

import contextlib
import os
import re
import signal
import socket
import stat
import time

from common.harness import PATIENCE, SECONDS, Server, case, equal, free_port, is_listening, main, run_program, thread_names, wait_for
from common.web import connect, exchange, get, receive_all, wait_for_status, web_server

REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def http_section(place):
    return f'http {{ listen = "{place}" }}'


@case("GET and HEAD are answered, by one request a connection, and all else is refused by its status")
def methods(directory):
    with web_server(directory) as server:
        answer = wait_for_status(server.web, "/health", 200)
        equal(answer.headers["content-type"], "application/json", "type")
        head = get(server.web, "/health", "HEAD")
        equal((head.status, head.body, head.headers["content-length"]), (200, b"", str(len(answer.body))), "HEAD")
        for path in ("/nothing", "/health/", "/../health", "//health", "/health%00x", "/HEALTH"):
            equal(get(server.web, path).status, 404, path)
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
            refused = get(server.web, "/health", method)
            equal((refused.status, refused.headers.get("allow")), (405, "GET, HEAD"), method)
        posted = exchange(server.web, b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n0123")
        equal(posted.status, 405, "a body is not waited for")
        equal(get(server.web, "/health", Connection="keep-alive").headers["connection"].lower(), "close", "one request")


@case("what is malformed or too long is refused, and what headers say keeps browsers from more than is meant")
def strict(directory):
    with web_server(directory) as server:
        wait_for_status(server.web, "/health", 200)
        for octets in (b"GET /health HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"EHLO x\r\n\r\n"):
            assert exchange(server.web, octets).status in (None, 400, 405, 501, 505), octets
        double = b"GET /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"
        assert exchange(server.web, double + REQUEST).body.count(b"HTTP/1.1") == 0, "a second answer"
        assert get(server.web, "/health", Padding="x" * 20000).status in (400, 413, 431), "long header"
        assert get(server.web, "/" + "x" * 20000).status in (400, 414, 431), "long path"
        headers = get(server.web, "/health").headers
        expected = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cache-control": "no-store",
                    "x-frame-options": "DENY", "cross-origin-resource-policy": "same-origin"}
        equal({name: headers.get(name) for name in expected}, expected, "headers")
        assert headers["content-security-policy"].startswith("default-src 'none'; "), headers
        assert "server" not in headers, headers
        equal(get(server.web, "/health").status, 200, "after all of that")
        equal("microhttpd" in server.stderr().lower(), False, "the library writes nothing to standard error")


@case("a reload moves the listener, takes it away and brings it back; one that cannot be bound changes nothing")
def reloads(directory):
    with web_server(directory) as server:
        wait_for_status(server.web, "/health", 200)
        other = free_port()
        server.options = http_section(f"127.0.0.1:{other}")
        server.write_configuration()
        server.reload()
        wait_for_status(other, "/health", 200)
        wait_for("the old one to close", lambda: not is_listening(server.web))
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            server.write_configuration(options=http_section(f"127.0.0.1:{taken.getsockname()[1]}"))
            failed = server.ask(signal.SIGHUP, "reload", "reload_failed")
            assert failed["event"] == "reload_failed" and "cannot listen on 127.0.0.1:" in failed["complaints"], failed
        equal(get(other, "/health").status, 200, "the old one is served on")
        server.write_configuration(options="")
        server.reload()
        wait_for("no listener", lambda: not is_listening(other))
        server.write_configuration()
        server.reload()
        wait_for_status(other, "/health", 200)
        server.reload()  # nothing has changed
        equal(get(other, "/health").status, 200, "a reload without a change")
        equal(len(server.events("http_opened")), 3, "openings")
        equal(len(server.events("http_closed")), 2, "closings")


@case("a unix socket is its user's and its group's, takes the place of one that was left behind, and goes with the server")
def unix_socket(directory):
    path = directory / "http.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    with web_server(directory, listen=path) as server:
        wait_for_status(path, "/health", 200)
        equal(stat.S_IMODE(path.stat().st_mode), 0o660, "mode")
        (directory / "second").mkdir()
        second = Server(directory / "second", options=server.options)
        with contextlib.suppress(AssertionError):
            second.start()
        equal(second.process.wait(SECONDS), 1, "status of a second server with the same socket")
        equal(second.events("listener_opened"), [], "listeners of it")
        assert "Address already in use" in second.stderr(), second.stderr()
        equal(get(path, "/health").status, 200, "after another one has tried")
    assert not path.exists(), "the socket is left"


@case("clients that say nothing, little, or take nothing have a deadline: mail goes on, and the next client is served")
def hostile(directory):
    with web_server(directory) as server, contextlib.ExitStack() as stack:
        wait_for_status(server.web, "/health", 200)
        began = time.monotonic()
        held = [stack.enter_context(connect(server.web)) for _ in range(60)]
        for number, stream in enumerate(held):
            stream.sendall((b"", b"GET /health HT", REQUEST[:-2], b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 4000)[number % 4])
        with server.client() as client:
            client.deliver(b"Subject: x\r\n\r\nWhile HTTP is held.\r\n")
        equal(get(server.web, "/health", seconds=60 * PATIENCE).status, 200, "the next one, in the end")
        passed = time.monotonic() - began
        assert passed < 45 * PATIENCE, f"after {passed} s"
        before = server.cpu_seconds()
        time.sleep(0.5)
        assert server.cpu_seconds() - before < 0.4, "the thread spins"
        server.signal(signal.SIGTERM)
        equal(server.process.wait(SECONDS), 0, "a stop is not held up")


@case("clients that trickle are cut off however long they go on")
def trickle(directory):
    with web_server(directory) as server, connect(server.web) as stream:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 40 * PATIENCE:
                stream.sendall(b"X")
                time.sleep(0.25)
                if select_closed(stream):
                    break
        assert 8 < time.monotonic() - began < 30 * PATIENCE, f"cut off after {time.monotonic() - began} s"


def select_closed(stream):
    stream.setblocking(False)
    try:
        return stream.recv(1) == b""
    except BlockingIOError:
        return False
    finally:
        stream.setblocking(True)


@case("the thread has its name, and its descriptors come back")
def descriptors(directory):
    with web_server(directory) as server:
        wait_for_status(server.web, "/health", 200)
        assert "http" in thread_names(server.process).values(), thread_names(server.process)

        def count():
            return len(os.listdir(f"/proc/{server.process.pid}/fd"))
        before = count()
        for _ in range(200):
            equal(get(server.web, "/health").status, 200, "status")
        wait_for("all descriptors", lambda: count() <= before)


@case("check-config opens what serve opens, and warns of listeners that strangers reach")
def check_config(directory):
    server = web_server(directory)

    def check(place):
        server.write_configuration(options=http_section(place))
        return run_program("check-config", "-c", directory / "gatepost.conf")
    equal(check(f"127.0.0.1:{free_port()}").stdout.splitlines()[-1], f"{directory}/gatepost.conf: 0 errors, 0 warnings", "well")
    for place, pattern in (("192.0.2.1:8025", r"warning: http.listen: is not loopback"), ("192.0.2.1:8025", r"no interface of this machine"),
                           (f"unix:{directory}/no/http.sock", r"error: http.listen: .*no/http.sock: its folder does not exist"),
                           (f"unix:{directory}/recipients.txt", r"error: http.listen: .*there is a file, and no socket"), ("nowhere", r"must be ADDRESS:PORT or unix:PATH")):
        run = check(place)
        assert re.search(pattern, run.stdout + run.stderr), (place, run.stdout, run.stderr)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "somebody listens there" in check(f"127.0.0.1:{taken.getsockname()[1]}").stderr + "", "a note"


if __name__ == "__main__":
    main()
