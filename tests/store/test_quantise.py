"""The fast copy of the embedder's model: made once, like the original, never in the way."""

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from model_files import minilm_dir
from skill_agent.store.embedding import FAST_MODEL, OnnxEmbedder, quantise


@pytest.fixture
def model(tmp_path: Path) -> Path:
    for name in ("model.onnx", "tokenizer.json"):
        shutil.copy(minilm_dir() / name, tmp_path / name)
    return tmp_path


@pytest.mark.deep
def test_the_copy_is_alike_and_leaves_no_litter(model: Path) -> None:
    pytest.importorskip("onnx")
    texts = [
        f"sentence number {i} about the {word}" for i, word in enumerate(["sea", "sky", "sun"])
    ]
    before = OnnxEmbedder(model).embed(texts)
    assert quantise(model)
    assert {file.name for file in model.iterdir()} == {"model.onnx", "tokenizer.json", FAST_MODEL}
    after = OnnxEmbedder(model).embed(texts)
    assert (np.sum(before * after, axis=1) > 0.97).all()
    assert not np.array_equal(before, after)


def test_it_is_made_once(model: Path) -> None:
    (model / FAST_MODEL).write_bytes(b"made before")
    start = time.perf_counter()
    assert quantise(model)
    assert time.perf_counter() - start < 0.1
