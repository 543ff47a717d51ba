"""What went wrong at a remote provider, as our errors with a hint; litellm's own tree ends here."""

import math
import re
from collections.abc import Iterator

from skill_agent.errors import ModelError, ModelFailed, ModelRejected, ModelUnavailable
from skill_agent.models.wire.answers import said_by_page
from skill_agent.models.wire.proxies import through

from .providers import key_variable, usual_address

_REFUSED = (400, 401, 403, 404, 413, 422)
_MAX_MESSAGE = 300
_BROKEN_OFF = ("DecodingError", "ReadError", "RemoteProtocolError", "WriteError")
_BROKEN = ("ConnectError", "ProxyError", *_BROKEN_OFF)
"""What httpx calls a connection that fails or breaks."""
_PAGE = re.compile(r"<(?:!doctype|html|head|body)\b", re.I)
_FRAME = re.compile(r"^(?:(?:litellm\.)?\w+(?:Error|Exception)(?::| -)\s*)+")


def translated(error: BaseException, model: str, base: str = "") -> ModelError:
    """The error of our tree for what litellm (or the wait for it) raised."""
    provider = model.partition("/")[0]
    where = place(model, base)
    causes = list(_causes(error))
    if ours := next((one for one in causes if isinstance(one, ModelError)), None):
        return ours
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
    way = through(base or usual_address(provider))
    if any(isinstance(one, TimeoutError) or _is_timeout(one) for one in causes):
        return ModelUnavailable(
            f"{where} did not answer in time{way}", hint=_unreachable_hint(provider)
        )
    if any(_is_connection(one) for one in causes):
        name, words = _deepest(causes) or ("", said)
        what = "broke off" if name in _BROKEN_OFF else "cannot be reached"
        return ModelUnavailable(f"{where} {what}: {words}{way}", hint=_unreachable_hint(provider))
    if status == 407:
        return ModelUnavailable(
            f"a proxy asks who you are (407): {said}{way}",
            hint="put name and password into the proxy's address: http://NAME:PASSWORD@…",
        )
    if status >= 500 or status == 408 or 300 <= status < 400:
        return ModelUnavailable(
            f"{where} failed ({status}): {said}",
            hint="try again later, or set models.fallback in config.toml",
        )
    return ModelFailed(f"{where}: {said}")


def place(model: str, base: str = "") -> str:
    """A model's provider as errors name it, with its address where the person gave one."""
    provider = model.partition("/")[0]
    return f"{provider} at {base}" if base else provider


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


def retry_after(error: BaseException) -> float | None:
    """Seconds the provider asked to wait."""
    response = getattr(error, "response", None)
    headers = getattr(error, "litellm_response_headers", None) or getattr(response, "headers", {})
    try:
        asked = float((headers or {}).get("retry-after", ""))
    except ValueError:
        return None
    return asked if 0 <= asked < math.inf else None


def _status(error: BaseException) -> int:
    try:
        return int(getattr(error, "status_code", 0) or 0)
    except (TypeError, ValueError):
        return 0


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was made of: litellm wraps what it is given, some three times."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = getattr(one, "original_exception", None)
        waiting += [inner, one.__cause__, one.__context__]


def _is_timeout(error: BaseException) -> bool:
    return type(error).__name__ in ("APITimeoutError", "ConnectTimeout", "ReadTimeout")


def _is_connection(error: BaseException) -> bool:
    """Whether the network failed, however deep litellm buried it (it makes a 500 of it)."""
    if type(error).__name__ in ("APIConnectionError", *_BROKEN):
        return True
    return bool(re.search(r"connection error|connect call failed|peer closed", str(error), re.I))


def _deepest(causes: list[BaseException]) -> tuple[str, str] | None:
    """The network's own words, where litellm's are "Connection error.", and what it calls that."""
    found = ((type(one).__name__, str(one)[:_MAX_MESSAGE]) for one in causes)
    return next((one for one in found if one[0] in _BROKEN and one[1]), None)


def _said(error: BaseException) -> str:
    """The provider's words without litellm's frame around them; of a page what it shows."""
    told = str(getattr(error, "message", "") or error)
    text = _FRAME.sub("", " ".join(told.split())).strip()
    if _PAGE.search(text):
        text = said_by_page(text)
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
