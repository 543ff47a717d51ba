"""Short-lived access tokens (JWT, RFC 7519), signed with keys that change by themselves.

One algorithm, HS256. There are no refresh tokens: whoever holds the API key asks again. Whether the
API key behind a token still holds is not looked at here.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from skill_agent.identifiers import iso, new_id, parse_time
from skill_agent.ports import Clock
from skill_agent.workstation import Scope

from .keys import SCOPES, checked_scopes
from .private_json import PrivateJson

ALGORITHM = "HS256"
ISSUER = "skill-agent"
LIFETIME = timedelta(minutes=30)
KEY_AGE = timedelta(hours=24)
"""A signing key older than this signs no more."""
GRACE = timedelta(minutes=1)
"""How long after its retirement a key may still have signed, in a process about to notice."""
MAX_TOKEN = 4096
"""Characters; ours have about 400."""


class InvalidToken(Exception):
    """The text is no token of ours, or no longer; it stops at the door and is never shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A secret that signs, or signed."""

    kid: str
    secret: str
    """64 bytes in hex."""
    created_at: datetime
    retired_at: datetime | None = None

    def __repr__(self) -> str:
        return f"SigningKey({self.kid})"

    def verifies(self, now: datetime) -> bool:
        """Whether a token signed with it may still be good."""
        return self.retired_at is None or now < self.retired_at + LIFETIME + GRACE


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a good token says."""

    key_id: str
    scopes: tuple[Scope, ...]
    token_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as it is handed out."""

    text: str
    expires_in: int
    """Seconds."""
    scopes: tuple[Scope, ...]


def signing_file(home: Path) -> Path:
    """Where the home at this root keeps its signing keys."""
    return home / "signing-keys.json"


class TokenMint(PrivateJson[tuple[SigningKey, ...]]):
    """Signs and verifies; newest key first in the file."""

    def __init__(self, file: Path, clock: Clock) -> None:
        super().__init__(file)
        self._clock = clock

    def mint(self, key_id: str, scopes: Collection[str]) -> Token:
        """A token for the holder of an API key. Blocking, for it may write a new signing key."""
        import jwt

        wanted, signing, now = checked_scopes(scopes), self._current(), self._clock()
        claims = {
            "iss": ISSUER,
            "sub": key_id,
            "jti": new_id(),
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "scopes": list(wanted),
        }
        text = jwt.encode(claims, signing.secret, ALGORITHM, headers={"kid": signing.kid})
        return Token(text=text, expires_in=int(LIFETIME.total_seconds()), scopes=wanted)

    def verify(self, text: str) -> Claims:
        """What the token says; raises InvalidToken, or StoreError for a damaged key file."""
        import jwt

        if len(text) > MAX_TOKEN:
            raise InvalidToken("it is too long")
        now = self._clock()
        try:
            claims = jwt.decode(
                text,
                self._secret_of(jwt.get_unverified_header(text), now),
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                # Times are compared below, with the clock everything else here goes by.
                options={
                    "require": ["iss", "sub", "jti", "iat", "exp"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidTokenError as error:
            raise InvalidToken(str(error)) from None
        return _checked(claims, now)

    def rotate(self) -> SigningKey:
        """Begins with a new key; the old one verifies until its last token has run out."""
        with self._changing() as before:
            now = self._clock()
            new = SigningKey(kid=secrets.token_hex(4), secret=secrets.token_hex(64), created_at=now)
            retired = (replace(key, retired_at=key.retired_at or now) for key in before)
            self._replace((new, *(key for key in retired if key.verifies(now))))
        return new

    def live(self) -> tuple[SigningKey, ...]:
        """The keys that sign or still verify, newest first."""
        now = self._clock()
        return tuple(key for key in self.read() if key.verifies(now))

    def _current(self) -> SigningKey:
        """The key that signs; an old one, or one that ought to be dropped, makes room first."""
        held, now = self.read(), self._clock()
        if not held or held[0].retired_at or now - held[0].created_at >= KEY_AGE:
            return self.rotate()
        if not all(key.verifies(now) for key in held):
            with self._changing() as before:
                self._replace(tuple(key for key in before if key.verifies(now)))
        return self.read()[0]

    def _secret_of(self, header: dict[str, Any], now: datetime) -> str:
        for key in self.read():
            if key.kid == header.get("kid") and key.verifies(now):
                return key.secret
        raise InvalidToken("its signing key is unknown or gone")

    def _empty(self) -> tuple[SigningKey, ...]:
        return ()

    def _parsed(self, document: dict[str, Any]) -> tuple[SigningKey, ...]:
        return tuple(_key_of(one) for one in document["keys"])

    def _plain(self, content: tuple[SigningKey, ...]) -> dict[str, Any]:
        return {
            "keys": [
                {
                    "kid": key.kid,
                    "secret": key.secret,
                    "created_at": iso(key.created_at),
                    "retired_at": iso(key.retired_at) if key.retired_at else None,
                }
                for key in content
            ]
        }


def _key_of(plain: dict[str, Any]) -> SigningKey:
    secret, retired = str(plain["secret"]), plain["retired_at"]
    if len(bytes.fromhex(secret)) < 32:
        raise ValueError
    return SigningKey(
        kid=str(plain["kid"]),
        secret=secret,
        created_at=parse_time(plain["created_at"]),
        retired_at=None if retired is None else parse_time(retired),
    )


def _checked(claims: dict[str, Any], now: datetime) -> Claims:
    """The claims of a token whose signature is good; raises InvalidToken for a wrong time."""
    begins, ends, scopes = claims["iat"], claims["exp"], claims.get("scopes")
    if type(begins) is not int or type(ends) is not int or not isinstance(scopes, list):
        raise InvalidToken("it is malformed")
    moment = now.timestamp()
    if moment >= ends or ends - begins > LIFETIME.total_seconds():
        raise InvalidToken("it has run out")
    if begins > moment + GRACE.total_seconds():
        raise InvalidToken("it is not valid yet")
    if not scopes or not all(scope in SCOPES for scope in scopes):
        raise InvalidToken("it has a scope that does not exist")
    return Claims(
        key_id=claims["sub"],
        scopes=checked_scopes(scopes),
        token_id=claims["jti"],
        expires_at=datetime.fromtimestamp(ends, UTC),
    )
