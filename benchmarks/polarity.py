"""F1 of negated and hedged statements on our own sentences, and how many gold facts are taken for neither.

    .venv/bin/python benchmarks/polarity.py
    .venv/bin/python benchmarks/polarity.py --errors odd

Odd lines of tests/extract/polarity.jsonl are there to be looked at; even lines are held out. A kind is right when it is
that very kind; `not asserted` asks only whether the statement is kept out of the facts.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from kgpipe import literals
from kgpipe.extract.polarity import polarity

ROOT = Path(__file__).parents[1]
SENTENCES = ROOT / "tests" / "extract" / "polarity.jsonl"
GOLD = ROOT / "examples" / "gold"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--errors", choices=("odd", "even"), help="print the sentences of that half that come out wrong"
    )
    parser.add_argument("--gold", action="store_true", help="print the gold facts that are not taken as asserted")
    options = parser.parse_args()
    print(f"{datetime.date.today()}, {platform.machine()}, Python {platform.python_version()}")
    rows = read()
    for name, chosen in (("all", rows), ("odd", rows[::2]), ("even", rows[1::2])):
        print(f"{name:5}", json.dumps(measure([(row["polarity"], said) for row, said in chosen])))
    for row, said in {"odd": rows[::2], "even": rows[1::2]}.get(options.errors, []):
        if said != row["polarity"]:
            print(f"{row['polarity']} taken as {said}: {row['sentence']} [{row['first']} | {row['second']}]")
    facts = list(gold_facts())
    lost = [(fact, said) for fact, said in facts if said != "asserted"]
    print(f"gold facts: {len(facts)}, not asserted {len(lost)}", dict(Counter(said for _, said in lost)))
    for fact, said in lost if options.gold else []:
        print(f"{said}: {fact['subject']} {fact['relation']} {fact['object']}: {fact['sentence']}")


def read(path: Path = SENTENCES) -> list[tuple[dict[str, str], str]]:
    """The sentences in order, and the polarity that the rules find in each."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        (row, polarity(row["sentence"], _place(row["sentence"], row["first"]), _place(row["sentence"], row["second"])))
        for row in rows
    ]


def measure(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """F1 of negated and of hedged, their macro and micro mean, F1 of `not asserted`, and asserted ones lost.

    `pairs` are (gold, found).
    """
    kinds = ("negated", "hedged")
    right = {kind: sum(gold == found == kind for gold, found in pairs) for kind in kinds}
    total = {kind: sum((gold == kind) + (found == kind) for gold, found in pairs) for kind in kinds}
    each = {kind: 2 * right[kind] / total[kind] if total[kind] else 0.0 for kind in kinds}
    both = sum(gold != "asserted" and found != "asserted" for gold, found in pairs)
    figures = each | {
        "macro": sum(each.values()) / len(kinds),
        "micro": 2 * sum(right.values()) / max(1, sum(total.values())),
        "not_asserted": 2 * both / max(1, sum(total.values())),
    }
    return {name: round(value, 3) for name, value in figures.items()} | {
        "asserted_lost": sum(gold == "asserted" != found for gold, found in pairs)
    }


def gold_facts() -> Iterator[tuple[dict[str, str], str]]:
    """The gold facts of the sample corpus, all asserted, and the polarity found between their ends.

    An end that the sentence names otherwise (a pronoun, `the company`) stands for where the sentence begins.
    """
    aliases = json.loads((GOLD / "aliases.json").read_text(encoding="utf-8"))
    for line in (GOLD / "facts.jsonl").read_text(encoding="utf-8").splitlines():
        fact = json.loads(line)
        ends = []
        for end in (fact["subject"], fact["object"]):
            surfaces = [end, *aliases.get(end, ())]
            surfaces += [fact["sentence"][f.start : f.end] for f in literals.find(fact["sentence"]) if f.value == end]
            surfaces.append(end.split()[-1])
            ends.append(next((_place(fact["sentence"], s) for s in surfaces if s in fact["sentence"]), (0, 0)))
        yield fact, polarity(fact["sentence"], ends[0], ends[1])


def _place(sentence: str, surface: str) -> tuple[int, int]:
    start = sentence.index(surface)
    return start, start + len(surface)


if __name__ == "__main__":
    main()
