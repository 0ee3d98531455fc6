"""Text2KGBench: triples from sentences given an ontology, on that benchmark's own files and by its own definition.

    git clone --depth 1 https://github.com/cenguix/Text2KGBench
    .venv/bin/python benchmarks/text2kgbench.py Text2KGBench/data/wikidata_tekgen --out outputs
    .venv/bin/python benchmarks/text2kgbench.py Text2KGBench/data/dbpedia_webnlg --out outputs
    .venv/bin/python benchmarks/text2kgbench.py Text2KGBench/data/dbpedia_webnlg --score outputs

HALF is the folder of one half of the benchmark, with ontologies/, test/, ground_truth/ and, in wikidata_tekgen,
manually_verified_sentences/. Every ontology becomes a schema, its test sentences are read with it, and OUT receives the
system outputs that the benchmark's src/evaluation/run_eval.py reads. `--score` extracts nothing and scores a folder of
such files, of any system. Printed are, for every ontology and as the mean of the ontologies:

    all, selected  means over sentences of precision, recall and F1 after leaving out predictions whose relation the
                   gold of that sentence lacks: the figures of run_eval.py; selected are the manually verified sentences
    micro          precision, recall and F1 over the triples of all sentences, nothing left out
    conformance    mean over sentences of the share of triples whose relation is of the ontology (no triples: 1)
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kgpipe.errors import InputError
from kgpipe.evaluate.extraction import sentence_scores, triple_text
from kgpipe.evaluate.gold import measures, read_rows
from kgpipe.extract.base import CHECKPOINT
from kgpipe.extract.encoder import EncoderExtractor
from kgpipe.extract.files import extract_rows
from kgpipe.schema import EntityType, RelationType, Schema, in_words

LITERALS = {"Date": "date", "Year": "date", "Number": "number", "number": "number", "string": "text"}
"""Ranges that are literals, and their kind."""
UNLISTED = {"Q4830453": "business", "Q43229": "organization", "Q5": "human"}
"""Wikidata items that are domains or ranges without being concepts of the ontology."""
DATED, COUNTED = ("date", "time", "inception"), ("cost",)
"""Last words of relations to dates and to numbers, whose range Wikidata's half leaves empty."""
MONTHS = "January February March April May June July August September October November December".split()

Triple = tuple[str, str, str]
"""Subject, relation with _ for spaces, object."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("half", type=Path, metavar="HALF", help="data/wikidata_tekgen or data/dbpedia_webnlg")
    parser.add_argument("--checkpoint", default="", help="folder of a checkpoint (default: the shipped one)")
    parser.add_argument("--threshold", type=float, default=0.0, help="least score of a relation (default: its own)")
    parser.add_argument("--out", type=Path, default=Path("text2kgbench"), help="folder for the system outputs")
    parser.add_argument("--score", type=Path, metavar="FOLDER", help="score these system outputs, extract nothing")
    parser.add_argument("--device", default="", help="cpu, cuda or cuda:N")
    options = parser.parse_args()
    source = f"outputs in {options.score}"
    if not options.score:
        source = f"checkpoint {options.checkpoint or CHECKPOINT}, threshold {options.threshold or 'its own'}"
        settings = {"checkpoint": options.checkpoint, "threshold": options.threshold, "device": options.device}
        extract(options.half, options.out, **settings)
    print(
        f"{datetime.date.today()}, {platform.machine()}, Python {platform.python_version()}, {options.half}, {source}"
    )
    figures = {name: scores(options.half, name, options.score or options.out) for name in ontologies(options.half)}
    for name, found in (figures | {"mean": mean(list(figures.values()))}).items():
        print(f"{name:22}", json.dumps(found))


def ontologies(half: Path) -> list[str]:
    """Names of the ontologies, as `1_movie`, in the order of their numbers; InputError when there is none."""
    found = [path.name.removesuffix("_ontology.json") for path in (half / "ontologies").glob("*_ontology.json")]
    if not found:
        raise InputError(
            f"{half} has no ontologies/N_NAME_ontology.json. Give the folder data/wikidata_tekgen or "
            "data/dbpedia_webnlg of github.com/cenguix/Text2KGBench."
        )
    return sorted(found, key=lambda name: (int(name.partition("_")[0]), name))


def ontology(half: Path, name: str) -> dict[str, Any]:
    """The ontology file of that name: id, concepts [{qid, label}], relations [{pid, label, domain, range}]."""
    return json.loads((half / "ontologies" / f"{name}_ontology.json").read_text(encoding="utf-8"))


def as_schema(given: Mapping[str, Any]) -> Schema:
    """An ontology as a schema: entity types by their ids, relations by the benchmark's own labels.

    Labels that the model reads are in words: `birth place` for birthPlace. A domain or range that is no concept becomes
    a type, unless it is an item whose name nobody gives: then any type may stand there, as where it is empty. Types for
    entities of no type, dates and numbers are always there.
    """
    labels = {concept["qid"]: words(concept["label"]) for concept in given["concepts"]}
    for end in (relation[side] for relation in given["relations"] for side in ("domain", "range")):
        if end and (end in UNLISTED or not re.fullmatch(r"Q\d+", end)):
            labels.setdefault(end, UNLISTED.get(end) or words(end))
    labels |= {"entity": "entity", "Date": "date", "Number": "number"}
    entities = {
        name: EntityType(name, LITERALS.get(name, label), literal=LITERALS.get(name, ""))
        for name, label in labels.items()
    }
    relations: dict[str, RelationType] = {}
    for relation in given["relations"]:
        label = relation["label"]
        domain, range_ = ((relation[side],) if relation[side] in entities else () for side in ("domain", "range"))
        if not relation["range"]:
            last = label.split()[-1]
            range_ = ("Date",) if last in DATED else ("Number",) if last in COUNTED else ()
        if label in relations:  # listed again, with other ends
            domain, range_ = _either(relations[label].domain, domain), _either(relations[label].range, range_)
        relations[label] = RelationType(label, words(label), domain=domain, range=range_)
    return Schema(name=given["id"], entities=entities, relations=relations)


def _either(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    """What one or the other allows; nothing allowed means that anything is."""
    return tuple(dict.fromkeys(a + b)) if a and b else ()


def words(label: str) -> str:
    """The words of a label: `birthPlace` is `birth place`; one that has spaces stays as it is."""
    return label if " " in label else in_words(label)


def extract(half: Path, out: Path, *, checkpoint: str = "", threshold: float = 0.0, device: str = "") -> None:
    """Writes the triples of the test sentences of every ontology to OUT, in the form that `system_output` reads."""
    out.mkdir(parents=True, exist_ok=True)
    extractor = None
    for name in ontologies(half):
        given = ontology(half, name)
        schema = as_schema(given)
        extractor = EncoderExtractor(schema, checkpoint=checkpoint, threshold=threshold, device=device, like=extractor)
        sentences = read_rows(half / "test" / f"ont_{name}_test.jsonl", ("id", "sent"))
        texts = [{"id": row["id"], "text": row["sent"]} for row in sentences]
        found = extract_rows(texts, extractor)
        wikidata = all(re.fullmatch(r"P\d+", relation["pid"]) for relation in given["relations"])
        rows = [
            {"id": row["id"], "triples": triples(row, text["text"], schema, wikidata=wikidata)}
            for row, text in zip(found, texts, strict=True)
        ]
        (out / f"ont_{name}_responses.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
        )


def triples(found: Mapping[str, Any], text: str, schema: Schema, *, wikidata: bool) -> list[Triple]:
    """What was found in a sentence as triples; ends are as the text has them, dates and numbers as the half has them."""

    def written(mention: Mapping[str, Any]) -> str:
        surface = text[mention["start"] : mention["end"]]
        kind = schema.entities[mention["type"]].literal
        if kind == "date" and mention.get("value"):
            return date(mention["value"], wikidata=wikidata) or surface
        return mention["value"].split()[0] if kind == "number" and mention.get("value") else surface

    return [
        (
            written(found["mentions"][relation["head"]]),
            relation["type"].replace(" ", "_"),
            written(found["mentions"][relation["tail"]]),
        )
        for relation in found["relations"]
    ]


def date(value: str, *, wikidata: bool) -> str:
    """A date as the benchmark writes it, empty for one that has no year.

    DBpedia's half has ISO, Wikidata's half `05 October 2007`, with 01 and January for what is not known.
    """
    if not re.fullmatch(r"\d{4}(-\d\d){0,2}", value):
        return ""
    if not wikidata:
        return value
    year, month, day = (value + "-01-01")[:10].split("-")
    return f"{day} {MONTHS[int(month) - 1]} {year}"


def system_output(path: Path) -> dict[str, list[Triple]]:
    """Triples by the id of their sentence, from lines {"id", "triples": [[subject, relation, object], ...]}."""
    return {row["id"]: [tuple(triple) for triple in row["triples"]] for row in read_rows(path, ("id", "triples"))}


def scores(half: Path, name: str, outputs: Path) -> dict[str, Any]:
    """The figures of one ontology for OUTPUTS/ont_NAME_responses.jsonl; `selected` is None where no sentences are."""
    gold = {
        row["id"]: [(t["sub"], t["rel"], t["obj"]) for t in row["triples"]]
        for row in read_rows(half / "ground_truth" / f"ont_{name}_ground_truth.jsonl", ("id", "sent", "triples"))
    }
    listed = half / "manually_verified_sentences" / f"selected_ont_{name}.txt"
    selected = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    given = system_output(outputs / f"ont_{name}_responses.jsonl")
    relations = {relation["label"].replace(" ", "_") for relation in ontology(half, name)["relations"]}
    return {
        "all": sentence_means(given, gold, list(gold)),
        "selected": sentence_means(given, gold, selected) if selected else None,
        "micro": micro(given, gold, list(gold)),
        "micro_selected": micro(given, gold, [s for s in selected if s in gold]) if selected else None,
        "conformance": round(statistics.mean(conformance(given.get(s), relations) for s in gold), 4),
    }


def sentence_means(
    given: Mapping[str, Sequence[Triple]], gold: Mapping[str, Sequence[Triple]], sentences: Sequence[str]
) -> dict[str, float]:
    """Precision, recall and F1 summed over the sentences and divided by their number, by the benchmark's rules.

    Predictions with a relation that the gold of the sentence lacks are left out; a sentence without output, or without
    gold, counts 0.
    """
    totals = [0.0, 0.0, 0.0]
    for sentence in sentences:
        asked = {relation.replace(" ", "_") for _, relation, _ in gold.get(sentence, ())}
        kept = [triple for triple in given.get(sentence, ()) if triple[1] in asked]
        found = sentence_scores(_texts(kept), _texts(gold.get(sentence, ())))
        totals = [total + part for total, part in zip(totals, found, strict=True)]
    names = ("precision", "recall", "f1")
    return {name: round(total / len(sentences), 4) for name, total in zip(names, totals, strict=True)}


def micro(
    given: Mapping[str, Sequence[Triple]], gold: Mapping[str, Sequence[Triple]], sentences: Sequence[str]
) -> dict[str, Any]:
    """Precision, recall and F1 over the triples of all sentences together, nothing left out."""
    pairs = [(_texts(given.get(sentence, ())), _texts(gold[sentence])) for sentence in sentences]
    return measures(sum(len(p & g) for p, g in pairs), sum(len(p) for p, _ in pairs), sum(len(g) for _, g in pairs))


def conformance(made: Sequence[Triple] | None, relations: set[str]) -> float:
    """Share of a sentence's triples whose relation the ontology has; 1 for no triples, 0 for no output at all."""
    if made is None:
        return 0.0
    return sum(relation in relations for _, relation, _ in made) / len(made) if made else 1.0


def mean(figures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The mean of every figure over the ontologies; those of selected sentences over the ontologies that have some."""
    parts = {}
    for part in ("all", "selected", "micro", "micro_selected"):
        rows = [figure[part] for figure in figures if figure[part]]
        parts[part] = {
            name: round(statistics.mean(row[name] for row in rows), 4) for name in ("precision", "recall", "f1") if rows
        }
    return parts | {"conformance": round(statistics.mean(figure["conformance"] for figure in figures), 4)}


def _texts(made: Iterable[Triple]) -> set[str]:
    return {triple_text(*triple) for triple in made}


if __name__ == "__main__":
    main()
