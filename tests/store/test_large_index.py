"""An index most of which lies in mapped files answers as one in memory, through crashes, damage and
erasure."""

import asyncio
import gc
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import HashEmbedder
from hypothesis import example, given, settings
from hypothesis import strategies as st
from searching import fewer
from skill_agent.store.lance_index.index import LanceIndex
from skill_agent.store.lance_index.reading import items_in

from skill_agent.values import Delta, IndexItem, RecallQuery, Scope

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORDS = ["apple", "pear", "plum", "cherry", "walrus", "falcon", "lighthouse", "chapel", "engine"]
FEW, ALL = 6, 10**6
SCOPES = (Scope(), Scope(agent="kyra"), Scope(kinds=("memory",)), Scope(include_cold=True))


def item(number: int, seq: int, salt: int = 0) -> IndexItem:
    """One of some twenty items; `salt` changes what it says and how it stands."""
    said = [WORDS[(number * 7 + salt + step * step) % len(WORDS)] for step in range(4)]
    shared: dict[str, Any] = {
        "id": f"item-{number}",
        "seq": seq,
        "text": " ".join([*said, f"number{number}"]),
        "created_at": NOW - timedelta(days=1 + number),
        "agent": ("kyra", None)[number % 2],
    }
    if number % 3:
        speaker = ("user", "kyra")[salt % 2]
        return IndexItem(
            kind="turn", session=f"s{number % 4}", position=number, speaker=speaker, **shared
        )
    return IndexItem(
        kind="memory",
        memory_type="semantic",
        status=("active", "archived")[salt % 5 == 4],
        pinned=salt % 7 == 3,
        importance=1 + salt % 9,
        related_to=(f"item-{(number + 3) % 20}",),
        subject=f"subject.{salt % 3}",
        **shared,
    )


def delta(*items: IndexItem, removed: tuple[str, ...] = (), up_to: int = 0) -> Delta:
    return Delta(
        items=items, removed=removed, up_to=up_to or max((one.seq for one in items), default=0)
    )


class Related(HashEmbedder):
    """No two texts have nothing in common: between cosines of about 0 rounding would decide."""

    def embed(self, texts: Any) -> Any:
        rows = super().embed(texts) + 0.1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


async def opened(folder: Path, in_memory: int, **options: Any) -> LanceIndex:
    return await LanceIndex.open(folder, Related(), in_memory=in_memory, **options)


async def answers(index: LanceIndex) -> list[dict[str, tuple[IndexItem, float]]]:
    """Everything that is found, with its score: 8-bit numbers change one a little."""
    found: list[dict[str, tuple[IndexItem, float]]] = []
    for text in ("apple pear", "number4 walrus", "the falcon's lighthouse"):
        for scope in SCOPES:
            query = RecallQuery(text=text, scope=scope, now=NOW, limit=50)
            hits = await index.recall(query)
            found.append({hit.item.id: (hit.item, hit.score) for hit in hits})
    return found


async def assert_alike(mapped: LanceIndex, whole: LanceIndex) -> None:
    for one, other in zip(await answers(mapped), await answers(whole), strict=True):
        for key in one.keys() | other.keys():
            # The last one scores nothing at all, or hardly more.
            held, score = one.get(key, (None, 0.0))
            wanted, exact = other.get(key, (held, 0.0))
            assert score == pytest.approx(exact, abs=0.03)
            assert held in (wanted, None)
    assert await mapped.counts() == await whole.counts()
    assert await mapped.watermark() == await whole.watermark()


async def filled(folder: Path, count: int = 40) -> LanceIndex:
    index = await opened(folder, FEW)
    for start in range(0, count, 5):
        await index.apply(delta(*(item(n, n + 1) for n in range(start, min(count, start + 5)))))
    return index


def bytes_in(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def mapped_and_deleted(folder: Path) -> list[str]:
    """Files of a folder that this process still maps though they are gone."""
    mapped = Path("/proc/self/maps").read_text().splitlines()
    return [line for line in mapped if str(folder) in line and "(deleted)" in line]


def bases(folder: Path) -> list[Path]:
    return sorted(folder.rglob("base-*"))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put"] * 6 + ["remove", "tend", "close", "crash", "scrub"]),
        st.integers(0, 19),
        st.integers(0, 40),
    ),
    min_size=4,
    max_size=24,
)


@pytest.mark.deep
@settings(max_examples=fewer(4))
@given(STEPS)
@example([("put", 3, 0), ("put", 3, 4), ("remove", 3, 0), ("put", 3, 7), ("crash", 0, 0)])
def test_it_answers_as_one_in_memory_whatever_happens(steps: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_compared(Path(folder), steps))


async def _compared(folder: Path, steps: list[tuple[str, int, int]]) -> None:
    sizes = {"mapped": FEW, "whole": ALL}
    indexes = {name: await opened(folder / name, size) for name, size in sizes.items()}
    seq = 0
    for what, number, salt in steps:
        seq += 3
        for name, index in indexes.items():
            if what == "put":
                batch = [item((number + n) % 20, seq + n, salt) for n in range(3)]
                await index.apply(delta(*batch))
            elif what == "remove":
                await index.apply(delta(removed=(f"item-{number}",), up_to=seq + 2))
            elif what == "tend":
                await index.tend()
            elif what == "scrub":
                await index.scrub()
            else:
                # What waits for a write is lost in a crash: the ledger would bring it back.
                if what == "close" or index._serving._waiting:
                    await index.close()
                reopened = await opened(folder / name, sizes[name])
                reopened._serving.watermark = await index.watermark()
                indexes[name] = reopened
        await assert_alike(indexes["mapped"], indexes["whole"])


async def test_a_base_is_opened_without_reading_the_table(tmp_path: Path) -> None:
    index = await filled(tmp_path)
    before = await answers(index)
    await index.close()
    [base] = bases(tmp_path)
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in base.iterdir())
    again = await opened(tmp_path, FEW)
    resident = again._serving._resident
    assert resident.base is not None and resident.fresh <= FEW
    assert await answers(again) == before
    assert again._serving.take("text", np.array([0, 39])) == [item(0, 1).text, item(39, 40).text]


async def test_what_came_after_a_base_is_read_from_the_table(tmp_path: Path) -> None:
    index = await filled(tmp_path)
    await index.close()
    crashed = await opened(tmp_path, FEW)
    await crashed.apply(delta(item(3, 60, salt=5), item(50, 61)))
    with crashed._serving._storing:
        crashed._serving._write_waiting()
    again = await opened(tmp_path, FEW)
    assert await answers(again) == await answers(crashed)
    assert await again.watermark() == 61


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("manifest.json", "gone"),
        ("manifest.json", "cut"),
        ("rows.arrow", "emptied"),
        ("names.arrow", "other bytes"),
        ("numbers.npy", "cut"),
        ("posted.npy", "gone"),
        ("alive.npy", "other bytes"),
    ],
)
async def test_a_damaged_base_is_made_anew(tmp_path: Path, name: str, damage: str) -> None:
    index = await filled(tmp_path)
    await index.close()
    [base] = bases(tmp_path)
    file = base / name
    held = file.read_bytes()
    # Another file in its place: what is mapped must not change under whoever reads it.
    file.unlink()
    cut = {"emptied": b"", "cut": held[: len(held) // 2], "other bytes": b"x" * len(held)}
    if damage != "gone":
        file.write_bytes(cut[damage])
    again = await opened(tmp_path, FEW)
    await assert_alike(again, index)
    await again.close()
    [fresh] = bases(tmp_path)
    assert fresh != base


async def test_half_a_base_is_passed_by_and_goes(tmp_path: Path) -> None:
    index = await filled(tmp_path)
    await index.close()
    [base] = bases(tmp_path)
    half = base.with_name("base-99")
    half.mkdir()
    (half / "numbers.npy").write_bytes(b"half")
    reader = await opened(tmp_path, FEW, only_reads=True)
    await assert_alike(reader, index)
    assert half.exists()
    again = await opened(tmp_path, FEW)
    await assert_alike(again, index)
    assert bases(tmp_path) == [base]


@pytest.mark.deep
async def test_after_scrubbing_no_file_and_no_mapping_holds_what_was_removed(
    tmp_path: Path,
) -> None:
    index = await filled(tmp_path)
    secret = replace(item(90, 70), text="the xylophonist owes", session="zanzibar")
    await index.apply(delta(secret, *(item(n, 71 + n) for n in range(FEW + 2))))
    await index.close()
    del index
    again = await opened(tmp_path, FEW)
    assert any(b"xylophonist" in file.read_bytes() for file in bases(tmp_path)[0].iterdir())
    await again.apply(delta(removed=(secret.id,), up_to=90))
    await again.scrub()
    for held in bytes_in(tmp_path).values():
        assert b"xylophon" not in held and b"zanzibar" not in held
    gc.collect()
    assert mapped_and_deleted(tmp_path) == []
    assert len(await answers(again)) == 12


async def test_a_home_that_is_only_read_maps_and_writes_nothing(tmp_path: Path) -> None:
    await (await filled(tmp_path)).close()
    before = bytes_in(tmp_path)
    reader = await opened(tmp_path, FEW, only_reads=True)
    await reader.apply(delta(*(item(n, 100 + n, salt=1) for n in range(30))))
    assert (await reader.counts())["items"] == 40
    await reader.close()
    assert before == bytes_in(tmp_path)


async def test_a_base_still_tells_its_items_where_the_table_is_torn(tmp_path: Path) -> None:
    await (await filled(tmp_path)).close()
    for file in bytes_in(tmp_path / "items.lance"):
        file.write_bytes(b"torn")
    (tmp_path / "snapshot.arrow").unlink(missing_ok=True)
    assert {one.id for one in items_in(tmp_path)} >= {f"item-{n}" for n in range(30)}


class WordVectors:
    """Sums of a fixed vector per word."""

    name, dimensions = "word-vectors", 256

    def __init__(self) -> None:
        self._words = np.random.default_rng(1).normal(size=(3000, 256)).astype(np.float32)

    def embed(self, texts: Any) -> np.ndarray:
        known = [[int(w[1:]) for w in text.split() if w[0] == "w" and w[1:].isdigit()] or [0]
                 for text in texts]  # fmt: skip
        rows = np.stack([self._words[words].sum(axis=0) for words in known])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.deep
async def test_among_many_the_ten_best_are_those_of_exact_scores(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    items = [
        IndexItem(
            id=str(n), kind="turn", seq=n + 1, session=f"s{n // 30}", position=n % 30,
            created_at=NOW - timedelta(minutes=n), speaker=("user", "kyra")[n % 2],
            text=" ".join(f"w{one}" for one in chance.integers(0, 60, 9) + 50 * (n // 30 % 58)),
        )
        for n in range(100_000)
    ]  # fmt: skip
    found: list[list[list[str]]] = []
    for name, size in (("mapped", 32_768), ("whole", ALL)):
        index = await LanceIndex.open(tmp_path / name, WordVectors(), in_memory=size)
        await index.apply(delta(*items))
        found.append([])
        for n in range(0, 3000, 50):
            query = RecallQuery(text=f"w{n} w{n + 7} w{n + 20}", scope=Scope(), now=NOW, limit=10)
            found[-1].append([hit.item.id for hit in await index.recall(query)])
        await index.close()
    shares = [len({*one} & {*two}) / max(1, len(two)) for one, two in zip(*found, strict=True)]
    assert np.mean(shares) >= 0.98
