"""The six ways in which agents work together, each as a plan and as what is asked of whom.

A pattern knows nothing of limits, crashes or stores: `Work` does. After a crash it is run from its
beginning, and is given what was finished before.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from skill_agent.models.structured import bare
from skill_agent.values import Collaboration, Origin, Pattern, StageOutput, all_origins

from .estimate import Draft
from .wording import fields_of
from .work import Step, Work

Groups = list[list[Draft]]
_MOST_ROUNDS_EXPECTED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a pattern."""

    text: str = ""
    """Empty: code puts together what there is."""
    author: str = ""
    """The slug of whoever wrote it."""
    remarks: tuple[str, ...] = ()
    """What code says of it."""
    complete: bool = True
    """Whether the pattern came to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One pattern."""

    fewest: int
    most: int | None
    needs: str
    """What it needs, in words."""
    plan: Callable[[Collaboration, bool], Groups]
    """The steps; the second says whether the lead's model is able to plan."""
    run: Callable[[Work], Awaitable[Result]]

    def fits(self, number: int) -> bool:
        return self.fewest <= number and (self.most is None or number <= self.most)


# -- supervisor and workers ------------------------------------------------------------------------


def _supervised(one: Collaboration, plans: bool) -> Groups:
    workers = _others(one)
    open_ = plans and not all(p.task for p in one.participants if p.slug != one.lead)
    return [
        *([[Draft(stage="plan", agent=one.lead)]] if open_ else []),
        [Draft(stage="work", agent=slug) for slug in workers],
        [Draft(stage="synthesis", agent=one.lead, reads=len(workers))],
    ]


async def supervisor_worker(work: Work) -> Result:
    """The lead plans the parts where it is able, workers do theirs at the same time, the lead puts
    them together."""
    parts, origins = await _parts(work)
    steps = [
        Step(stage="work", agent=slug, instructions=parts[slug], origins=origins.get(slug, ()))
        for slug in work.others
    ]
    outputs = await work.all(steps)
    return await _merged(work, outputs, "merge", wish=await work.checkpoint(outputs))


async def _parts(work: Work) -> tuple[dict[str, str], Mapping[str, tuple[Origin, ...]]]:
    """What each worker is asked, and who beside the person wrote of it."""
    one = work.state
    said = {p.slug: p.task for p in one.participants if p.slug != one.lead}
    planned = await _planned(work) if not all(said.values()) else {}
    asked: dict[str, str] = {}
    for slug, task in said.items():
        if part := task or planned.get(slug):
            asked[slug] = work.wording.asked(one.goal, "task", task=part)
        elif len(said) > 1 and (field := fields_of(work.people[slug][0])):
            asked[slug] = work.wording.asked(one.goal, "part", field=field)
        else:
            asked[slug] = one.goal
    return asked, {slug: ("agent",) for slug in planned if not said[slug]}


async def _planned(work: Work) -> dict[str, str]:
    """The parts as the lead gives them to workers; none where its model is a small one."""
    one = work.state
    if work.small(one.lead):
        return {}
    people = "; ".join(f"{slug}: {work.name(slug)}" for slug in work.others)
    step = Step(
        stage="plan",
        agent=one.lead,
        instructions=work.wording.asked(one.goal, "plan", people=people),
        task_type="plan",
        schema=_PARTS,
    )
    parts = _json(await work.ask(step)).get("parts")
    return {
        str(part.get("agent")): str(part.get("task") or "")
        for part in (parts if isinstance(parts, list) else [])
        if isinstance(part, dict) and part.get("agent") in work.others
    }


# -- pipeline --------------------------------------------------------------------------------------


def _piped(one: Collaboration, _plans: bool) -> Groups:
    stages = _in_order(one)
    groups = [
        [Draft(stage=f"stage {n}", agent=slug, reads=n - 1)] for n, slug in enumerate(stages, 1)
    ]
    if stages[-1] != one.lead:
        groups.append([Draft(stage="synthesis", agent=one.lead, reads=len(stages))])
    return groups


async def pipeline(work: Work) -> Result:
    """One after another, each with all that was given before. The lead puts it together, unless the
    last stage is its own."""
    one, outputs, wish = work.state, list[StageOutput](), ""
    stages = _in_order(one)
    tasks = {p.slug: p.task for p in one.participants}
    for number, slug in enumerate(stages, 1):
        key = "first" if number == 1 else "step"
        asked = work.wording.asked(one.goal, key)
        if tasks[slug]:
            asked += f"\n{work.wording.line('task', task=tasks[slug])}"
        step = _reading(work, f"stage {number}", slug, _with(asked, wish), outputs)
        wish = ""
        if output := await work.ask(step):
            outputs.append(output)
            if number < len(stages) or slug != one.lead:
                wish = await work.checkpoint([output])
    if outputs and stages[-1] == one.lead and outputs[-1].agent_slug == one.lead:
        return Result(text=outputs[-1].output, author=one.lead)
    return await _merged(work, outputs, "merge", wish=wish)


# -- peer review -----------------------------------------------------------------------------------


def _reviewed(one: Collaboration, _plans: bool) -> Groups:
    writer, reviewer = _writer_and_reviewer(one)
    groups: Groups = []
    for number in range(1, min(_MOST_ROUNDS_EXPECTED, one.max_rounds) + 1):
        reads = 2 if number > 1 else 0
        groups.append([Draft(stage=f"draft {number}", agent=writer, reads=reads)])
        groups.append([Draft(stage=f"review {number}", agent=reviewer, reads=1)])
    return groups


async def peer_review(work: Work) -> Result:
    """A writer and a reviewer, until that one approves or the rounds are over."""
    one = work.state
    writer, reviewer = _writer_and_reviewer(one)
    draft: StageOutput | None = None
    review: StageOutput | None = None
    remarks = ""
    for number in range(1, one.max_rounds + 1):
        written = await work.ask(_drafted(work, number, writer, draft, review))
        if written is None:
            break
        draft, review = written, await work.ask(_checked(work, number, reviewer, written))
        if review is None:
            return Result(text=draft.output, author=writer, remarks=(_line(work, "unreviewed"),))
        if _json(review).get("approved") is True:
            return Result(text=draft.output, author=writer)
        remarks = readable(review.output).strip()
    if draft is None:
        return Result(complete=False)
    told = work.wording.line("rounds", rounds=_rounds(work), said=remarks)
    return Result(text=draft.output, author=writer, remarks=(told,))


def _drafted(
    work: Work, number: int, writer: str, draft: StageOutput | None, review: StageOutput | None
) -> Step:
    stage = f"draft {number}"
    if draft is None or review is None:
        return Step(stage=stage, agent=writer, instructions=_goal(work, writer))
    asked = work.wording.asked(work.state.goal, "revise")
    return _reading(work, stage, writer, asked, [draft, review])


def _checked(work: Work, number: int, reviewer: str, draft: StageOutput) -> Step:
    asked = work.wording.asked(work.state.goal, "review")
    return _reading(
        work, f"review {number}", reviewer, asked, [draft], task_type="review", schema=_VERDICT
    )


def _rounds(work: Work) -> int:
    return sum(one.stage.startswith("review ") for one in work.state.stage_outputs)


# -- brainstorm ------------------------------------------------------------------------------------


def _stormed(one: Collaboration, _plans: bool) -> Groups:
    people = _contributors(one)
    return [
        [Draft(stage="ideas", agent=slug) for slug in people],
        [Draft(stage="choice", agent=one.lead, reads=len(people))],
    ]


async def brainstorm(work: Work) -> Result:
    """Everybody's own ideas, none seeing the others'; then the lead groups them and picks."""
    asked = work.wording.asked(work.state.goal, "ideas")
    steps = [
        Step(stage="ideas", agent=slug, instructions=asked, task_type="generate")
        for slug in _contributors(work.state)
    ]
    return await _merged(work, await work.all(steps), "choose", stage="choice")


# -- consensus -------------------------------------------------------------------------------------


def _agreed(one: Collaboration, _plans: bool) -> Groups:
    people = [each.slug for each in one.participants]
    rounds = min(2, one.max_rounds)
    return [
        *(
            [Draft(stage=f"vote {n}", agent=slug, reads=(n - 1) * len(people)) for slug in people]
            for n in range(1, rounds + 1)
        ),
        [Draft(stage="resolution", agent=one.lead, reads=len(people))],
    ]


async def consensus(work: Work) -> Result:
    """Everybody votes alone, then once more having seen the others' reasons where they differ; the
    lead explains what came of it. Votes are counted by code."""
    one = work.state
    asked = work.wording.asked(one.goal, "vote")
    people = [each.slug for each in one.participants]
    steps = [
        Step(stage="vote 1", agent=slug, instructions=asked, schema=_VOTE, task_type="analyze")
        for slug in people
    ]
    votes = await work.all(steps)
    if len(_counted(votes)) > 1 and one.max_rounds > 1:
        votes = await _voted_again(work, votes) or votes
    if not votes:
        return Result(complete=False)
    told = _outcome(work, votes)
    return await _merged(work, votes, "resolve", stage="resolution", remark=told, result=told)


async def _voted_again(work: Work, votes: Sequence[StageOutput]) -> list[StageOutput]:
    """Each who voted chooses among what was chosen; whoever fails now keeps their first vote."""
    choices = list(dict.fromkeys(_choice(one) for one in votes))
    schema = {**_VOTE, "properties": {**_VOTE["properties"], "choice": {"enum": choices}}}
    asked = work.wording.asked(work.state.goal, "again")
    steps = [
        _reading(work, "vote 2", mine.agent_slug, asked, votes, task_type="analyze", schema=schema)
        for mine in votes
    ]
    again = {one.agent_slug: one for one in await work.all(steps)}
    return [again.get(one.agent_slug, one) for one in votes]


def _choice(vote: StageOutput) -> str:
    said = str(_json(vote).get("choice") or vote.output)
    return " ".join(said.split()).strip(" .!") or "?"


def _counted(votes: Sequence[StageOutput]) -> list[tuple[str, int]]:
    """Choices with their votes, the most first; case does not tell them apart."""
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for vote in votes:
        choice = _choice(vote)
        names.setdefault(choice.casefold(), choice)
        counts[choice.casefold()] += 1
    return [(names[key], number) for key, number in counts.most_common()]


def _outcome(work: Work, votes: Sequence[StageOutput]) -> str:
    """Which choice has the most votes, or that several have."""
    counted = _counted(votes)
    first = [one for one in counted if one[1] == counted[0][1]]
    if len(first) > 1:
        told = ", ".join(f"{choice} {number}" for choice, number in first)
        return work.wording.line("tie", votes=told)
    (choice, number) = first[0]
    return work.wording.line("won", choice=choice, votes=number, all=len(votes))


# -- delegation ------------------------------------------------------------------------------------


def _delegated(one: Collaboration, _plans: bool) -> Groups:
    return [[Draft(stage="work", agent=_worker(one))]]


async def delegation(work: Work) -> Result:
    """One task for one agent; what it gives is the result."""
    slug = _worker(work.state)
    done = await work.ask(Step(stage="work", agent=slug, instructions=_goal(work, slug)))
    return Result(text=done.output, author=slug) if done else Result(complete=False)


# -- what they share -------------------------------------------------------------------------------


async def _merged(
    work: Work,
    outputs: Sequence[StageOutput],
    key: str,
    *,
    stage: str = "synthesis",
    remark: str = "",
    wish: str = "",
    **said: str,
) -> Result:
    """What the lead makes of it; where that fails, code puts it together."""
    if not outputs:
        return Result(complete=False)
    asked = _with(work.wording.asked(work.state.goal, key, **said), wish)
    if missing := missing_in(work):
        asked += f" {work.wording.line('missing', people=missing)}"
    lead = work.state.lead
    done = await work.ask(_reading(work, stage, lead, asked, outputs, lead=True))
    remarks = (remark,) if remark and (done is None or remark not in done.output) else ()
    if done is None:
        return Result(remarks=remarks)
    return Result(text=done.output, author=lead, remarks=remarks)


def missing_in(work: Work) -> str:
    """Who did not do all that was asked, and why; empty where nobody failed."""
    failed = [p for p in work.state.participants if p.status == "failed"]
    return ", ".join(f"{work.people[p.slug][0].name} ({p.problem})" for p in failed)


def _reading(
    work: Work,
    stage: str,
    agent: str,
    asked: str,
    outputs: Sequence[StageOutput],
    **more: Any,
) -> Step:
    """A step that reads what others gave."""
    return Step(
        stage=stage,
        agent=agent,
        instructions=asked,
        reads=tuple((work.name(one.agent_slug), readable(one.output)) for one in outputs),
        origins=all_origins(*(one.origins for one in outputs)),
        **more,
    )


def readable(output: str) -> str:
    """An output as people and other agents read it: of a vote or a verdict what it says."""
    said = _object(output)
    if said.keys() == {"choice", "reason"}:
        return f"{said['choice']}: {said['reason']}"
    if said.keys() == {"approved", "comments"}:
        return str(said["comments"]) or ("approved" if said["approved"] else "not approved")
    return output


def _goal(work: Work, slug: str) -> str:
    task = next((p.task for p in work.state.participants if p.slug == slug), "")
    return work.wording.asked(work.state.goal, "task", task=task) if task else work.state.goal


def _line(work: Work, key: str) -> str:
    return work.wording.line(key)


def _json(output: StageOutput | None) -> dict[str, Any]:
    return _object(output.output) if output else {}


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(bare(text))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _others(one: Collaboration) -> list[str]:
    return [each.slug for each in one.participants if each.slug != one.lead]


def _contributors(one: Collaboration) -> list[str]:
    """All but the lead, which judges; of two, both."""
    others = _others(one)
    return others if len(others) > 1 else [each.slug for each in one.participants]


def _in_order(one: Collaboration) -> list[str]:
    return [each.slug for each in sorted(one.participants, key=lambda each: each.stage)]


def _writer_and_reviewer(one: Collaboration) -> tuple[str, str]:
    first, second = one.participants
    swapped = first.role == "reviewer" and second.role != "reviewer"
    return (second.slug, first.slug) if swapped else (first.slug, second.slug)


def _worker(one: Collaboration) -> str:
    return next(iter(_others(one)), one.lead)


def _schema(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_TEXT = {"type": "string"}
_PARTS = _schema(parts={"type": "array", "items": _schema(agent=_TEXT, task=_TEXT)})
_VERDICT = _schema(approved={"type": "boolean"}, comments=_TEXT)
_VOTE = _schema(choice=_TEXT, reason=_TEXT)

KINDS: Mapping[Pattern, Kind] = MappingProxyType(
    {
        "supervisor_worker": Kind(
            fewest=2,
            most=None,
            needs="a lead and at least one worker",
            plan=_supervised,
            run=supervisor_worker,
        ),
        "pipeline": Kind(
            fewest=2, most=None, needs="at least two agents", plan=_piped, run=pipeline
        ),
        "peer_review": Kind(
            fewest=2,
            most=2,
            needs="exactly a writer and a reviewer",
            plan=_reviewed,
            run=peer_review,
        ),
        "brainstorm": Kind(
            fewest=2, most=None, needs="at least two agents", plan=_stormed, run=brainstorm
        ),
        "consensus": Kind(
            fewest=2, most=None, needs="at least two agents", plan=_agreed, run=consensus
        ),
        "delegation": Kind(
            fewest=1,
            most=2,
            needs="one agent, or a lead and one agent",
            plan=_delegated,
            run=delegation,
        ),
    }
)


def _with(asked: str, wish: str) -> str:
    """What the person wants to be different stands last: it counts most."""
    return f"{asked}\n\n{wish}" if wish else asked
