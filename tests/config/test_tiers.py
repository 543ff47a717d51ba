"""Which model an agent's settings come to."""

import pytest

from skill_agent.agents.dna import AgentDNA, ModelConfig, TierModel
from skill_agent.agents.tiers import TIERS, affordable, capped, chosen, routed
from skill_agent.settings.schema import ModelSettings, RoleSettings

SETTINGS = ModelSettings(
    default="embedded/small",
    roles=RoleSettings(fast="openai/f", balanced="openai/b", powerful="openai/p"),
    fallback=("ollama/own",),
)
OWN = (TierModel(tier="balanced", model_name="mine/b"),)


def agent(**model: object) -> AgentDNA:
    return AgentDNA(slug="kyra", name="Kyra", model=ModelConfig.model_validate(model))


@pytest.mark.parametrize(
    ("model", "override", "name", "why"),
    [
        ({}, None, "default", "model_name default"),
        ({"model_name": "openai/x"}, None, "openai/x", "model_name"),
        ({"model_name": "fast"}, None, "openai/f", "model_name fast, by [models.roles]"),
        ({"model_name": "openai/x"}, "openai/y", "openai/y", "-m"),
        ({"custom_tiers": OWN}, "balanced", "mine/b", "-m balanced, its own by custom_tiers"),
        ({"max_tier": "fast"}, "powerful", "openai/p", "-m powerful, by [models.roles]"),
        ({"force_tier": "powerful"}, None, "openai/p", "force_tier powerful, by [models.roles]"),
        ({"force_tier": "powerful"}, "openai/y", "openai/y", "-m"),
        (
            {"force_tier": "powerful", "max_tier": "balanced", "custom_tiers": OWN},
            None,
            "mine/b",
            "force_tier powerful, capped by max_tier balanced, its own by custom_tiers",
        ),
        (
            {"force_tier": "fast", "max_tier": "balanced"},
            None,
            "openai/f",
            "force_tier fast, by [models.roles]",
        ),
        (
            {"model_name": "powerful", "max_tier": "fast"},
            None,
            "openai/f",
            "model_name powerful, capped by max_tier fast, by [models.roles]",
        ),
        (
            {"force_tier": "balanced", "model_name": "openai/x", "custom_tiers": OWN},
            None,
            "mine/b",
            "force_tier balanced, its own by custom_tiers",
        ),
    ],
)
def test_the_model_and_why(
    model: dict[str, object], override: str | None, name: str, why: str
) -> None:
    found = chosen(agent(**model), override, SETTINGS)
    assert (found.name, found.why) == (name, why)


def test_a_tier_that_nobody_names_a_model_for_is_the_default() -> None:
    found = chosen(agent(force_tier="powerful"), None, ModelSettings())
    assert (found.name, found.why) == (
        "default",
        "force_tier powerful, for which [models.roles] names none",
    )


def test_what_may_stand_in_goes_no_higher_than_the_highest_tier() -> None:
    everything = ("openai/f", "mine/b", "openai/p", "ollama/own", "embedded/small")
    assert affordable(agent(custom_tiers=OWN), SETTINGS) == everything
    capped = affordable(agent(custom_tiers=OWN, max_tier="balanced"), SETTINGS)
    assert capped == ("openai/f", "mine/b", "ollama/own", "embedded/small")


ONE = ModelSettings(default="embedded/small")
EACH = {"fast": "openai/f", "balanced": "openai/b", "powerful": "openai/p"}


@pytest.mark.parametrize(
    ("model", "settings", "tiers"),
    [
        ({}, SETTINGS, EACH),
        ({"max_tier": "fast"}, SETTINGS, EACH),  # what caps it caps each choice
        ({"custom_tiers": OWN}, SETTINGS, EACH | {"balanced": "mine/b"}),
        ({"model_name": "openai/x", "custom_tiers": OWN}, SETTINGS, EACH | {"balanced": "mine/b"}),
        ({"custom_tiers": OWN}, ONE, {"fast": ONE.default, "balanced": "mine/b",
                                      "powerful": ONE.default}),
        ({}, ONE, {}),
        ({"model_name": "openai/x"}, SETTINGS, {}),
        ({"model_name": "fast"}, SETTINGS, {}),
        ({"model_name": "fast", "custom_tiers": OWN}, SETTINGS, {}),
        ({"force_tier": "fast"}, SETTINGS, {}),
        ({"enable_model_routing": False}, SETTINGS, {}),
        ({"enable_model_routing": False, "custom_tiers": OWN}, SETTINGS, {}),
    ],
)  # fmt: skip
def test_what_a_message_may_be_answered_by(
    model: dict[str, object], settings: ModelSettings, tiers: dict[str, str]
) -> None:
    assert routed(agent(**model), settings) == tiers


def test_a_tier_no_higher_than_the_highest() -> None:
    assert [capped(agent(max_tier="balanced"), tier) for tier in TIERS] == [
        "fast",
        "balanced",
        "balanced",
    ]
    assert [capped(agent(), tier) for tier in TIERS] == [*TIERS]
