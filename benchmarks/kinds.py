"""How well the kind of a message is told, in eleven languages; and the training of its weights.

    python benchmarks/kinds.py [--set choose] [--show] [--json]
    python benchmarks/kinds.py --train

Four sets, each written by hand and apart; languages of one set say much the same.
kinds_build.json (messages, some with slots, and what fills them) is what the weights are trained
on. kinds_choose.json is what features, training and the rule between sentences were chosen by, and
what was missing in the build set was seen by. kinds_final.json is longer and chattier: looked at
once it gave 0.72, and then showed which kinds of messages the build set lacked. kinds_fresh.json,
hard on purpose, was written before those were added, and gave 0.55 without them.
--train writes skill_agent/bundled/kinds.npz, the same each time, in minutes.

    right        messages given their kind / all
    told wrongly general questions and requests taken for questions about what the person told
    sure         messages given a kind with at least 0.7, and how many of those are right
"""

import argparse
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skill_agent.text.kind_features import BUCKETS, features
from skill_agent.text.kinds import KINDS, WEIGHTS, Kind, KindReader

HERE = Path(__file__).parent
SURE = 0.7
UNSPACED = frozenset({"ja", "zh"})
FEW = frozenset({"it", "nl", "pl", "pt"})
"""Languages with few messages, which count less in training."""
FILLS, EPOCHS, BATCH, STEP, DECAY, DROPPED = 4, 14, 512, 0.05, 1e-5, 0.4
KEPT = 65_000
"""Rows of the table that are written: the weak ones are left at nothing, for a small file."""
COOLING = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    language: str
    kind: str
    text: str


def read_set(name: str) -> list[Labelled]:
    stored = json.loads((HERE / f"kinds_{name}.json").read_text(encoding="utf-8"))
    messages = stored.get("messages", stored)
    return [
        Labelled(language=language, kind=kind, text=text)
        for language, kinds in messages.items()
        for kind, texts in kinds.items()
        for text in texts
    ]


def measured(reader: KindReader, name: str) -> dict[str, Any]:
    """Figures of one set: over all, by language and by kind."""
    given = [(one, reader.kind_of(one.text)) for one in read_set(name)]
    outside = [found for one, found in given if one.kind in ("ask", "do")]
    sure = [(one, found) for one, found in given if found.probability >= SURE]
    return {
        "set": name,
        "messages": len(given),
        "right": _right(given),
        "told_wrongly": sum(found.name == "ask_me" for found in outside) / len(outside),
        "sure": len(sure) / len(given),
        "sure_right": _right(sure),
        "languages": {
            language: _right([pair for pair in given if pair[0].language == language])
            for language in dict.fromkeys(one.language for one, _ in given)
        },
        "confusion": {
            language: _confusion([pair for pair in given if language in ("all", pair[0].language)])
            for language in ["all", *dict.fromkeys(one.language for one, _ in given)]
        },
    }


def _right(given: list[tuple[Labelled, Kind]]) -> float:
    return sum(found.name == one.kind for one, found in given) / (len(given) or 1)


def _confusion(given: list[tuple[Labelled, Kind]]) -> dict[str, dict[str, int]]:
    counted = Counter((one.kind, found.name) for one, found in given)
    return {kind: {other: counted[kind, other] for other in KINDS} for kind in KINDS}


def training_rows(seed: int = 0) -> list[Labelled]:
    """Messages of the build set with their slots filled, each typed in several ways."""
    stored = json.loads((HERE / "kinds_build.json").read_text(encoding="utf-8"))
    slots, openers = stored["slots"], stored["openers"]
    chance = random.Random(seed)
    rows: list[Labelled] = []
    for one in read_set("build"):
        for _ in range(FILLS if "{" in one.text else 1):
            text = _filled(one.text, slots.get(one.language, {}), chance)
            rows += [
                Labelled(language=one.language, kind=one.kind, text=typed)
                for typed in _typed(text, one, openers[one.language], chance)
            ]
    return rows


def _filled(text: str, slots: dict[str, list[str]], chance: random.Random) -> str:
    while "{" in text:
        text = re.sub(r"\{(\w+)\}", lambda slot: chance.choice(slots[slot[1]]), text)
    return text


def _typed(text: str, one: Labelled, openers: list[str], chance: random.Random) -> Iterator[str]:
    """A message as different people type it: with a mark or none, lower case, a typo, an opener."""
    wide = one.language in UNSPACED
    bare = text.rstrip("?？!！.。 ").lstrip("¿¡")
    asked = "？" if wide else " ?" if one.language == "fr" else "?"
    yield text
    yield bare.lower()
    yield _mistyped(bare, chance)
    if one.kind in ("ask", "ask_me"):
        yield bare + asked
    elif not text.endswith(("?", "？")):
        yield bare + ("。" if wide else ".")
    if one.kind != "chat":
        yield chance.choice(openers) + ("" if wide else " ") + text


def _mistyped(text: str, chance: random.Random) -> str:
    if len(text) < 8:
        return text
    place = chance.randrange(1, len(text) - 2)
    before, char, after = text[:place], text[place], text[place + 1 :]
    return before + chance.choice((after[0] + char + after[1:], after, char + char + after))


def train(rows: list[Labelled]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Weights and bias of a multinomial logistic regression, by Adam, with features left out at
    random so that no single word is relied on."""
    encoded = [features(row.text) for row in rows]
    buckets = [np.concatenate([part for _, part in one]).astype(np.int64) for one in encoded]
    values = [
        np.concatenate([np.full(len(part), loud, np.float32) for loud, part in one])
        for one in encoded
    ]
    labels = np.array([KINDS.index(row.kind) for row in rows])
    shares = _shares(rows)
    drawn = np.random.default_rng(0)
    weights = np.zeros((BUCKETS, len(KINDS)), np.float32)
    bias = np.zeros(len(KINDS), np.float32)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    step = 0
    for epoch in range(EPOCHS):
        order = drawn.permutation(len(rows))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            where = np.concatenate([buckets[i] for i in batch])
            value = np.concatenate([values[i] for i in batch])
            kept = drawn.random(len(value)) > DROPPED
            value = np.where(kept, value / (1 - DROPPED), 0).astype(np.float32)
            counts = np.array([len(buckets[i]) for i in batch])
            starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
            scores = np.add.reduceat(weights[where] * value[:, None], starts, axis=0) + bias
            odds = np.exp(scores - scores.max(axis=1, keepdims=True))
            wrong = odds / odds.sum(axis=1, keepdims=True)
            wrong[np.arange(len(batch)), labels[batch]] -= 1
            wrong *= shares[batch, None] / len(batch)
            slope = _gathered(where, value, np.repeat(wrong, counts, axis=0)) + DECAY * weights
            step += 1
            pace = STEP * (1 - epoch / EPOCHS)
            mean += 0.1 * (slope - mean)
            square += 0.01 * (slope * slope - square)
            corrected = np.sqrt(square / (1 - 0.99**step)) + 1e-8
            weights -= pace * (mean / (1 - 0.9**step)) / corrected
            bias -= pace * wrong.sum(axis=0)
    return weights, bias


def _gathered(where: NDArray[Any], value: NDArray[Any], wrong: NDArray[Any]) -> NDArray[Any]:
    columns = [
        np.bincount(where, weights=value * wrong[:, kind], minlength=BUCKETS)
        for kind in range(len(KINDS))
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _shares(rows: list[Labelled]) -> NDArray[Any]:
    """How much each row counts: every kind of every language the same, the bonus ones less."""
    sizes = Counter((row.language, row.kind) for row in rows)
    shares = np.array([
        (0.4 if row.language in FEW else 1.0) / sizes[row.language, row.kind] for row in rows
    ])  # fmt: skip
    return (shares * len(rows) / shares.sum()).astype(np.float32)


def write(weights: NDArray[Any], bias: NDArray[Any], path: Path) -> None:
    """The strongest weights as bytes, each kind's column with a scale of its own."""
    scale = np.abs(weights).max(axis=0) / 127
    rows = np.round(weights / scale).astype(np.int8)
    strength = np.abs(rows.astype(np.int32)).sum(axis=1)
    rows[np.argsort(-strength, kind="stable")[KEPT:]] = 0
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        path,
        rows=rows,
        scale=(scale * COOLING).astype(np.float32),
        bias=(bias * COOLING).astype(np.float32),
    )


def show(figures: dict[str, Any]) -> None:
    print(
        f"{figures['set']}: {figures['messages']} messages, right {figures['right']:.3f}, told "
        f"wrongly {figures['told_wrongly']:.3f}, sure {figures['sure']:.2f} of which right "
        f"{figures['sure_right']:.3f}"
    )
    print("  " + "  ".join(f"{name} {share:.2f}" for name, share in figures["languages"].items()))
    for language, table in figures["confusion"].items():
        print(f"  {language:8}" + "".join(f"{kind:>8}" for kind in KINDS))
        for kind, found in table.items():
            print(f"  {kind:>8}" + "".join(f"{found[other] or '·':>8}" for other in KINDS))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--set", choices=("build", "choose", "final", "fresh"), default="choose")
    parser.add_argument("--train", action="store_true", help="train anew and write the weights")
    parser.add_argument("--show", action="store_true", help="print each message that went wrong")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.train:
        began = time.process_time()
        rows = training_rows()
        print(f"training on {len(rows)} rows …", file=sys.stderr)
        write(*train(rows), WEIGHTS)
        seconds = time.process_time() - began
        print(f"{WEIGHTS.stat().st_size} bytes, {seconds:.0f} s", file=sys.stderr)
    reader = KindReader()
    figures = measured(reader, asked.set)
    print(json.dumps(figures, ensure_ascii=False)) if asked.json else show(figures)
    if asked.show:
        for one in read_set(asked.set):
            found = reader.kind_of(one.text)
            if found.name != one.kind:
                print(
                    f"{one.language} {one.kind} → {found.name} {found.probability:.2f} {one.text}"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
