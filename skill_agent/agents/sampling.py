"""Which options may be said of how a model speaks, in agents.toml and for one reply.

A list of names, because what a client of providers also takes under other names are addresses,
keys and the messages themselves.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from skill_agent.errors import UsageError
from skill_agent.text.nearest import did_you_mean

NUMBERS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "temperature": (0, 2),
        "top_p": (0, 1),
        "min_p": (0, 1),
        "presence_penalty": (-2, 2),
        "frequency_penalty": (-2, 2),
    }
)
WHOLE: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"max_tokens": (1, 1_000_000), "seed": (-(2**63), 2**63 - 1)}
)
SAME = MappingProxyType({"max_completion_tokens": "max_tokens", "max_output_tokens": "max_tokens"})
EVERYWHERE = frozenset(
    {
        *NUMBERS, *WHOLE, "stop", "reasoning_effort", "thinking", "verbosity", "top_k",
        "repetition_penalty", "logit_bias", "service_tier", "num_ctx", "parallel_tool_calls",
    }
)  # fmt: skip
"""What the client of providers knows by these names and puts where each wants it."""
IN_BODY = frozenset(
    {
        "chat_template_kwargs", "dry_allowed_length", "dry_base", "dry_multiplier",
        "dry_penalty_last_n", "dynatemp_exponent", "dynatemp_range", "enable_thinking",
        "ignore_eos", "length_penalty", "min_tokens", "mirostat", "mirostat_eta", "mirostat_tau",
        "reasoning", "repeat_last_n", "repeat_penalty", "tfs_z", "think", "thinking_budget",
        "top_a", "top_n_sigma", "typical_p", "xtc_probability", "xtc_threshold",
    }
)  # fmt: skip
"""What servers of open models know; it goes into the request's body as it is."""

_ADDRESSES = frozenset(
    {
        "api_base", "base_url", "api_version", "api_type", "azure_endpoint", "custom_llm_provider",
        "deployment_id", "extra_headers", "default_headers", "headers", "host", "organization",
        "proxy", "proxies", "region_name", "aws_region_name", "vertex_location", "vertex_project",
    }
)  # fmt: skip
_SECRETS = ("key", "token", "secret", "password", "credential", "authorization")


def checked_option(given: str, value: Any) -> tuple[str, Any]:
    """An option under its one name, with its value; raises UsageError for one that cannot be."""
    given = str(given)
    name = SAME.get(given, given)
    if name not in EVERYWHERE and name not in IN_BODY:
        raise UsageError(
            f"{given or 'an empty name'!s} is no option of a reply", hint=_where(given)
        )
    if name in NUMBERS:
        return name, _number(name, value)
    if name in WHOLE:
        return name, _whole(name, value)
    if name == "stop":
        return name, _stops(value)
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise UsageError(f"{name} is no value that can be sent: {_quoted(value)}") from None
    return name, value


def _where(name: str) -> str:
    """Where what was wanted stands, or what was probably meant."""
    if name in _ADDRESSES:
        return 'addresses stand in config.toml: [models] api_base = { PROVIDER = "URL" }'
    if any(word in name.lower() for word in _SECRETS):
        return "keys stand in the environment, such as OPENAI_API_KEY, and in no file"
    if name in ("model", "model_name"):
        return "the model is named by model_name in agents.toml, or by -m"
    return did_you_mean(name, EVERYWHERE | IN_BODY) or f"such as {', '.join(sorted(EVERYWHERE))}"


def _number(name: str, value: Any) -> float:
    low, high = NUMBERS[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(f"{name} is a number from {low} to {high}, not {_quoted(value)}")
    return float(value)


def _whole(name: str, value: Any) -> int:
    low, high = WHOLE[name]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        least = f" from {low} up" if low == 1 else ""
        raise UsageError(f"{name} is a whole number{least}, not {_quoted(value)}")
    return value


def _stops(value: Any) -> list[str]:
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list | tuple) or not all(isinstance(s, str) and s for s in stops):
        raise UsageError(f"stop is a text or several, none of them empty, not {_quoted(value)}")
    return list(stops)


def _quoted(value: Any) -> str:
    try:
        said = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, a list without end
        return "that"
    return said if len(said) <= 60 else f"{said[:59]}…"
