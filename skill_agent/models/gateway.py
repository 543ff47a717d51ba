"""Where models come from: names and roles of the settings become models with their fallbacks.

Nothing is imported, loaded or connected here; the models do that at their first call.
"""

import asyncio
import os
from dataclasses import replace

from skill_agent.errors import ModelUnavailable, NotFound
from skill_agent.files.home import Home
from skill_agent.models.files.catalogue import Entry, entries, known, memory_needed
from skill_agent.models.files.installed import (
    installed,
    loadable,
    loose_file,
    loose_names,
    on_disk,
)
from skill_agent.models.files.probe import UNKNOWN, Probe, Probes
from skill_agent.models.local.embedded import EmbeddedModel
from skill_agent.models.local.engine import Engine
from skill_agent.models.local.kv_cache import StateCache, StateKey
from skill_agent.models.local.llama_host import HostSettings, LlamaHost
from skill_agent.models.wire.litellm_ready import close_clients
from skill_agent.models.wire.proxies import is_loopback
from skill_agent.ports import Model
from skill_agent.settings.schema import Settings
from skill_agent.text.nearest import did_you_mean
from skill_agent.values import ModelInfo, ModelOffer

from .fallback import FallbackModel
from .offers import offers_of
from .providers import STARTERS, lacks_key, ollama_base, ollama_models, remote_profile
from .refusals import missing_key, unknown_provider
from .remote import RemoteModel
from .remote_facts import (
    known_providers,
    ollama_probe,
    price_list_probe,
    price_list_stamp,
)

EMBEDDED, OLLAMA = "embedded", "ollama"
ROLES = ("fast", "balanced", "powerful", "extract")
SLOTS = 2
"""Conversations a local model keeps in memory: enough to switch agents, little enough for 8 GB."""


class Gateway:
    """Gives each model once, so that a local one is loaded once. Close it to unload."""

    def __init__(self, settings: Settings, home: Home) -> None:
        self._settings = settings.models
        self._home = home
        self._models: dict[str, EmbeddedModel | RemoteModel] = {}
        self._probes = Probes(home.models)

    async def model(self, name: str, *, prefer: str = "") -> Model:
        """The model for `provider/model`, a role or `default`; `prefer` takes its place if set.

        Raises NotFound for an unknown embedded name or a name without a provider.
        """
        names = self._chain(name, prefer)
        for one in names:
            if one.startswith(OLLAMA) and self._probes.kept(one) is None:
                await asyncio.to_thread(self._ask_ollama, one)
                self._models.pop(one, None)
        chain = [self._one(one) for one in names]
        return FallbackModel(chain) if len(chain) > 1 else chain[0]

    def check(self, name: str) -> None:
        """Raises what the first call would raise, where that can be known without one."""
        problems: list[ModelUnavailable] = []
        for one in self._chain(name):
            try:
                self._check_one(one)
                return
            except ModelUnavailable as problem:
                problems.append(problem)
        raise problems[0]

    def _check_one(self, name: str) -> None:
        provider, _, rest = name.partition("/")
        if provider == EMBEDDED or not rest:
            if not installed(name, self._home):
                bare = name.removeprefix(f"{EMBEDDED}/")
                raise ModelUnavailable(
                    f"the model {bare} is not installed", hint=f"ska models pull {bare}"
                )
            return
        if provider in self._settings.api_base or provider.startswith(OLLAMA):
            return
        if lacks_key(provider, os.environ):
            raise missing_key(provider, [])
        providers = known_providers()
        if providers and provider not in providers:
            raise unknown_provider(name, did_you_mean(provider, sorted(providers)))

    def _chain(self, name: str, prefer: str = "") -> list[str]:
        first = self._resolved(prefer) or self._resolved(name) or self._settings.default
        return list(dict.fromkeys((first, *self._settings.fallback)))

    def _ask_ollama(self, name: str) -> None:
        """Learns once what a model of Ollama's can do; where it does not answer, not this time."""
        if self._probes.kept(name) is None:
            probe = ollama_probe(ollama_base(self._settings, os.environ), name)
            if probe is not None:
                self._probes.keep(name, None, probe)

    def catalogue(self) -> list[ModelInfo]:
        """Embedded chat models and embedders known, files of the person's own, models in config."""
        roles = self._roles()
        embedded = [self._entry_info(one, roles) for one in entries()]
        own = [name for name in loose_names(self._home) if known(name) is None]
        loose = [self._loose_info(name, roles) for name in own]
        listed = {one.name for one in (*embedded, *loose)}
        named = dict.fromkeys((self._settings.default, *roles, *self._settings.fallback))
        remote = [self._remote_info(name, roles) for name in named if name and name not in listed]
        return [*embedded, *loose, *remote]

    async def offers(self) -> list[ModelOffer]:
        return await asyncio.to_thread(self._offers)

    def _offers(self) -> list[ModelOffer]:
        roles = self._roles()
        starters = [self._remote_info(name, roles) for name in STARTERS]
        return offers_of(self.catalogue(), self._in_ollama(), starters, check=self._check_one)

    def ollama(self) -> list[ModelInfo]:
        """What a running Ollama has; asks it, so it blocks for seconds at most."""
        return self._in_ollama() or []

    def _in_ollama(self) -> list[ModelInfo] | None:
        """None where none runs."""
        found = ollama_models(ollama_base(self._settings, os.environ))
        if found is None:
            return None
        for name in found:
            self._ask_ollama(name)
        roles = self._roles()
        infos = [replace(self._remote_info(name, roles), size_bytes=found[name]) for name in found]
        return [replace(one, note="in your Ollama") for one in infos]

    async def close(self) -> None:
        models, self._models = self._models, {}
        remote = False
        for model in models.values():
            if isinstance(model, EmbeddedModel):
                await model.close()
            else:
                remote = True
        if remote:
            await close_clients()

    def _resolved(self, name: str) -> str:
        """A name with its role looked up; empty for a role nobody set."""
        if name in ("", "default"):
            return ""
        return getattr(self._settings.roles, name) if name in ROLES else name

    def _one(self, name: str) -> EmbeddedModel | RemoteModel:
        if name not in self._models:
            provider, _, rest = name.partition("/")
            self._models[name] = (
                self._embedded(name) if provider == EMBEDDED or not rest else self._remote(name)
            )
        return self._models[name]

    def _remote(self, name: str) -> RemoteModel:
        provider = name.partition("/")[0]
        base = self._base(provider)
        info = self._remote_info(name, self._roles())
        return RemoteModel(info, timeout_s=self._settings.timeout_s, base=base)

    def _base(self, provider: str) -> str:
        """Where a provider listens, if not where everybody knows."""
        base = self._settings.api_base.get(provider, "")
        if provider.startswith(OLLAMA):
            base = base or ollama_base(self._settings, os.environ)
        return base

    def _embedded(self, name: str) -> EmbeddedModel:
        bare = name.removeprefix(f"{EMBEDDED}/")
        entry = known(bare)
        if entry.kind != "chat" if entry else loose_file(bare, self._home) is None:
            raise self._unknown(name, bare)
        roles = self._roles()
        info = self._entry_info(entry, roles) if entry else self._loose_info(bare, roles)
        return EmbeddedModel(info, lambda: self._engine(bare))

    def _unknown(self, name: str, bare: str) -> NotFound:
        chat = [one.name for one in entries() if one.kind == "chat"]
        hint = (
            did_you_mean(bare, [*chat, *loose_names(self._home)])
            or "`ska models list` shows them; remote: provider/model"
        )
        return NotFound(f"no embedded model is called {name!r}", hint=hint)

    async def _engine(self, name: str) -> Engine:
        """Loads a model; seconds. Raises ModelUnavailable with the command that mends it."""
        return Engine(*await asyncio.to_thread(self._load, name))

    def _load(self, name: str) -> tuple[LlamaHost, StateCache | None, StateKey]:
        import importlib.metadata

        file = loadable(name, self._home)
        limit = self._settings.embedded.kv_cache_mb << 20
        cache = StateCache(self._home.kv_cache, limit_bytes=limit)
        settings = HostSettings(
            path=file.path,
            window=self._window(name),
            slots=SLOTS,
            threads=self._settings.embedded.threads,
            state_folder=self._home.kv_cache,
            thinking=self.thinking(name),
        )
        try:
            cache.prepare()
        except OSError as error:
            raise ModelUnavailable(
                f"{self._home.kv_cache} cannot be used: {error.strerror or error}",
                hint="ska doctor",
            ) from None
        engine = f"xllamacpp {importlib.metadata.version('xllamacpp')}"
        key = StateKey(model_sha256=file.sha256, settings=settings, engine=engine)
        return LlamaHost(settings), cache if limit else None, key

    def _window(self, name: str) -> int:
        wanted = self._settings.embedded.context_window
        entry = known(name)
        trained = (entry or self._probe(name)).trained_window
        return min(wanted, trained) if trained else wanted

    def thinking(self, name: str) -> bool | None:
        """Whether an embedded model is told to think; None for one that cannot."""
        entry = known(name)
        profile = entry.profile if entry else self._probe(name).profile
        return self._settings.embedded.thinking == "on" if profile.reasoning else None

    def _probe(self, name: str) -> Probe:
        """What a file of the person's own says of itself."""
        path = loose_file(name, self._home)
        return self._probes.of_file(path) if path else UNKNOWN

    def _roles(self) -> dict[str, tuple[str, ...]]:
        """Model name to the roles it serves."""
        roles = self._settings.roles
        pairs = [("default", self._settings.default)]
        pairs += [(role, getattr(roles, role)) for role in (*ROLES, "embed")]
        names = dict.fromkeys(name for _, name in pairs if name)
        return {name: tuple(role for role, served in pairs if served == name) for name in names}

    def _entry_info(self, entry: Entry, roles: dict[str, tuple[str, ...]]) -> ModelInfo:
        name = f"{EMBEDDED}/{entry.name}"
        here = installed(entry.name, self._home)
        window = self._window(entry.name) if entry.kind == "chat" else 0
        size = on_disk(entry, self._home) if here else entry.size
        return ModelInfo(
            name=name,
            provider=EMBEDDED,
            context_window=window,
            local=True,
            installed=here,
            roles=roles.get(name, ()),
            size_bytes=size or entry.likely_size,
            size_estimated=not size,
            licence=entry.licence,
            note=entry.good_at,
            profile=entry.profile,
            kind=entry.kind,
            memory_bytes=entry.memory(window * SLOTS),
            evaluation=entry.evaluation,
        )

    def _loose_info(self, bare: str, roles: dict[str, tuple[str, ...]]) -> ModelInfo:
        name = f"{EMBEDDED}/{bare}"
        path = loose_file(bare, self._home)
        size = path.stat().st_size if path else 0
        probe, window = self._probe(bare), self._window(bare)
        return ModelInfo(
            name=name,
            provider=EMBEDDED,
            context_window=window,
            local=True,
            roles=roles.get(name, ()),
            size_bytes=size,
            note="a file of your own",
            profile=probe.profile,
            memory_bytes=memory_needed(size, probe.kv_bytes * window * SLOTS),
        )

    def _remote_info(self, name: str, roles: dict[str, tuple[str, ...]]) -> ModelInfo:
        provider = name.partition("/")[0]
        ollama = provider.startswith(OLLAMA)
        local = ollama and is_loopback(self._base(provider))
        probe = self._probes.kept(name) if ollama else self._priced(name)
        return ModelInfo(
            name=name,
            provider=provider,
            local=local,
            own_server=is_loopback(self._base(provider)),
            roles=roles.get(name, ()),
            note="named in config.toml" if name in roles else "",
            profile=probe.profile if probe else remote_profile(name),
        )

    def _priced(self, name: str) -> Probe:
        """What the price list says of a model, kept while the list is the same."""
        stamp = price_list_stamp()
        kept = self._probes.kept(name, stamp)
        return kept or self._probes.keep(name, stamp, price_list_probe(name))
