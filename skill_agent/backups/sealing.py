"""Encrypting an archive with a passphrase, as age does it, so that `age` alone opens it again.

age encrypts to a key made for this one backup, and the key to the passphrase: archives of any size
pass through in pieces, and only the small file waits for the slow work on the passphrase.
`age -d -i key.age home.tar.gz.age` is the way back without this program.
"""

from pathlib import Path
from typing import Any

from skill_agent.errors import SkillAgentError, UsageError
from skill_agent.files.private import read_bytes
from skill_agent.text.checks import sound_text

KEY = "key.age"
SHORTEST = 8
_TRIES = 5


def checked_passphrase(passphrase: str) -> str:
    """The passphrase; raises UsageError for one that protects nothing."""
    sound_text(passphrase, "the passphrase")
    if len(passphrase) < SHORTEST:
        raise UsageError(
            f"a passphrase needs {SHORTEST} characters or more", hint="some words in a row are good"
        )
    return passphrase


def seal(archive: Path, folder: Path, passphrase: str) -> Path:
    """Encrypts the archive into a folder, its key beside it; gives the encrypted file."""
    pyrage = _pyrage()
    identity = pyrage.x25519.Identity.generate()
    sealed = folder / f"{archive.name}.age"
    with archive.open("rb") as source, sealed.open("xb") as target:
        pyrage.encrypt_io(source, target, [identity.to_public()])
    secret = f"{identity}\n".encode()
    (folder / KEY).write_bytes(pyrage.passphrase.encrypt(secret, passphrase))
    return sealed


def unseal(sealed: Path, to: Path, passphrase: str) -> None:
    """Decrypts an archive with the key beside it; raises UsageError for a wrong passphrase."""
    pyrage = _pyrage()
    if not passphrase:
        raise UsageError(
            f"{sealed.parent.name} is encrypted",
            hint="--passphrase-file FILE, or SKA_BACKUP_PASSPHRASE in the environment",
        )
    sound_text(passphrase, "the passphrase")
    secret = _opened(pyrage, sealed, passphrase)
    try:
        identity = pyrage.x25519.Identity.from_str(secret.decode("ascii").strip())
        with sealed.open("rb") as source, to.open("xb") as target:
            pyrage.decrypt_io(source, target, [identity])
    except (pyrage.DecryptError, pyrage.IdentityError, UnicodeDecodeError, OSError):
        raise SkillAgentError(
            f"{sealed} is damaged: it does not decrypt", hint="choose another backup"
        ) from None


def _opened(pyrage: Any, sealed: Path, passphrase: str) -> bytes:
    """The key beside an archive. age measures how fast the machine is, and refuses what seems to
    take too long: a busy machine may think so once."""
    for _ in range(_TRIES):
        try:
            return pyrage.passphrase.decrypt(read_bytes(sealed.parent / KEY), passphrase)
        except pyrage.DecryptError as error:
            if "excessive work" in str(error).lower():
                continue
            raise UsageError(
                f"the passphrase does not open {sealed.parent.name}",
                hint="it is the one that was given when the backup was made",
            ) from None
    raise SkillAgentError(
        f"this machine is too busy now to open {sealed.parent.name}",
        hint="try again when it has less to do",
    )


def _pyrage() -> Any:
    try:
        import pyrage
    except ImportError:
        raise SkillAgentError(
            "encrypted backups need the package pyrage", hint="pip install pyrage"
        ) from None
    return pyrage
