"""A next hop for tests, which answers as it is told to."""

import socket

from common.daemons.listening import GO_AWAY, HANG, Daemon

ENDLESS = object()  # in the place of an answer
TAKE_AND_GO = object()  # the mail is taken, and nobody hears of it


def code_of_data(client, **envelope):
    """What DATA is told behind this envelope."""
    client.envelope(**envelope)
    client.raw(b"DATA\r\n")
    return client.reply()[0]


class Drip(str):
    """An answer that comes octet by octet."""


class NextHop(Daemon):
    """Listens on `host`, or at `path`, and takes all mail. `answers` changes that: {"MAIL": "451 4.0.0 later", "RCPT bob": GO_AWAY,
    "DOT alice": HANG}. What it has taken is in `mails`, as (sender, recipients, text)."""

    def __init__(self, protocol="lmtp", port=0, path=None, host="127.0.0.1"):
        self.protocol = protocol
        self.answers, self.mails, self.commands = {}, [], []
        super().__init__(port, path, host)
        self.address = f"lmtp:unix:{path}" if path else f"{protocol}://{self.endpoint}"

    def asked(self, recipient):
        """How often it was told RCPT."""
        return self.commands.count(f"RCPT TO:<{recipient}>")

    # ---- one connection

    def to_say(self, connection, step, usual):
        """For whoever wants to decide otherwise: asked once for each answer."""
        return self.answers.get(step, self.answers.get(step.split()[0], usual))

    def answer(self, connection, step, usual):
        """`step` may name a recipient. What it ends in a StopIteration closes the connection."""
        return self.say(connection, self.to_say(connection, step, usual))

    def say(self, connection, said):
        while said is ENDLESS:
            connection.wfile.write(b"250-and so on\r\n")
        if said is HANG:
            self.is_over.wait()
        if said in (HANG, GO_AWAY):
            connection.request.shutdown(socket.SHUT_RDWR)
            raise StopIteration
        octets = said.encode() + b"\r\n"
        pieces = [octets[at:at + 1] for at in range(len(octets))] if isinstance(said, Drip) else [octets]
        for piece in pieces:
            connection.wfile.write(piece)
        return said[0] in "23"

    def take(self, connection, sender, recipients, text):
        """It has the mail, and says so next."""
        self.mails.append((sender, recipients, text))

    def serve(self, connection):
        sender, recipients = None, []
        self.answer(connection, "BANNER", "220 hop ready")
        while line := connection.rfile.readline():
            self.commands.append(line.decode().rstrip())
            verb = line.split()[0].decode().upper()
            path = line.partition(b"<")[2].partition(b">")[0].decode()
            if verb in ("EHLO", "LHLO"):
                self.answer(connection, verb, "250-hop\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES")
            elif verb == "MAIL":
                recipients = []
                sender = path if self.answer(connection, verb, "250 2.1.0 ok") else None
            elif verb == "RCPT" and sender is None:
                connection.wfile.write(b"503 5.5.1 no sender\r\n")
            elif verb == "RCPT":
                if self.answer(connection, f"RCPT {path.split('@')[0]}", "250 2.1.5 ok"):
                    recipients.append(path)
            elif verb == "DATA" and not recipients:
                connection.wfile.write(b"503 5.5.1 no recipients\r\n")
            elif verb == "DATA":
                if self.answer(connection, verb, "354 go on"):
                    self.take_text(connection, sender, recipients)
            else:
                self.answer(connection, verb, "250 2.0.0 ok" if verb != "QUIT" else "221 2.0.0 bye")
                if verb == "QUIT":
                    return

    def take_text(self, connection, sender, recipients):
        lines = []
        while (line := connection.rfile.readline()) != b".\r\n":
            if not line:
                raise StopIteration
            lines.append(line[1:] if line.startswith(b".") else line)
            if "TEXT" in self.answers:
                self.answer(connection, "TEXT", "")
        for recipient in recipients if self.protocol == "lmtp" else recipients[:1]:
            step, usual = f"DOT {recipient.split('@')[0]}", "250 2.0.0 taken"
            said = self.to_say(connection, step, usual)
            if said is TAKE_AND_GO or (isinstance(said, str) and said.startswith("2")):
                self.take(connection, sender, recipient if self.protocol == "lmtp" else recipients, b"".join(lines))
            self.say(connection, GO_AWAY if said is TAKE_AND_GO else said)
