"""Which model answers: who has the last word, what a conversation and a purse do to it."""

from functools import partial
from pathlib import Path

import pytest
from fakes import StepClock
from http_fake import Say, provider
from paying import CHEAP, DEAR, change_agent, make_home, opened
from paying import ask as asked
from paying import end as ended
from tiered_home import EASY, HARD, MIDDLING, Tiers, change, said, tiered

from skill_agent.errors import ModelUnavailable
from skill_agent.events import TurnFinished, TurnStarted
from skill_agent.host.runtime import Runtime
from skill_agent.models.money.budget import Budgets
from skill_agent.models.money.metered import Counter, limits_in
from skill_agent.models.scripted import Answer, ScriptedGateway, ScriptedModel
from skill_agent.ports import Model
from skill_agent.team.router.conversation_tiers import tier_so_far
from skill_agent.team.router.difficulty import Difficulty
from skill_agent.team.router.router import Router
from skill_agent.team.router.second_opinion import SecondOpinion
from skill_agent.values import Attachment, Complexity, Purge, TurnRequest

LAST_WORDS: tuple[tuple[str, dict[str, str], str, str, str], ...] = (
    ("", {}, EASY, "s/fast", "fast"),
    ("", {}, MIDDLING, "s/balanced", "balanced"),
    ("", {}, HARD, "s/powerful", "powerful"),
    ('force_tier = "powerful"', {}, EASY, "s/powerful", "powerful"),
    ('force_tier = "fast"', {}, HARD, "s/fast", "fast"),
    ('force_tier = "powerful"\nmax_tier = "balanced"', {}, EASY, "s/balanced", "balanced"),
    ('max_tier = "balanced"', {}, HARD, "s/balanced", "balanced"),
    ('max_tier = "balanced"', {}, EASY, "s/fast", "fast"),
    ('max_tier = "fast"', {}, HARD, "s/fast", "fast"),
    ('max_tier = "fast"', {"model": "powerful"}, EASY, "s/powerful", "powerful"),
    ('force_tier = "powerful"', {"model": "s/own"}, EASY, "s/own", ""),
    ('model_name = "s/own"', {}, HARD, "s/own", ""),
    ('model_name = "balanced"', {}, HARD, "s/balanced", ""),
    ("enable_model_routing = false", {}, HARD, "s/own", ""),
    ('enable_model_routing = false\nforce_tier = "fast"', {}, HARD, "s/fast", ""),
    (
        'model_name = "s/own"\ncustom_tiers = [{ tier = "fast", model_name = "s/own" }]',
        {},
        EASY,
        "s/own",
        "fast",
    ),
)
"""What Kyra's table says, what the person, the message; then the model and the tier."""


async def test_who_has_the_last_word(tmp_path: Path) -> None:
    async with tiered(tmp_path) as (runtime, tiers):
        for number, (more, wishes, text, model, tier) in enumerate(LAST_WORDS, start=1):
            change(tmp_path, more)
            begun, usage, _ = await said(runtime, text, **wishes)
            assert (begun.model, usage.model, begun.tier) == (model, model, tier), more
            assert bool(begun.why) == bool(tier or wishes)
            assert tiers.calls == number, "nobody else is asked"


@pytest.mark.parametrize(
    "settings",
    [{"roles": {}}, {"roles": {"fast": "s/own"}}, {"features__model_routing": False}],
)
async def test_where_nothing_is_to_choose_nothing_is_scored(
    tmp_path: Path, settings: dict[str, object]
) -> None:
    async with tiered(tmp_path, **settings) as (runtime, tiers):  # type: ignore[arg-type]
        for text in (EASY, HARD):
            begun, _, _ = await said(runtime, text)
            assert (begun.model, begun.tier, begun.why) == ("s/own", "", "")
        assert len(tiers["own"].requests) == 2 == tiers.calls
        assert not (runtime.home.kv_cache / "difficulty.vectors").exists()
        (row,) = (await runtime.figures.usage(by="tier")).rows
        assert (row.id, row.turns) == ("", 2)


async def test_a_conversation_is_raised_and_not_lowered(tmp_path: Path) -> None:
    async with tiered(tmp_path) as (runtime, _):
        begun, _, session = await said(runtime, EASY)
        assert begun.tier == "fast"
        steps = [(HARD, "powerful"), (EASY, "powerful"), ("thanks!", "powerful")]
        for text, tier in steps:
            begun, _, _ = await said(runtime, text, session=session)
            assert begun.tier == tier
        assert "this conversation is on powerful" in begun.why
        begun, _, _ = await said(runtime, EASY)
        assert begun.tier == "fast", "another conversation"


async def test_a_conversation_is_lowered_by_whoever_says_so(tmp_path: Path) -> None:
    async with tiered(tmp_path) as (runtime, _):
        _, _, session = await said(runtime, HARD)
        begun, _, _ = await said(runtime, EASY, session=session, model="fast")
        assert (begun.tier, begun.model, begun.why) == ("fast", "s/fast", "-m")
        begun, _, _ = await said(runtime, EASY, session=session)
        assert begun.tier == "fast"
        change(tmp_path, 'max_tier = "balanced"')
        _, _, session = await said(runtime, HARD)
        begun, _, _ = await said(runtime, HARD, session=session)
        assert begun.tier == "balanced"


async def test_what_was_forced_does_not_stay_with_a_conversation(tmp_path: Path) -> None:
    async with tiered(tmp_path, 'force_tier = "powerful"') as (runtime, _):
        begun, _, session = await said(runtime, EASY)
        assert begun.tier == "powerful"
        change(tmp_path, "")
        begun, _, _ = await said(runtime, EASY, session=session)
        assert begun.tier == "fast"


async def test_a_conversation_that_was_erased_has_no_tier(tmp_path: Path) -> None:
    async with tiered(tmp_path) as (runtime, _):
        _, _, session = await said(runtime, HARD)
        assert await tier_so_far(runtime.ledger, session, "kyra") == "powerful"
        assert await tier_so_far(runtime.ledger, session, "luke") is None
        await runtime.ledger.purge(Purge(sessions=(session,), actor="person"))
        assert await tier_so_far(runtime.ledger, session, "kyra") is None


async def test_what_follows_up_is_as_hard_as_what_it_follows(tmp_path: Path) -> None:
    async with tiered(tmp_path, 'max_tier = "powerful"') as (runtime, _):
        _, _, session = await said(runtime, HARD, model="fast")
        begun, _, _ = await said(runtime, "make it shorter", session=session)
        assert begun.tier in ("balanced", "powerful")


async def test_a_model_that_is_missing_is_passed_over(tmp_path: Path) -> None:
    class Lacking(ScriptedGateway):
        lacks: frozenset[str] = frozenset()

        def check(self, name: str) -> None:
            if name in self.lacks:
                raise ModelUnavailable(f"{name} is not there")

    async with tiered(tmp_path) as (runtime, tiers):
        gateway = Lacking(dict[str, Model]({**tiers.models, "default": tiers["own"]}))
        router = routing(runtime, gateway)
        for lacks, model in (
            ({"s/fast"}, "s/balanced"),
            ({"s/fast", "s/balanced"}, "s/powerful"),
            ({"s/fast", "s/balanced", "s/powerful"}, "s/fast"),
        ):
            gateway.lacks = frozenset(lacks)
            choice = await router.model("kyra", TurnRequest(EASY), None)
            assert choice.model == model
        gateway.lacks = frozenset({"s/powerful"})
        choice = await router.model("kyra", TurnRequest(HARD), None)
        assert (choice.tier, choice.model) == ("balanced", "s/balanced")
        assert "s/powerful cannot answer" in choice.why


async def test_attachments_count(tmp_path: Path) -> None:
    long = Attachment(name="log.txt", text="line of a log\n" * 4_000, origin="file")
    async with tiered(tmp_path) as (runtime, _):
        bare, _, _ = await said(runtime, "thanks, is this all right?")
        full, _, _ = await said(runtime, "what is wrong with this?", attachments=(long,))
        assert bare.tier == "fast" and full.tier != "fast"


# -- near a border -------------------------------------------------------------------------------


class Between(Difficulty):
    """Finds every message to lie near the upper border."""

    async def of(self, text: str, **more: object) -> Complexity:
        return Complexity(
            reasoning_depth=6, domain_specificity=6, creativity=6, context_dependency=6,
            output_length=6, sure=0.5,
        )  # fmt: skip


def routing(
    runtime: Runtime, gateway: ScriptedGateway, difficulty: Difficulty | None = None
) -> Router:
    """A router of the runtime's home with models of the test."""
    directory, settings = runtime.directory, runtime.settings.models
    budgets = Budgets(runtime.ledger, StepClock(), partial(limits_in, directory))
    counter = Counter(gateway, directory, settings, budgets)
    return Router(
        settings=settings,
        directory=directory,
        ledger=runtime.ledger,
        counter=counter,
        difficulty=difficulty or Difficulty(),
        second_opinion=SecondOpinion(counter.gateway, lambda: True, longest_s=1.0),
    )


def between(runtime: Runtime, tiers: Tiers, *answers: Answer) -> tuple[Router, ScriptedModel]:
    fast = tiers.models["s/fast"] = ScriptedModel(answers, name="s/fast")
    return routing(runtime, tiers.gateway(), Between()), fast


async def test_near_a_border_the_fast_model_is_asked_once_a_minute(tmp_path: Path) -> None:
    async with tiered(tmp_path) as (runtime, tiers):
        router, fast = between(runtime, tiers, "powerful")
        for _ in range(2):
            choice = await router.model("kyra", TurnRequest("hm"), None)
            assert (choice.tier, choice.model) == ("powerful", "s/powerful")
            assert choice.complexity and choice.complexity.scorer == "model"
            assert choice.why == "near a border (6.0 of 10), s/fast says powerful"
        assert len(fast.requests) == 1


async def test_an_answer_that_is_none_leaves_it_balanced(tmp_path: Path) -> None:
    answers: tuple[Answer, ...] = ("fast", "nothing of the kind", [ModelUnavailable("gone")])
    async with tiered(tmp_path) as (runtime, tiers):
        for answer in answers:
            router, fast = between(runtime, tiers, answer)
            choice = await router.model("kyra", TurnRequest("hm"), None)
            assert (choice.tier, choice.override) == ("balanced", None)
            assert choice.why == "not sure what it needs (6.0 of 10)"
            assert len(fast.requests) == 1


async def test_a_dry_run_asks_no_model(tmp_path: Path) -> None:
    async with tiered(tmp_path) as (runtime, tiers):
        router, fast = between(runtime, tiers, "powerful")
        choice = await router.model("kyra", TurnRequest("hm"), None, dry=True)
        assert choice.tier == "balanced" and fast.requests == []
        choice = await router.model("kyra", TurnRequest("hm"), None)
        assert choice.tier == "powerful", "what was looked at dry is not what is decided"
        call = await runtime.turns.preview(TurnRequest(HARD))
        assert call.model == "s/powerful"


async def test_away_from_borders_nobody_is_asked(tmp_path: Path) -> None:
    async with tiered(tmp_path) as (runtime, tiers):
        gateway = tiers.gateway()
        for text in (EASY, HARD):
            await routing(runtime, gateway).model("kyra", TurnRequest(text), None)
        assert tiers.calls == 0


# -- money ---------------------------------------------------------------------------------------

TIERS = f"""
custom_tiers = [
  {{ tier = "fast", model_name = "{CHEAP}" }},
  {{ tier = "balanced", model_name = "{CHEAP}" }},
  {{ tier = "powerful", model_name = "{DEAR}" }},
]
"""


async def test_money_lowers_the_tier_before_the_call(tmp_path: Path) -> None:
    with provider(Say()) as server:
        home = make_home(tmp_path, server.base, "daily_budget_usd = 5.0" + TIERS)
        async with opened(home) as runtime:
            begun = await asked(runtime, HARD)
            assert isinstance(begun[0], TurnStarted) and begun[0].model == DEAR
            change_agent(home, "daily_budget_usd = 0.5" + TIERS)
            events = await asked(runtime, HARD)
            (start,) = [one for one in events if isinstance(one, TurnStarted)]
            assert (start.model, start.tier) == (CHEAP, "balanced")
            assert start.why.startswith(f"the budget does not reach for {DEAR}; ")
            last = ended(events)
            assert isinstance(last, TurnFinished) and last.usage.model == CHEAP
            change_agent(home, "daily_budget_usd = 5.0" + TIERS)
            again = await asked(runtime, EASY, session=last.session)
            assert isinstance(again[0], TurnStarted) and again[0].model == CHEAP
            by_tier = {row.id: row for row in (await runtime.figures.usage(by="tier")).rows}
            assert by_tier["powerful"].turns == 1
            assert sum(row.calls for row in by_tier.values()) == 3


async def test_what_every_turn_was_answered_on_is_counted(tmp_path: Path) -> None:
    async with tiered(tmp_path) as (runtime, _):
        for text in (EASY, MIDDLING, HARD, EASY):
            await said(runtime, text)
        rows = (await runtime.figures.usage(by="tier")).rows
        counted = {row.id: (row.turns, row.calls) for row in rows}
        assert counted == {"fast": (2, 2), "balanced": (1, 1), "powerful": (1, 1)}
        assert {row.id for row in (await runtime.figures.usage(by="strategy")).rows} == {""}
        log = await runtime.ledger.log(kinds=("usage",))
        assert {row.new["tier"] for row in log if row.new} == {"fast", "balanced", "powerful"}
