"""Kept states on disk: trusted only whole, evicted oldest first, private."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from skill_agent.models.local.kv_cache import MOST_STATES, UNUSED_S, StateCache, StateKey
from skill_agent.models.local.llama_host import HostSettings

NOW = 10_000.0


@pytest.fixture
def cache(tmp_path: Path) -> StateCache:
    return opened(tmp_path / "kv", NOW)


def opened(folder: Path, now: float, limit_bytes: int = 1000) -> StateCache:
    """The cache as a process finds it at that time."""
    made = StateCache(folder, limit_bytes=limit_bytes, now=lambda: now)
    made.prepare()
    return made


def keep(cache: StateCache, key: str, size: int = 100) -> None:
    (cache.folder / cache.draft(key)).write_bytes(os.urandom(size))
    cache.keep(key)


def test_a_kept_state_comes_back_and_is_private(cache: StateCache) -> None:
    keep(cache, "a")
    assert cache.has("a")
    assert (cache.folder / "a.kv").stat().st_mode & 0o077 == 0
    assert cache.folder.stat().st_mode & 0o077 == 0
    name = cache.checkout("a")
    assert name is not None
    assert (cache.folder / name).is_file()
    cache.checkin("a")
    assert cache.has("a")


def test_a_state_whose_reader_died_is_not_trusted_again(cache: StateCache) -> None:
    keep(cache, "a")
    cache.checkout("a")
    assert not StateCache(cache.folder, limit_bytes=1000).has("a")


@pytest.mark.parametrize("damage", ["cut", "flip", "note", "nonsense"])
def test_damaged_states_are_dropped(cache: StateCache, damage: str) -> None:
    keep(cache, "a")
    state, note = cache.folder / "a.kv", cache.folder / "a.json"
    data = state.read_bytes()
    match damage:
        case "cut":
            state.write_bytes(data[:-1])
        case "flip":
            state.write_bytes(bytes([data[0] ^ 1]) + data[1:])
        case "note":
            note.write_text("[]")
        case "nonsense":
            note.write_text("{")
    assert cache.checkout("a") is None
    assert not cache.has("a")


def test_the_least_recently_used_go_first(cache: StateCache) -> None:
    for age, key in enumerate(("a", "b", "c")):
        keep(cache, key, 300)
        os.utime(cache.folder / f"{key}.kv", (age, age))
    assert cache.checkout("a")
    cache.checkin("a")
    keep(cache, "d", 300)
    assert [key for key in "abcd" if cache.has(key)] == ["a", "c", "d"]


def test_what_nobody_used_for_a_month_is_dropped(cache: StateCache) -> None:
    for key in "abc":
        keep(cache, key)
    later = opened(cache.folder, NOW + UNUSED_S - 1)
    assert later.checkout("b")
    later.checkin("b")
    opened(cache.folder, NOW + UNUSED_S + 1)
    assert [key for key in "abc" if cache.has(key)] == ["b"]
    assert sorted(one.name for one in cache.folder.iterdir()) == ["b.json", "b.kv"]


def test_a_kept_state_sends_the_old_ones_away_too(cache: StateCache) -> None:
    keep(cache, "a")
    later = StateCache(cache.folder, limit_bytes=1000, now=lambda: NOW + UNUSED_S + 1)
    keep(later, "b")
    assert not cache.has("a")
    assert cache.has("b")


def test_there_are_never_too_many(cache: StateCache) -> None:
    for number in range(MOST_STATES + 3):
        keep(cache, f"state{number}", 1)
        os.utime(cache.folder / f"state{number}.kv", (number, number))
    kept = opened(cache.folder, NOW)
    names = [f"state{number}" for number in range(MOST_STATES + 3)]
    assert [name for name in names if kept.has(name)] == names[3:]


def test_what_is_larger_than_the_limit_is_not_kept(cache: StateCache) -> None:
    keep(cache, "a", 2000)
    assert not cache.has("a")
    assert not list(cache.folder.iterdir())


def test_old_leftovers_are_cleared(cache: StateCache) -> None:
    for name in ("x.1.tmp", "y.1.reading", "z.json"):
        (cache.folder / name).write_bytes(b"x")
        os.utime(cache.folder / name, (0, 0))
    cache.prepare()
    assert not list(cache.folder.iterdir())


def test_every_part_of_the_key_counts(tmp_path: Path) -> None:
    loaded = HostSettings(
        path=tmp_path / "m.gguf", window=2048, slots=2, threads=2, state_folder=tmp_path
    )
    key = StateKey(model_sha256="aa", settings=loaded, engine="e 1")
    others = [
        replace(key, model_sha256="ab"),
        replace(key, engine="e 2"),
        replace(key, settings=replace(loaded, window=4096)),
        replace(key, settings=replace(loaded, slots=1)),
    ]
    digests = {one.digest("prefix") for one in (key, *others)} | {key.digest("prefix.")}
    assert len(digests) == 6
    assert replace(key, settings=replace(loaded, threads=8)).digest("prefix") in digests


@pytest.fixture
def key(tmp_path: Path) -> StateKey:
    loaded = HostSettings(
        path=tmp_path / "m.gguf", window=2048, slots=2, threads=2, state_folder=tmp_path
    )
    return StateKey(model_sha256="aa", settings=loaded, engine="e 1")


def test_the_state_that_begins_most_alike_is_found(cache: StateCache, key: StateKey) -> None:
    persona = "You are Kyra, and this is how you are. " * 40
    prefixes = {"short": persona[:700] + "Else. " * 60, "long": persona + "Likes tea. " * 20}
    for name, prefix in prefixes.items():
        (cache.folder / cache.draft(name)).write_bytes(b"x")
        cache.keep(name, key.marks(prefix))
    wanted = persona + "Likes coffee. " * 20
    found, shared = cache.nearest(key.marks(wanted))
    assert found == "long"
    assert len(persona) - 64 < shared <= len(persona) + len("Likes ")
    cache.drop("long")
    assert cache.nearest(key.marks(wanted))[0] == "short"


def test_little_in_common_other_models_and_damaged_notes_are_no_help(
    cache: StateCache, key: StateKey
) -> None:
    persona = "You are Kyra, and this is how you are. " * 40
    (cache.folder / cache.draft("a")).write_bytes(b"x")
    cache.keep("a", key.marks(persona))
    keep(cache, "older")
    assert cache.nearest(key.marks(persona[:300])) == ("", 0)
    assert cache.nearest(replace(key, model_sha256="ab").marks(persona)) == ("", 0)
    (cache.folder / "a.json").write_text('{"marks": 7}')
    assert cache.nearest(key.marks(persona)) == ("", 0)


def test_marks_hold_no_words(cache: StateCache, key: StateKey) -> None:
    (cache.folder / cache.draft("a")).write_bytes(b"x")
    cache.keep("a", key.marks("The person's name is Mariana. " * 9))
    assert "Mariana" not in (cache.folder / "a.json").read_text("utf-8")
