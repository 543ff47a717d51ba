"""litellm as this program uses it: imported late and whole, silent, over a transport of ours."""

import asyncio
import functools
import importlib
import logging
import os
import sys
from typing import Any

_HELLO = b"".join(
    b'data: {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices":'
    b' [{"index": 0, "delta": {"content": "%s"}, "finish_reason": %s}]}\n\n' % piece
    for piece in ((b"Hello", b"null"), (b"", b'"stop"'))
)
_ENOUGH_TO_REPEAT = 10**9
_log = logging.getLogger(__name__)


async def litellm_ready() -> Any:
    """The library; some four seconds the first time, in a thread."""
    return await asyncio.to_thread(_ready)


async def close_clients() -> None:
    """Closes litellm's connections, if it was ever imported, and lets go of them: it would hold on
    to what is closed for ten minutes."""
    if litellm := sys.modules.get("litellm"):
        await litellm.close_litellm_async_clients()
        # Some providers share one that it forgets; closed, it makes itself anew.
        if shared := vars(litellm).get("module_level_aclient"):
            await shared.close()
        litellm.in_memory_llm_clients_cache.flush_cache()


def _imported() -> Any:
    """The library. An import that broke off leaves parts behind that hold on to a half of it: they
    would break every later one."""
    try:
        return importlib.import_module("litellm")
    except BaseException:
        for name in [one for one in sys.modules if one.partition(".")[0] == "litellm"]:
            del sys.modules[name]
        raise


@functools.cache
def _ready() -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # no download of prices
    litellm = _imported()
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.disable_aiohttp_transport = True
    litellm.disable_hf_tokenizer_download = True  # of whatever has "llama-3" in its name
    # A line of a table may come a hundred times; what never ends, a turn ends itself.
    litellm.REPEATED_STREAMING_CHUNK_LIMIT = _ENOUGH_TO_REPEAT
    for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router", "httpx", "openai"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    _connect()
    try:
        _warm(litellm)
    except Exception:  # only time is lost: the first call imports what this would have
        _log.warning("litellm could not be warmed up", exc_info=True)
    return litellm


def _connect() -> None:
    """Has every client that litellm makes go through a transport of ours."""
    from .transport import ProviderTransport

    def transport(ssl_context: Any = None, ssl_verify: Any = None, shared_session: Any = None):
        verify = True if ssl_verify is None else ssl_verify
        return ProviderTransport(ssl_context or verify)

    handlers: Any = importlib.import_module("litellm.llms.custom_httpx.http_handler")
    handlers.AsyncHTTPHandler.create_async_transport = staticmethod(transport)


def _warm(litellm: Any) -> None:
    """One call that goes nowhere. With it comes what litellm and the client below it import only
    then, half as much again: in this thread, not in the event loop while a provider's time runs."""
    import httpx
    import openai

    head = {"content-type": "text/event-stream"}
    nowhere = httpx.MockTransport(lambda _: httpx.Response(200, headers=head, content=_HELLO))
    message = {"role": "user", "content": "Hello"}
    with httpx.Client(transport=nowhere) as http:
        client = openai.OpenAI(api_key="none", base_url="http://localhost", http_client=http)
        said = litellm.completion(model="openai/m", messages=[message], stream=True, client=client)
        for _ in said:
            pass
    importlib.import_module("httpcore")  # which httpx takes at its first connection
    litellm.token_counter(model="openai/m", text="Hello")
    litellm.validate_environment("openai/m")
