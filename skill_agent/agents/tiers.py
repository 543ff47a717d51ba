"""Which model an agent's settings come to, and why; no model is asked for here.

**Who chooses.** Whoever names a model, gets it: `-m` of one reply, a `provider/model` or a tier in
`model_name`, `force_tier`. Where `model_name` is left at `default`, or the agent has tiers of its
own (`custom_tiers`) beside a `provider/model`, each message is answered on the tier it needs, as
long as the tiers are not all one model; `max_tier` is then the highest of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from skill_agent.settings.schema import ModelSettings

from .dna import AgentDNA, ModelTier

TIERS: tuple[ModelTier, ...] = get_args(ModelTier)
"""The cheapest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenModel:
    """The name of a model (empty: the default of config.toml), and how it came to be that one."""

    name: str
    why: str


def chosen(dna: AgentDNA, override: str | None, settings: ModelSettings) -> ChosenModel:
    """`-m`, else force_tier, else model_name; max_tier caps a tier that the agent's settings name,
    a tier's model is the agent's own or that of `[models.roles]`."""
    config = dna.model
    if override:
        return _of(dna, override, settings, "-m")
    if config.force_tier:
        return _capped(dna, config.force_tier, settings, "force_tier")
    if config.model_name in TIERS:
        return _capped(dna, config.model_name, settings, "model_name")
    return _of(dna, config.model_name, settings, "model_name")


def routed(dna: AgentDNA, settings: ModelSettings) -> Mapping[ModelTier, str]:
    """The models among which each message's is chosen, by tier; empty where nothing is to choose:
    somebody named one, routing is off, or all tiers are one model."""
    config = dna.model
    a_model = config.model_name not in ("default", *TIERS)
    named = config.model_name in TIERS or (a_model and not config.custom_tiers)
    if not config.enable_model_routing or config.force_tier or named:
        return {}
    models = models_of_tiers(dna, settings)
    return models if len({*models.values()}) > 1 else {}


def models_of_tiers(dna: AgentDNA, settings: ModelSettings) -> dict[ModelTier, str]:
    """Each tier's model by its full name."""
    found: dict[ModelTier, str] = {}
    for tier in TIERS:
        name = _model_of(dna, tier, settings)[0]
        found[tier] = settings.default if name == "default" else name
    return found


def source_of(dna: AgentDNA, tier: ModelTier, settings: ModelSettings) -> str:
    """Where it is said which model a tier's is."""
    return _model_of(dna, tier, settings)[1]


def capped(dna: AgentDNA, tier: ModelTier) -> ModelTier:
    """A tier, or the agent's highest where that is lower."""
    most = dna.model.max_tier
    return most if most and TIERS.index(tier) > TIERS.index(most) else tier


def affordable(dna: AgentDNA, settings: ModelSettings) -> tuple[str, ...]:
    """The names of the models that may stand in where the agent's own costs too much: its tiers,
    the fallbacks and the default."""
    most = dna.model.max_tier or TIERS[-1]
    tiers = [_model_of(dna, tier, settings)[0] for tier in TIERS[: TIERS.index(most) + 1]]
    names = (*tiers, *settings.fallback, settings.default)
    return tuple(dict.fromkeys(name for name in names if name and name != "default"))


def _capped(dna: AgentDNA, tier: ModelTier, settings: ModelSettings, why: str) -> ChosenModel:
    most = capped(dna, tier)
    if most != tier:
        return _of(dna, most, settings, f"{why} {tier}, capped by max_tier {most}")
    return _of(dna, tier, settings, f"{why} {tier}" if why == "force_tier" else why)


def _of(dna: AgentDNA, name: str, settings: ModelSettings, why: str) -> ChosenModel:
    if name == "default":
        return ChosenModel(name="default", why=f"{why} default")
    if name not in TIERS:
        return ChosenModel(name=name, why=why)
    model, source = _model_of(dna, name, settings)
    said = why if name in why else f"{why} {name}"
    return ChosenModel(name=model, why=f"{said}, {source}")


def _model_of(dna: AgentDNA, tier: str, settings: ModelSettings) -> tuple[str, str]:
    """A tier's model, and where that is said."""
    own = {one.tier: one.model_name for one in dna.model.custom_tiers}
    if tier in own:
        return own[tier], "its own by custom_tiers"
    if name := getattr(settings.roles, tier):
        return name, "by [models.roles]"
    return "default", "for which [models.roles] names none"
