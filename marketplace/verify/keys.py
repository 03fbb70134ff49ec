"""Public keys: what they are called, and how they are read from what people have saved."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

KEY_BYTES = 32
SIGNATURE_BYTES = 64
_PEM = "-----BEGIN PUBLIC KEY-----"
# What stands before the 32 bytes of an Ed25519 key in its DER (RFC 8410).
_DER = bytes.fromhex("302a300506032b6570032100")


class UnreadableKey(ValueError):
    """What was given as a public key is none."""


def key_id(public_key: bytes) -> str:
    """What a public key is called: 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def keys_of(text: str) -> dict[str, bytes]:
    """Ed25519 public keys by their ids: a JWK set, PEM, or 32 bytes in base64 or hexadecimal.

    Raises UnreadableKey.
    """
    text = text.strip()
    try:
        if text.startswith("{"):
            found = _of_jwks(json.loads(text))
        elif text.startswith(_PEM):
            der = base64.b64decode("".join(text.splitlines()[1:-1]), validate=True)
            found = [der.removeprefix(_DER)]
        elif len(text) == 2 * KEY_BYTES:
            found = [bytes.fromhex(text)]
        else:
            found = [unpacked(text)]
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as wrong:
        raise UnreadableKey("This is no Ed25519 public key.") from wrong
    if not found or any(len(key) != KEY_BYTES for key in found):
        raise UnreadableKey("This is no Ed25519 public key.")
    return {key_id(key): key for key in found}


def _of_jwks(document: Mapping[str, Any]) -> list[bytes]:
    keys = document.get("keys", [document])
    return [unpacked(each["x"]) for each in keys if each.get("crv") == "Ed25519"]


def packed(content: bytes) -> str:
    """Bytes as URL-safe base64 without its padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def unpacked(text: str) -> bytes:
    """What `packed` packed; ValueError for anything else."""
    padded = text.rstrip("=").replace("+", "-").replace("/", "_")
    padded += "=" * (-len(padded) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)


def jwk(public_key: bytes) -> dict[str, str]:
    """A public key as a JSON Web Key (RFC 8037)."""
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "alg": "EdDSA",
        "kid": key_id(public_key),
        "x": packed(public_key),
    }


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the owner of the key signed the message."""
    # Here, so that the rest can be used where it is not installed.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PublicKey,
    )

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True
