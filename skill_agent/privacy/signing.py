"""Whose export a file is: a home signs what it exports, and is believed where its key is known.

Ed25519, so that nothing secret travels: another home checks a file by the public key, which a
person reads where the export was made and names where it comes in.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_agent.errors import StoreError, UsageError
from skill_agent.files.home import Home
from skill_agent.files.private import write_private

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_LED = "ed25519:"
_LONGEST_SEAL = 2_000
_FOR_WHAT = b"skill-agent export\n"
"""Stands before what is signed: a signature means nothing anywhere else."""


class HomeKey:
    """The key a home signs with, in `signing.key`; made when first needed."""

    def __init__(self, home: Home) -> None:
        self.file = home.root / "signing.key"
        self._unkept: Ed25519PrivateKey | None = None
        """One that could not be written down, for as long as this process lasts."""

    @property
    def public(self) -> str:
        """As a person copies it."""
        return _LED + _text(self._private().public_key().public_bytes_raw())

    def make(self) -> None:
        """Makes the key, if there is none yet."""
        if not self.file.exists():
            self._private()

    def sign(self, record: dict[str, Any]) -> dict[str, str]:
        """The signature of a JSON object, with the key to check it by."""
        signature = self._private().sign(_signed(record))
        return {"key": self.public, "signature": _text(signature)}

    def sign_file(self, path: Path) -> str:
        """Writes the signature of a file beside it, and gives the key to check it by."""
        try:
            seal = self.sign(_record_of(path))
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
        write_private(_beside(path), json.dumps(seal) + "\n")
        return seal["key"]

    def _private(self) -> "Ed25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        if self._unkept is not None:
            return self._unkept
        if not self.file.exists():
            made = Ed25519PrivateKey.generate()
            try:
                write_private(self.file, _text(made.private_bytes_raw()) + "\n")
            except StoreError:
                self._unkept = made
                return made
        try:
            return Ed25519PrivateKey.from_private_bytes(_bytes(self.file.read_text("ascii")))
        except (OSError, ValueError):
            raise UsageError(
                f"{self.file} is no key that can be read",
                hint="move it away: the next export makes another",
            ) from None


def signer(record: dict[str, Any], seal: object) -> str:
    """The public key of whoever signed the object; empty where nobody did, or not this one."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not isinstance(seal, dict):
        return ""
    key, signature = seal.get("key"), seal.get("signature")
    if not isinstance(key, str) or not isinstance(signature, str):
        return ""
    try:
        public = Ed25519PublicKey.from_public_bytes(_bytes(key.removeprefix(_LED)))
        public.verify(_bytes(signature), _signed(record))
    except (ValueError, InvalidSignature):
        return ""
    return key


def signer_of_file(path: Path) -> str:
    """As `signer`, of a file by the signature that lies beside it; raises OSError where there is
    no such file."""
    record = _record_of(path)
    try:
        seal = json.loads(_beside(path).read_bytes()[:_LONGEST_SEAL])
    except (OSError, ValueError, RecursionError):
        return ""
    return signer(record, seal)


def checked_trust(path: Path, found: str, own: str, named: str) -> None:
    """Raises UsageError unless a file signed with the key `found` comes from this home (`own`), or
    from the one whose key a person named."""
    if named and not _is_key(named):
        raise UsageError(
            f"{named[:80]!r} is no key of a home",
            hint=f"the export told it; it begins with {_LED}",
        )
    if not found:
        raise UsageError(
            f"{path} bears no signature that fits it. Nothing was imported.",
            hint="leave --trust out: it comes in as text from outside",
        )
    if found == (named or own):
        return
    whose = "the key that was named" if named else "this home's key"
    raise UsageError(
        f"{path} was not signed with {whose}. Nothing was imported.",
        hint="name the key that its export told (--key), or leave --trust out",
    )


def _record_of(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        return {"sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sig")


def _is_key(text: str) -> bool:
    try:
        return text.startswith(_LED) and len(_bytes(text.removeprefix(_LED))) == 32
    except ValueError:
        return False


def _signed(record: dict[str, Any]) -> bytes:
    said = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return _FOR_WHAT + said.encode()


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    text = text.strip()
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
