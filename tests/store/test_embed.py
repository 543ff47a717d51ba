"""Embedders: the port's promises on real models where one is at hand."""

from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEmbedder
from model_files import minilm_dir
from skill_agent.store.embedding import (
    CachedEmbedder,
    OnnxEmbedder,
    SentenceTransformerEmbedder,
    WordsOnly,
)

from skill_agent.errors import ModelUnavailable

TEXTS = ["a cat sat on the mat", "the kitten rested on a rug", "quarterly tax returns", "x"]


@pytest.fixture
def onnx() -> OnnxEmbedder:
    return OnnxEmbedder(minilm_dir())


def test_onnx_gives_unit_vectors_that_mean_something(onnx: OnnxEmbedder) -> None:
    vectors = onnx.embed(TEXTS)
    assert vectors.shape == (4, onnx.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_onnx_keeps_order_and_repeats_across_batches(onnx: OnnxEmbedder) -> None:
    texts = [f"{'word ' * (i % 7)}number {i % 7}" for i in range(50)]
    vectors = onnx.embed(texts)
    alone = np.concatenate([onnx.embed([text]) for text in texts[:20]])
    assert vectors.shape == (50, onnx.dimensions)
    # int8 activations are scaled per batch: nearly, not exactly, the same.
    assert (np.sum(vectors[:20] * alone, axis=1) > 0.98).all()
    twins = [(i, j) for i in range(50) for j in range(i) if texts[i] == texts[j]]
    assert twins
    assert all(np.array_equal(vectors[i], vectors[j]) for i, j in twins)


def test_onnx_counts_what_it_reads(onnx: OnnxEmbedder) -> None:
    alone = [onnx.count_tokens([text]) for text in TEXTS]
    assert onnx.count_tokens(TEXTS) == sum(alone) and onnx.count_tokens([]) == 0
    assert alone[0] > alone[3] >= 1
    assert onnx.count_tokens(["word " * 5000]) == onnx.count_tokens(["word " * 9000])


def test_onnx_takes_long_and_empty_texts(onnx: OnnxEmbedder) -> None:
    assert np.isfinite(onnx.embed(["", "word " * 5000])).all()
    assert onnx.embed([]).shape == (0, onnx.dimensions)


def test_a_missing_model_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        OnnxEmbedder(tmp_path).embed(["hello"])
    assert "model.onnx" in caught.value.message
    assert "ska models pull" in caught.value.hint


def test_a_broken_model_is_reported(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelUnavailable, match="could not be loaded"):
        OnnxEmbedder(tmp_path).embed(["hello"])


@pytest.mark.slow
def test_onnx_agrees_with_the_reference(onnx: OnnxEmbedder) -> None:
    pytest.importorskip("sentence_transformers", reason="the extra is not installed")
    expected = SentenceTransformerEmbedder(str(minilm_dir())).embed(TEXTS)
    assert (np.sum(onnx.embed(TEXTS) * expected, axis=1) > 0.98).all()


def test_the_cache_embeds_a_question_once() -> None:
    inner = CountingEmbedder()
    cached = CachedEmbedder(inner, size=2)
    first = cached.embed(["one"])
    assert np.array_equal(cached.embed(["one"]), first)
    assert inner.texts == 1
    cached.embed(["two"])
    cached.embed(["three"])
    cached.embed(["one"])
    assert inner.texts == 4
    cached.embed(["two", "three"])
    assert inner.texts == 6
    assert (cached.name, cached.dimensions) == (inner.name, inner.dimensions)


def test_words_only_has_no_opinion() -> None:
    embedder = WordsOnly()
    assert not embedder.embed(TEXTS).any()
    assert embedder.embed(TEXTS).shape == (4, embedder.dimensions)
