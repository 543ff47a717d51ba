"""API keys: made, listed, revoked and looked up; a home keeps only their SHA-256.

Nothing here knows of HTTP, and no key's plain text is kept or logged.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from skill_agent.errors import NotFound, UsageError
from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Clock
from skill_agent.text.nearest import did_you_mean
from skill_agent.workstation import Scope

from .private_json import PrivateJson

KeyState = Literal["active", "expired", "revoked"]

SCOPES: tuple[Scope, ...] = get_args(Scope)
PROMISES: Mapping[Scope, str] = MappingProxyType(
    {
        "read": "see everything: conversations, memories, prompts, settings, events as they happen",
        "chat": "talk to the agents in conversations of its own, with `read` in all of them; by "
        "itself it sees no memory and no other conversation, and leaves nothing in memory",
        "memory": "change what is remembered and delete conversations; with `chat`, what is said "
        "may be remembered, and what is remembered is recalled",
        "admin": "do everything: agents, erasing for good, standing rules, approvals of others",
    }
)
"""What a key of each scope may do, in plain words."""
PREFIX = "ska_"
KEY_BYTES = 32
USED_EVERY = timedelta(minutes=1)
"""`last_used` is written no more often."""

_PLAIN = re.compile(rf"{PREFIX}[0-9a-f]{{{2 * KEY_BYTES}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as its owner may see it."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    digest: str
    """SHA-256 of the plain text, in hex."""
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used: datetime | None = None
    """To the minute."""

    def state(self, now: datetime) -> KeyState:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


def keys_file(home: Path) -> Path:
    """Where the home at this root keeps its API keys."""
    return home / "api-keys.json"


def includes(scopes: Collection[str], wanted: str) -> bool:
    """Whether these scopes allow what `wanted` stands for; `admin` allows everything."""
    return wanted in scopes or "admin" in scopes


def checked_scopes(wanted: Iterable[str]) -> tuple[Scope, ...]:
    """The scopes in their usual order; raises UsageError for none or an unknown one."""
    asked = set(wanted)
    for name in sorted(asked - set(SCOPES)):
        near = did_you_mean(name, SCOPES)
        raise UsageError(f'no scope "{name}"', hint=near or f"scopes: {', '.join(SCOPES)}")
    if not asked:
        raise UsageError("no scope was given", hint=f"scopes: {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if scope in asked)


class KeyRing(PrivateJson[tuple[ApiKey, ...]]):
    """The API keys of a home, read again whenever their file changes."""

    def __init__(self, file: Path, clock: Clock) -> None:
        super().__init__(file)
        self._clock = clock

    # -- looking -----------------------------------------------------------------------------

    def listed(self) -> tuple[ApiKey, ...]:
        """Every key, revoked ones too, oldest first; raises StoreError for a damaged file."""
        return self.read()

    def get(self, key_id: str) -> ApiKey:
        """By id or its unambiguous beginning of at least 4; raises NotFound with the nearest."""
        found = [key for key in self.listed() if key.id == key_id]
        if not found and len(key_id) >= 4:
            found = [key for key in self.listed() if key.id.startswith(key_id)]
        if len(found) == 1:
            return found[0]
        if found:
            raise NotFound(f'several API keys begin with "{key_id}"', hint="ska keys list")
        by_name = {key.name: key for key in self.listed()}
        if key_id in by_name:
            named = by_name[key_id]
            raise NotFound(f'no API key has the id "{key_id}"', hint=f'"{key_id}" is {named.id}')
        near = did_you_mean(key_id, [key.id for key in self.listed()])
        raise NotFound(f'no API key "{key_id}"', hint=near or "ska keys list")

    def known(self, key_id: str) -> ApiKey | None:
        """The key of exactly this id."""
        return next((key for key in self.listed() if key.id == key_id), None)

    def any_active(self) -> bool:
        """Whether anybody could come in."""
        now = self._clock()
        return any(key.state(now) == "active" for key in self.listed())

    def matching(self, plain: str) -> ApiKey | None:
        """The key with this plain text, whatever its state; takes as long for a wrong one."""
        if not _PLAIN.fullmatch(plain):
            return None
        digest, found = _digest(plain), None
        for key in self.listed():
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    # -- changing ----------------------------------------------------------------------------

    def create(
        self, name: str, scopes: Iterable[str], lifetime: timedelta | None = None
    ) -> tuple[ApiKey, str]:
        """Adds a key; its plain text is returned this once and cannot be had again."""
        wanted, said = checked_scopes(scopes), _checked_name(name)
        with self._changing() as before:
            now = self._clock()
            plain = PREFIX + secrets.token_hex(KEY_BYTES)
            key = ApiKey(
                id=_new_id({key.id for key in before}),
                name=said,
                scopes=wanted,
                digest=_digest(plain),
                created_at=now,
                expires_at=_end(now, lifetime),
            )
            self._replace((*before, key))
        return key, plain

    def revoke(self, key_id: str) -> tuple[ApiKey, bool]:
        """Ends a key, and whether this call did; one that is revoked already keeps its time."""
        with self._changing() as before:
            key = self.get(key_id)
            if key.revoked_at is not None:
                return key, False
            ended = replace(key, revoked_at=self._clock())
            self._replace(tuple(ended if one.id == key.id else one for one in before))
        return ended, True

    def used(self, key_id: str, moment: datetime) -> None:
        """Notes the last use; does nothing for a key that is gone meanwhile."""
        with self._changing() as before:
            if all(key.id != key_id for key in before):
                return
            self._replace(
                tuple(replace(k, last_used=moment) if k.id == key_id else k for k in before)
            )

    # -- the file ----------------------------------------------------------------------------

    def _empty(self) -> tuple[ApiKey, ...]:
        return ()

    def _parsed(self, document: dict[str, Any]) -> tuple[ApiKey, ...]:
        return tuple(_key_of(one) for one in document["keys"])

    def _plain(self, content: tuple[ApiKey, ...]) -> dict[str, Any]:
        return {"keys": [_object_of(key) for key in content]}


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()


def _new_id(taken: Collection[str]) -> str:
    while (made := f"k{secrets.token_hex(4)}") in taken:
        pass
    return made


def _checked_name(name: str) -> str:
    said = name.strip()
    if not said or len(said) > 80 or not said.isprintable():
        raise UsageError("a key's name has 1 to 80 printable characters")
    return said


def _end(now: datetime, lifetime: timedelta | None) -> datetime | None:
    if lifetime is None:
        return None
    if lifetime <= timedelta():
        raise UsageError("a key cannot expire before it is made")
    try:
        return now + lifetime
    except OverflowError:
        raise UsageError("no calendar reaches that far", hint="leave --expires out") from None


def _key_of(plain: dict[str, Any]) -> ApiKey:
    def moment(name: str) -> datetime | None:
        return None if plain[name] is None else parse_time(plain[name])

    scopes = set(plain["scopes"])
    if not re.fullmatch(r"[0-9a-f]{64}", plain["hash"]) or not scopes or scopes - set(SCOPES):
        raise ValueError
    return ApiKey(
        id=str(plain["id"]),
        name=str(plain["name"]),
        scopes=checked_scopes(scopes),
        digest=plain["hash"],
        created_at=parse_time(plain["created_at"]),
        expires_at=moment("expires_at"),
        revoked_at=moment("revoked_at"),
        last_used=moment("last_used"),
    )


def _object_of(key: ApiKey) -> dict[str, Any]:
    def text(moment: datetime | None) -> str | None:
        return None if moment is None else iso(moment)

    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "hash": key.digest,
        "created_at": iso(key.created_at),
        "expires_at": text(key.expires_at),
        "revoked_at": text(key.revoked_at),
        "last_used": text(key.last_used),
    }
