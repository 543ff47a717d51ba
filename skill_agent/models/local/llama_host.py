"""One GGUF model held in this process by llama.cpp; blocking, so call it from a thread.

No scheduling, no cache policy and no notion of tools: a prompt goes in as text, pieces come out.
"""

import contextlib
import http.client
import importlib
import json
import logging
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from skill_agent.errors import ModelFailed, ModelRejected, ModelUnavailable

BATCH = 128
"""Tokens read between two looks at the stop flag: about two seconds on two old cores."""

OnChunk = Callable[[dict[str, Any]], bool]
"""Gets each piece as the server words it; True stops the generation."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """How a model is loaded; part of the key of every state kept on disk."""

    path: Path
    window: int
    """Tokens of context for each slot."""
    slots: int
    threads: int
    state_folder: Path
    """Where slot states are saved; exists, mode 0700."""
    thinking: bool | None = None
    """Whether the chat template is told to let the model think; None tells it nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The server's OpenAI-compatible address on loopback and the key it asks for."""

    base_url: str
    key: str


class LlamaHost:
    """A loaded model. Construction takes seconds; raises ModelUnavailable if it cannot load."""

    def __init__(self, settings: HostSettings) -> None:
        # Threads of OpenMP spin while they wait for one another; with any other work on the same
        # cores (a screen, an index) that costs nine tenths of the speed. Read at its first import.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        xllamacpp: Any = importlib.import_module("xllamacpp")
        self.settings = settings
        self._key = secrets.token_hex(24)
        try:
            self._server: Any = xllamacpp.Server(_params(xllamacpp, settings, self._key))
        except (RuntimeError, ValueError) as error:
            raise ModelUnavailable(
                f"llama.cpp cannot load {settings.path}: {error}",
                hint="`ska models list` shows what is installed; `ska doctor` checks the files",
            ) from None
        self._address = urlsplit(self._server.listening_address)
        self.window = self._loaded_window()
        _log.info("loaded the model %s", settings.path.name)

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(base_url=f"http://{self._address.netloc}/v1", key=self._key)

    def close(self) -> None:
        """Unloads the model and closes its port."""
        self._server = None

    def complete(self, payload: dict[str, Any], on_chunk: OnChunk) -> None:
        """Streams a raw completion; raises ModelRejected or ModelFailed as the server words it."""
        refused: list[dict[str, Any]] = []

        def heard(chunk: dict[str, Any]) -> bool:
            if "error" in chunk:
                refused.append(chunk)
                return True
            return on_chunk(chunk)

        body = {"cache_prompt": True, "stream": True, "return_progress": True, **payload}
        try:
            answer = self._server.handle_completions(body, heard)
        except ValueError as error:
            raise ModelRejected(f"llama.cpp refused the request: {error}") from None
        if isinstance(answer, dict) and "error" in answer:
            refused.append(answer)
        if refused:
            raise _refusal(refused[0]["error"])

    def count(self, text: str) -> int:
        return len(self.tokens(text))

    def tokens(self, text: str) -> list[int]:
        return self._post("/tokenize", {"content": text, "add_special": False})["tokens"]

    def render(self, messages: list[dict[str, str]]) -> str:
        """The messages through the model's own chat template, ready for the reply."""
        body: dict[str, Any] = {"messages": messages}
        if self.settings.thinking is not None:
            body["chat_template_kwargs"] = {"enable_thinking": self.settings.thinking}
        return self._post("/apply-template", body)["prompt"]

    def save_slot(self, slot: int, filename: str) -> int:
        """Writes the slot's state into the state folder; returns its tokens."""
        return self._post(f"/slots/{slot}?action=save", {"filename": filename})["n_saved"]

    def restore_slot(self, slot: int, filename: str) -> int:
        """Reads a state back; returns its tokens.

        A damaged file aborts the whole process inside llama.cpp: verify it before.
        """
        return self._post(f"/slots/{slot}?action=restore", {"filename": filename})["n_restored"]

    def _loaded_window(self) -> int:
        """The window the server really gives a slot, which a small model may cap."""
        slots = self._request("GET", "/slots", None)
        return min(int(one["n_ctx"]) for one in slots)

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._request("POST", path, json.dumps(body))

    def _request(self, method: str, path: str, body: str | None) -> Any:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(self._address.netloc, timeout=120)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            data = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ModelFailed(f"the embedded model's server did not answer: {error}") from None
        finally:
            connection.close()
        if response.status != 200:
            raise _refusal(data.get("error", {}))
        return data


@contextmanager
def embedded_server(
    model_path: Path, *, state_folder: Path, window: int = 4096, slots: int = 2
) -> Iterator[Endpoint]:
    """Serves a GGUF file as an OpenAI-compatible API on loopback while the context lasts."""
    settings = HostSettings(
        path=model_path, window=window, slots=slots, threads=0, state_folder=state_folder
    )
    host = LlamaHost(settings)
    try:
        yield host.endpoint
    finally:
        host.close()


def physical_cores() -> int:
    """Cores of this machine, counting hyper-threads once where Linux tells."""
    siblings = Path("/sys/devices/system/cpu").glob("cpu[0-9]*/topology/thread_siblings_list")
    cores: set[str] = set()
    for file in siblings:
        with contextlib.suppress(OSError):
            cores.add(file.read_text().strip())
    return len(cores) or max(1, (os.cpu_count() or 2) // 2)


def _params(xllamacpp: Any, settings: HostSettings, key: str) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = str(settings.path)
    params.n_parallel = settings.slots
    params.n_ctx = settings.window * settings.slots
    params.n_batch = BATCH
    threads = settings.threads or physical_cores()
    for pool in (params.cpuparams, params.cpuparams_batch):
        pool.n_threads = threads
        # Threads that spin while they wait drop from 30 to 1 token a second as soon as anything
        # else wants a core; threads that sleep lose nothing on an idle machine.
        pool.poll = 0
    params.api_keys = [key]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.ui = False
    params.endpoint_slots = True
    params.slot_save_path = f"{settings.state_folder}{os.sep}"
    # Slots are assigned and kept by us; its own RAM cache would hold the same states twice.
    params.cache_ram_mib = 0
    # What is said again (code with a change, a table) is drafted from the prompt: half as fast
    # again, and no cost where nothing repeats.
    params.speculative.types = [
        xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE
    ]
    # Both cost seconds at every start and change nothing later.
    params.warmup = False
    params.fit_params = False
    params.verbosity = -1
    return params


def _refusal(error: dict[str, Any]) -> ModelRejected | ModelFailed:
    if error.get("type") == "exceed_context_size_error":
        return too_long(int(error.get("n_prompt_tokens", 0)), int(error.get("n_ctx", 0)))
    message = f"llama.cpp: {error.get('message', 'refused the request')}"
    return ModelRejected(message) if error.get("code") == 400 else ModelFailed(message)


def too_long(tokens: int, window: int) -> ModelRejected:
    """The one error for a prompt that does not fit; nothing is ever cut off silently."""
    return ModelRejected(
        f"the prompt has {tokens} tokens, the model's window is {window}",
        hint="shorten the text, or raise models.embedded.context_window in config.toml",
    )
