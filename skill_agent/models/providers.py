"""Which remote providers this machine could use: keys in the environment, a running Ollama.

No token is spent and nothing heavy imported; a provider not listed here still works through
litellm, only its key is not looked for.
"""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from skill_agent.models.wire.proxies import client, through
from skill_agent.settings.schema import ModelSettings, Settings
from skill_agent.values import ModelProfile

ASK_S = 2.0
"""Longest wait for a provider's answer."""

State = Literal["ready", "key refused", "unreachable", "no key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider that could be used, or why it could not."""

    name: str
    """As litellm names it."""
    model: str
    """A model of it to start with, as `models.default` takes it; empty if it has none."""
    label: str
    """What it is and how it was found, for a person."""
    state: State
    detail: str
    variable: str = ""
    """Environment variable of its key; empty where it needs none."""
    models: tuple[str, ...] = ()
    """What Ollama has, as `ollama/NAME`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    name: str
    title: str
    variable: str
    base: str
    """Its API's address, to which `models` is added for asking."""
    model: str
    key_header: str = "Authorization"
    other_variables: tuple[str, ...] = ()
    """Its key may stand there too."""


_KNOWN: tuple[_Known, ...] = (
    _Known(
        name="openai",
        title="OpenAI",
        variable="OPENAI_API_KEY",
        base="https://api.openai.com/v1",
        model="openai/gpt-4o-mini",
    ),
    _Known(
        name="anthropic",
        title="Anthropic",
        variable="ANTHROPIC_API_KEY",
        base="https://api.anthropic.com/v1",
        model="anthropic/claude-sonnet-4-5",
        key_header="x-api-key",
        other_variables=("ANTHROPIC_AUTH_TOKEN",),
    ),
    _Known(
        name="gemini",
        title="Google Gemini",
        variable="GEMINI_API_KEY",
        base="https://generativelanguage.googleapis.com/v1beta",
        model="gemini/gemini-2.5-flash",
        key_header="x-goog-api-key",
        other_variables=("GOOGLE_API_KEY",),
    ),
    _Known(
        name="mistral",
        title="Mistral",
        variable="MISTRAL_API_KEY",
        base="https://api.mistral.ai/v1",
        model="mistral/mistral-small-latest",
    ),
    _Known(
        name="groq",
        title="Groq",
        variable="GROQ_API_KEY",
        base="https://api.groq.com/openai/v1",
        model="groq/llama-3.3-70b-versatile",
    ),
    _Known(
        name="deepseek",
        title="DeepSeek",
        variable="DEEPSEEK_API_KEY",
        base="https://api.deepseek.com",
        model="deepseek/deepseek-chat",
    ),
    _Known(
        name="openrouter",
        title="OpenRouter",
        variable="OPENROUTER_API_KEY",
        base="https://openrouter.ai/api/v1",
        model="openrouter/auto",
    ),
)

STARTERS = tuple(one.model for one in _KNOWN)
"""A model of each provider, to begin with."""
SEEING = ("openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash")
"""Models to name where one is asked for that reads images."""
_SEES = re.compile(
    r"gpt-4o|gpt-4\.1|gpt-[5-9]|claude|gemini|gemma-?[34](?!.*[:-](?:270m|1b))|pixtral|llava"
    r"|vision|[-_.\d]vl\b|moondream|minicpm-v|llama-?4|mistral-(?:small-?3\.[1-9]|medium)",
    re.IGNORECASE,
)
_BLIND = re.compile(
    r"gpt-3\.5|o[13]-mini|deepseek|codestral|command-r|llama-?3\.[013]|llama-?3-|mixtral|gpt-oss",
    re.IGNORECASE,
)

OLLAMA = "http://127.0.0.1:11434"


def detect_providers(
    environ: Mapping[str, str], settings: Settings | None = None, *, ask: bool = False
) -> list[Provider]:
    """Providers with a key in the environment or an address in the settings, and a running Ollama.

    With `ask` each provider is asked for its list of models, which proves the key and costs
    nothing; without it only Ollama on this machine is spoken to. Blocking, about ASK_S at most.
    """
    bases = dict(settings.models.api_base) if settings else {}
    wanted = [one for one in _KNOWN if environ.get(one.variable) or one.name in bases]
    with ThreadPoolExecutor(len(_KNOWN) + 1) as pool:
        ollama = pool.submit(_ollama, ollama_base(settings.models if settings else None, environ))
        asked = [
            pool.submit(
                _state, one, bases.get(one.name, one.base), environ.get(one.variable, ""), ask
            )
            for one in wanted
        ]
        found = [one.result() for one in asked]
        local = ollama.result()
    return [*found, local] if local else found


def remote_profile(name: str) -> ModelProfile:
    """What is known of a model by its name. Of one that nobody here knows a provider says itself
    whether it reads images; models of Ollama mostly do not."""
    local = name.startswith("ollama")
    sees = bool(_SEES.search(name)) or not (local or _BLIND.search(name))
    return ModelProfile(vision=sees)


def usual_address(provider: str) -> str:
    """Where a provider's API lies if nobody says otherwise; of one not listed here a guess that
    is good enough to tell which proxy stands before it."""
    known = next((one.base for one in _KNOWN if one.name == provider), "")
    return known or f"https://api.{provider}.com"


def key_variable(provider: str) -> str:
    """The environment variable of a provider's key."""
    known = next((one.variable for one in _KNOWN if one.name == provider), "")
    return known or f"{provider.upper()}_API_KEY"


def lacks_key(provider: str, environ: Mapping[str, str]) -> bool:
    """Whether it is sure that a provider's key is not there; of one not listed here it never is."""
    known = next((one for one in _KNOWN if one.name == provider), None)
    if known is None:
        return False
    return not any(environ.get(one) for one in (known.variable, *known.other_variables))


def ollama_base(settings: ModelSettings | None, environ: Mapping[str, str]) -> str:
    """Where Ollama listens: settings, else OLLAMA_API_BASE or OLLAMA_HOST, else its usual port."""
    configured = settings.api_base.get("ollama", "") if settings else ""
    base = configured or environ.get("OLLAMA_API_BASE") or environ.get("OLLAMA_HOST") or OLLAMA
    if "://" not in base:
        base = f"http://{base}"
    # OLLAMA_HOST tells a server to listen everywhere; a client cannot call that address.
    return base.rstrip("/").replace("//0.0.0.0", "//127.0.0.1")


def _state(provider: _Known, base: str, key: str, ask: bool) -> Provider:
    state: State = "ready" if key or base != provider.base else "no key"
    detail = f"{provider.variable} is set" if key else f"configured at {base}"
    if ask:
        state, detail = _asked(provider, base, key)
    return Provider(
        name=provider.name,
        model=provider.model,
        label=f"{provider.title} ({detail})",
        state=state,
        detail=detail,
        variable=provider.variable,
    )


def _asked(provider: _Known, base: str, key: str) -> tuple[State, str]:
    import httpx

    headers = {"anthropic-version": "2023-06-01"} if provider.name == "anthropic" else {}
    if key:
        bearer = provider.key_header == "Authorization"
        headers[provider.key_header] = f"Bearer {key}" if bearer else key
    try:
        with client(base, timeout=ASK_S) as http:
            answer = http.get(f"{base.rstrip('/')}/models", headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return "unreachable", f"{base}: {type(error).__name__}{through(base)}"
    if answer.status_code in (400, 401, 403):
        return "key refused", f"{base} refused the key in {provider.variable}"
    if answer.status_code >= 500:
        return "unreachable", f"{base} answered {answer.status_code}"
    return "ready", f"{base} accepts the key" if key else f"{base} answers"


def ollama_models(base: str) -> dict[str, int] | None:
    """What a running Ollama has, as `ollama/NAME`, with its size in bytes; None where none runs.

    Blocking, at most ASK_S.
    """
    import httpx

    try:
        with client(base, timeout=httpx.Timeout(ASK_S, connect=0.5)) as http:
            answer = http.get(f"{base}/api/tags")
        return {
            f"ollama/{one['name']}": int(one.get("size") or 0)
            for one in answer.json().get("models", ())
        }
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError, AttributeError):
        return None


def _ollama(base: str) -> Provider | None:
    found = ollama_models(base)
    if found is None:
        return None
    models = tuple(found)
    detail = f"running at {base} with {len(models)} models"
    return Provider(
        name="ollama",
        model=models[0] if models else "",
        label=f"Ollama ({detail})",
        state="ready",
        detail=detail,
        models=models,
    )
