"""Encoders and cross-encoders in GGUF files, held in this process by llama.cpp. All blocking."""

import importlib
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from skill_agent.errors import ModelUnavailable
from skill_agent.models.files.catalogue import known
from skill_agent.models.files.installed import folder_of

from .llama_host import physical_cores

if TYPE_CHECKING:
    import numpy as np

    from skill_agent.files.home import Home
    from skill_agent.settings.schema import ModelSettings

WINDOW = 512
"""Tokens read of a text, or of a question with one."""
_CUTS = 6
"""How often shorter texts are sent before a refusal is an error: llama.cpp words one for length in
several ways."""


class LlamaEmbedder:
    """An `Embedder`; loads at first use, which for a large file takes seconds."""

    def __init__(self, path: Path, *, name: str, dimensions: int, threads: int = 0) -> None:
        self.name = name
        self.dimensions = dimensions
        self._host = _Server(name, path, threads, ranks=False)

    def embed(self, texts: Sequence[str]) -> "np.ndarray":
        """float32 (len(texts), dimensions), rows of length 1. Raises ModelUnavailable where it
        does not load or gives something else."""
        import numpy as np

        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        answer = self._host.ask(lambda cut: {"input": [text[:cut] or " " for text in texts]})
        rows = np.array([one["embedding"] for one in answer["data"]], np.float32)
        if rows.shape != (len(texts), self.dimensions):
            raise ModelUnavailable(
                f"{self.name} gives vectors of {rows.shape[-1]}, not {self.dimensions}",
                hint="ska models pull fetches it again",
            )
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


class LlamaReranker:
    """A `Reranker`; loads at first use."""

    def __init__(self, path: Path, *, name: str, threads: int = 0) -> None:
        self.name = name
        self._host = _Server(name, path, threads, ranks=True)

    def scores(self, question: str, texts: Sequence[str]) -> "np.ndarray":
        """float32 (len(texts),), higher answers better. Raises ModelUnavailable where it does not
        load."""
        import numpy as np

        found = np.zeros(len(texts), np.float32)
        if not texts:
            return found

        def body(cut: int) -> dict[str, Any]:
            return {"query": question[: cut // 2], "documents": [text[:cut] for text in texts]}

        for one in self._host.ask(body)["results"]:
            found[one["index"]] = one["relevance_score"]
        return found


def reranker_named(models: "ModelSettings", home: "Home") -> LlamaReranker | None:
    """The reranker of the settings, one of the catalogue or a file of the person's own; None where
    they name none. Where its file is missing it says so when it is asked."""
    name = models.roles.rerank.removeprefix("embedded/")
    if not name:
        return None
    model = known(name)
    path = home.models / f"{name}.gguf"
    if model is not None:
        path = folder_of(home.models, model) / model.files[0].name
    return LlamaReranker(path, name=name, threads=models.embedded.threads)


class _Server:
    """llama.cpp with one file, loaded by the first question."""

    def __init__(self, name: str, path: Path, threads: int, *, ranks: bool) -> None:
        self._name = name
        self._path = path
        self._threads = threads
        self._ranks = ranks
        self._lock = Lock()
        self._loaded: Any = None

    def ask(self, body: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
        """The answer to what `body` makes of texts cut to so many characters. How many tokens
        those are, only the model knows: what is refused is halved and sent again."""
        server = self._server()
        handle = server.handle_rerank if self._ranks else server.handle_embeddings
        problem: dict[str, Any] = {}
        for halved in range(_CUTS):
            answer = _answered(handle, body(4 * WINDOW >> halved))
            problem = answer.get("error", {})
            if not problem:
                return answer
        raise ModelUnavailable(f"{self._name}: {problem.get('message', problem)}")

    def _server(self) -> Any:
        with self._lock:
            if self._loaded is None:
                self._loaded = _load(self._name, self._path, self._threads, ranks=self._ranks)
            return self._loaded


def _answered(handle: Callable[[dict[str, Any]], Any], body: dict[str, Any]) -> dict[str, Any]:
    """llama.cpp words an error as an answer or raises it."""
    try:
        return handle(body)
    except ValueError as error:
        return {"error": {"message": str(error)}}


def _load(name: str, path: Path, threads: int, *, ranks: bool) -> Any:
    if not path.is_file():
        raise ModelUnavailable(f"there is no {path}", hint=f"ska models pull {name}")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.embedding = True
    if ranks:
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_RANK
    params.n_parallel = 1
    # What reads both ways has to see a text whole: one batch as long as the window.
    params.n_ctx = params.n_batch = params.n_ubatch = WINDOW
    for pool in (params.cpuparams, params.cpuparams_batch):
        pool.n_threads = threads or physical_cores()
        pool.poll = 0
    params.api_keys = [secrets.token_hex(24)]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.ui = False
    params.warmup = False
    params.fit_params = False
    params.verbosity = -1
    try:
        return xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:
        raise ModelUnavailable(
            f"llama.cpp cannot load {path}: {error}", hint="`ska doctor` checks the files"
        ) from None
