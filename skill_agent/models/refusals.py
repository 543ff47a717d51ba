"""What went wrong at a remote provider, as our errors with a hint; litellm's own tree ends here."""

import asyncio
import re

from skill_agent.errors import ModelError, ModelFailed, ModelRejected, ModelUnavailable

from .providers import key_variable

_REFUSED = (400, 401, 403, 404, 413, 422)
_MAX_MESSAGE = 300
_FRAME = re.compile(r"^(?:(?:litellm\.)?\w+(?:Error|Exception)(?::| -)\s*)+")


def translated(error: Exception, model: str, base: str = "") -> ModelError:
    """The error of our tree for what litellm (or the wait for it) raised."""
    provider = model.partition("/")[0]
    where = f"{provider} at {base}" if base else provider
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return ModelUnavailable(f"{where} did not answer in time", hint=_unreachable_hint(provider))
    status = _status(error)
    said = _said(error)
    if "LLM Provider NOT provided" in str(error):
        return unknown_provider(model)
    if status in _REFUSED:
        return ModelRejected(f"{where} refused the request ({status}): {said}", hint=_hint(
            provider, status, said, model
        ))  # fmt: skip
    if status == 429:
        return ModelUnavailable(
            f"{where} is limiting requests (429): {said}",
            hint="wait, or set models.fallback in config.toml",
            retry_after=retry_after(error),
        )
    if _is_connection(error):
        return ModelUnavailable(
            f"{where} cannot be reached: {said}", hint=_unreachable_hint(provider)
        )
    if status >= 500 or status == 408:
        return ModelUnavailable(
            f"{where} failed ({status}): {said}",
            hint="try again later, or set models.fallback in config.toml",
        )
    return ModelFailed(f"{where}: {said}")


def unknown_provider(model: str, near: str = "") -> ModelRejected:
    """For a name whose provider litellm does not know."""
    return ModelRejected(
        f"no provider is known for the model name {model!r}",
        hint=near
        or "name it provider/model, e.g. openai/gpt-4o-mini; `ska models list` shows some",
    )


def missing_key(provider: str, variables: list[str]) -> ModelRejected:
    """For a provider whose key is not in the environment."""
    names = variables or [key_variable(provider)]
    return ModelRejected(
        f"{provider} needs a key: {' and '.join(names)} is not set",
        hint=f"export {names[0]}=…, or choose another model with -m or models.default",
    )


def retry_after(error: Exception) -> float | None:
    """Seconds the provider asked to wait."""
    response = getattr(error, "response", None)
    headers = getattr(error, "litellm_response_headers", None) or getattr(response, "headers", {})
    try:
        return float((headers or {}).get("retry-after", ""))
    except ValueError:
        return None


def _status(error: Exception) -> int:
    try:
        return int(getattr(error, "status_code", 0) or 0)
    except (TypeError, ValueError):
        return 0


def _is_connection(error: Exception) -> bool:
    """Whether the network failed, however deep litellm buried it (it makes a 500 of it)."""
    if type(error).__name__ in ("APIConnectionError", "Timeout"):
        return True
    return bool(re.search(r"connection error|connect call failed|peer closed", str(error), re.I))


def _said(error: Exception) -> str:
    """The provider's words without litellm's frame around them."""
    text = " ".join(str(getattr(error, "message", "") or error).split())
    text = _FRAME.sub("", text).strip()
    return text[:_MAX_MESSAGE] or type(error).__name__


def _hint(provider: str, status: int, said: str, model: str) -> str:
    if status in (401, 403):
        return f"check the key in {key_variable(provider)}"
    name = model.partition("/")[2]
    if status == 404 and provider.startswith("ollama"):
        return f"ollama pull {name}"
    if status == 404:
        return f"check the model name {name!r} and models.api_base in config.toml"
    if "context" in said.lower() and ("length" in said.lower() or "window" in said.lower()):
        return "the conversation is too long for this model: shorten it or choose a larger window"
    return ""


def _unreachable_hint(provider: str) -> str:
    if provider.startswith("ollama"):
        return "start it with `ollama serve`"
    return "check the connection and models.api_base, or set models.fallback in config.toml"
