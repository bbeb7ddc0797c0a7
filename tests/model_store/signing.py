"""A key pair and signatures in minisign's form, made with cryptography; test_signature.py compares the real program."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_runtime.bundle import SUMS_FILE
from edge_runtime.signature import SIGNATURE_SUFFIX, TrustedKeys, load_keys

SIGNED_SUMS = SUMS_FILE + SIGNATURE_SUFFIX


@dataclass(frozen=True)
class Signer:
    """Somebody who signs."""

    key_id: bytes = b"\x01\x02\x03\x04\x05\x06\x07\x08"
    secret: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def write_public_key(self, path: Path) -> Path:
        """Write what `minisign -G` writes as minisign.pub."""
        raw = b"Ed" + self.key_id + self.secret.public_key().public_bytes_raw()
        path.write_bytes(b"untrusted comment: minisign public key\n" + base64.b64encode(raw) + b"\n")
        return path

    def trusted(self, folder: Path) -> TrustedKeys:
        """Trust this key alone."""
        return load_keys(self.write_public_key(folder / "trusted.pub"))

    def sign(
        self, content: bytes, *, prehashed: bool = True, comment: bytes = b"timestamp:1\tfile:SHA256SUMS"
    ) -> bytes:
        """Write a .minisig."""
        message = hashlib.blake2b(content).digest() if prehashed else content
        over_content = self.secret.sign(message)
        body = (b"ED" if prehashed else b"Ed") + self.key_id + over_content
        lines = (
            b"untrusted comment: signature",
            base64.b64encode(body),
            b"trusted comment: " + comment,
            base64.b64encode(self.secret.sign(over_content + comment)),
        )
        return b"\n".join(lines) + b"\n"

    def signed(self, files: dict[str, bytes]) -> dict[str, bytes]:
        """Add the signature of SHA256SUMS to a bundle's files."""
        return files | {SIGNED_SUMS: self.sign(files[SUMS_FILE])}
