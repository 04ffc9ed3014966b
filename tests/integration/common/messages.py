"""Message texts that a receiver could spoil; CRLF line ends, each with the name of what is special about it."""

HEADER = b"From: me@example.com\r\nSubject: test\r\n\r\n"

MESSAGES = {
    "plain text": HEADER + b"It works.\r\n",
    "all 8-bit octets": HEADER + bytes(range(128, 256)) + b"\r\n",
    "UTF-8": HEADER + "Grüße, Ελλάδα, 日本, 🙂\r\n".encode(),
    "dots": HEADER + b".\r\n..\r\n...\r\n.x\r\n..x\r\nx.\r\n.\r\n",
    "a line of 100,000 octets": HEADER + b"x" * 100_000 + b"\r\n",
    "dots around the edges of 16 KiB": HEADER + b"".join(b"y" * (16300 + n) + b"\r\n.\r\n..z\r\n" for n in range(60)),
    "an empty body": HEADER,
    "nothing at all": b"",
    "one empty line": b"\r\n",
    "no header": b"no header, just text\r\n",
    "control characters": HEADER + bytes(c for c in range(1, 32) if c not in (10, 13)) + b"\x7f\r\n",
    "blank lines at the end": HEADER + b"text\r\n\r\n\r\n\r\n",
    "spaces at line ends": HEADER + b"text  \r\n\t\r\n \r\n",
    "a megabyte": HEADER + b"".join(b"line %d of a long message\r\n" % n for n in range(40_000)),
}
