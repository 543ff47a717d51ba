"""The pieces of a text in the index: stored, compared, built anew, gone with what they are of."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import lancedb
import numpy as np
import pytest
from fakes import HashEmbedder
from model_files import minilm_dir
from skill_agent.store.embedders.choosing import embedder_named
from skill_agent.store.embedding import CachedEmbedder, OnnxEmbedder
from skill_agent.store.lance_index.index import LanceIndex
from skill_agent.store.lance_index.rows import PACKED

from skill_agent.memory.recall.late import NO_PIECES, WIDTH, pack
from skill_agent.ports import Pieces
from skill_agent.values import Delta, IndexItem, RecallQuery, Scope

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Spelling(HashEmbedder):
    """Gives each word a direction of its own, told from no other word's."""

    def embed_pieces(self, texts: Sequence[str]) -> tuple[np.ndarray, list[Pieces]]:
        return self.embed(texts), [spelt(text) for text in texts]


def spelt(text: str) -> Pieces:
    spans: list[tuple[int, int]] = []
    rows: list[np.ndarray] = []
    for word in text.split():
        start = text.index(word, spans[-1][1] if spans else 0)
        spans.append((start, start + len(word)))
        digest = hashlib.sha256(word.strip(".,:;!?()").lower().encode()).digest()
        row = np.frombuffer(digest, np.uint8).astype(np.float32) - 127.5
        rows.append(row / np.linalg.norm(row))
    return Pieces(vectors=np.stack(rows), spans=np.array(spans)) if rows else NO_PIECES


def turn(number: int, text: str, session: str = "s") -> IndexItem:
    return IndexItem(
        id=f"t{number}", kind="turn", text=text, seq=number, session=session, position=number,
        speaker="Ana", created_at=NOW - timedelta(days=1, minutes=-number),
    )  # fmt: skip


def told(count: int = 30) -> list[IndexItem]:
    return [turn(number, f"plain line number{number} about nothing") for number in range(count)]


async def filled(folder: Path, embedder: HashEmbedder, *more: IndexItem) -> LanceIndex:
    index = await LanceIndex.open(folder, embedder)
    items = (*told(), *more)
    await index.apply(Delta(items=items, removed=(), up_to=max(item.seq for item in items)))
    return index


async def ids(index: LanceIndex, text: str) -> list[str]:
    hits = await index.recall(RecallQuery(text=text, scope=Scope(), now=NOW, limit=20))
    return [hit.item.id for hit in hits]


def holding(folder: Path, packed: bytes) -> list[Path]:
    """Files in which these bytes stand."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file for file in files if packed in file.read_bytes()]


async def test_pieces_are_stored_beside_their_row_and_read_again(tmp_path: Path) -> None:
    heron = turn(40, "the boat is called Heron")
    index = await filled(tmp_path, Spelling(), heron)
    assert (await ids(index, "what is the boat called?"))[0] == "t40"
    await index.close()
    rows = lancedb.connect(str(tmp_path)).open_table("items").to_arrow()
    stored = dict(zip(rows["id"].to_pylist(), rows[PACKED].to_pylist(), strict=True))
    assert stored["t40"] == pack(spelt("Ana (28 February 2026): the boat is called Heron"))
    assert len(stored["t40"]) == 9 * WIDTH
    again = await LanceIndex.open(tmp_path, Spelling())
    assert (await ids(again, "what is the boat called?"))[0] == "t40"


@pytest.mark.parametrize("closed", [False, True])
async def test_a_removal_leaves_no_piece_behind(tmp_path: Path, closed: bool) -> None:
    secret = turn(40, "kestrel password rosebud")
    index = await filled(tmp_path, Spelling(), secret)
    await index.tend()
    if closed:
        await index.close()
        index = await LanceIndex.open(tmp_path, Spelling())
    packed = pack(spelt("kestrel password rosebud"))
    assert holding(tmp_path, packed)
    await index.apply(Delta(items=(), removed=("t40",), up_to=41))
    assert holding(tmp_path, packed) == []
    await index.close()
    assert holding(tmp_path, packed) == []


async def test_a_scrub_leaves_no_piece_of_what_was_replaced(tmp_path: Path) -> None:
    index = await filled(tmp_path, Spelling(), turn(40, "kestrel password rosebud"))
    await index.tend()
    packed = pack(spelt("kestrel password rosebud"))
    await index.apply(Delta(items=(turn(40, "it was taken back"),), removed=(), up_to=42))
    await index.scrub()
    assert holding(tmp_path, packed) == []
    assert (await ids(index, "taken back"))[0] == "t40"


async def test_rows_from_before_there_were_pieces_answer_and_are_built_anew(tmp_path: Path) -> None:
    index = await filled(tmp_path, Spelling(), turn(40, "the boat is called Heron"))
    await index.close()
    table = lancedb.connect(str(tmp_path)).open_table("items")
    rows = table.to_arrow().drop_columns([PACKED])
    rows = rows.replace_schema_metadata({**(rows.schema.metadata or {}), b"layout": b"1.2"})
    lancedb.connect(str(tmp_path)).create_table("items", rows, mode="overwrite")
    older = await LanceIndex.open(tmp_path, Spelling())
    assert older.rebuilding is not None
    assert (await ids(older, "what is the boat called?"))[0] == "t40"
    items = (*told(), turn(40, "the boat is called Heron"))
    await older.grow(Delta(items=items[:10], removed=(), up_to=items[9].seq, behind=21))
    assert older.rebuilding is not None
    again = await LanceIndex.open(tmp_path, Spelling())  # the process died in between
    assert await again.rebuilt_to() == items[9].seq
    await again.grow(Delta(items=items[10:], removed=(), up_to=40))
    assert again.rebuilding is None
    await again.close()
    last = await LanceIndex.open(tmp_path, Spelling())
    assert last.rebuilding is None
    assert (await ids(last, "what is the boat called?"))[0] == "t40"


async def test_a_new_status_keeps_the_pieces_and_embeds_nothing(tmp_path: Path) -> None:
    index = await filled(tmp_path, Spelling(), turn(40, "the boat is called Heron"))
    await index.close()
    again = await LanceIndex.open(tmp_path, Spelling())
    changed = turn(40, "the boat is called Heron")
    await again.apply(Delta(items=(changed,), removed=(), up_to=43))
    await again.tend()
    await again.close()
    rows = lancedb.connect(str(tmp_path)).open_table("items").to_arrow()
    assert all(rows[PACKED].to_pylist())


async def test_an_embedder_without_pieces_goes_by_the_first_look(tmp_path: Path) -> None:
    index = await filled(tmp_path, HashEmbedder(), turn(40, "the boat is called Heron"))
    assert (await ids(index, "what is the boat called?"))[0] == "t40"
    await index.close()
    rows = lancedb.connect(str(tmp_path)).open_table("items").to_arrow()
    assert set(rows[PACKED].to_pylist()) == {b""}


async def test_empty_and_unspaced_texts_have_a_place(tmp_path: Path) -> None:
    some = turn(41, ""), turn(42, "明日は陶芸教室に行く"), turn(43, "?!")
    index = await filled(tmp_path, Spelling(), *some)
    assert (await ids(index, "陶芸教室はいつ？"))[0] == "t42"
    assert await ids(index, "")


@pytest.fixture(scope="module")
def minilm() -> OnnxEmbedder:
    return OnnxEmbedder(minilm_dir())


def test_the_shipped_model_gives_its_pieces_from_the_same_run(minilm: OnnxEmbedder) -> None:
    texts = ["Where is the Grey Heron moored?", "?", "", "明日", "Where is the Grey Heron moored?"]
    vectors, pieces = minilm.embed_pieces(texts)
    assert vectors == pytest.approx(minilm.embed(texts), abs=1e-5)
    assert [texts[0][start:end] for start, end in pieces[0].spans.tolist()][:3] == [
        "Where", "is", "the",
    ]  # fmt: skip
    assert "?" not in [texts[0][start:end] for start, end in pieces[0].spans.tolist()]
    assert len(pieces[1].vectors) == len(pieces[2].vectors) == 0
    assert pieces[4] is pieces[0]


def test_a_piece_is_nearer_to_its_like_than_to_others(minilm: OnnxEmbedder) -> None:
    _, (asked, near, far) = minilm.embed_pieces(
        ["Who repaired the engine?", "Joris fixed the motor.", "We had cake in the garden."]
    )
    best = [(asked.vectors @ other.vectors.T).max(axis=1).mean() for other in (near, far)]
    assert best[0] > best[1] + 0.1


def test_a_model_of_another_name_has_no_pieces(minilm: OnnxEmbedder) -> None:
    other = OnnxEmbedder(minilm_dir(), name="of-my-own")
    assert [len(one.vectors) for one in other.embed_pieces(["hello there"])[1]] == [0]
    named = embedder_named("all-minilm-l6-v2", minilm_dir().parent)
    assert named is not None
    assert len(CachedEmbedder(named).embed_pieces(["hello there"])[1][0].vectors) == 2
