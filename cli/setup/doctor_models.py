"""What `ska doctor` finds about models and providers; no token is spent and nothing is loaded."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from skill_agent.files.home import Home
from skill_agent.values import Finding

if TYPE_CHECKING:
    from skill_agent.models.providers import Provider
    from skill_agent.settings.schema import Settings

EMBEDDED = "embedded/"


def model_findings(home: Home, settings: "Settings | None") -> Iterator[Finding]:
    """Whether each embedded model the settings name is there with the right bytes.

    Reads a model's bytes only where they were never verified: seconds, once.
    """
    if not home.exists or settings is None:
        return
    for name in _wanted(settings):
        if name.startswith(EMBEDDED):
            yield _embedded(home, name.removeprefix(EMBEDDED))
    if settings.models.default.startswith(EMBEDDED):
        from skill_agent.models.files.catalogue import total_memory
        from skill_agent.models.gateway import SLOTS

        context = SLOTS * settings.models.embedded.context_window
        yield from memory_findings(settings.models.default, total_memory(), context)


def provider_findings(settings: "Settings | None") -> Iterator[Finding]:
    """Whether the providers one could use answer, and those one does use are there."""
    from skill_agent.models.providers import detect_providers

    detected = {one.name: one for one in detect_providers(os.environ, settings, ask=True)}
    used = {name.partition("/")[0] for name in _wanted(settings)} if settings else set[str]()
    used -= {"embedded", "sentence-transformers"}
    for one in detected.values():
        yield _provider(one, used=one.name in used)
    for name in sorted(used - detected.keys()):
        yield _absent(name)
    if not detected and not used:
        yield Finding(
            id="providers", level="ok", title="providers", detail="none set up, none needed"
        )
    yield from _ollama_models(settings, detected.get("ollama"))


def _wanted(settings: "Settings") -> list[str]:
    """Every model the settings name, once."""
    models = settings.models
    roles = models.roles
    named = (
        roles.embed, models.default, *models.fallback,
        roles.fast, roles.balanced, roles.powerful, roles.extract, roles.rerank,
    )  # fmt: skip
    return [name for name in dict.fromkeys(named) if name]


def _embedded(home: Home, name: str) -> Finding:
    from skill_agent.errors import NotFound
    from skill_agent.models.files.catalogue import entry
    from skill_agent.models.files.installed import folder_of, installed, loose_file, trusted, verify

    found_id, title, pull = f"models.{name}", f"model {name}", f"ska models pull {name}"
    if (loose := loose_file(name, home)) is not None:
        return Finding(id=found_id, level="ok", title=title, detail=f"your own file {loose.name}")
    try:
        model = entry(name)
    except NotFound as error:
        return Finding(
            id=found_id, level="error", title=title, detail=error.message, fix="ska models list"
        )
    if not installed(name, home):
        return Finding(id=found_id, level="error", title=title, detail="not installed", fix=pull)
    if all(trusted(folder_of(home.models, model), file) for file in model.files):
        return Finding(id=found_id, level="ok", title=title, detail="installed and verified")
    if problems := verify(name, home):
        return Finding(
            id=found_id, level="error", title=title, detail="; ".join(problems), fix=pull
        )
    return Finding(id=found_id, level="ok", title=title, detail="installed, verified just now")


def memory_findings(default: str, memory: int, context: int) -> Iterator[Finding]:
    """Whether a machine with so many bytes can hold the default model and so many tokens."""
    from skill_agent.models.files.catalogue import default_for_memory, known

    from .fetching import size_text

    better, warning = default_for_memory(memory)
    model = known(default.removeprefix(EMBEDDED))
    needed = model.memory(context) if model else 0
    if not (warning and better != default):
        warning = f"{default} takes about {size_text(needed)}, this machine has {size_text(memory)}"
        if needed <= memory:
            return
    if memory:
        yield Finding(
            id="memory", level="warning", title="little memory for the default model",
            detail=warning, fix=f"ska init --model {better}",
        )  # fmt: skip


def _provider(one: "Provider", *, used: bool) -> Finding:
    ready = one.state == "ready"
    return Finding(
        id=f"providers.{one.name}",
        level="ok" if ready else "error" if used else "warning",
        title=f"provider {one.name}",
        detail=one.detail if ready else f"{one.state}: {one.detail}",
        fix="" if ready else _mend(one),
    )


def _mend(one: "Provider") -> str:
    match one.state:
        case "unreachable":
            return "check the connection and models.api_base (ska config show models)"
        case _:
            return f"export {one.variable}=…   # a valid key"


def _absent(name: str) -> Finding:
    from skill_agent.models.providers import key_variable

    fix = "ollama serve" if name == "ollama" else f"export {key_variable(name)}=…   # your key"
    return Finding(
        id=f"providers.{name}", level="error", title=f"provider {name}",
        detail="named in the settings, but not to be found", fix=fix,
    )  # fmt: skip


def _ollama_models(settings: "Settings | None", ollama: "Provider | None") -> Iterator[Finding]:
    """Models of the settings that a running Ollama does not have."""
    if settings is None or ollama is None:
        return
    have = {name for one in ollama.models for name in (one, one.removesuffix(":latest"))}
    for name in _wanted(settings):
        if name.startswith("ollama/") and name not in have:
            bare = name.removeprefix("ollama/")
            yield Finding(
                id=f"models.{name}", level="error", title=f"model {name}",
                detail="Ollama does not have it", fix=f"ollama pull {bare}",
            )  # fmt: skip
