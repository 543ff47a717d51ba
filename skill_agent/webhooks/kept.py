"""Which webhooks a home has: two files that only their owner may read.

`webhooks.json` says which addresses hear of what. `webhook-secrets.json` has the keys that were
made for them, or given; it is left out of backups, so that a copy of a home, brought to life
beside it, does not tell everything a second time in its name. Neither is any part of the ledger: a
log that comes from elsewhere can have no address told anything.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from skill_agent.errors import ConfigError, NotFound, StoreError, UsageError
from skill_agent.files.home import Home
from skill_agent.files.private import read_json, write_private
from skill_agent.identifiers import iso, parse_time
from skill_agent.text.nearest import did_you_mean
from skill_agent.values import WEBHOOK_EVENTS, WebhookEvent

VERSION = 1
MOST = 32
"""Webhooks of one home: each is sent to by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A webhook as its file has it."""

    id: str
    url: str
    events: tuple[WebhookEvent, ...]
    since: int
    """Sequence of the ledger: what came later is told."""
    created_at: datetime
    secret_env: str = ""


class WebhookFiles:
    """The webhooks of one home; only the process that holds it writes them."""

    def __init__(self, home: Home) -> None:
        self._file, self._secrets = home.webhooks, home.webhook_secrets
        self._known: tuple[Kept, ...] | None = None

    def all(self) -> tuple[Kept, ...]:
        """In the order they were added; raises StoreError for a damaged file."""
        if self._known is None:
            rows = _rows(self._file, "webhooks")
            try:
                self._known = tuple(_kept(row) for row in rows)
            except (KeyError, TypeError, ValueError, AttributeError):
                raise _damaged(self._file, "something in it is no webhook") from None
        return self._known

    def get(self, key: str) -> Kept:
        """Raises NotFound with the nearest."""
        known = self.all()
        if found := next((one for one in known if one.id == key), None):
            return found
        near = did_you_mean(key, [one.id for one in known])
        raise NotFound(f'no webhook "{key[:60]}"', hint=near or "ska webhooks list")

    def secret(self, hook: Kept) -> str:
        """What its events are signed with; empty where it is not there."""
        if hook.secret_env:
            return os.environ.get(hook.secret_env, "")
        found = self._all_secrets().get(hook.id)
        return found if isinstance(found, str) else ""

    def add(self, hook: Kept, secret: str) -> None:
        """Raises UsageError where there are too many, or the same again."""
        known = self.all()
        if len(known) >= MOST:
            raise UsageError(f"{MOST} webhooks are the most", hint="ska webhooks remove ID")
        if same := next((one for one in known if one.url == hook.url), None):
            raise UsageError(
                f"{same.id} goes to this address already", hint=f"ska webhooks remove {same.id}"
            )
        if secret:
            self._write_secrets({**self._all_secrets(), hook.id: secret})
        self._write((*known, hook))

    def remove(self, hook: Kept) -> None:
        self._write([one for one in self.all() if one.id != hook.id])
        left = self._all_secrets()
        if left.pop(hook.id, None) is not None:
            self._write_secrets(left)

    def _write(self, hooks: Sequence[Kept]) -> None:
        rows = [
            {
                "id": one.id,
                "url": one.url,
                "events": list(one.events),
                "since": one.since,
                "created_at": iso(one.created_at),
                "secret_env": one.secret_env,
            }
            for one in hooks
        ]
        document = {"version": VERSION, "webhooks": rows}
        write_private(self._file, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
        self._known = tuple(hooks)

    def _all_secrets(self) -> dict[str, Any]:
        found = _document(self._secrets).get("secrets", {})
        if not isinstance(found, dict):
            raise _damaged(self._secrets, "it has no secrets")
        return {**found}

    def _write_secrets(self, secrets: dict[str, Any]) -> None:
        document = {"version": VERSION, "secrets": secrets}
        write_private(self._secrets, json.dumps(document, indent=1) + "\n")


def _kept(row: dict[str, Any]) -> Kept:
    return Kept(
        id=_text(row["id"]),
        url=_text(row["url"]),
        events=tuple(one for one in WEBHOOK_EVENTS if one in row["events"]),
        since=int(row["since"]),
        created_at=parse_time(row["created_at"]),
        secret_env=_text(row["secret_env"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _rows(file: Any, name: str) -> list[Any]:
    found = _document(file).get(name, [])
    if not isinstance(found, list):
        raise _damaged(file, f"it has no {name}")
    return found


def _document(file: Any) -> dict[str, Any]:
    if not os.path.lexists(file):
        return {}
    try:
        document = read_json(file)
    except ConfigError as problem:
        raise _damaged(file, problem.said) from None
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise _damaged(file, f"it is not of version {VERSION}")
    return document


def _damaged(file: Any, why: str) -> StoreError:
    return StoreError(
        f"{file} cannot be used: {why}",
        hint="put it back from a backup, or move it away and add the webhooks anew",
    )
