"""An SMTP server with every fault that tests/hostile is to find, so that it is known to find them: lines end with LF, commands but
MAIL need no order, STARTTLS keeps what came before it, and names go into the header as they are."""

import re
import socketserver
import ssl
import threading
import time


class Session(socketserver.StreamRequestHandler):
    def line(self):
        while b"\n" not in self.octets:
            more = self.request.recv(65536)
            if not more:
                raise ConnectionError
            self.octets += more
        line, _, self.octets = self.octets.partition(b"\n")
        with self.server.log.open("ab") as log:
            log.write(line + b"\n")
        return line.rstrip(b"\r")

    def say(self, text):
        self.request.sendall(text.encode() + b"\r\n")

    def handle(self):
        self.octets, self.helo, self.rcpts = b"", b"", 0
        try:
            self.say("220 faulty")
            while self.obey(self.line()):
                pass
        except OSError:
            pass

    def obey(self, line):
        verb = line[:4].upper()
        if verb in (b"EHLO", b"HELO"):
            self.helo = line[5:]
            self.say("250-faulty\r\n250 STARTTLS" if self.server.context else "250 faulty")
        elif verb == b"RCPT":
            is_known = re.search(rb"<alice@|/|\|", line)
            self.rcpts += bool(is_known)
            self.say("250 ok" if is_known else "550 unknown")
        elif verb == b"DATA":
            self.take_text()
        elif verb == b"VRFY":
            self.say("250 ok" if b"alice" in line else "550 unknown")
        elif verb == b"STAR":
            self.say("220 go ahead")
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        elif verb == b"QUIT":
            self.say("221 bye")
        elif verb == b"MAIL" and not self.helo:
            self.say("503 EHLO first")
        else:
            self.say("250 ok" if verb in (b"MAIL", b"NOOP", b"RSET") else "500 unknown")
        return verb != b"QUIT"

    def take_text(self):
        self.say("354 go ahead")
        lines = []
        while (line := self.line()) != b".":
            lines.append(line)
        path = self.server.maildir / f"{time.time_ns()}.{threading.get_ident()}"
        path.write_bytes(b"Received: from " + self.helo + b"\n" + b"\n".join(lines) + b"\n")
        self.say("250 stored")


class FaultyServer(socketserver.ThreadingTCPServer):
    """A context manager; it stores below `maildir`, and logs each line into `log` as it comes. certificate: PEM files of it and of its key,
    or None for a server without TLS."""

    allow_reuse_address, daemon_threads, request_queue_size = True, True, 100

    def __init__(self, maildir, log, certificate=None):
        super().__init__(("127.0.0.1", 0), Session)
        self.maildir, self.log, self.context = maildir, log, None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)

    def handle_error(self, request, client_address):
        """Its clients break off as they like."""

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *ignored):
        self.shutdown()
        self.server_close()
