"""Secrets: encrypted columns with key rotation, keyed hashes, tokens that are stored hashed, and
the platform's signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets as entropy
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

from marketplace.verify.keys import key_id
from marketplace.verify.seal import SALT_BYTES

NONCE_BYTES = 12


class KeysMissing(RuntimeError):
    """A secret was used before `use_keys` was called: a fault of the start-up."""


class Undecryptable(RuntimeError):
    """None of the keys opens this value: a key was removed before its values were rotated."""


class _Keyring:
    def __init__(self) -> None:
        self.box: MultiFernet | None = None
        self.pseudonyms = b""
        self.signing: tuple[Ed25519PrivateKey, ...] = ()

    def opened(self) -> MultiFernet:
        if self.box is None:
            raise KeysMissing("secrets.use_keys() has not been called.")
        return self.box


_ring = _Keyring()


def use_keys(encryption_keys: Sequence[str], pseudonym_key: str) -> None:
    """Set the keys for this process: newest first; the first encrypts, all decrypt."""
    _ring.box = MultiFernet([Fernet(key) for key in encryption_keys])
    _ring.pseudonyms = pseudonym_key.encode()


def use_signing_keys(seeds: Sequence[str]) -> None:
    """Set the platform's Ed25519 keys, newest first: the first signs, all are published.

    seeds: 32 bytes each, in URL-safe base64.
    """
    _ring.signing = tuple(
        Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(seed)) for seed in seeds
    )


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature (64 bytes) of the key with this id; public_key: its 32 bytes."""

    key_id: str
    public_key: bytes
    signature: bytes


def sign(message: bytes) -> Signature:
    """The platform's signature of a message, with its newest key."""
    if not _ring.signing:
        raise KeysMissing("secrets.use_signing_keys() has not been called.")
    key = _ring.signing[0]
    public = key.public_key().public_bytes_raw()
    return Signature(key_id(public), public, key.sign(message))


def public_keys() -> dict[str, bytes]:
    """The platform's public keys by their ids, newest first."""
    publics = [key.public_key().public_bytes_raw() for key in _ring.signing]
    return {key_id(public): public for public in publics}


def new_salt() -> bytes:
    """A random salt for one commitment; who destroys it makes the commitment say nothing."""
    return entropy.token_bytes(SALT_BYTES)


def encrypt(plain: str) -> bytes:
    """`plain` under the newest key."""
    return _ring.opened().encrypt(plain.encode())


def decrypt(sealed: bytes) -> str:
    """The text that was sealed; Undecryptable when no key fits."""
    try:
        return _ring.opened().decrypt(sealed).decode()
    except InvalidToken:
        raise Undecryptable("No encryption key opens this value.") from None


def rotate(sealed: bytes) -> bytes:
    """The same secret under the newest key."""
    try:
        return _ring.opened().rotate(sealed)
    except InvalidToken:
        raise Undecryptable("No encryption key opens this value.") from None


def new_file_key() -> str:
    """A key of 256 bits for one file. Keep it in an EncryptedText column: rotating that column
    brings the file under the newest key without touching it, and emptying it destroys the file.
    """
    return base64.b64encode(AESGCM.generate_key(256)).decode()


def seal_file(content: bytes, key: str, context: str) -> bytes:
    """A file under its own key (AES-256-GCM); context: what it belongs to, needed to open it."""
    nonce = entropy.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(base64.b64decode(key)).encrypt(nonce, content, context.encode())


def open_file(sealed: bytes, key: str, context: str) -> bytes:
    """What `seal_file` sealed; Undecryptable when a byte, the key or the context differs."""
    box = AESGCM(base64.b64decode(key))
    try:
        return box.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError):
        raise Undecryptable("This file is not what was stored.") from None


class EncryptedText(TypeDecorator[str]):
    """Text that the database only ever sees encrypted (BYTEA)."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        del dialect
        return None if value is None else encrypt(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else decrypt(bytes(value))


def new_token(prefix: str) -> str:
    """A random token of 256 bits that says what it is for, such as `mkt_…`; show it once."""
    return f"{prefix}_{entropy.token_urlsafe(32)}"


def token_hash(token: str) -> bytes:
    """SHA-256 of a token of full entropy: what is stored and looked up instead of the token."""
    return hashlib.sha256(token.encode()).digest()


def keyed_hash(purpose: str, value: str) -> bytes:
    """HMAC-SHA256 of a guessable value, for uniqueness without the value; one key a purpose."""
    if not _ring.pseudonyms:
        raise KeysMissing("secrets.use_keys() has not been called.")
    key = hmac.digest(_ring.pseudonyms, purpose.encode(), "sha256")
    return hmac.digest(key, value.encode(), "sha256")


def pseudonym(viewer: str, subject: str) -> str:
    """What one viewer sees instead of a person; two viewers cannot join theirs."""
    return "S-" + keyed_hash(f"pseudonym:{viewer}", subject).hex()[:10].upper()


def chain_hash(previous: bytes, content: dict[str, object]) -> bytes:
    """The next link of a hash chain: SHA-256 over the former link and canonical JSON.

    content: ids, numbers and salted hashes only, never anything personal, since a chain
    cannot forget. Times are RFC 3339 text, ids their canonical text.
    """
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(previous + canonical.encode()).digest()
