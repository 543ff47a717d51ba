"""Profiles a CSV file: what each column holds, its gaps, range and most frequent values.

Usage: python profile_csv.py FILE [--delimiter ';']      (standard library only)
"""

import argparse
import csv
import statistics
import sys
from collections import Counter
from pathlib import Path

GAPS = {"", "na", "n/a", "nan", "null", "none", "-"}


def number(text: str) -> float | None:
    """The text as a number, a decimal comma allowed; None where it is none."""
    try:
        return float(text.replace(",", ".") if "." not in text else text.replace(",", ""))
    except ValueError:
        return None


def profile(name: str, values: list[str]) -> str:
    """One column in one line."""
    filled = [value.strip() for value in values if value.strip().lower() not in GAPS]
    start = f"{name}: {len(filled)} of {len(values)} filled, {len(set(filled))} different"
    numbers = [parsed for value in filled if (parsed := number(value)) is not None]
    if filled and len(numbers) >= 0.95 * len(filled):
        middle = statistics.median(numbers)
        mean = statistics.fmean(numbers)
        odd = f", {len(filled) - len(numbers)} not numbers" if len(numbers) < len(filled) else ""
        return (
            f"{start}; number {min(numbers):g} to {max(numbers):g}, "
            f"median {middle:g}, mean {mean:g}{odd}"
        )
    common = ", ".join(f"{value!r} ×{count}" for value, count in Counter(filled).most_common(3))
    return f"{start}; text, most frequent: {common or 'nothing'}"


def read(path: Path, delimiter: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows; the delimiter is guessed where none is given."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        sample = file.read(8192)
        file.seek(0)
        sign = delimiter or max(",;\t|", key=sample.count)
        rows = [row for row in csv.reader(file, delimiter=sign) if row]
    return (rows[0], rows[1:]) if rows else ([], [])


def main() -> int:
    parser = argparse.ArgumentParser(description="Profile a CSV file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--delimiter", default="", help="default: guessed")
    chosen = parser.parse_args()
    try:
        header, rows = read(chosen.file, chosen.delimiter)
    except OSError as error:
        print(f"{chosen.file}: {error.strerror}", file=sys.stderr)
        return 1
    uneven = sum(len(row) != len(header) for row in rows)
    twice = len(rows) - len({tuple(row) for row in rows})
    print(f"{len(rows)} rows, {len(header)} columns, {twice} repeated, {uneven} of uneven length")
    for index, name in enumerate(header):
        print(profile(name, [row[index] if index < len(row) else "" for row in rows]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
