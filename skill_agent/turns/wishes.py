"""What a person wishes for one reply only: instructions, options of the model, a form for it.

Checked before anything is begun, then put where the model meets it. The wishes stand beside the
newest message, never in the system message, whose bytes are what providers and llama.cpp reuse.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from skill_agent.agents.dna import AgentDNA
from skill_agent.errors import UsageError
from skill_agent.models.providers import SEEING
from skill_agent.models.structured import schema_problem
from skill_agent.values import ModelInfo, TurnRequest

Options = dict[str, Any]

_NUMBERS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "temperature": (0, 2),
        "top_p": (0, 1),
        "presence_penalty": (-2, 2),
        "frequency_penalty": (-2, 2),
    }
)
_WHOLE: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"max_tokens": (1, 1_000_000), "seed": (-(2**63), 2**63 - 1)}
)
_SAME = MappingProxyType({"max_completion_tokens": "max_tokens", "max_output_tokens": "max_tokens"})
_EVERYWHERE = frozenset(
    {
        *_NUMBERS, *_WHOLE, "stop", "reasoning_effort", "thinking", "verbosity", "top_k", "min_p",
        "repetition_penalty", "logit_bias", "service_tier", "num_ctx",
    }
)  # fmt: skip
"""What the client of providers knows by these names and puts where each wants it; the rest goes
into the request's body."""
_OURS = frozenset(
    {
        "model", "messages", "stream", "stream_options", "n", "tools", "tool_choice", "functions",
        "function_call", "response_format", "prompt", "extra_body",
    }
)  # fmt: skip
"""What a turn itself says to the model."""


def checked_wishes(request: TurnRequest) -> None:
    """Raises UsageError for an option or a schema that cannot mean anything."""
    checked_options(request.options or {})
    if request.response_schema is not None:
        _check_schema(request.response_schema)


def checked_options(options: Mapping[str, Any]) -> Options:
    """The options under one name each; raises UsageError for one that cannot be."""
    checked: Options = {}
    for given, value in options.items():
        name = _SAME.get(given, given)
        if name in _OURS or not name:
            raise UsageError(f"{given or 'an empty name'!s} is no option of a reply", hint=_hint())
        if name in _NUMBERS:
            value = _number(name, value)
        elif name in _WHOLE:
            value = _whole(name, value)
        elif name == "stop":
            value = _stops(value)
        checked[name] = value
    return checked


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
    own = dna.model.provider_overrides
    known = {name: value for name, value in checked.items() if name in _EVERYWHERE}
    other = {name: value for name, value in checked.items() if name not in _EVERYWHERE}
    if other:  # never as arguments of a client: those hold addresses and keys
        known["extra_body"] = {**own.get("extra_body", {}), **other}
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


def _number(name: str, value: Any) -> float:
    low, high = _NUMBERS[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(f"{name} is a number from {low} to {high}, not {value!r}")
    return float(value)


def _whole(name: str, value: Any) -> int:
    low, high = _WHOLE[name]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        least = f" from {low} up" if low == 1 else ""
        raise UsageError(f"{name} is a whole number{least}, not {value!r}")
    return value


def _stops(value: Any) -> list[str]:
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list | tuple) or not all(isinstance(s, str) and s for s in stops):
        raise UsageError(f"stop is a text or several, none of them empty, not {value!r}")
    return list(stops)


def _hint() -> str:
    return f"such as {', '.join(sorted(_EVERYWHERE))}"


def _check_schema(schema: dict[str, Any]) -> None:
    if wrong := schema_problem(schema):
        raise UsageError(
            f"the response schema is no JSON schema: {wrong}",
            hint="https://json-schema.org says what one looks like",
        )
