"""How several agents come to one answer: the best of some, all put together, or the first one.

A capable model judges and merges; with a small one code goes by how well the agents fit, and puts
the answers below one another.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from skill_agent.agents.dna import AgentDNA
from skill_agent.ports import Model
from skill_agent.team.sessions.material import Piece
from skill_agent.team.sessions.wording import sections
from skill_agent.text.shaping import one_line
from skill_agent.values import ExpertResponse, all_origins

from .round import Round, Step

FAST = "fast"
JUDGEMENT, MERGE = "judgement", "merge"
_JUDGE = "Colleagues answered this; their answers stand below. Say which of them answers it best."
_ALIKE = 0.8
"""Answers that share so much of their letters say the same."""
_LETTERS = 4
_LONGEST_PROBLEM = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """Whoever judges or merges, with the model of its fast tier, which is no small one."""

    dna: AgentDNA
    model: Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The text that is given, and whose it is."""

    text: str = ""
    agent: str | None = None
    merged_by: Literal["", "model", "code"] = ""


async def best_of(now: Round, editor: Editor | None) -> Outcome:
    """The answer that the editor finds best, else that of the agent that fits best."""
    answers = now.answers
    if not answers:
        return Outcome()
    best = max(answers, key=lambda one: one.confidence)
    if editor is not None and len(answers) > 1 and not now.capped:
        best = await _judged(now, editor, answers) or best
    return Outcome(text=best.content, agent=best.agent_slug)


async def put_together(now: Round, editor: Editor | None) -> Outcome:
    """All answers as one, each author named. One answer alone is given as it is."""
    answers = now.answers
    if not answers:
        return Outcome()
    if len(answers) == 1:
        return Outcome(text=answers[0].content, agent=answers[0].agent_slug)
    if editor is not None and not now.capped:
        reads = tuple((now.name(one.agent_slug), one.content) for one in answers)
        instructions = now.wording.asked(now.request.text, "merge")
        if text := await _edited(now, editor, MERGE, instructions, reads):
            return Outcome(text=_with_authors(now, text, answers), merged_by="model")
    return Outcome(text=_below_one_another(now, answers), merged_by="code")


async def one_after_another(now: Round) -> None:
    """Asks until one answers; each hears what those before gave, or why they failed. One that a
    person stopped is followed by nobody."""
    before: list[Piece] = []
    for agent in now.agents:
        task = await now.answer(agent, tuple(before))
        stopped = task is not None and task.status == "cancelled"
        if agent in now.responses or now.capped or stopped:
            return
        if task is not None:
            now.origins = all_origins(now.origins, task.origins, ("agent",))
        problem = one_line(now.problems[agent], _LONGEST_PROBLEM)
        gave = task.result.strip() if task is not None else ""
        before.append((now.name(agent), f"{gave}\n({problem})".strip()))


async def _judged(
    now: Round, editor: Editor, answers: Sequence[ExpertResponse]
) -> ExpertResponse | None:
    """Authors are not named to whoever judges, for it may be one of them."""
    numbers = [str(number) for number, _ in enumerate(answers, 1)]
    schema = {
        "type": "object",
        "properties": {"best": {"type": "string", "enum": numbers}},
        "required": ["best"],
        "additionalProperties": False,
    }
    reads = tuple((number, one.content) for number, one in zip(numbers, answers, strict=True))
    instructions = f"{now.request.text.strip()}\n\n{_JUDGE}"
    said = await _edited(now, editor, JUDGEMENT, instructions, reads, schema)
    try:
        return answers[numbers.index(json.loads(said)["best"])]
    except (ValueError, KeyError, TypeError):
        return None


async def _edited(
    now: Round,
    editor: Editor,
    stage: str,
    instructions: str,
    reads: tuple[Piece, ...],
    schema: dict[str, object] | None = None,
) -> str:
    step = Step(
        stage=stage,
        agent=editor.dna.slug,
        instructions=instructions,
        reads=reads,
        model=FAST,
        schema=schema,
        tools=False,
    )
    return await now.edited(step, editor.model)


def _with_authors(now: Round, text: str, answers: Sequence[ExpertResponse]) -> str:
    """Whoever contributed is named: where the text does not, by a line of ours."""
    unnamed = [now.name(one.agent_slug) for one in answers if one.agent_name not in text]
    if not unnamed:
        return text
    return f"{text}\n\n{now.wording.line('contributions', people=', '.join(unnamed))}"


def _below_one_another(now: Round, answers: Sequence[ExpertResponse]) -> str:
    """Each answer under its author; what others say in nearly the same words stands once, under
    all their names."""
    found: list[tuple[list[str], str]] = []
    for one in answers:
        name = now.name(one.agent_slug)
        for names, text in found:
            if alike(text, one.content):
                names.append(name)
                break
        else:
            found.append(([name], one.content))
    pieces = [(", ".join(names), text) for names, text in found]
    return sections(pieces, now.wording.line("by", who="{who}"))


def alike(one: str, other: str) -> bool:
    """Whether two answers are the same in nearly all their words, in any script."""
    mine, others = _letters(one), _letters(other)
    return len(mine & others) >= _ALIKE * len(mine | others)


def _letters(text: str) -> set[str]:
    """Its letters, so many at a time, whatever stands between them."""
    plain = "".join(one for one in text.casefold() if one.isalnum()) or text
    return {plain[at : at + _LETTERS] for at in range(max(1, len(plain) - _LETTERS + 1))}
