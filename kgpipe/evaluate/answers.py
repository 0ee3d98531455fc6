"""Answers against questions with gold answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kgpipe.evaluate.gold import Names, read_rows


def answers(
    questions_file: Path | str, ask: Callable[[str], dict[str, Any]], *, aliases_file: Path | str | None = None
) -> dict[str, Any]:
    """How many questions of a JSONL file {id, question, kind, answers} are right, wrong or abstained from.

    `ask` takes a question and returns the shape of `kgpipe ask --json`; the first value of each of its
    rows is an answer and no rows abstain, which is right where the gold has no answer. Else right is: every
    gold answer is given and nothing else, where names agree up to normalising and the alias file, and dates
    and numbers by value. `misses` says each of the rest.
    """
    names = Names(aliases_file)
    outcomes: Counter[str] = Counter()
    by_kind: dict[str, Counter[str]] = {}
    misses = []
    questions = read_rows(questions_file, ("id", "question", "kind", "answers"))
    for row in questions:
        given = given_answers(ask(row["question"]))
        expected = [_text(answer) for answer in row["answers"]]
        outcome = "right" if equal(given, expected, names) else "wrong" if given else "abstained"
        outcomes[outcome] += 1
        by_kind.setdefault(row["kind"], Counter())[outcome] += 1
        if outcome != "right":
            misses.append(
                {
                    "id": row["id"], "question": row["question"], "kind": row["kind"], "outcome": outcome,
                    "given": given, "expected": expected,
                }
            )  # fmt: skip
    kinds = ("right", "wrong", "abstained")
    return {
        "questions": len(questions),
        **{kind: outcomes[kind] for kind in kinds},
        "by_kind": {name: {kind: found[kind] for kind in kinds} for name, found in sorted(by_kind.items())},
        "misses": misses,
    }


def given_answers(answer: dict[str, Any]) -> list[str]:
    """The answers of one `kgpipe ask --json` object as texts, each once; empty when it abstains."""
    rows = [row if isinstance(row, list) else [row] for row in answer["answers"]]
    return list(dict.fromkeys(_text(row[0]) for row in rows if row and row[0] is not None))


def equal(given: list[str], expected: list[str], names: Names) -> bool:
    """Whether both say the same set of names, dates and numbers."""
    return all(any(names.same(g, e) for e in expected) for g in given) and all(
        any(names.same(g, e) for g in given) for e in expected
    )


def _text(answer: Any) -> str:
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, float) and answer.is_integer():
        return str(int(answer))
    if isinstance(answer, dict):  # a node
        properties = answer.get("properties", answer)
        return str(properties.get("name") or properties.get("value") or properties)
    return str(answer)
