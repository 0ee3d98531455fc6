"""Annotations of passages of public articles, and questions about them, made into annotated lines.

    python training/articles.py ARTICLES.jsonl.gz [TRANSCRIPTS.jsonl.gz ...] --out FOLDER

The annotations (`articles.jsonl` by `general`, `varied.jsonl` by schemas of their own) and the questions (`questions.jsonl`) are
the project's own; they stand off from the text, as offsets into texts of the files, which have {"title" or "id", "text"} a
line. FOLDER receives articles.train.jsonl.gz, articles.dev.jsonl.gz (every fifth article, by the hash of its title; nothing
of it trains anything, and as the shipped extractor had read questions on some, passages with a sentence of one are left out),
varied.train.jsonl.gz, varied.dev.jsonl.gz (every seventh schema, by the title of its first passage),
questions.train.jsonl.gz and labels.json, for `kgpipe train` and the benchmarks. Exit 1 when an article is missing or its
text is another one.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kgpipe import schema as schemas
from kgpipe.extract.data import read_records
from kgpipe.query import reader
from kgpipe.query.retrieve import asked_for
from kgpipe.query.words import words

HERE = Path(__file__).parent
ABOUT, ANSWER = "entity", "thing"
"""Types of what a question is about, and of an answer that the question does not call anything."""


def rows_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / f"{name}.jsonl").read_text("utf-8").splitlines()]


def check(text: str) -> str:
    """What tells that a passage is the one that was annotated."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def kept_out(title: str, *, one_of: int = 5) -> bool:
    return int(hashlib.sha256(title.encode()).hexdigest(), 16) % one_of == 0


def annotated(
    row: dict[str, Any], text: str, number: str, types: Iterable[str], labels: Iterable[str]
) -> dict[str, Any]:
    """A passage as a line of training data; everything of the types is marked in it, and all relations of the labels."""
    return {
        "id": number, "text": text, "lang": "en", "title": row["title"],
        "mentions": [dict(zip(("start", "end", "type", "entity"), m, strict=True)) for m in row["mentions"]],
        "relations": [dict(zip(("head", "type", "tail"), r, strict=True)) for r in row["relations"]],
        "entity_types": sorted(types), "relation_types": sorted(labels),
        "complete": {"mentions": True, "relations": True},
    }  # fmt: skip


def described(schema: schemas.Schema) -> dict[str, Any]:
    """What a label file says of the schema's labels."""
    below = {n: [m for m in schema.entities if n in schema.ancestors(m)] for n in schema.entities}

    def labels(ends: tuple[str, ...]) -> list[str]:
        return [schema.entities[m].label for end in ends for m in below[end]]

    return {
        "entity_types": {n: {"label": e.label, "description": e.description} for n, e in schema.entities.items()},
        "relation_types": {
            n: {
                "label": r.label, "description": r.description, "domain": labels(r.domain), "range": labels(r.range),
                "synonyms": list(r.synonyms), "inverse": [schemas.in_words(r.inverse)] * bool(r.inverse),
            }
            for n, r in schema.relations.items()
        },
    }  # fmt: skip


def described_own(schema: dict[str, Any]) -> dict[str, Any]:
    """The same of one of the schemas of `varied.jsonl`."""
    keys = ("domain", "range", "synonyms", "inverse", "description")
    return {
        "entity_types": {f"{schema['domain']}: {t}": {"label": t, "description": d} for t, d in schema["types"].items()},
        "relation_types": {
            f"{schema['domain']}: {label}": {"label": label, **dict(zip(keys, told, strict=True))}
            for label, told in schema["relations"].items()
        },
    }  # fmt: skip


def asked(row: dict[str, Any], text: str, number: int) -> tuple[dict[str, Any], list[str]] | None:
    """A sentence with what a question is about and its answer, related by the wording of the question; all wordings.

    None where no wording names anything.
    """
    kind, ways = "", []
    for question in row["questions"]:
        said = words(question)
        called = reader.called(said, asked_for(question))
        kind = kind or called
        ways += [w for w in reader.worded(said, reader.names_in(said), called)[:2] if w not in ways]
    ways.sort(key=lambda way: reader.SUBJECT not in way)
    if not ways or reader.SUBJECT not in ways[0]:
        return None
    ends = [(*row["about"], ABOUT), (*row["answer"], kind if re.fullmatch("[a-z]+", kind) else ANSWER)]
    return {
        "id": f"questions-{number}", "text": text, "lang": "en",
        "mentions": [{"start": s, "end": e, "type": t} for s, e, t in ends],
        "relations": [{"head": 0, "tail": 1, "type": ways[0]}],
        "entity_types": sorted({t for *_, t in ends}), "relation_types": [ways[0]],
        "complete": {"mentions": False, "relations": False},
    }, ways  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    texts = {row.get("title") or row["id"]: row["text"] for file in options.texts for row in read_records(file)}
    names = ("articles.train", "articles.dev", "varied.train", "varied.dev", "questions.train")
    made: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    ways: dict[str, set[str]] = {}
    wrong = []
    read = [(row["title"], row["start"], row["end"]) for row in rows_of("questions")]

    def text_of(row: dict[str, Any], where: str) -> str:
        text = texts.get(row["title"], "")[row["start"] : row["end"]]
        if check(text) != row["check"]:
            wrong.append(f"{where}: {row['title']} is missing or has another text at {row['start']}")
            return ""
        return text

    general = schemas.load("general")
    kinds, relations = ([o.label for o in some.values()] for some in (general.entities, general.relations))
    for number, row in enumerate(rows_of("articles"), 1):
        if text := text_of(row, f"articles.jsonl:{number}"):
            out = kept_out(row["title"])
            if not out or not any(t == row["title"] and s < row["end"] and row["start"] < e for t, s, e in read):
                line = annotated(row, text, f"articles-{number}", kinds, relations)
                made["articles.dev" if out else "articles.train"].append(line)
    for number, schema in enumerate(rows_of("varied"), 1):
        part = made["varied.dev" if kept_out(schema["passages"][0]["title"], one_of=7) else "varied.train"]
        for at, row in enumerate(schema["passages"], 1):
            if text := text_of(row, f"varied.jsonl:{number}"):
                part.append(annotated(row, text, f"varied-{number}-{at}", schema["types"], schema["relations"]))
    for number, row in enumerate(rows_of("questions"), 1):
        text = text_of(row, f"questions.jsonl:{number}")
        if text and not kept_out(row["title"]) and (found := asked(row, text, number)):
            made["questions.train"].append(found[0])
            ways.setdefault(found[0]["relation_types"][0], set()).update(found[1][1:])
    if wrong:
        print(*wrong[:20], f"{len(wrong)} passages are not there: give the files that were annotated.", sep="\n")
        sys.exit(1)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, some in made.items():
        with gzip.GzipFile(options.out / f"{name}.jsonl.gz", "wb", mtime=0) as file:
            file.writelines(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in some)
        print(f"{name}: {len(some):,} texts, {sum(len(r['relations']) for r in some):,} relations")
    wordings = {label: {"label": label, "synonyms": sorted(also)} for label, also in ways.items()}
    sets = {
        "articles": described(general), "varied": {"entity_types": {}, "relation_types": {}},
        "questions": {"entity_types": {}, "relation_types": wordings},
    }  # fmt: skip
    for schema in rows_of("varied"):
        for kind, told in described_own(schema).items():
            sets["varied"][kind] |= told
    (options.out / "labels.json").write_text(json.dumps(sets, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    main()
