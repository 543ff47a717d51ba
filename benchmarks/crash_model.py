"""The embedder and the model of the crash test: both cost nothing, both do their whole work."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from skill_agent.memory.extraction.extract import LONGEST
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
    """Gives one model, which replies, sorts, tells, sums up and judges. It counts as a remote one:
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
        case {"type": "array"}:
            return []
        case {"type": "string"}:
            return _told(asked, slot)
        case {"type": "integer" | "number"}:
            return 5
        case {"type": "boolean"}:
            return False
    return None


def _told(asked: str, slot: str) -> str:
    """The line a slot is about, in the third person; all of the prompt's events for a summary."""
    if line := re.search(rf"^{slot.split()[0]} ME: (.+)$", asked, re.MULTILINE):
        return re.sub(r"\b[Ii]t\b", "the shed", line[1][:1].upper() + line[1][1:])[:LONGEST]
    lines = re.findall(r"^- (.+)$", asked, re.MULTILINE)
    return "; ".join(lines)[:800] or "They spoke of this and that."
