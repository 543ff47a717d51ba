"""Who is let in from elsewhere: codes that a chat sends, strangers that wrote, chats that may talk.

Kept in one file of the home that only its owner may read. Codes stand there hashed, are told once,
and never written to a log. The process that holds the home is the only one that writes it.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from skill_agent.errors import ConfigError, Conflict, NotFound, StoreError, UsageError
from skill_agent.files.private import read_json, write_private
from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Clock
from skill_agent.values import Pairing, PairingCode

SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Of a code: none that is easily taken for another (0 and O, 1 and I)."""
LENGTH = 8
LASTS = timedelta(hours=1)
"""So long a code and a stranger wait, and so long is locked out who guesses."""
MOST_WAITING = 3
BAD_TRIES = 5
_SILENT = timedelta(hours=6)
"""So long a stranger is not told the same again."""
_MOST_STRANGERS = 1_000
"""Of whom it is remembered when they were told; the oldest are forgotten."""

Tried = Literal["let in", "no code", "wrong", "locked"]


def looks_like_code(text: str) -> bool:
    """Whether a message can only be meant as a code."""
    return len(text) == LENGTH and set(text.upper()) <= set(SIGNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Secret:
    salt: str
    digest: str
    expires: datetime

    @classmethod
    def of(cls, code: str, expires: datetime) -> "_Secret":
        salt = secrets.token_hex(16)
        return cls(salt=salt, digest=_digest(code, salt), expires=expires)

    def is_of(self, code: str) -> bool:
        return secrets.compare_digest(self.digest, _digest(code, self.salt))


def _digest(code: str, salt: str) -> str:
    return hashlib.scrypt(code.encode(), salt=bytes.fromhex(salt), n=2**13, r=8, p=1).hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chat:
    id: str
    name: str
    since: datetime
    code: _Secret | None = None
    """By which one that waits may be meant."""

    def told(self) -> Pairing:
        if self.code is None:
            return Pairing(id=self.id, name=self.name, state="approved", since=self.since)
        return Pairing(id=self.id, name=self.name, since=self.since, expires=self.code.expires)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What stands in the file."""

    chats: tuple[_Chat, ...] = ()
    waiting: tuple[_Chat, ...] = ()
    codes: tuple[_Secret, ...] = ()
    bad: tuple[tuple[str, datetime], ...] = ()
    """Wrong codes: which chat, and when."""
    told: tuple[tuple[str, datetime], ...] = ()
    """Strangers, and when each was told that it is one."""

    def at(self, now: datetime) -> "_Kept":
        """Without what has run out."""
        return replace(
            self,
            waiting=tuple(one for one in self.waiting if one.code and one.code.expires > now),
            codes=tuple(one for one in self.codes if one.expires > now),
            bad=tuple(one for one in self.bad if one[1] > now - LASTS),
            told=tuple(one for one in self.told if one[1] > now - _SILENT)[-_MOST_STRANGERS:],
        )


class Pairings:
    """The chats of one bridge."""

    def __init__(
        self,
        file: Path,
        clock: Clock,
        *,
        allow: Iterable[str] = (),
        revoked: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`allow` are ids that the settings let in; `revoked` is told of each that is not any
        more."""
        self._file, self._clock = file, clock
        self._allow = frozenset(allow)
        self.revoked = revoked

    def may_talk(self, chat: str) -> bool:
        return chat in self._allow or any(one.id == chat for one in self._now().chats)

    @property
    def let_in(self) -> list[str]:
        """Ids of the chats that may talk."""
        return list(dict.fromkeys([*(one.id for one in self._now().chats), *sorted(self._allow)]))

    def listed(self) -> list[Pairing]:
        """Those let in, then those that wait."""
        now = self._now()
        known = {one.id for one in now.chats}
        named = [
            Pairing(id=one, name="[telegram] allow", state="approved", since=self._clock())
            for one in sorted(self._allow - known)
        ]
        return [*(one.told() for one in now.chats), *named, *(one.told() for one in now.waiting)]

    def make_code(self) -> PairingCode:
        """Raises Conflict where enough of them wait."""
        now, code = self._now(), _new_code()
        if len(now.codes) >= MOST_WAITING:
            ends = min(one.expires for one in now.codes)
            raise Conflict(
                f"{MOST_WAITING} codes wait to be used already",
                hint=f"use one of them, or wait until {iso(ends)}",
            )
        expires = self._clock() + LASTS
        self._write(replace(now, codes=(*now.codes, _Secret.of(code, expires))))
        return PairingCode(id=code, expires=expires)

    def try_code(self, chat: str, name: str, text: str) -> Tried:
        """Lets a chat in that sends a code that waits. Five wrong ones lock it out, and five of
        several chats everybody, for an hour; a person at the machine can let it in all the same."""
        code = text.strip().upper()
        if not looks_like_code(code):
            return "no code"
        now = self._now()
        mine = sum(one == chat for one, _ in now.bad)
        if mine >= BAD_TRIES or len(now.bad) >= BAD_TRIES:
            return "locked"
        found = next((one for one in now.codes if one.is_of(code)), None)
        if found is None:
            self._write(replace(now, bad=(*now.bad, (chat, self._clock()))))
            return "wrong"
        rest = tuple(one for one in now.codes if one is not found)
        self._let_in(replace(now, codes=rest), chat, name)
        return "let in"

    def stranger(self, chat: str, name: str) -> str | None:
        """Notes that one wrote who may not talk: empty or the code by which it can be approved,
        where it shall be told that; None where it was told lately."""
        now = self._now()
        if any(one == chat for one, _ in now.told):
            return None
        told = (*now.told, (chat, self._clock()))
        if any(one.id == chat for one in now.waiting) or len(now.waiting) >= MOST_WAITING:
            self._write(replace(now, told=told))
            return ""
        code = _new_code()
        waits = _Chat(
            id=chat,
            name=_plain(name),
            since=self._clock(),
            code=_Secret.of(code, self._clock() + LASTS),
        )
        self._write(replace(now, told=told, waiting=(*now.waiting, waits)))
        return code

    def approve(self, ref: str) -> Pairing:
        """Lets in a chat that wrote, by its id or the code it was told; raises NotFound."""
        now, ref = self._now(), ref.strip()
        known = next((one for one in now.chats if one.id == ref), None)
        if known is not None:
            return known.told()
        code = ref.upper()
        for one in now.waiting:
            if one.id == ref or (looks_like_code(code) and one.code and one.code.is_of(code)):
                return self._let_in(now, one.id, one.name)
        raise NotFound(
            f"no chat {ref[:40]!r} waits to be let in",
            hint="it has to write to the bot first; `ska telegram list` shows those that wait, "
            "and `ska telegram pair` makes a code for it to send",
        )

    def revoke(self, chat: str) -> Pairing:
        """Lets a chat in no longer; raises NotFound, and UsageError for one that the settings
        name."""
        now = self._now()
        found = next((one for one in (*now.chats, *now.waiting) if one.id == chat), None)
        if found is not None:
            self._write(
                replace(
                    now,
                    chats=tuple(one for one in now.chats if one.id != chat),
                    waiting=tuple(one for one in now.waiting if one.id != chat),
                )
            )
        if chat in self._allow:
            raise UsageError(
                f"chat {chat} is named in the settings",
                hint="take it out of `allow` under [telegram] in config.toml, and begin the host "
                "anew",
            )
        if found is None:
            raise NotFound(f"no chat {chat[:40]!r} is let in", hint="ska telegram list")
        self.revoked(chat)
        return found.told()

    def _let_in(self, now: _Kept, chat: str, name: str) -> Pairing:
        new = _Chat(id=chat, name=_plain(name), since=self._clock())
        self._write(
            replace(
                now,
                chats=(*(one for one in now.chats if one.id != chat), new),
                waiting=tuple(one for one in now.waiting if one.id != chat),
                bad=tuple(one for one in now.bad if one[0] != chat),
                told=tuple(one for one in now.told if one[0] != chat),
            )
        )
        return new.told()

    def _now(self) -> _Kept:
        return self._read().at(self._clock())

    def _read(self) -> _Kept:
        if not self._file.exists():
            return _Kept()
        try:
            document = read_json(self._file)
            return _Kept(
                chats=tuple(map(_chat, document["chats"])),
                waiting=tuple(map(_chat, document["waiting"])),
                codes=tuple(map(_secret, document["codes"])),
                bad=tuple((str(one), parse_time(at)) for one, at in document["bad"]),
                told=tuple((str(one), parse_time(at)) for one, at in document["told"]),
            )
        except (ConfigError, KeyError, TypeError, ValueError, AttributeError) as error:
            why = error.said if isinstance(error, ConfigError) else "it is damaged"
            raise StoreError(
                f"{self._file} cannot be used: {why}",
                hint="move it away, and let chats in anew: ska telegram pair",
            ) from None

    def _write(self, kept: _Kept) -> None:
        write_private(self._file, json.dumps(asdict(kept), default=iso, indent=1) + "\n")


def _chat(found: dict[str, Any]) -> _Chat:
    code = found["code"]
    return _Chat(
        id=str(found["id"]),
        name=str(found["name"]),
        since=parse_time(found["since"]),
        code=_secret(code) if code else None,
    )


def _secret(found: dict[str, Any]) -> _Secret:
    return _Secret(
        salt=str(found["salt"]), digest=str(found["digest"]), expires=parse_time(found["expires"])
    )


def _new_code() -> str:
    return "".join(secrets.choice(SIGNS) for _ in range(LENGTH))


def _plain(name: str) -> str:
    """What somebody calls themselves, as it may stand in a terminal."""
    return " ".join("".join(one if one.isprintable() else " " for one in name).split())[:60]
