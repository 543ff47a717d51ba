"""The embedder and the model of the crash test: both cost nothing, both do their whole work."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.ports import ModelRequest

WINDOW = 3_000
"""Tokens; a conversation outgrows them after some dozen turns."""
_FAILS = 23
"""One in so many answers has not the asked form."""


class Hashed:
    """Words hashed onto 64 axes: an embedder that costs nothing and changes never."""

    name = "hash-64"
    dimensions = 64

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.full((len(texts), self.dimensions), 1e-6, np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                rows[row, hashlib.sha256(word.encode()).digest()[0] % self.dimensions] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def gateway() -> ScriptedGateway:
    """Gives one model, which replies, notes, sums up and judges. It counts as a remote one:
    those read and sum up beside the talking."""
    model = ScriptedModel(otherwise=_answer, context_window=WINDOW)
    model.info = replace(model.info, local=False)
    return ScriptedGateway(model)


def _answer(request: ModelRequest) -> str:
    asked = request.messages[-1].content
    if request.response_schema is None:
        numbers = " and ".join(re.findall(r"\b\d{9}\b", asked)[-2:]) or "nothing much"
        if asked.endswith("The new summary:"):
            return f"The user spoke of {numbers}."
        return f"Noted: {numbers}."
    if len(asked) % _FAILS == 0:
        return "I would rather not."
    return json.dumps(_filled(request.response_schema, asked))


def _filled(schema: dict[str, object], asked: str, slot: str = "") -> object:
    """A value of the asked form, made of what stands in the prompt."""
    match schema:
        case {"enum": [*choices]}:
            return choices[len(asked) % len(choices)]
        case {"type": "object", "properties": dict(parts)}:
            return {name: _filled(part, asked, name) for name, part in parts.items()}
        case {"type": "array", "items": {"type": "object"}}:
            return _notes(asked) if slot == "notes" else []
        case {"type": "array"}:
            return []
        case {"type": "string"}:
            return _told(asked)
        case {"type": "integer" | "number"}:
            return 5
        case {"type": "boolean"}:
            return False
    return None


def _notes(asked: str) -> list[dict[str, object]]:
    """A note of each message with a number in it, in the person's own words."""
    said = [json.loads(line) for line in asked.splitlines() if line.startswith('{"id"')]
    return [
        {"content": one["user"][:400], "quote": one["user"][:400], "message": one["id"],
         "type": "semantic", "importance": 5, "confidence": 0.8}
        for one in said
        if re.search(r"\d", one["user"])
    ]  # fmt: skip


def _told(asked: str) -> str:
    """All of the prompt's events for a summary."""
    lines = re.findall(r"^- (.+)$", asked, re.MULTILINE)
    return "; ".join(lines)[:800] or "They spoke of this and that."
