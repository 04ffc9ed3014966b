"""Keys that tests sign mail with, and their records."""

import base64

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa


def base64_of(key, encoding, form):
    return base64.b64encode(key.public_key().public_bytes(encoding, form)).decode()


def rsa_key(bits=2048):
    """(secret key as PEM, the value of p=)."""
    key = rsa.generate_private_key(65537, bits)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    return pem, base64_of(key, serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def ed25519_key():
    """The same of Ed25519."""
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem, base64_of(key, serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def with_crlf(octets):
    """The same lines, each of which ends with CRLF, whether it did or ended with LF alone."""
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def key_record(name, public, kind="rsa"):
    """A line of a zone, in strings of 200 octets."""
    value = f"v=DKIM1; k={kind}; p={public}"
    return f"{name} 60 TXT " + " ".join(f'"{value[at:at + 200]}"' for at in range(0, len(value), 200)) + "\n"
