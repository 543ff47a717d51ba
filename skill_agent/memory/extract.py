"""Reading a conversation for what is worth remembering: the rule floor, then two model passes.

The words of a memory are the person's own wherever those can stand alone. The first pass sorts
out what was said in passing; the second tells what leans on its surroundings in words of its own,
which `grounding` checks. Nothing here writes or compares with what is stored.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from skill_agent.errors import ModelError, ModelFailed
from skill_agent.models.reply import whole_reply
from skill_agent.models.structured import bare, problem
from skill_agent.ports import ChatMessage, Model, ModelRequest
from skill_agent.values import Message, ModelInfo, Source

from .candidate import Candidate, Extraction
from .extract_prompt import SORT, TELL, numbered, sort_schema, sort_slot, tell_schema, tell_slot
from .floor import MINIMUM_IMPORTANCE, read_floor

if TYPE_CHECKING:
    from .extract_prompt import Sort
    from .statements import Statement

__all__ = ["Candidate", "Extraction", "able", "extract", "read_floor"]

SMALLEST_BYTES = 700_000_000
"""An embedded model's file below which it cannot extract: 135M parameters invent, 1.5B do not."""
OWN_WORDS, MODELS_WORDS, PIECED = 0.75, 0.65, 0.6
"""Confidence by where the words of a memory come from."""
_WINDOW_STATEMENTS = 12
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

    Without a model, plain statements that can stand alone are kept too. A model that fails leaves
    what was found so far and its reason in `problem`; only errors that are not a model's, and
    cancellation, pass through. `user` and `agent` are who spoke.
    """
    from .corrections import settled
    from .small_talk import worth_telling
    from .statements import statements_of

    floor = read_floor(messages)
    statements = statements_of(messages)
    told = [one for one in statements if not one.known and worth_telling(one)]
    reading = _Reading(model, list(floor))
    if model is None:
        reading.keep_plain(told)
    else:
        for window in _windows(told, model.info.context_window):
            try:
                await reading.read(model, window)
            except ModelFailed as error:
                reading.problem = error.message
            except ModelError as error:
                reading.problem = error.message
                break
    return Extraction(
        candidates=tuple(settled(reading.found, statements)),
        floor=len(floor),
        first_pass=reading.first,
        second_pass=reading.second,
        dropped=reading.dropped,
        model=model.info.name if model else "",
        problem=reading.problem,
    )


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
class _Reading:
    """What the passes over the windows add up to."""

    model: Model | None
    found: list[Candidate]
    first: int = 0
    second: int = 0
    dropped: int = 0
    problem: str = ""
    made: "dict[int, Candidate]" = field(default_factory=dict)
    """The candidate of each statement, by its `id`."""

    def keep_plain(self, statements: "Sequence[Statement]") -> None:
        """What can be told without a model having looked at it."""
        from .standing import standing, with_person

        for one in statements:
            if content := standing(one.clause.text) or with_person(one):
                self._keep(one, content, None, PIECED)
            else:
                self._piece(one, None)

    async def read(self, model: Model, window: "Sequence[Statement]") -> None:
        """Both passes; what the first one keeps stays when the second one fails."""
        from .standing import standing

        sorts = await self._sorted(model, window)
        leaning: list[Statement] = []
        for one, sort in zip(window, sorts, strict=True):
            if sort == "chat" and not _matters(one):
                self.dropped += 1
            elif content := standing(one.clause.text):
                self.first += bool(self._keep(one, content, sort, OWN_WORDS))
            else:
                leaning.append(one)
        if leaning:
            given = dict(zip(map(id, window), sorts, strict=True))
            await self._tell(model, leaning, given)

    async def _sorted(self, model: Model, window: "Sequence[Statement]") -> "list[Sort]":
        from .standing import told

        sentences = [told(one.clause.text) for one in window]
        slots = [sort_slot(number, text) for number, text in enumerate(sentences, 1)]
        answer = await _answer(model, SORT, numbered(sentences), sort_schema(slots))
        return [answer[slot] for slot in slots]

    async def _tell(
        self, model: Model, leaning: "Sequence[Statement]", sorts: "dict[int, Sort]"
    ) -> None:
        from .grounding import supported
        from .standing import standing_sentence, with_person

        slots = [tell_slot(n, one.clause.text) for n, one in enumerate(leaning, 1)]
        answer = await _answer(model, TELL, _lines(leaning), tell_schema(slots))
        for one, slot in zip(leaning, slots, strict=True):
            said = standing_sentence(answer[slot])
            sort = sorts[id(one)]
            if content := with_person(one):
                kept = self._keep(one, content, sort, MODELS_WORDS)
            elif said and supported(said, one):
                kept = self._keep(one, said, sort, MODELS_WORDS)
            else:
                kept = self._piece(one, sort)
            self.second += bool(kept)
            self.dropped += not kept

    def _piece(self, statement: "Statement", sort: "Sort | None") -> Candidate | None:
        """What cannot stand alone, told with what it answers or goes on from."""
        from .corrections import corrects
        from .small_talk import telling
        from .standing import answering, joined

        if corrects(statement.clause.text):
            return None  # it mends what was said before, or says nothing by itself
        if content := answering(statement):
            return self._keep(statement, content, sort, PIECED)
        previous, before = statement.previous, None
        for _ in range(3):
            before = previous and (self.made.get(id(previous)) or self._of_floor(previous))
            if before is not None or previous is None:
                break
            previous = previous.previous
        if before is None:
            return self._behind_what_was_said(statement, sort)
        content = joined(before.content, statement)
        if previous is None or not content:
            return None
        near = previous.message.id == statement.message.id
        if near and id(previous) in self.made:  # one memory for both
            longer = replace(before, content=self._dated(content, statement))
            self.found[self.found.index(before)] = longer
            self.made[id(previous)] = self.made[id(statement)] = longer
            return longer
        if not telling(statement.clause.text):
            return None
        return self._keep(statement, content, sort, PIECED)

    def _behind_what_was_said(
        self, statement: "Statement", sort: "Sort | None"
    ) -> Candidate | None:
        """A clause with a name or a number, told behind the one it goes on from."""
        from .small_talk import in_passing, telling
        from .standing import joined, told

        previous = statement.previous
        if previous is None or not telling(statement.clause.text):
            return None
        if in_passing(previous.clause.text):
            return None
        content = joined(told(previous.clause.text), statement)
        return self._keep(statement, content, sort, PIECED) if content else None

    def _of_floor(self, statement: "Statement") -> Candidate | None:
        """The floor's last candidate from the same sentence."""
        same = [
            one
            for one in self.found
            if one.model is None
            and one.quote == statement.clause.quote
            and statement.message.id in one.source.message_ids
        ]
        return same[-1] if same else None

    @staticmethod
    def _dated(content: str, statement: "Statement") -> str:
        from .when import resolve_dates

        return resolve_dates(content, statement.message.created_at)

    def _keep(
        self, statement: "Statement", content: str, sort: "Sort | None", confidence: float
    ) -> Candidate | None:
        """The candidate a statement makes, unless it says what is known already."""
        from .floor_work import names_time
        from .grounding import same, sorted_by_rules, wish, worth
        from .standing import WISH, whole

        message, clause = statement.message, statement.clause
        text = whole(clause.text)
        ruled = sorted_by_rules(text, timed=names_time(text))
        by_model = sort if sort and sort != "chat" else ruled
        memory_type, subject, importance = worth(ruled if ruled != "fact" else by_model, text)
        if content.startswith(WISH):
            memory_type, subject, importance = wish()
        elif content.startswith("The user's name is") and ";" not in content:
            memory_type, subject, importance = "user_profile", "user.name", 9
        candidate = Candidate(
            content=self._dated(content, statement),
            memory_type=memory_type,
            subject=subject,
            importance=10 if clause.asked else max(MINIMUM_IMPORTANCE, importance),
            confidence=confidence,
            quote=clause.quote,
            source=Source(session=message.session, message_ids=(message.id,)),
            said_at=message.created_at,
            model=self.model.info.name if self.model else None,
            changes=clause.changes,
            private=clause.private,
        )
        if any(same(candidate.content, one.content) for one in self.found):
            return None
        self.found.append(candidate)
        self.made[id(statement)] = candidate
        return candidate


def _matters(statement: "Statement") -> bool:
    """Whether a clause matters though a small model may take it for small talk."""
    from .small_talk import asks_for_a_fact, may_pass, telling
    from .standing import WISH, standing

    text = statement.clause.text
    if statement.clause.asked or telling(text) or asks_for_a_fact(statement.question):
        return True
    content = standing(text)
    return content.startswith(WISH) or bool(content and not may_pass(text))


def _lines(leaning: "Sequence[Statement]") -> str:
    """The statements numbered, each behind what it may lean on."""
    lines: list[str] = []
    shown: set[int] = set()
    for number, one in enumerate(leaning, 1):
        before = one.previous
        if before is not None and id(before) not in shown:
            lines.append(f"ME: {before.clause.text}")
        if one.question:
            lines.append(f"AI: {one.question}")
        lines.append(f"{number} ME: {one.clause.text}")
        shown.add(id(one))
    return "\n".join(lines)


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
    said = await whole_reply(model, request)
    if wrong := problem(said, schema):
        raise ModelFailed(f"the model's notes do not have the asked form: {wrong}")
    return json.loads(bare(said))
