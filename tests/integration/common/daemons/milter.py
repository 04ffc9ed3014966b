"""A mail filter for tests, which speaks protocol 6 of milters and answers as it is told to."""

import struct

from common.daemons.listening import Daemon

STEPS = {"O": "OPTIONS", "C": "CONNECT", "H": "HELO", "M": "MAIL", "R": "RCPT", "T": "DATA", "L": "HEADER", "N": "END_OF_HEADER",
         "B": "BODY", "E": "END"}
SILENT = 0xFF080  # rspamd's: no reply to anything before the end


def frame(command, *strings):
    """A command of the protocol: its octet, and strings that end with NUL."""
    data = command.encode() + b"".join(text.encode() + b"\0" for text in strings)
    return struct.pack(">I", len(data)) + data


def insertion(index, name, value, command="i"):
    data = command.encode() + struct.pack(">I", index) + f"{name}\0{value}\0".encode()
    return struct.pack(">I", len(data)) + data


def body(octets):
    return struct.pack(">I", len(octets) + 1) + b"b" + octets


def words(text):
    return frame("y", text)


class Milter(Daemon):
    """Listens on 127.0.0.1, or at `path`. `answers` has octets for a step by its name, such as {"RCPT bob": frame("r")}, or GO_AWAY, or HANG,
    or a function that returns one of these.
    What it was told is in `told`, as (step, data); macros are in `macros`, and whole texts in `texts`."""

    def __init__(self, port=0, path=None, actions=0x1FF, steps=0):
        self.answers, self.told, self.texts, self.macros = {}, [], [], {}
        self.actions, self.steps = actions, steps
        super().__init__(port, path)

    def section(self, name="filter", options=""):
        return f'milter "{name}" {{ connect = "{self.address}" {options} }}\n'

    # ---- one connection

    def answer(self, connection, step, usual):
        said = self.answers.get(step, self.answers.get(step.split()[0], usual))
        if callable(said):
            said = said()
        self.obey(said)
        if said:
            connection.wfile.write(said)

    def is_silent(self, command):
        """As the steps that were asked for say."""
        bits = {"C": 0x1000, "H": 0x2000, "M": 0x4000, "R": 0x8000, "T": 0x10000, "L": 0x80, "N": 0x40000, "B": 0x80000}
        return self.steps & bits.get(command, 0)

    def serve(self, connection):
        text = b""
        while head := connection.rfile.read(4):
            data = connection.rfile.read(struct.unpack(">I", head)[0])
            command, data = chr(data[0]), data[1:]
            if command == "D":
                pairs = data[1:].split(b"\0")[:-1]
                self.macros.setdefault(chr(data[0]), {}).update(zip((p.decode() for p in pairs[::2]), (p.decode() for p in pairs[1::2])))
                continue
            self.told.append((STEPS.get(command, command), data))
            if command == "Q":
                return
            if command == "A":
                text = b""
            elif command == "O":
                self.answer(connection, "OPTIONS", struct.pack(">IcIII", 13, b"O", 6, self.actions, self.steps))
            elif command == "L":
                name, value = data.split(b"\0")[:2]
                text += name + b":" + (b"" if self.steps & 0x100000 else b" ") + value.replace(b"\n", b"\r\n") + b"\r\n"
            elif command == "N":
                text += b"\r\n"
            elif command == "B":
                text += data
            elif command == "E":
                self.texts.append(text)
                text = b""
            if command not in "OA":
                step = STEPS[command]
                if command == "R":
                    step += " " + data[1:].split(b"@")[0].decode()
                self.answer(connection, step, b"" if self.is_silent(command) else frame("c"))
