"""How log rows are sealed and linked; pure computation, no storage.

A row's `digest` covers its payload through a random nonce, and its `hash` covers the digest, not
the payload: erase payload and nonce, and the chain still verifies while the content cannot
be guessed.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from skill_agent.errors import StoreError
from skill_agent.identifiers import iso

GENESIS = "0" * 64
"""The hash before the first row."""

_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode


@dataclass(frozen=True, slots=True)
class Head:
    """The last row's sequence number and hash."""

    seq: int = 0
    hash: str = GENESIS


class Entry(NamedTuple):
    """One log row, in the order of the table's columns; `at` is aware UTC."""

    seq: int
    at: datetime
    kind: str
    entity: str
    actor: str
    reason: str
    payload: str | None
    nonce: str | None
    digest: str
    prev_hash: str
    hash: str


def canonical(value: Any) -> str:
    """The one JSON form of a value; raises StoreError for what JSON cannot say."""
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError(
            f"Something to be saved is not plain JSON: {error}.",
            hint="Use text, numbers, lists and objects with text keys.",
        ) from error


def seal(text: str, nonce: str) -> str:
    """SHA-256, in hex, over nonce and text."""
    return _sha256(nonce + text)


def link(
    seq: int,
    at: datetime,
    kind: str,
    entity: str,
    actor: str,
    reason: str,
    digest: str,
    prev_hash: str,
) -> str:
    """The hash of a row: SHA-256 over the canonical JSON list of its fixed parts."""
    parts = [seq, iso(at), kind, entity, actor, reason, digest, prev_hash]
    return _sha256(_encode(parts))


def _sha256(text: str) -> str:
    try:
        return sha256(text.encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise StoreError(
            "The text holds characters that are not valid Unicode (broken surrogates).",
            hint="Decode the input as UTF-8 before saving it.",
        ) from error
