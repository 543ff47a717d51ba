"""What a person wishes for one reply only: instructions, options of the model, a form for it.

Checked before anything is begun, then put where the model meets it. The wishes stand beside the
newest message, never in the system message, whose bytes are what providers and llama.cpp reuse.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from skill_agent.agents.dna import AgentDNA
from skill_agent.agents.sampling import EVERYWHERE, IN_BODY, checked_option
from skill_agent.errors import UsageError
from skill_agent.models.providers import SEEING
from skill_agent.models.structured import schema_problem
from skill_agent.values import ModelInfo, TurnRequest

Options = dict[str, Any]


def checked_wishes(request: TurnRequest) -> None:
    """Raises UsageError for an option or a schema that cannot mean anything."""
    checked_options(request.options or {})
    if request.response_schema is not None:
        _check_schema(request.response_schema)


def checked_options(options: Mapping[str, Any]) -> Options:
    """The options under one name each; raises UsageError for one that cannot be."""
    return dict(checked_option(name, value) for name, value in options.items())


def tuned(dna: AgentDNA, options: Mapping[str, Any] | None) -> AgentDNA:
    """The agent as it speaks with these options."""
    if not options:
        return dna
    checked = checked_options(options)
    changes: Options = {}
    if "temperature" in checked:
        changes["temperature"] = checked.pop("temperature")
    if "max_tokens" in checked:
        changes["max_output_tokens"] = checked.pop("max_tokens")
    own = {k: one for k, one in dna.model.provider_overrides.items() if k not in checked}
    known = {name: value for name, value in checked.items() if name in EVERYWHERE}
    other = {name: value for name, value in checked.items() if name in IN_BODY}
    if other:
        known["extra_body"] = other
    changes["provider_overrides"] = {**own, **known}
    return dna.model_copy(update={"model": dna.model.model_copy(update=changes)})


def blind(model: ModelInfo, known: Sequence[ModelInfo]) -> UsageError:
    """Why pictures cannot be shown to a model, and to which they can."""
    seeing = [one.name for one in known if one.profile.vision and (one.installed or not one.local)]
    return UsageError(
        f"{model.name} reads no images",
        hint=f"use one that does (-m MODEL), such as {', '.join(seeing[:3] or SEEING)}",
    )


def with_wishes(text: str, request: TurnRequest) -> str:
    """The newest message as the model reads it: instructions before it, the form after it."""
    parts = [text]
    if request.system.strip():
        parts.insert(0, f"Instructions for this reply:\n{request.system.strip()}")
    if request.response_schema is not None:
        schema = json.dumps(request.response_schema, ensure_ascii=False, separators=(",", ":"))
        parts.append(f"Answer with nothing but JSON that satisfies this JSON schema: {schema}")
    return "\n\n".join(parts)


def _check_schema(schema: dict[str, Any]) -> None:
    if wrong := schema_problem(schema):
        raise UsageError(
            f"the response schema is no JSON schema: {wrong}",
            hint="https://json-schema.org says what one looks like",
        )
