"""Chooses the tier a message is answered on: `-m`, force_tier, what it needs, max_tier, money.

In this order, each with the last word over what stands before it, and `override` says whose it
was. `-m` is looked at where turns are begun. A conversation comes between need and `max_tier`: it
is raised by a hard message and not lowered by an easy one.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.agents.tiers import TIERS, capped, models_of_tiers, routed
from skill_agent.errors import SkillAgentError
from skill_agent.models.models import reply_room
from skill_agent.models.money.metered import Counter
from skill_agent.ports import ChatMessage, Ledger, ModelRequest
from skill_agent.settings.schema import ModelSettings
from skill_agent.values import ModelChoice, Override, Session, TierName, TurnRequest

from .conversation_tiers import tier_so_far
from .difficulty import Difficulty
from .lately import Lately, digest
from .score import BORDERS, overall, tier_of
from .scorer import SURE
from .second_opinion import SecondOpinion

CHOICES_S = 60.0
_EARLIER, _LOOKED_AT = 3, 12
"""So many of the person's earlier messages are read, out of so many of the conversation's last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A message to be answered, with what there is to choose from."""

    dna: AgentDNA
    request: TurnRequest
    session: Session | None
    models: dict[TierName, str]


class Router:
    """The `ChoosesModel` of one home.

    Where there is nothing to choose it costs nothing: no message is scored, nothing is read.
    """

    def __init__(
        self,
        *,
        settings: ModelSettings,
        directory: AgentDirectory,
        ledger: Ledger,
        counter: Counter,
        difficulty: Difficulty,
        second_opinion: SecondOpinion,
    ) -> None:
        self._settings, self._directory, self._ledger = settings, directory, ledger
        self._counter, self._difficulty = counter, difficulty
        self._second_opinion = second_opinion
        self._choices = Lately[ModelChoice](CHOICES_S)

    @property
    def chooses(self) -> bool:
        """Whether there is an agent whose messages may be answered on several tiers."""
        try:
            return any(routed(dna, self._settings) for dna in self._directory.list())
        except SkillAgentError:  # agents.toml cannot be read: there are none yet
            return False

    async def model(
        self, agent: str, request: TurnRequest, session: Session | None, *, dry: bool = False
    ) -> ModelChoice:
        """An empty one where the agent's settings say which model it is."""
        begun = time.perf_counter()
        dna = self._directory.get(agent)
        if not (models := self._open_to(dna)):
            return ModelChoice()
        asked = _Asked(dna=dna, request=request, session=session, models=models)
        if dna.model.force_tier:
            choice = _at_most(_forced(asked), asked)
        else:
            choice = _at_most(await self._needed(asked, dry=dry), asked)
        choice = await self._paid(await self._usable(choice, asked), asked)
        return replace(choice, routing_ms=round((time.perf_counter() - begun) * 1000, 2))

    def _open_to(self, dna: AgentDNA) -> dict[TierName, str]:
        """The models there are to choose from; none where a person has chosen."""
        if dna.model.force_tier and dna.model.enable_model_routing:
            models = models_of_tiers(dna, self._settings)
            return models if len({*models.values()}) > 1 else {}
        return dict(routed(dna, self._settings))

    # -- what the message needs --------------------------------------------------------------

    async def _needed(self, asked: _Asked, *, dry: bool) -> ModelChoice:
        """By its score, by the fast model near a border, by the conversation so far."""
        if _one_below_the_cap(asked):
            return _choice(asked, TIERS[-1], "")
        session, agent = asked.session, asked.dna.slug
        floor = await tier_so_far(self._ledger, session.id, agent) if session else None
        key = (agent, asked.dna.model.model_dump_json(), session and session.id, floor, *_of(asked))
        if (known := self._choices.get(key)) is not None:
            return known
        choice, whole = await self._scored(asked, dry=dry)
        if floor and TIERS.index(floor) > TIERS.index(choice.tier or floor):
            why = f"this conversation is on {floor} already; {choice.why}"
            choice = _choice(asked, floor, why, choice, override="conversation")
        if whole:
            self._choices.keep(key, choice)
        return choice

    async def _scored(self, asked: _Asked, *, dry: bool) -> tuple[ModelChoice, bool]:
        """The choice, and whether nothing was left out of it."""
        earlier = await self._earlier(asked.session)
        text, beside = asked.request.text, sum(len(one.text) for one in asked.request.attachments)
        found = await self._difficulty.of(text, earlier=earlier, beside=beside)
        figure = overall(found)
        scored = ModelChoice(complexity=found, overall=figure)
        if found.sure >= SURE:
            why = f"it needs {tier_of(figure)} ({figure:.1f} of 10)"
            return _choice(asked, tier_of(figure), why, scored), True
        told = None if dry else await self._opinion(asked, figure, earlier)
        if told is not None:
            scored = replace(scored, complexity=replace(found, scorer="model"))
            why = f"near a border ({figure:.1f} of 10), {asked.models['fast']} says {told}"
            return _choice(asked, told, why, scored), True
        why = f"not sure what it needs ({figure:.1f} of 10)"
        return _choice(asked, "balanced", why, scored), not dry

    async def _opinion(
        self, asked: _Asked, figure: float, earlier: Sequence[str]
    ) -> TierName | None:  # fmt: skip
        """Of the two tiers at the nearest border one, or none."""
        border = min(BORDERS, key=lambda one: abs(figure - one))
        at = BORDERS.index(border)
        told = await self._second_opinion.of(
            asked.dna.slug,
            asked.models["fast"],
            asked.request.text,
            earlier=earlier,
            session=asked.session.id if asked.session else "",
        )
        return told if told in TIERS[at : at + 2] else None

    async def _earlier(self, session: Session | None) -> list[str]:
        """What the person said last in a conversation, the oldest first."""
        if session is None:
            return []
        last = await self._ledger.messages(session.id, last=_LOOKED_AT)
        return [one.content for one in last if one.role == "user" and one.content][-_EARLIER:]

    # -- what can be had ---------------------------------------------------------------------

    async def _usable(self, choice: ModelChoice, asked: _Asked) -> ModelChoice:
        """A model that is known to be missing, or blind to what is shown, is passed over: for the
        next better one, else the next simpler one."""
        assert choice.tier is not None
        at = TIERS.index(choice.tier)
        highest = TIERS.index(capped(asked.dna, TIERS[-1]))
        for tier in (*TIERS[at : highest + 1], *reversed(TIERS[:at])):
            if await self._answers(asked, asked.models[tier]):
                if tier == choice.tier:
                    return choice
                why = f"{choice.why}; {choice.model} cannot answer"
                return _choice(asked, tier, why, choice)
        return choice

    async def _answers(self, asked: _Asked, name: str) -> bool:
        gateway = self._counter.gateway(asked.dna.slug)
        try:
            gateway.check(name)
            seen = not asked.request.images or (await gateway.model(name)).info.profile.vision
        except SkillAgentError:
            return False
        return seen

    async def _paid(self, choice: ModelChoice, asked: _Asked) -> ModelChoice:
        """The dearest tier, up to the chosen one, that the agent's money reaches for. Where it
        reaches for none the choice stays: the call finds what is free, or says what it lacks."""
        assert choice.tier is not None
        below = TIERS[: TIERS.index(choice.tier)]
        if await self._affords(asked, choice.model):
            return choice
        for tier in reversed(below):
            name = asked.models[tier]
            if name == choice.model or not await self._answers(asked, name):
                continue
            if await self._affords(asked, name):
                why = f"the budget does not reach for {choice.model}; {choice.why}"
                return _choice(asked, tier, why, choice, override="budget_cap")
        return choice

    async def _affords(self, asked: _Asked, name: str) -> bool:
        request = asked.request
        texts = [request.text, request.system, *(one.text for one in request.attachments)]
        said = ChatMessage(role="user", content="\n".join(texts), images=request.images)
        try:
            model = await self._counter.gateway(asked.dna.slug).model(name)
            room = reply_room(asked.dna.model.max_output_tokens, model.info)
            return await model.affords(ModelRequest(messages=(said,), max_tokens=room))
        except SkillAgentError:
            return True  # what it lacks is told when it is asked


def _of(asked: _Asked) -> tuple[object, ...]:
    """What of a message makes it the same one."""
    request = asked.request
    return digest(request.text), *(digest(one.text) for one in request.attachments)


def _one_below_the_cap(asked: _Asked) -> bool:
    """Whether all tiers the agent may have are one model."""
    highest = capped(asked.dna, TIERS[-1])
    return len({asked.models[tier] for tier in TIERS[: TIERS.index(highest) + 1]}) == 1


def _forced(asked: _Asked) -> ModelChoice:
    tier = asked.dna.model.force_tier
    assert tier is not None
    return _choice(asked, tier, f"force_tier {tier}", override="force_tier")


def _at_most(choice: ModelChoice, asked: _Asked) -> ModelChoice:
    """Not above the agent's `max_tier`."""
    assert choice.tier is not None
    most = capped(asked.dna, choice.tier)
    if most == choice.tier:
        return choice
    why = f"{choice.why}, capped by max_tier {most}" if choice.why else f"max_tier {most}"
    return _choice(asked, most, why, choice, override="max_tier")


def _choice(
    asked: _Asked,
    tier: TierName,
    why: str,
    so_far: ModelChoice | None = None,
    *,
    override: Override | None = None,
) -> ModelChoice:
    """A tier with its model; what was found out before stays."""
    known = so_far or ModelChoice()
    return replace(
        known,
        tier=tier,
        model=asked.models[tier],
        why=why,
        override=override or known.override,
    )
