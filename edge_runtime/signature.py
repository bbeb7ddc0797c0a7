"""Signatures in minisign's form (Ed25519): who made a file, beside digests that only say it is whole.

Source of the format: https://jedisct1.github.io/minisign/, sections "Signature format" and "Public key format".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_runtime.errors import ConfigError, SignatureError

SIGNATURE_SUFFIX: Final = ".minisig"

_LEGACY, _PREHASHED = b"Ed", b"ED"
_KEY_ID_BYTES, _KEY_BYTES, _SIGNATURE_BYTES = 8, 32, 64
_UNTRUSTED, _TRUSTED = b"untrusted comment:", b"trusted comment: "
_MAX_TEXT_BYTES = 16 * 1024
"""minisign's own comments end at 8 kB; nothing longer is looked at."""


@dataclass(frozen=True)
class TrustedKeys:
    """The public keys whose signatures are accepted."""

    where: str
    """File they came from, for messages."""
    keys: dict[bytes, bytes]
    """Key id (8 bytes) to Ed25519 public key (32 bytes)."""


@dataclass(frozen=True)
class _Signature:
    prehashed: bool
    key_id: bytes
    over_content: bytes
    trusted_comment: bytes
    over_comment: bytes
    """Covers over_content and trusted_comment."""


def load_keys(path: Path) -> TrustedKeys:
    """Read a public key file: one key, or several while a fleet changes from an old key to a new one.

    Raises:
        ConfigError: unreadable, or no minisign public key in it.
    """
    try:
        lines = path.read_bytes()[:_MAX_TEXT_BYTES].splitlines()
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot read the public key ({error.strerror}); check models.public_key_file"
        ) from error
    keys = {}
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith(_UNTRUSTED):
            raw = _decoded(line)
            if raw is None or len(raw) != 2 + _KEY_ID_BYTES + _KEY_BYTES or raw[:2] != _LEGACY:
                # The line itself is not told: it may be a secret key.
                raise ConfigError(
                    f"{path}:{number}: no minisign public key, expected 56 characters that begin with RW; take the "
                    f"file that `minisign -G` writes as minisign.pub, never the secret key"
                )
            keys[raw[2:10]] = raw[10:]
    if not keys:
        raise ConfigError(f"{path}: no public key in it; expected the file that `minisign -G` writes (minisign.pub)")
    return TrustedKeys(str(path), keys)


def require_signed_file(path: Path, keys: TrustedKeys) -> None:
    """Accept a single file that has its signature beside it: FILE.minisig.

    Raises:
        SignatureError: not signed with a trusted key, or not there.
        ConfigError: the library for Ed25519 is not installed.
    """
    beside = path.with_name(path.name + SIGNATURE_SUFFIX)
    try:
        content, signature = path.read_bytes(), beside.read_bytes()
    except OSError as error:
        raise SignatureError(
            f"{error.filename}: {error.strerror}; a model of one file needs its signature by a key of {keys.where} "
            f"beside it: sign it with `minisign -Sm {path.name}`"
        ) from error
    verify_signature(content, signature, keys, str(beside))


def verify_signature(content: bytes, signature: bytes, keys: TrustedKeys, where: str) -> str:
    """Accept a file that one of the trusted keys has signed.

    Args:
        content: the signed file.
        signature: its .minisig.
        keys: who is trusted.
        where: path of the .minisig, for messages.

    Returns:
        The trusted comment, which is signed too.

    Raises:
        SignatureError: garbled, of another key, of another file, or with a changed comment.
        ConfigError: the library for Ed25519 is not installed.
    """
    parsed = _parsed(signature, where)
    key = keys.keys.get(parsed.key_id)
    if key is None:
        raise SignatureError(
            f"{where}: signed with key {_shown(parsed.key_id)}, expected {' or '.join(map(_shown, keys.keys))} of "
            f"{keys.where}; sign it with that key, or trust this one in models.public_key_file"
        )
    message = hashlib.blake2b(content).digest() if parsed.prehashed else content
    if not _is_signed(message, parsed.over_content, key):
        raise SignatureError(
            f"{where}: the signature is of other content, expected one of the file beside it; copy the bundle again, "
            f"or sign it again with `minisign -Sm SHA256SUMS`"
        )
    if not _is_signed(parsed.over_content + parsed.trusted_comment, parsed.over_comment, key):
        raise SignatureError(
            f"{where}: the trusted comment {parsed.trusted_comment[:80]!r} is not the one that was signed; "
            f"copy the bundle again, or sign it again with `minisign -Sm SHA256SUMS`"
        )
    return parsed.trusted_comment.decode("utf-8", errors="replace")


def _parsed(text: bytes, where: str) -> _Signature:
    lines = [line.rstrip(b"\r") for line in text[:_MAX_TEXT_BYTES].rstrip(b"\r\n").split(b"\n")]
    body = _decoded(lines[1]) if len(lines) == 4 else None
    last = _decoded(lines[3]) if len(lines) == 4 else None
    whole = (
        body is not None
        and last is not None
        and len(body) == 2 + _KEY_ID_BYTES + _SIGNATURE_BYTES
        and body[:2] in (_LEGACY, _PREHASHED)
        and len(last) == _SIGNATURE_BYTES
        and lines[0].startswith(_UNTRUSTED)
        and lines[2].startswith(_TRUSTED)
    )
    if body is None or last is None or not whole:
        raise SignatureError(
            f"{where}: {len(lines)} lines that are no minisign signature, expected 4: comment, signature, trusted "
            f"comment, signature; copy it again, or make it with `minisign -Sm SHA256SUMS`"
        )
    comment = lines[2].removeprefix(_TRUSTED)
    return _Signature(body[:2] == _PREHASHED, body[2:10], body[10:], comment, last)


def _decoded(line: bytes) -> bytes | None:
    try:
        return base64.b64decode(line.strip(), validate=True)
    except binascii.Error:
        return None


def _shown(key_id: bytes) -> str:
    """Write a key id as minisign does: a little-endian number in capital digits."""
    return f"{int.from_bytes(key_id, 'little'):X}"


def _is_signed(message: bytes, signature: bytes, key: bytes) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        raise ConfigError(
            "models.public_key_file is set, but the library that checks signatures is missing: "
            "pip install 'emotion-edge[signing]'"
        ) from error
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True
