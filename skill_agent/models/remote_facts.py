"""What is known of remote models without a call of theirs: litellm's own lists, and Ollama's word.

litellm is not imported: its lists are files of its package.
"""

import importlib.util
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from skill_agent.models.files.probe import LARGE, Probe
from skill_agent.models.wire.proxies import client
from skill_agent.values import ModelProfile

ASK_S = 2.0
_PRICES = "model_prices_and_context_window_backup.json"
_SIZE = re.compile(r"([\d.]+)\s*([KMB])", re.I)
_UNITS = {"K": 1e3, "M": 1e6, "B": 1e9}


def price_list_stamp() -> list[int]:
    """Tells one version of the price list from another; cheap."""
    try:
        found = (_litellm() / _PRICES).stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]


def price_list() -> dict[str, Any]:
    """Every model's entry in litellm's list; some twenty milliseconds."""
    return _read(_PRICES)


def price_list_probe(name: str) -> Probe:
    """What litellm's price list says of a model; of one that is not listed, that it is able.

    Reading it takes some twenty milliseconds, so keep the answer.
    """
    prices = price_list()
    found = prices.get(name) or prices.get(name.partition("/")[2])
    if not isinstance(found, dict):
        return Probe(profile=ModelProfile())
    return Probe(
        profile=ModelProfile(
            tools=bool(found.get("supports_function_calling")),
            vision=bool(found.get("supports_vision")),
            reasoning=bool(found.get("supports_reasoning")),
        )
    )


@cache
def known_providers() -> frozenset[str]:
    """The names litellm takes before the slash; empty where its lists cannot be read."""
    return frozenset(_providers())


def ollama_probe(base: str, name: str) -> Probe | None:
    """What Ollama says of one of its models; None where it does not answer or does not have it.

    Blocking, ASK_S at most.
    """
    import httpx

    try:
        with client(base, timeout=ASK_S) as http:
            answer = http.post(f"{base}/api/show", json={"model": name.partition("/")[2]})
        told = answer.json() if answer.status_code == 200 else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None
    return _ollama_said(told) if isinstance(told, dict) else None


def _ollama_said(told: dict[str, Any]) -> Probe:
    able = told.get("capabilities") or ()
    facts = told.get("model_info") or {}
    window = facts.get(f"{facts.get('general.architecture')}.context_length", 0)
    large = _parameters(told) >= LARGE
    return Probe(
        profile=ModelProfile(
            strength="large" if large else "small",
            tools=large and "tools" in able,
            vision="vision" in able,
            reasoning="thinking" in able,
        ),
        trained_window=window if isinstance(window, int) else 0,
    )


def _parameters(told: dict[str, Any]) -> float:
    count = (told.get("model_info") or {}).get("general.parameter_count")
    if isinstance(count, int):
        return count
    size = _SIZE.match(str((told.get("details") or {}).get("parameter_size", "")))
    return float(size[1]) * _UNITS[size[2].upper()] if size else 0


def _providers() -> Iterator[str]:
    yield from _read("provider_endpoints_support_backup.json").get("providers", ())
    yield from _read("llms/openai_like/providers.json")
    source = _litellm() / "types/utils.py"
    try:
        _, _, rest = source.read_text("utf-8").partition("class LlmProviders(")
    except OSError:
        return
    listed, _, _ = rest.partition("\nclass ")
    yield from re.findall(r'^    [A-Z0-9_]+ = "([^"]+)"', listed, re.M)


def _read(file: str) -> dict[str, Any]:
    try:
        found = json.loads((_litellm() / file).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _litellm() -> Path:
    """The folder of its package, found without importing it."""
    spec = importlib.util.find_spec("litellm")
    return Path(spec.origin).parent if spec and spec.origin else Path("/nonexistent")
