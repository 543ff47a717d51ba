"""Embedders beside the shipped one: taken apart, told questions from answers, put on one scale."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from fakes import HashEmbedder
from model_files import minilm_dir, model_cache
from onnx import TensorProto, helper
from skill_agent.store.embedders.choosing import chosen_embedder, embedder_named
from skill_agent.store.embedders.fitted import Fitted
from skill_agent.store.embedders.sentence_encoder import GRAPH, SentenceEncoder, prepare
from skill_agent.store.embedders.sentencepiece import take_apart
from skill_agent.store.embedders.two_views import TwoViews
from skill_agent.store.embedding import CachedEmbedder
from tiny_encoder import WIDTH, tiny_encoder

from skill_agent.errors import ModelUnavailable
from skill_agent.models.files.catalogue import embedder_for, entry
from skill_agent.models.local.encoder import LlamaEmbedder

USE, GRANITE, MINILM = (
    "use-multilingual-3",
    "granite-embedding-107m-multilingual",
    "all-minilm-l6-v2",
)
PIECES = ("<unk>", "<s>", "</s>", "▁a", "▁cat", "▁sat", "s", "▁")


class Told(HashEmbedder):
    """Keeps what it was asked to embed."""

    def __init__(self, name: str = "told") -> None:
        self.name = name
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += texts
        return super().embed(texts)


class OneSided(HashEmbedder):
    """Every vector leans one way, as those of many an embedder do."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = super().embed(texts)
        rows[:, 0] += 3
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value)]) + value


def graph_with_tokenizer(path: Path, *, operator: str = "SentencepieceTokenizer") -> Path:
    """A graph that takes strings: each text's vector is the mean of the axes of its pieces."""
    pieces = b""
    for at, piece in enumerate(PIECES):
        score = np.float32(-1 - at).tobytes()
        pieces += field(1, field(1, piece.encode()) + bytes([2 << 3 | 5]) + score)
    flags = [helper.make_tensor("zero", TensorProto.INT64, [1], [0])]
    flags += [helper.make_tensor("only_read_by_it", TensorProto.BOOL, [1], [True])]
    axes = np.eye(len(PIECES), 4, dtype=np.float32) + 0.1
    flags += [
        helper.make_tensor("axes", TensorProto.FLOAT, axes.shape, axes.flatten()),
        helper.make_tensor("down", TensorProto.INT64, [], [0]),
        helper.make_tensor("none", TensorProto.FLOAT, [1, 4], [0.0] * 4),
    ]
    for name, value in {"first": 0, "second": 1, "last": -1, "end": 2**31}.items():
        flags.append(helper.make_tensor(name, TensorProto.INT64, [1], [value]))
    nodes = [
        helper.make_node(
            operator,
            ["texts", "zero", "only_read_by_it"],
            ["pieces", "bounds"],
            domain="ai.onnx.contrib",
            model=pieces,
        ),
        helper.make_node("Gather", ["axes", "pieces"], ["read"]),
        helper.make_node("CumSum", ["read", "down"], ["summed"]),
        helper.make_node("Concat", ["none", "summed"], ["from_none"], axis=0),
        helper.make_node("Gather", ["from_none", "bounds"], ["at"]),
        helper.make_node("Slice", ["at", "second", "end"], ["ends"]),
        helper.make_node("Slice", ["at", "first", "last"], ["begins"]),
        helper.make_node("Sub", ["ends", "begins"], ["outputs"]),
    ]
    made = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("texts", TensorProto.STRING, ["n"])],
        [helper.make_tensor_value_info("outputs", TensorProto.FLOAT, ["n", 4])],
        flags,
    )
    opsets = [helper.make_opsetid("", 14), helper.make_opsetid("ai.onnx.contrib", 1)]
    onnx.save(helper.make_model(made, opset_imports=opsets, ir_version=8), str(path))
    return path


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    graph_with_tokenizer(tmp_path / GRAPH)
    return tmp_path


@pytest.fixture
def use() -> SentenceEncoder:
    folder = model_cache() / USE
    if not (folder / GRAPH).is_file():
        pytest.skip(f"not installed: ska models pull {USE}")
    return SentenceEncoder(folder, 512)


# -- a graph with its tokenizer inside -------------------------------------------------------------


def test_a_graph_runs_without_the_operator_it_was_published_with(tiny: Path) -> None:
    encoder = SentenceEncoder(tiny, 4)
    rows = encoder.embed(["a cat sat", "cats", "a cat sat", ""])
    assert rows.shape == (4, 4) and rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.allclose(rows[0], rows[2]) and not np.allclose(rows[0], rows[1])
    assert encoder.embed([]).shape == (0, 4)
    # <s> ▁a ▁cat ▁sat </s>, and spaces are none of it
    assert encoder.count_tokens(["a cat sat"]) == 5 == encoder.count_tokens(["  a   cat sat "])


def test_each_text_has_its_own_vector_whatever_stands_beside_it(tiny: Path) -> None:
    encoder = SentenceEncoder(tiny, 4)
    texts = [" ".join(["a", "cat", "sat"][: 1 + at % 3] * (1 + at % 40)) for at in range(100)]
    alone = np.concatenate([encoder.embed([text]) for text in texts])
    assert np.allclose(encoder.embed(texts), alone, atol=1e-4)


def test_it_knows_its_own_words_and_stretches_questions(tiny: Path) -> None:
    encoder = SentenceEncoder(tiny, 4, gain=1.5)
    assert encoder.knows("cat") and not encoder.knows("catss")
    assert np.allclose(encoder.embed_questions(["a cat"]), 1.5 * encoder.embed(["a cat"]))
    both = TwoViews(HashEmbedder(), encoder, ("en",))
    assert both.knows("cat") and not both.knows("dog")


def test_it_is_taken_apart_once(tiny: Path) -> None:
    prepare(tiny)
    made = {path.name: path.stat().st_mtime_ns for path in tiny.iterdir()}
    prepare(tiny)
    assert {path.name: path.stat().st_mtime_ns for path in tiny.iterdir()} == made
    assert not list(tiny.glob("*.new"))
    left = onnx.load(str(tiny / "tokens.onnx")).graph
    assert "only_read_by_it" not in {one.name for one in left.initializer}


def test_what_holds_no_such_tokenizer_says_so(tmp_path: Path) -> None:
    graph = graph_with_tokenizer(tmp_path / GRAPH, operator="BertTokenizer")
    with pytest.raises(ValueError, match="no SentencepieceTokenizer"):
        take_apart(graph, tmp_path / "tokens", tmp_path / "tokenizer")
    (tmp_path / GRAPH).write_bytes(b"no graph at all")
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="could not be made ready"):
            SentenceEncoder(tmp_path, 4).embed(["a"])
    assert not list(tmp_path.glob("*.new"))


def test_one_that_was_spoilt_later_says_what_to_do(tiny: Path) -> None:
    prepare(tiny)
    (tiny / "tokens.onnx").write_bytes(b"spoilt")
    with pytest.raises(ModelUnavailable) as caught:
        SentenceEncoder(tiny, 4).embed(["a"])
    assert "tokens.onnx" in caught.value.hint


def test_languages_share_one_space(use: SentenceEncoder) -> None:
    said = [
        "My sister lives in Vienna",
        "Meine Schwester wohnt in Wien",
        "姉はウィーンに住んでいます",
    ]
    other = ["The invoice is overdue", "Die Rechnung ist überfällig", "請求書の期限が過ぎています"]
    one, two = use.embed(said), use.embed(other)
    assert (one @ one.T).min() > (one @ two.T).max() + 0.2


# -- prefixes and scale ----------------------------------------------------------------------------


def test_questions_are_told_from_what_answers_them() -> None:
    inner = Told()
    fitted = Fitted(inner, question="query: ", passage="passage: ", gain=1.5)
    fitted.embed(["it rains"])
    asked = fitted.embed_questions(["does it rain?"])
    assert inner.texts == ["passage: it rains", "query: does it rain?"]
    assert np.linalg.norm(asked) == pytest.approx(1.5)


def test_a_cache_keeps_questions_and_texts_apart() -> None:
    inner = Told()
    cached = CachedEmbedder(Fitted(inner, question="query: ", gain=2.0))
    for _ in range(2):
        assert np.linalg.norm(cached.embed(["rain"])) == pytest.approx(1)
        assert np.linalg.norm(cached.question("rain")[0]) == pytest.approx(2)
    assert inner.texts == ["rain", "query: rain"]
    plain = CachedEmbedder(HashEmbedder())
    assert np.array_equal(plain.embed(["rain"]), [plain.question("rain")[0]])


def test_a_direction_that_all_vectors_share_is_taken_out() -> None:
    raw, fitted = OneSided(), Fitted(OneSided())
    lines = ["the ferry leaves at noon", "tomatoes grow on the balcony", "an invoice was signed"]
    apart = ~np.eye(3, dtype=bool)
    before, after = raw.embed(lines), fitted.embed(lines)
    assert (before @ before.T)[apart].min() > 0.7
    assert abs((after @ after.T)[apart]).max() < 0.5
    assert np.allclose(np.linalg.norm(after, axis=1), 1, atol=1e-5)
    hit = float(fitted.embed_questions([lines[0]])[0] @ after[0])
    assert hit > 2 * abs(float(fitted.embed_questions([lines[0]])[0] @ after[1]))


# -- two views -------------------------------------------------------------------------------------


def test_the_first_view_is_read_in_its_own_languages_only() -> None:
    few, many = Told("few"), Told("many")
    both = TwoViews(few, many, ("en",))
    english, german = "My sister lives by the harbour", "Meine Schwester wohnt am Hafen"
    rows = both.embed([english, german])
    assert (both.name, both.dimensions, rows.shape) == ("few+many", 128, (2, 128))
    assert few.texts == [english] and many.texts == [english, german]
    assert rows[0, :64].any() and not rows[1, :64].any()
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert both.embed([]).shape == (0, 128)


def test_the_product_of_two_english_texts_is_the_mean_of_both_views() -> None:
    few, many = HashEmbedder(), OneSided()
    both = TwoViews(few, many, ("en",))
    texts = ["My sister lives by the harbour", "The harbour is where my sister lives"]
    one, two = both.embed(texts)
    wanted = [float(np.dot(*view.embed(texts))) for view in (few, many)]
    assert float(one @ two) == pytest.approx(sum(wanted) / 2, abs=1e-5)


# -- by name ---------------------------------------------------------------------------------------


def test_a_name_stands_for_what_is_installed(tmp_path: Path) -> None:
    assert chosen_embedder(f"embedded/{USE}", tmp_path).name == "words-only"
    (tmp_path / USE).mkdir()
    graph_with_tokenizer(tmp_path / USE / GRAPH)
    assert chosen_embedder(f"embedded/{USE}", tmp_path).name == USE
    assert chosen_embedder(f"embedded/{MINILM}", tmp_path).name == "words-only"
    (tmp_path / MINILM).symlink_to(minilm_dir())
    found = chosen_embedder(f"embedded/{USE}", tmp_path)
    assert (found.name, found.dimensions) == (f"{MINILM}+{USE}", 384 + 512)
    for name in (found.name, USE, MINILM, "words-only"):
        again = embedder_named(name, tmp_path)
        assert again is not None and again.name == name
    for gone in (f"gone+{USE}", GRANITE, "nothing"):
        assert embedder_named(gone, tmp_path) is None
    # until the one that is named is pulled, the shipped one goes on
    assert chosen_embedder(f"embedded/{GRANITE}", tmp_path).name == MINILM


def test_the_offer_is_small_and_knows_the_language() -> None:
    assert embedder_for("en") is None and embedder_for("sw") is None
    for code in ("de", "es", "fr", "ru", "ja", "zh", "it", "pt", "nl"):
        found = embedder_for(code)
        assert found is not None and found.name == USE and 0 < found.size < 100_000_000


# -- GGUF files ------------------------------------------------------------------------------------


def test_llama_cpp_embeds_with_a_file(tmp_path: Path) -> None:
    model = LlamaEmbedder(tiny_encoder(tmp_path / "t.gguf"), name="tiny", dimensions=WIDTH)
    texts = ["the cat sleeps", "where is the key", "the cat sleeps", "", "a dog " * 3000]
    rows = model.embed(texts)
    assert rows.shape == (5, WIDTH) and np.isfinite(rows).all()
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    assert np.allclose(rows[0], rows[2], atol=1e-4) and not np.allclose(rows[0], rows[1])
    assert model.embed([]).shape == (0, WIDTH)


def test_a_file_of_another_kind_or_none_says_so(tmp_path: Path) -> None:
    file = entry(GRANITE).files[0].name
    (tmp_path / GRANITE).mkdir()
    tiny_encoder(tmp_path / GRANITE / file)
    wrong = chosen_embedder(f"embedded/{GRANITE}", tmp_path)
    with pytest.raises(ModelUnavailable, match=f"{WIDTH}, not 384"):
        wrong.embed(["a"])
    missing = LlamaEmbedder(tmp_path / "none.gguf", name="none", dimensions=4)
    with pytest.raises(ModelUnavailable) as caught:
        missing.embed(["a"])
    assert caught.value.hint == "ska models pull none"
