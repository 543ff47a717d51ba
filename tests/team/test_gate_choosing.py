"""Who is chosen among the agents the product comes with, by letters alone."""

import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fakes import HashEmbedder
from hypothesis import example, given
from hypothesis import strategies as st

from skill_agent.agents.dna import AgentDNA
from skill_agent.agents.parsing import parse_agents
from skill_agent.errors import ModelUnavailable
from skill_agent.files.bundled import bundled_agents_path, bundled_skills_path
from skill_agent.skills.book import SkillBook
from skill_agent.team.gate.choosing import Chosen, chosen, selected
from skill_agent.team.gate.comparing import Comparing, subject_of
from skill_agent.team.gate.load import Load
from skill_agent.team.gate.scoring import Standing, standing
from skill_agent.values import Attachment, TurnRequest

CODE = "please review my code and find the bug in this function"


@cache
def team() -> tuple[AgentDNA, ...]:
    return parse_agents(bundled_agents_path().read_text("utf-8"), "agents.toml").agents


@cache
def comparing() -> Comparing:
    return Comparing(
        skills=SkillBook([bundled_skills_path()]), embedder=None, folder=None, patience_s=60
    )


def stand(
    text: str, agents: Sequence[AgentDNA] | None = None, *, loads: dict[str, Load] | None = None
) -> Standing:
    async def work() -> Standing:
        return standing(
            await comparing().compared(subject_of(TurnRequest(text)), agents or team()),
            similar={},
            trust={},
            loads=loads or {},
        )

    return asyncio.run(work())


def choose(
    found: Standing,
    agents: Sequence[AgentDNA] | None = None,
    *,
    current: str | None = None,
    escalates: bool = True,
) -> Chosen:
    known = {one.slug: one for one in agents or team()}
    return chosen(found, known, current=current, default="kyra", escalates=escalates)


def changed(slug: str, **bounds: object) -> tuple[AgentDNA, ...]:
    """The team with other boundaries of one agent."""
    return tuple(
        one.model_copy(update={"boundaries": one.boundaries.model_copy(update=bounds)})
        if one.slug == slug
        else one
        for one in team()
    )


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        (CODE, "luke"),
        ("calculate the median and the standard deviation of these figures", "ada"),
        ("write a slogan for our new bike shop", "max"),
        ("schreib eine Überschrift für die Startseite", "max"),
        ("分析这个表格", "ada"),
        ("Hello", "kyra"),
        ("Question 3", "kyra"),
        ("My name is Tom", "kyra"),
        ("thanks a lot, see you tomorrow", "kyra"),
    ],
)
def test_a_clear_match_passes_and_small_talk_does_not(text: str, agent: str) -> None:
    found = stand(text)
    made = choose(found)
    assert made.agent == agent
    assert made.fallback == (agent == "kyra")
    assert made.reason == ("default" if agent == "kyra" else "skill_match")
    best = found.told()[0]
    assert (best.agent == agent and best.overall >= 0.6) or agent == "kyra"


def test_scores_say_what_they_are_made_of() -> None:
    found = stand(CODE)
    scores = {one.agent: one for one in found.told()}
    luke = scores["luke"]
    assert luke.past_performance == 0.5 and luke.load_balance == 1.0 and luke.trust == 0.5
    signals = (luke.skill_match, luke.past_performance, luke.personality_fit, luke.load_balance)
    wanted = sum(w * s for w, s in zip((0.40, 0.25, 0.20, 0.15), signals, strict=True))
    assert luke.overall == pytest.approx(wanted, abs=1e-3)
    assert "Pattern match (60%) + trust score (40%) = 0.50" in luke.explanation
    assert "letters alone" in luke.explanation
    assert [one.overall for one in found.told()] == sorted(
        (one.overall for one in found.told()), reverse=True
    )


def test_who_may_not_do_it_scores_no_skill() -> None:
    agents = changed("luke", cannot_do=(CODE,))
    found = stand(CODE, agents)
    scores = {one.agent: one for one in found.told()}
    assert scores["luke"].skill_match == 0.0 and not scores["luke"].able
    assert "may not do this" in scores["luke"].explanation
    made = choose(found, agents)
    assert (made.agent, made.reason, made.escalated_from) == ("kyra", "handoff", "luke")
    plain = choose(found, agents, escalates=False)
    assert (plain.agent, plain.reason, plain.escalated_from) == ("kyra", "default", None)


def test_escalations_lead_on_and_never_in_circles() -> None:
    never = (CODE,)
    agents = tuple(
        one.model_copy(
            update={
                "boundaries": one.boundaries.model_copy(
                    update={
                        "cannot_do": never if one.slug in ("luke", "ada") else (),
                        "escalates_to": {"luke": "ada", "ada": after}.get(one.slug),
                    }
                )
            }
        )
        for one in team()
        for after in ["max"]
    )
    made = choose(stand(CODE, agents), agents)
    assert (made.agent, made.escalated_from) == ("max", "luke")
    circle = tuple(
        one.model_copy(
            update={"boundaries": one.boundaries.model_copy(update={"escalates_to": "luke"})}
        )
        if one.slug == "ada"
        else one
        for one in agents
    )
    assert choose(stand(CODE, circle), circle).agent == "kyra"


def test_a_talk_stays_with_who_speaks_unless_another_is_clearly_better() -> None:
    found = stand("and the second one?")
    for slug in ("kyra", "luke", "ada", "max"):
        assert choose(found, current=slug).agent == slug
    able = choose(stand(CODE), current="luke")
    assert (able.agent, able.reason) == ("luke", "current")
    other = choose(stand(CODE), current="max")
    assert (other.agent, other.reason) == ("luke", "skill_match")


def test_a_busy_agent_is_not_chosen() -> None:
    found = stand(CODE, loads={"luke": Load(running=5)})
    assert choose(found).agent != "luke"
    assert "busy" in next(one for one in found.told() if one.agent == "luke").explanation
    assert choose(stand(CODE, loads={"luke": Load(running=1)})).agent == "luke"


def test_strategies_select_by_rank() -> None:
    found = stand(CODE)
    assert selected(found, "top_1", "luke") == ("luke",)
    three = selected(found, "top_k", "luke")
    assert three == ("luke", "kyra"), "the other two may not review code"
    assert len(selected(stand("what a day"), "top_k", "kyra")) == 3
    for strategy in ("ensemble", "cascade"):
        chosen_ones = selected(found, strategy, "luke")
        scores = {one.agent: one.overall for one in found.told()}
        assert chosen_ones[0] == "luke"
        assert all(scores[one] >= 0.6 for one in chosen_ones)
    assert selected(stand("Hello"), "ensemble", "kyra") == ("kyra",)


def test_what_comes_beside_the_words_calls_nobody() -> None:
    code = "def total(xs):\n    s = 0\n    for x in xs:\n        s =+ x\n    return s\n"
    request = TurnRequest("what do you say?", attachments=(Attachment(code, origin="pipe"),))
    subject = subject_of(request)
    assert subject.text == "what do you say?" and subject.idle == 0.0
    assert subject_of(TurnRequest("", attachments=request.attachments)).text == ""
    assert subject_of(TurnRequest("good morning!")).idle > 0.5


class Missing(HashEmbedder):
    """An embedder whose model cannot be loaded."""

    name = "missing"

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        raise ModelUnavailable("no file", hint="ska models pull")


def test_an_embedder_that_cannot_be_loaded_is_done_without() -> None:
    async def work() -> bool:
        broken = Comparing(
            skills=SkillBook([bundled_skills_path()]), embedder=Missing, folder=None, patience_s=60
        )
        compared = await broken.compared(subject_of(TurnRequest(CODE)), team())
        return compared.matches.by_meaning

    assert asyncio.run(work()) is False


def test_vectors_are_kept_and_hold_no_text(tmp_path: Path) -> None:
    async def work(embedder: HashEmbedder) -> None:
        one = Comparing(
            skills=SkillBook([bundled_skills_path()]),
            embedder=lambda: embedder,
            folder=tmp_path,
            patience_s=60,
        )
        await one.compared(subject_of(TurnRequest(CODE)), team())

    class Counting(HashEmbedder):
        texts = 0

        def __init__(self, name: str) -> None:
            self.name = name

        def embed(self, texts: Sequence[str]):  # type: ignore[no-untyped-def]
            self.texts += len(texts)
            return super().embed(texts)

    first, second = Counting("kept"), Counting("kept")
    asyncio.run(work(first))
    asyncio.run(work(second))
    assert first.texts > 500 and second.texts == 1, "only the message"
    assert {one.name for one in tmp_path.iterdir()} == {"trades.vectors", "agents.vectors"}
    assert b"review" not in (tmp_path / "agents.vectors").read_bytes()


@given(st.text(max_size=300))
@example("")
@example("\u202e\u0000\ud7ff" * 40)
@example("```\n" * 200)
@example("🙂" * 300)
def test_no_text_however_odd_is_too_much(text: str) -> None:
    async def work() -> Chosen:
        found = standing(
            await comparing().compared(subject_of(TurnRequest(text)), team()),
            similar={},
            trust=None,
            loads={},
        )
        for one in found.told():
            assert min(one.overall, one.skill_match, one.personality_fit) >= 0.0
            assert max(one.overall, one.skill_match, one.personality_fit) <= 1.0
        return choose(found)

    assert asyncio.run(work()).agent in {one.slug for one in team()}
