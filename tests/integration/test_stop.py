#!/usr/bin/env python3
"""SIGTERM ends the server in order; kill -9 loses nothing that was answered 250."""

import concurrent.futures
import re
import signal
import socket
import threading
import time

from common.harness import PATIENCE, SENDER, HELO, Client, Server, case, equal, main, note, wait_for, without_trace
from common.messages import HEADER, MESSAGES


@case("SIGTERM: idle sessions get 421, a message on its way is stored, exit 0")
def sigterm(directory):
    with Server(directory) as server:
        idle, greeted, sending = server.client(), server.client(), server.client()
        greeted.command(f"EHLO {HELO}", 250)
        sending.begin()
        sending.raw(HEADER + b"first half\r\n")
        time.sleep(0.2)
        server.signal(signal.SIGTERM)
        for client in (idle, greeted):
            client.expect(421, "SIGTERM")
            assert client.is_closed()
        wait_for("a closed listener", lambda: refuses(server.port))
        sending.finish(b"second half\r\n")
        equal(without_trace(server.mails()[0]), HEADER + b"first half\r\nsecond half\r\n", "mail")
        sending.expect(421, "the message")
        assert server.stop() < 5 * PATIENCE, "slow to end"


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except ConnectionRefusedError:
        return True
    except TimeoutError:
        pass  # a listener that departs answers nobody who is new
    return False


@case("SIGTERM: between MAIL and DATA is a command boundary too")
def sigterm_in_envelope(directory):
    with Server(directory) as server, server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        client.command(f"MAIL FROM:<{SENDER}>", 250)
        server.signal(signal.SIGTERM)
        client.expect(421, "SIGTERM")


@case("SIGTERM waits no longer than shutdown_timeout")
def shutdown_timeout(directory):
    with Server(directory, "shutdown_timeout = 1s") as server, server.client() as client:
        client.begin()
        client.raw(b"never to end\r\n")
        took = server.stop()
        assert 0.8 < took < 1 + 5 * PATIENCE, took
        equal(server.mails(), [], "mails")
        equal([p for p in directory.glob("mail/*/*/tmp/*")], [], "files in tmp/")


@case("what shutdown_timeout cuts short is answered 421, and the log says what became of it")
def cut_short(directory):
    silent_dns = DnsSilent()
    checks = "sender_mx { mode = enforce }\nsender_tld { mode = off }\n"
    options = f"workers = 1\nshutdown_timeout = 1s\ndns_timeout = 60s\nresolvers = {{\"127.0.0.1:{silent_dns.port}\"}}\n{checks}"
    with Server(directory, options) as server:
        texts = [server.client() for _ in range(3)]
        for client in texts:
            client.begin(["postmaster@isp.example"], sender="")
            client.raw(b"half a text\r\n")
        texts[1].raw(b"x" * 70000)
        texts[2].raw(b"a lone dot\n.\n")
        parked = server.client()
        parked.command(f"EHLO {HELO}", 250)
        parked.command("MAIL FROM:<carol@silent.example>", 250)
        parked.command("RCPT TO:<postmaster@isp.example>", 250)
        parked.raw(b"RCPT TO:<alice@isp.example>\r\n")
        with server.client() as last:  # whom the worker hears behind all of these
            last.command("NOOP", 250)
            last.command("QUIT", 221)
        server.signal(signal.SIGTERM)
        for client in (*texts, parked):
            client.expect(421, "shutdown_timeout")
            assert client.is_closed()
        assert server.stop() < 5 * PATIENCE, "slow to end"
        sessions = [line for line in server.sessions() if line["end"] != "quit"]
        equal(len(sessions), 4, "sessions")
        for line in sessions:
            equal((line["end"], line["reply"], line["code"]), ("stop", "server_closing", 421), "end of the session")
            (mail,) = line["transactions"]
            equal((mail["code"], mail["deferred"]), ("421 4.3.2", 1), "end of the mail")
        last = server.events("counters")[-1]
        equal(last["memory_held"], 0, "memory held in the end")
    silent_dns.close()


class DnsSilent:
    """A resolver that hears and says nothing."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def close(self):
        self.socket.close()


@case("SIGINT and SIGQUIT end it like SIGTERM")
def sigint(directory):
    for number in (signal.SIGINT, signal.SIGQUIT):
        with Server(directory) as server, server.client() as client:
            server.signal(number)
            client.expect(421, number.name)
            equal(server.process.wait(10 * PATIENCE), 0, "status")


@case("what nobody sends on purpose does nothing; what the starter ignores is heard all the same")
def ignored(directory):
    with Server(directory).start(["sh", "-c", "trap '' HUP USR1 USR2; exec \"$@\"", "sh"]) as server, server.client() as client:
        for number in (signal.SIGXCPU, signal.SIGXFSZ, signal.SIGALRM, signal.SIGPIPE):
            server.signal(number)
        for number, event in ((signal.SIGUSR1, "log_opened"), (signal.SIGUSR2, "counters"), (signal.SIGHUP, "reload")):
            server.signal(number)
            wait_for(event, lambda: any(line["event"] == event for line in server.log()))
        client.command("QUIT", 221)


@case("SIGTERM in the middle of 50 busy sessions: every 250 has its file")
def sigterm_under_load(directory):
    with Server(directory) as server:
        answered = send_until_gone(server, clients=50, kill=lambda: server.signal(signal.SIGTERM), after=100)
        server.stop()
        verify_files(server, answered)


class Answers:
    """What was answered 250, from several threads; calls `kill` when there are `after` of them."""

    def __init__(self, kill, after):
        self.lock = threading.Lock()
        self.found = {}
        self.kill, self.after = kill, after

    def add(self, message_id, text):
        with self.lock:
            self.found[message_id] = text
            if len(self.found) == self.after:
                self.kill()


def send_messages(server, number, answers):
    """Until the server is gone."""
    try:
        with Client(server.port) as client:
            for count in range(1000):
                text = HEADER + b"client %d message %d\r\n" % (number, count) + b"filler\r\n" * (number * 97 % 4000)
                said = client.deliver(text, helo=HELO if count == 0 else None)
                answers.add(re.search(r"accepted as (\S+)", said)[1], text)
    except (OSError, AssertionError):
        return


def send_until_gone(server, clients, kill, after):
    answers = Answers(kill, after)
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        for future in [pool.submit(send_messages, server, number, answers) for number in range(clients)]:
            future.result()
    assert len(answers.found) >= after, f"only {len(answers.found)} answers"
    return answers.found


def verify_files(server, answered):
    stored = {re.search(rb"\sid (\S+)", mail)[1].decode(): without_trace(mail) for mail in server.mails()}
    lost = [name for name in answered if name not in stored]
    equal(lost, [], "answered and lost")
    for name, text in answered.items():
        equal(stored[name], text, f"message {name}")


@case("kill -9 right after a 250 loses no mail, and it starts again, 30 times")
def kill(directory):
    server = Server(directory)
    everything = {}
    for round_number in range(30):
        server.start()
        everything |= send_until_gone(server, clients=4, kill=server.process.kill, after=1 + round_number % 7)
        server.process.wait()
        verify_files(server, everything)
    note(f"{len(everything)} messages answered, none lost")
    with server.start() as again, again.client() as client:
        client.deliver(MESSAGES["UTF-8"])


if __name__ == "__main__":
    main()
