"""Makes the numbers of the second look: how pieces are compressed, and how signals are fused.

    python benchmarks/memory/learn_ranking.py --locomo FILE --beam FILE [--trees 60] [--write]

Writes skill_agent/bundled/late.npz and fusion.npz, the same on every run. The axes are fitted on
text of our own (`AXES_FROM`), the fusion on LoCoMo, BEAM and ranking_build.json: on one kind of
talk alone it learns to rank another kind worse than no fusion at all. What is printed was not
learnt on: of LoCoMo and BEAM a third of the conversations at a time is left out, and
ranking_choose.json always is. Only weights are written, no word of any conversation. Exit code 2:
no FILE, no embedder.
"""

import argparse
import json
import random
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from boosting import Learnt, Lists, join, learn
from skill_agent.store.embedding import OnnxEmbedder
from skill_agent.store.lance_index.resident import Resident
from skill_agent.store.lance_index.rows import schema, stem_line, to_table
from talks import Asked, Talk, read_beam, read_locomo, read_own

from skill_agent.files.home import find_home
from skill_agent.memory.recall.fusion import WEIGHTS, signals
from skill_agent.memory.recall.late import AXES, WIDTH, Axes, pack
from skill_agent.memory.recall.signals import session_prior
from skill_agent.memory.recall.wording import dated_line
from skill_agent.models.files.catalogue import EMBEDDER
from skill_agent.values import RecallQuery, Scope

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 30, tzinfo=UTC)
AXES_FROM = (
    HERE / "ranking_build.json",
    HERE.parents[1] / "tests" / "memory" / "precision_set.json",
    HERE.parents[1] / "tests" / "memory" / "precision_held_out.json",
)
KINDS = {"locomo": 1.0, "beam": 0.7, "own": 0.5, "own-two": 0.2, "own-chat": 0.2}
"""What each kind of talk weighs as a whole."""
QUESTIONS_OF_A_KIND = 300
FOLDS = 3


@dataclass(frozen=True, kw_only=True)
class Looked:
    """One question's candidates as the second look sees them."""

    talk: str
    kind: str
    asked: Asked
    found: dict[str, np.ndarray]
    session: np.ndarray
    right: np.ndarray

    def recall(self, scores: np.ndarray, depth: int) -> float:
        best = np.argsort(-scores, kind="stable")[:depth]
        return float(self.right[best].sum()) / len(self.asked.wanted)

    @property
    def rows(self) -> np.ndarray:
        return np.stack(list(self.found.values()), axis=1)


def look(talk: Talk, embedder: OnnxEmbedder) -> Iterator[Looked]:
    """Every question of a talk against the working set the product would hold of it."""
    items = talk.items
    print(f"reading {talk.name}", file=sys.stderr, flush=True)
    held = Resident(embedder.dimensions)
    vectors, pieces = embedder.embed_pieces([dated_line(item) for item in items])
    stems = [stem_line(item) for item in items]
    shape = schema(embedder.dimensions, embedder.name)
    held.put(to_table(items, vectors, stems, [pack(one) for one in pieces], shape), items)
    for asked in talk.questions:
        vector, said = embedder.embed_pieces([asked.text])
        query = RecallQuery(text=asked.text, scope=Scope(), now=NOW)
        ids, seen = held.second(query, vector[0], said[0])
        right = np.array([one in asked.wanted for one in ids], np.bool_)
        yield Looked(
            talk=talk.name, kind=talk.kind, asked=asked, found=signals(seen),
            session=seen.session, right=right,
        )  # fmt: skip


def first_look(one: Looked) -> np.ndarray:
    """The order without a second look."""
    found = one.found
    total = found["fused"] + 0.1 * found["speaker"] + 0.1 * found["time"]
    return total + 0.5 * session_prior(total, one.session)


def with_late(one: Looked) -> np.ndarray:
    """The first look and late interaction, nothing learnt."""
    found = one.found
    total = found["fused"] + 0.1 * found["speaker"] + 0.1 * found["time"] + found["late"]
    return total + 0.5 * session_prior(total, one.session)


def fit_axes(texts: Sequence[str], embedder: OnnxEmbedder) -> tuple[np.ndarray, np.ndarray]:
    """The mean state of a piece, and the directions in which the others differ most from it."""
    states = embedder.piece_states(texts)
    mean = states.mean(axis=0)
    states = states - mean
    states /= np.linalg.norm(states, axis=1, keepdims=True)
    _, vectors = np.linalg.eigh(states.T @ states)
    axes = vectors[:, ::-1][:, :WIDTH]
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(WIDTH)]
    return mean.astype(np.float32), (axes * np.sign(largest)).astype(np.float32)


def own_texts() -> list[str]:
    """Sentences of our own sets, as the embedder sees them in an index."""
    chance, found = random.Random(0), []
    for text in dict.fromkeys(text for file in AXES_FROM for text in _texts(_read(file))):
        day = f"{chance.randint(1, 28)} {chance.choice(('May', 'March', 'October'))} 2026"
        found.append(f"{chance.choice(('Maud', 'user', 'Tomasz'))} ({day}): {text}")
    return found


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _texts(told: Any) -> Iterator[str]:
    if isinstance(told, dict):
        told = list(told.values())
    if isinstance(told, list):
        for one in told:
            yield from _texts(one)
    elif isinstance(told, str) and len(told) > 15 and told.isascii():
        yield told


def lists_of(looked: Sequence[Looked]) -> Lists:
    """What is learnt from, each kind of talk weighing what it should."""
    counts = Counter(one.kind for one in looked)
    told = []
    for one in looked:
        weight = KINDS[one.kind] * QUESTIONS_OF_A_KIND / counts[one.kind]
        told.append((one.rows, one.right, weight))
    return join(told)


def validated(
    dev: Sequence[Looked], own: Sequence[Looked], trees: int
) -> Callable[[Looked], np.ndarray]:
    """Scores of each question by what was learnt without its conversation."""
    folds = _folds(dev)
    learnt = [
        learn(lists_of([*(one for one in dev if folds[one.talk] != fold), *own]), trees=trees)
        for fold in range(FOLDS)
    ]
    return lambda one: learnt[folds[one.talk]].scores(one.rows)


def _folds(dev: Sequence[Looked]) -> dict[str, int]:
    places: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for one in dev:
        places[one.kind].setdefault(one.talk, len(places[one.kind]) % FOLDS)
    return {talk: fold for kind in places.values() for talk, fold in kind.items()}


def figures(
    looked: Sequence[Looked], score: Callable[[Looked], np.ndarray], depths: tuple[int, int]
) -> dict[str, tuple[float, float]]:
    """Mean recall at both depths, by kind of talk and kind of question."""
    shares: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for one in looked:
        scores = score(one)
        share = one.recall(scores, depths[0]), one.recall(scores, depths[1])
        shares[one.kind].append(share)
        shares[f"{one.kind}: {one.asked.kind}"].append(share)
    return {
        name: (
            round(statistics.fmean(share[0] for share in told), 3),
            round(statistics.fmean(share[1] for share in told), 3),
        )
        for name, told in sorted(shares.items())
    }


def show(title: str, depths: tuple[int, int], columns: dict[str, dict[str, Any]]) -> None:
    print(f"\n{title}, recall@{depths[0]} and @{depths[1]}")
    print(f"{'':36}" + "".join(f"{name:>16}" for name in columns))
    for name in next(iter(columns.values())):
        told = "".join(
            f"{'{:.3f} {:.3f}'.format(*column[name]):>16}" for column in columns.values()
        )
        print(f"{name:36}{told}", flush=True)


def write(learnt: Learnt, names: Sequence[str]) -> None:
    np.savez_compressed(
        WEIGHTS, names=np.array(names), linear=learnt.linear, tests=learnt.tests,
        bounds=learnt.bounds, leaves=learnt.leaves,
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--locomo", type=Path, metavar="FILE", required=True)
    parser.add_argument("--beam", type=Path, metavar="FILE", required=True)
    parser.add_argument("--embedder", type=Path, default=find_home().models / EMBEDDER)
    parser.add_argument("--trees", type=int, default=60)
    parser.add_argument("--write", action="store_true", help="replace the bundled numbers")
    options = parser.parse_args()
    for file in (options.locomo, options.beam, options.embedder / "model.onnx"):
        if not file.is_file():
            print(f"there is no file {file}", file=sys.stderr)
            return 2
    embedder = OnnxEmbedder(options.embedder)
    mean, axes = fit_axes(own_texts(), embedder)
    if options.write:
        np.savez_compressed(AXES, model=np.array(embedder.name), mean=mean, axes=axes)
    embedder = OnnxEmbedder(options.embedder, axes=Axes(mean, axes))
    talks = [*read_locomo(options.locomo), *read_beam(options.beam)]
    dev = [one for talk in talks for one in look(talk, embedder)]
    own = [one for talk in read_own(AXES_FROM[0]) for one in look(talk, embedder)]
    apart = read_own(HERE / "ranking_choose.json")
    chosen = [one for talk in apart for one in look(talk, embedder)]
    learnt = learn(lists_of([*dev, *own]), trees=options.trees)
    if options.write:
        write(learnt, list(dev[0].found))
    scored = {"first look": first_look, "with late": with_late}
    fused = {"fusion": validated(dev, own, options.trees)}
    columns = {name: figures(dev, score, (5, 10)) for name, score in (scored | fused).items()}
    show("left out in turn", (5, 10), columns)
    fused = {"fusion": lambda one: learnt.scores(one.rows)}
    columns = {name: figures(chosen, score, (1, 5)) for name, score in (scored | fused).items()}
    show("ranking_choose.json", (1, 5), columns)
    return 0


if __name__ == "__main__":
    sys.exit(main())
