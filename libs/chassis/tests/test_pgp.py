"""What is inside a sealed message is bounded: a few bytes may stand for a huge file."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path

import pytest
from chassis.inbound.file_shelf import ClosedFile
from chassis.inbound.pgp import PgpOpening
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from pysequoia import CipherSuite, Tsk, encrypt

AES_256, RSA, ZLIB, SUBKEY = 9, 1, 2, 14
MEGABYTE = 1_000_000


def packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body


def packets(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The packets of a certificate, which have short lengths and new headers."""
    at = 0
    while at < len(message):
        tag, first = message[at] & 0x3F, message[at + 1]
        length, begin = (first, at + 2) if first < 192 else ((first - 192 << 8) + message[at + 2] + 192, at + 3)
        yield tag, message[begin : begin + length]
        at = begin + length


def subkey_of(key: Tsk) -> tuple[bytes, rsa.RSAPublicKey]:
    """The id and the numbers of the key that messages are sealed for: the one that a message names."""
    certificate = key.extract_certificate()
    message = encrypt(b"", [certificate], armor=False)
    subkeys = {fingerprint_of(body): body for tag, body in packets(bytes(certificate)) if tag == SUBKEY}
    fingerprint = next(each for each in subkeys if each in message)
    body, at, numbers = subkeys[fingerprint], 6, []
    for _ in "ne":
        size = (int.from_bytes(body[at : at + 2], "big") + 7) // 8
        numbers.append(int.from_bytes(body[at + 2 : at + 2 + size], "big"))
        at += 2 + size
    return fingerprint[-8:], rsa.RSAPublicNumbers(numbers[1], numbers[0]).public_key()


def fingerprint_of(body: bytes) -> bytes:
    return sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False).digest()


def compressed_for(key: Tsk, content: bytes) -> bytes:
    """A message as a partner would send it whose software compresses before it seals."""
    inside = packet(8, bytes([ZLIB]) + zlib.compress(packet(11, b"b\x00" + bytes(4) + content)))
    key_id, public = subkey_of(key)
    session = os.urandom(32)
    asked = bytes([AES_256]) + session + (sum(session) % 65536).to_bytes(2, "big")
    secret = int.from_bytes(public.encrypt(asked, padding.PKCS1v15()), "big")
    wrapped = secret.bit_length().to_bytes(2, "big") + secret.to_bytes((secret.bit_length() + 7) // 8, "big")
    begin = os.urandom(16)
    plain = begin + begin[-2:] + inside + b"\xd3\x14"
    plain += sha1(plain, usedforsecurity=False).digest()
    cipher = Cipher(algorithms.AES(session), CFB(bytes(16))).encryptor()
    sealed = cipher.update(plain) + cipher.finalize()
    return packet(1, b"\x03" + key_id + bytes([RSA]) + wrapped) + packet(18, b"\x01" + sealed)


@pytest.fixture(scope="module")
def key() -> Tsk:
    return Tsk.generate("us@example.org", cipher_suite=CipherSuite.RSA2k)


@pytest.fixture
def key_file(tmp_path: Path, key: Tsk) -> Path:
    path = tmp_path / "our.pgp"
    path.write_bytes(str(key).encode())
    return path


def test_a_compressed_message_is_opened(key: Tsk, key_file: Path) -> None:
    assert PgpOpening(key_file)(compressed_for(key, b"ISA*00*secret")) == b"ISA*00*secret"


def test_a_small_message_that_holds_a_huge_file_is_refused_by_name(key: Tsk, key_file: Path) -> None:
    bomb = compressed_for(key, bytes(64 * MEGABYTE))
    assert len(bomb) < MEGABYTE / 10
    with pytest.raises(ClosedFile, match="pgp-size"):
        PgpOpening(key_file, bytes_max=MEGABYTE)(bomb)


def test_what_is_exactly_as_large_as_allowed_is_opened(key: Tsk, key_file: Path) -> None:
    message = encrypt(bytes(MEGABYTE), [key.extract_certificate()])
    assert len(PgpOpening(key_file, bytes_max=MEGABYTE)(message)) == MEGABYTE
    with pytest.raises(ClosedFile, match="pgp-size"):
        PgpOpening(key_file, bytes_max=MEGABYTE - 1)(message)
