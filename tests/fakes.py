"""Fakes that are real classes behind the product's own ports; no mocks."""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from skill_agent.host.runtime import Runtime
from skill_agent.ports import ModelRequest

OpenRuntime = Callable[..., AbstractAsyncContextManager[Runtime]]
"""What the `open_runtime` fixture gives: opens the test's home with a scripted model."""


class HashEmbedder:
    """Words hashed onto 64 axes: equal words point the same way, nothing is learned."""

    name = "hash-64"
    dimensions = 64

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.full((len(texts), self.dimensions), 1e-6, np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                digest = hashlib.sha256(word.strip(".,:;!?()'\"").encode()).digest()
                rows[row, digest[0] % self.dimensions] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class StepClock:
    """A clock that moves one second each time it is read, or as far as it is told."""

    def __init__(self, start: datetime = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def advance(self, **step: float) -> None:
        self.now += timedelta(**step)


class CountingEmbedder(HashEmbedder):
    """Tells how many texts it was asked for."""

    def __init__(self) -> None:
        self.texts = 0

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += len(texts)
        return super().embed(texts)


def obliging(request: ModelRequest) -> str:
    """A scripted model's answer to anything: words, or the emptiest JSON that is asked for."""
    if request.answers:
        return request.answers[0]
    if request.response_schema is None:
        return "All right."
    return json.dumps(_emptiest(request.response_schema))


def _emptiest(schema: dict[str, Any]) -> object:
    match schema:
        case {"enum": [first, *_]}:
            return first
        case {"type": "object", "properties": dict(parts)}:
            return {name: _emptiest(part) for name, part in parts.items()}
        case {"type": "array"}:
            return []
        case {"type": "string"}:
            return ""
        case {"type": "integer" | "number"}:
            return 1
    return False
