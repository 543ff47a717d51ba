"""Reading a conversation for what is worth remembering: the rule floor, then two model passes.

The model proposes and `grounding` disposes; nothing here writes or compares with what is stored.
"""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, ModelFailed
from ..models.structured import bare, problem
from ..ports import ChatMessage, Model, ModelRequest, TextPart
from ..values import Message, ModelInfo, Source
from .candidate import Candidate, Extraction
from .extract_prompt import (
    FIRST,
    FIRST_SCHEMA,
    KINDS,
    REVIEW,
    REVIEW_SCHEMA,
    Kind,
    conversation,
    review,
)
from .floor import MINIMUM_IMPORTANCE, facts_in, read_floor

if TYPE_CHECKING:
    from .grounding import Statement

__all__ = ["Candidate", "Extraction", "able", "extract", "read_floor"]

SMALLEST_BYTES = 700_000_000
"""An embedded model's file below which it cannot extract: 135M parameters invent, 1.5B do not."""
_WINDOW_STATEMENTS = 10
_WINDOW_CHARACTERS = 1800
_ANSWER_TOKENS = 1200
_PROMPT_TOKENS = 700
"""Room the fixed part of a prompt and its template take."""


def able(info: ModelInfo) -> bool:
    """Whether a model can be trusted with extraction: any but small embedded ones, unless the
    person gave it the role."""
    if "extract" in info.roles or info.provider != "embedded":
        return True
    return info.size_bytes >= SMALLEST_BYTES


async def extract(
    messages: Sequence[Message], model: Model | None, *, user: str, agent: str
) -> Extraction:
    """Candidates of the floor and, with a model, of two passes over each window.

    A model that fails leaves what was found so far and its reason in `problem`; only errors that
    are not a model's, and cancellation, pass through. `user` and `agent` are who spoke.
    """
    floor = read_floor(messages)
    if model is None:
        return Extraction(candidates=tuple(floor), floor=len(floor))
    reading = _Reading(model, list(floor))
    for window in _windows(statements_of(messages), model.info.context_window):
        try:
            await reading.read(window)
        except ModelFailed as error:
            reading.problem = error.message
        except ModelError as error:
            reading.problem = error.message
            break
    return Extraction(
        candidates=tuple(reading.found),
        floor=len(floor),
        first_pass=reading.first,
        second_pass=reading.second,
        dropped=reading.dropped,
        model=model.info.name,
        problem=reading.problem,
    )


def statements_of(messages: Sequence[Message]) -> "list[Statement]":
    """Everything the user states, clause by clause, with the question it may answer."""
    from .clauses import stated
    from .grounding import Statement

    found: list[Statement] = []
    question, before = "", deque[str](maxlen=2)
    for message in messages:
        if message.role == "assistant":
            question = _question(message.content)
        elif message.role == "user":
            for clause in stated(message.content):
                known = any(True for _ in facts_in(clause))
                found.append(
                    Statement(
                        clause=clause,
                        message=message,
                        question=question,
                        before=" ".join(before),
                        known=known,
                    )
                )
            before.append(message.content)
            question = ""
    return found


def _question(text: str) -> str:
    """The last sentence of a reply if it asks something, cut to what helps."""
    last = text.strip().replace("\n", " ").rsplit(". ", 1)[-1].rsplit("! ", 1)[-1]
    return last[-160:] if last.endswith("?") else ""


def _windows(statements: "Sequence[Statement]", context: int) -> "Iterator[list[Statement]]":
    """Runs of statements a small model can keep in view; messages are split, clauses never."""
    room = _WINDOW_CHARACTERS
    if context:
        room = min(room, max(400, (context - _ANSWER_TOKENS - _PROMPT_TOKENS) * 3))
    window: list[Statement] = []
    size = 0
    for one in statements:
        length = len(one.clause.text) + 40
        if window and (size + length > room or len(window) >= _WINDOW_STATEMENTS):
            yield window
            window, size = [], 0
        window.append(one)
        size += length
    if window:
        yield window


@dataclass(slots=True)
class _Note:
    """A candidate of the first pass, as the review sees it."""

    candidate: Candidate
    fact: str
    quote: str


@dataclass(slots=True)
class _Reading:
    """What the passes over the windows add up to."""

    model: Model
    found: list[Candidate]
    first: int = 0
    second: int = 0
    dropped: int = 0
    problem: str = ""
    covered: set[int] = field(default_factory=set)
    """`id`s of statements that gave something."""

    async def read(self, window: "Sequence[Statement]") -> None:
        from .grounding import worth_keeping

        if not any(worth_keeping(one) and not one.known for one in window):
            return  # the floor has read all there is
        notes = await self._first_pass(window)
        await self._second_pass(window, notes)

    async def _first_pass(self, window: "Sequence[Statement]") -> list[_Note]:
        from .grounding import quoted

        answer = await _answer(self.model, FIRST, conversation(_lines(window)), FIRST_SCHEMA)
        notes: list[_Note] = []
        for item in answer["notes"]:
            kept = False
            for statement in quoted(item["quote"], item["fact"], window):
                kept = kept or statement.known
                if candidate := self._keep(item, statement):
                    notes.append(_Note(candidate, candidate.content, item["quote"]))
                    self.first += 1
                    kept = True
            self.dropped += not kept
        return notes

    async def _second_pass(self, window: "Sequence[Statement]", notes: Sequence[_Note]) -> None:
        from .grounding import worth_keeping

        missed = [
            one
            for one in window
            if not one.known and id(one) not in self.covered and worth_keeping(one)
        ]
        if not missed and not notes:
            return
        asked = review([one.clause.text for one in missed], [(n.fact, n.quote) for n in notes])
        answer = await _answer(self.model, REVIEW, asked, REVIEW_SCHEMA)
        for item in answer["missed"]:
            if not 1 <= item["line"] <= len(missed):
                self.dropped += 1
            elif self._keep(item, missed[item["line"] - 1]):
                self.second += 1
            else:
                self.dropped += 1
        self._withdraw(answer["wrong"], notes, len(missed))

    def _withdraw(self, wrong: Sequence[int], notes: Sequence[_Note], before: int) -> None:
        """Takes back what the review calls wrong, unless the words are the person's own."""
        for number in set(wrong):
            if before < number <= before + len(notes):
                note = notes[number - before - 1]
                if note.candidate.confidence < 0.7 and note.candidate in self.found:
                    self.found.remove(note.candidate)
                    self.first -= 1
                    self.dropped += 1

    def _keep(self, item: dict[str, Any], statement: "Statement") -> Candidate | None:
        """The candidate a note makes, unless it fails a check or says what is known already."""
        from .grounding import grounded, same
        from .when import resolve_dates

        if statement.known or id(statement) in self.covered:
            return None
        kind: Kind = item["kind"] if item["kind"] in KINDS else "project"
        found = grounded(item["fact"], kind, statement)
        if found is None:
            return None
        message, clause = statement.message, statement.clause
        candidate = Candidate(
            content=resolve_dates(found.content, message.created_at),
            memory_type=found.memory_type,
            subject=found.subject,
            importance=10 if clause.asked else max(MINIMUM_IMPORTANCE, found.importance),
            confidence=found.confidence,
            quote=clause.quote,
            source=Source(session=message.session, message_ids=(message.id,)),
            said_at=message.created_at,
            model=self.model.info.name,
            changes=clause.changes,
            private=clause.private,
        )
        if found.confidence > 0.6:  # a clause told in the model's words may hold another fact
            self.covered.add(id(statement))
        if any(same(candidate.content, one.content) for one in self.found):
            return None
        self.found.append(candidate)
        return candidate


def _lines(window: "Sequence[Statement]") -> list[tuple[str, str, str]]:
    """The statements as lines, those of one message together, questions they answer before."""
    lines: list[tuple[str, str, str]] = []
    last = ""
    for one in window:
        when = f"{one.message.created_at:%d %b %Y}"
        if one.message.id == last:
            who, day, text = lines[-1]
            lines[-1] = (who, day, f"{text}. {one.clause.text}")
            continue
        if one.question:
            lines.append(("AI", "", one.question))
        lines.append(("ME", when, one.clause.text))
        last = one.message.id
    return lines


async def _answer(model: Model, system: str, asked: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The model's answer in the asked form; raises ModelError."""
    request = ModelRequest(
        messages=(
            ChatMessage(role="system", content=system),
            ChatMessage(role="user", content=asked),
        ),
        response_schema=schema,
        temperature=0.0,
        max_tokens=_ANSWER_TOKENS,
        background=True,
    )
    said = ""
    async with aclosing(model.stream(request)) as parts:
        async for part in parts:
            if isinstance(part, TextPart):
                said += part.text
    if wrong := problem(said, schema):
        raise ModelFailed(f"the model's notes do not have the asked form: {wrong}")
    return json.loads(bare(said))
