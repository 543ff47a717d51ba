"""Real model files for tests, pulled once a machine into a folder outside the repository."""

import os
from pathlib import Path

from platformdirs import user_cache_path

from skill_agent.files.home import Home
from skill_agent.models.files.pull import CACHE_VARIABLE, pull
from skill_agent.settings.schema import EmbeddedSettings, ModelSettings, Settings


class _SharedHome(Home):
    """A home whose models folder is the cache itself."""

    __slots__ = ()

    @property
    def models(self) -> Path:
        return self.root


def model_cache() -> Path:
    """SKILL_AGENT_MODEL_CACHE, else the user's cache folder for this project."""
    chosen = os.environ.get(CACHE_VARIABLE, "").strip()
    return Path(chosen).expanduser() if chosen else user_cache_path("skill-agent") / "models"


def _pulled(name: str) -> Path:
    return pull(name, _SharedHome(model_cache()), environ={})


def smollm2_path() -> Path:
    """The GGUF file of SmolLM2-135M."""
    return _pulled("smollm2-135m") / "SmolLM2-135M-Instruct.Q4_1.gguf"


def minilm_dir() -> Path:
    """The folder with model.onnx, tokenizer.json and the sentence-transformers files."""
    return _pulled("all-minilm-l6-v2")


def qwen_path() -> Path:
    """The GGUF file of Qwen2.5-Coder-1.5B; a gigabyte, for tests marked slow."""
    return _pulled("qwen2.5-coder-1.5b") / "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"


def give_to(home: Home, *names: str) -> None:
    """Puts pulled models into a test's home without copying their bytes."""
    for name in names:
        _pulled(name)
        pull(name, home, environ={CACHE_VARIABLE: str(model_cache())})


def smollm2_settings(**models: object) -> Settings:
    """Settings with SmolLM2 as default and a small window, quick to load."""
    small = EmbeddedSettings(context_window=2048)
    given = {"default": "embedded/smollm2-135m", "embedded": small, **models}
    return Settings(models=ModelSettings.model_validate(given))
