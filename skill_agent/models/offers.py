"""The models a person may choose from, each with what stands in its way.

Nothing is loaded and no token is spent; only an Ollama on this machine is asked what it has.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Literal

from skill_agent.errors import ModelError
from skill_agent.models.money.prices import Price
from skill_agent.values import ModelInfo, ModelOffer

MILLION = 1_000_000
NO_OLLAMA = "Ollama does not answer"
START_OLLAMA = "start it with `ollama serve`; where it listens elsewhere: models.api_base.ollama"


def offers_of(
    catalogue: Iterable[ModelInfo],
    in_ollama: Sequence[ModelInfo] | None,
    further: Iterable[ModelInfo],
    *,
    check: Callable[[str], None],
) -> list[ModelOffer]:
    """Each model once, in the order given. `in_ollama` is None where none runs; `check` raises
    what the model's first call would raise."""
    has = {one.name: one for one in in_ollama or ()}
    every = {one.name: one for one in (*catalogue, *has.values(), *further) if one.kind == "chat"}
    sizes = {name: replace(every[name], size_bytes=one.size_bytes) for name, one in has.items()}
    found: list[ModelOffer] = []
    for model in (every | sizes).values():
        place = place_of(model)
        problem, fix = "", ""
        if place == "ollama" and in_ollama is None:
            problem, fix = NO_OLLAMA, START_OLLAMA
        elif place == "ollama" and model.name not in has:
            problem, fix = "Ollama does not have it", f"ollama pull {model.name.partition('/')[2]}"
        elif not model.installed:
            problem, fix = "not installed", f"ska models pull {model.name.partition('/')[2]}"
        else:
            problem, fix = _problem(model.name, check)
        found.append(ModelOffer(id=model.name, model=model, place=place, problem=problem, fix=fix))
    return found


def place_of(model: ModelInfo) -> Literal["embedded", "ollama", "remote"]:
    """Where it runs."""
    if model.provider == "embedded":
        return "embedded"
    return "ollama" if model.provider.startswith("ollama") else "remote"


def _problem(name: str, check: Callable[[str], None]) -> tuple[str, str]:
    try:
        check(name)
    except ModelError as problem:
        return problem.message, problem.hint or ""
    return "", ""


def priced(offer: ModelOffer, price: Price | None) -> ModelOffer:
    """With what a million tokens cost, where that is known."""
    if price is None:
        return offer
    return replace(
        offer, prompt_usd=price.prompt * MILLION, completion_usd=price.completion * MILLION
    )
