"""One message for several agents, as front ends and other parts ask for it."""

import asyncio
import math
from dataclasses import dataclass
from uuid import UUID, uuid5

from skill_agent.agents.directory import AgentDirectory
from skill_agent.conversations.idempotency import checked_key, conflict
from skill_agent.conversations.usage import usd
from skill_agent.errors import SkillAgentError, UsageError
from skill_agent.identifiers import new_id
from skill_agent.models.models import Models
from skill_agent.models.money.purses import Purses
from skill_agent.ports import Ledger
from skill_agent.settings.schema import Settings
from skill_agent.team import operations
from skill_agent.team.gate.choosing import TOP_K
from skill_agent.team.gate.gate import ExpertGate
from skill_agent.team.sessions.estimate import Draft, Estimator
from skill_agent.team.sessions.wording import wording_of
from skill_agent.team.tasks.tasks import RunsTasks
from skill_agent.text.checks import sound_text
from skill_agent.text.shaping import one_line
from skill_agent.values import (
    SEVERAL_STRATEGIES,
    Routing,
    SeveralAnswer,
    SeveralPlan,
    SeveralRequest,
    TurnRequest,
    all_origins,
)

from .choosing import (
    FAST,
    JUDGEMENT,
    MERGE,
    Editor,
    Outcome,
    best_of,
    one_after_another,
    put_together,
)
from .round import ANSWER, Person, Round

MOST_SECONDS = 86_400.0


def id_of(key: str) -> str:
    """The id of the answer to a request with this key, which nothing else has."""
    return str(uuid5(UUID(checked_key(key)), "several"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Who is to answer, and who makes one answer of theirs."""

    agents: tuple[str, ...]
    people: dict[str, Person]
    confidence: dict[str, float]
    problems: dict[str, str]
    """Of those whose model cannot be had."""
    editor: Editor | None


class Strategies(operations.StrategyOperations):
    """Has the agents of one home answer together."""

    def __init__(
        self,
        *,
        settings: Settings,
        ledger: Ledger,
        directory: AgentDirectory,
        models: Models,
        gate: ExpertGate,
        tasks: RunsTasks,
        purses: Purses,
    ) -> None:
        self._settings, self._directory, self._models = settings, directory, models
        self._gate, self._tasks, self._purses = gate, tasks, purses
        self._estimator = Estimator(ledger)
        self._running: set[str] = set()

    async def plan(self, request: SeveralRequest) -> SeveralPlan:
        """Of a cascade all that may be asked. Raises UsageError for what cannot be."""
        self._check(request)
        asked = await self._asked(request)
        drafts = [Draft(stage=ANSWER, agent=one) for one in asked.agents]
        cascade = request.strategy == "cascade"
        groups = [[one] for one in drafts] if cascade else [drafts]
        answers = await self._estimator.of(groups, request.text, asked.people)
        steps, seconds, cost = answers.steps, answers.seconds, answers.usd
        if asked.editor is not None:
            slug, stage = asked.editor.dna.slug, JUDGEMENT if request.strategy == "top_k" else MERGE
            draft = Draft(stage=stage, agent=slug, reads=len(asked.agents))
            editor = {slug: (asked.editor.dna, asked.editor.model)}
            last = await self._estimator.of([[draft]], request.text, editor)
            steps, seconds = (*steps, *last.steps), seconds + last.seconds
            cost = None if cost is None or last.usd is None else cost + last.usd
        return SeveralPlan(
            strategy=request.strategy,
            plan=steps,
            estimate_s=round(seconds, 1),
            estimate_usd=cost,
            max_duration_s=request.max_duration_s,
            max_cost_usd=request.max_cost_usd,
        )

    async def ask(self, request: SeveralRequest) -> SeveralAnswer:
        """What an agent does wrong stands in `problems`, and where nobody answers the text is
        empty. Cancelled, it stops all of them first. Raises as `plan` does, Conflict where the key
        is in use, and BudgetExhausted where whoever asks has nothing left."""
        self._check(request)
        name = id_of(request.key or new_id())
        if name in self._running:
            raise conflict(request.key or name)
        self._running.add(name)
        try:
            return await self._answered(name, request)
        finally:
            self._running.discard(name)

    async def _answered(self, name: str, request: SeveralRequest) -> SeveralAnswer:
        began = asyncio.get_running_loop().time()
        asked = await self._asked(request)
        wording = await wording_of(request.text)
        around = self._purses.of(request.parent_turn) if request.parent_turn else None
        told, most = f"the question {one_line(request.text, 40)!r}", request.max_cost_usd
        with self._purses.collaboration(name, told, usd=most, around=around) as purse:
            now = Round(
                id=name,
                request=request,
                agents=asked.agents,
                people=asked.people,
                confidence=asked.confidence,
                problems=asked.problems,
                wording=wording,
                tasks=self._tasks,
                purse=purse,
                ends=began + request.max_duration_s,
            )
            outcome = await _to_end(now, asked.editor)
        answers = now.answers
        return SeveralAnswer(
            id=name,
            strategy=request.strategy,
            text=_told(now, outcome),
            agent=outcome.agent,
            responses=tuple(answers),
            problems=now.problems,
            merged_by=outcome.merged_by,
            capped=now.capped,
            origins=all_origins(request.origins, now.origins, *(one.origins for one in answers)),
            tokens_used=now.tokens_used,
            cost_usd=round(purse.spent_usd, 6),
            duration_s=round(asyncio.get_running_loop().time() - began, 3),
        )

    def _check(self, request: SeveralRequest) -> None:
        if not self._settings.features.ensemble:
            raise UsageError(
                "several agents for one message are switched off",
                hint="set ensemble = true under [features] in config.toml",
            )
        if not sound_text(request.text, "the question").strip():
            raise UsageError("there is nothing to answer", hint='ska team ask "…"')
        if request.strategy not in SEVERAL_STRATEGIES:
            raise UsageError(
                f"no strategy {request.strategy!r} for several agents",
                hint=", ".join(SEVERAL_STRATEGIES),
            )
        if not (0 < request.max_duration_s <= MOST_SECONDS):
            raise UsageError(f"it may take up to {MOST_SECONDS:,.0f} seconds, and more than none")
        if not (0 <= request.max_cost_usd < math.inf):
            raise UsageError("what it may cost is no amount of dollars", hint="0 is nothing")

    async def _asked(self, request: SeveralRequest) -> _Asked:
        routing = await self._gate.weighed(
            TurnRequest(request.text), None, strategy=request.strategy
        )
        people, problems = dict[str, Person](), dict[str, str]()
        for slug in _order(routing):
            dna = self._directory.get(slug)
            try:
                people[slug] = dna, await self._models.of(dna)
            except SkillAgentError as problem:
                problems[slug] = problem.message
        agents = tuple(people)
        editor = None
        if request.strategy != "cascade" and len(people) > 1:
            editor = await self._editor(routing)
        if editor is not None:
            people.setdefault(editor.dna.slug, (editor.dna, editor.model))
        scores = {one.agent: one.overall for one in routing.scores}
        return _Asked(
            agents=agents,
            people=people,
            confidence={routing.agent: routing.confidence, **scores},
            problems=problems,
            editor=editor,
        )

    async def _editor(self, routing: Routing) -> Editor | None:
        """The default agent, or the best one where that is not active; None where its fast tier is
        a small model, or none that can be had."""
        active = {dna.slug: dna for dna in self._directory.list("active")}
        dna = active.get(self._settings.general.default_agent) or active.get(routing.selected[0])
        if dna is None:
            return None
        try:
            model = await self._models.of(dna, FAST)
        except SkillAgentError:
            return None
        return None if model.info.profile.small else Editor(dna=dna, model=model)


def _order(routing: Routing) -> tuple[str, ...]:
    """Who answers, the best first. Where one after another is asked, those that fit less stand in
    for the ones that fit."""
    if routing.strategy != "cascade":
        return routing.selected
    able = (one.agent for one in routing.scores if one.able)
    more = [one for one in able if one not in routing.selected]
    return (*routing.selected, *more[: max(0, TOP_K - len(routing.selected))])


async def _to_end(now: Round, editor: Editor | None) -> Outcome:
    """What they came to; when the time is over, what code makes of what there is."""
    strategy = now.request.strategy
    give = put_together if strategy == "ensemble" else best_of
    try:
        async with asyncio.timeout(max(0.0, now.left)):
            await (one_after_another(now) if strategy == "cascade" else now.all())
            return await give(now, editor)
    except TimeoutError:
        now.capped = "time"
        silent = [one for one in now.agents if one not in {**now.responses, **now.problems}]
        for agent in silent[:1] if strategy == "cascade" else silent:
            now.problems[agent] = "it did not answer in time"
        return await give(now, None)


def _told(now: Round, outcome: Outcome) -> str:
    """The text; where answers were put together, also who is missing and why it ended early."""
    if not outcome.merged_by:
        return outcome.text
    lines, wording = [outcome.text], now.wording
    if now.problems:
        named = {one: now.people[one][0].name for one in now.people}
        people = ", ".join(f"{named.get(one, one)} ({why})" for one, why in now.problems.items())
        lines.append(wording.line("missing", people=people))
    if now.capped == "money":
        lines.append(wording.line("money", limit=usd(now.request.max_cost_usd)))
    elif now.capped == "time":
        seconds = wording.line("s", n=f"{now.request.max_duration_s:g}")
        lines.append(wording.line("time", limit=seconds))
    return "\n\n".join(lines)
