"""How well a checkpoint does on relations and types it was not trained with.

    python benchmarks/transfer.py FILE... --labels labels.json --checkpoint FOLDER

For every file: whether the network puts the right label first when the pair is given (the same for the namer that it
learnt from, and for the untrained embedder, which training must never fall below), and the strict scores end to end,
where any mention of an entity counts for it. Relations whose ends never share a window are left out, with --no-pronouns also those with a pronoun end.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from kgpipe.evaluate.extraction import related_spans
from kgpipe.evaluate.gold import measures
from kgpipe.evaluate.predict import label_schema, predictions
from kgpipe.extract.base import CHECKPOINT
from kgpipe.extract.data import collate, read_records, windows
from kgpipe.extract.encoder import LEAST_FIT, load_checkpoint
from kgpipe.extract.labels import mean_vectors, said
from kgpipe.extract.naming import pair_pieces, type_pieces
from kgpipe.extract.network import MAX_WIDTH, Batch
from kgpipe.extract.scoring import SHARPNESS
from kgpipe.models.embed import Embedder, sentence_vectors

PRONOUNS = frozenset("he she it his her its him they their them who whom whose which that i we you where".split())


def in_one_window(record, tokenizer):
    """Relations with both ends in one window, as (window, subject, object, type) with mention indexes."""
    found = []
    for window in windows(record["text"], tokenizer):
        for r in record["relations"]:
            ends = [record["mentions"][r[side]] for side in ("head", "tail")]
            if all(window.start <= m["start"] and m["end"] <= window.end for m in ends):
                spans = [window.word_span(m["start"], m["end"]) for m in ends]
                if all(spans):
                    found.append((window, spans, ends, r["type"]))
    return found


def top_label(records, described, backbone, *, network=None, batch=256):
    """Share of given pairs whose right label comes first, and comes among the first three, by one encoder.

    With `network` it says what it learnt that the encoder would say of the pairs; the encoder reads the labels only.
    """
    encoder = Embedder(backbone=backbone)
    tokenizer = encoder.tokenizer
    ids = (tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]"))
    first = third = total = 0
    vectors: dict = {}
    for at in range(0, len(records), batch):
        pairs = [(record, *pair) for record in records[at : at + batch] for pair in in_one_window(record, tokenizer)]
        pairs = [p for p in pairs if network is None or all(e - s < MAX_WIDTH for s, e in p[2])]
        if not pairs:
            continue
        if network is not None:
            made = said_by(network, pairs)
        else:
            kinds = [m["type"] for _, _, _, ends, _ in pairs for m in ends]
            rows = torch.tensor([(i, *s, *o) for i, (_, _, (s, o), _, _) in enumerate(pairs)])
            texts = pair_pieces(
                collate([pair[1] for pair in pairs]),
                rows,
                torch.arange(len(kinds)).view(-1, 2),
                type_pieces(kinds, tokenizer),
                ids,
            )
            with torch.inference_mode():
                parts = [
                    sentence_vectors(encoder.backbone, *(t[i : i + 64] for t in texts)) for i in range(0, len(rows), 64)
                ]
                made = torch.cat(parts)
        for (record, _, _, ends, label), vector in zip(pairs, made.numpy(), strict=True):
            key = (tuple(record["entity_types"]), tuple(record["relation_types"]))
            if key not in vectors:
                schema = label_schema(*key, described)
                relations = list(schema.relations.values())
                vectors[key] = relations, mean_vectors([said(schema, r)[:2] for r in relations], encoder)
            relations, labels = vectors[key]
            fit = [
                sum(
                    np.log(LEAST_FIT)
                    for m, side in zip(ends, (r.domain, r.range), strict=True)
                    if side and m["type"] not in side
                )
                for r in relations
            ]
            order = np.argsort(-(SHARPNESS * labels @ vector + fit))
            names = [relations[i].name for i in order[:3]]
            first, third, total = first + (names[0] == label), third + (label in names), total + 1
    return {"first": round(first / max(1, total), 3), "first three": round(third / max(1, total), 3), "pairs": total}


def said_by(network, pairs, *, batch=32):
    """(P, V): the network's vectors of pairs, each in its window."""
    made = []
    for at in range(0, len(pairs), batch):
        some = pairs[at : at + batch]
        tensors = collate([pair[1] for pair in some], forced=[pair[2] for pair in some])
        b, one = len(some), torch.ones(1, 1, dtype=torch.bool)
        labels = {"types": torch.zeros(1, 384), "relations": torch.zeros(1, 384), "domain": one, "range": one}
        masks = {name: one.expand(b, 1) for name in ("type_mask", "relation_mask")}
        read = Batch(**tensors, **labels, **masks, by_rule=torch.zeros(1, dtype=torch.bool))
        with torch.inference_mode():
            seen = network.look(read, top_k=2)
            slots = [
                [row.tolist().index(s * MAX_WIDTH + e - s) for s, e in pair[2]]
                for row, pair in zip(seen.flat, some, strict=True)
            ]
            made.append(network.phrases(read, seen, torch.arange(b), *torch.tensor(slots).T))
    return torch.cat(made)


def end_to_end(records, described, checkpoint, *, threshold, pronouns):
    """Strict scores of relations; a cluster's relation is right when any of its mentions carry it."""
    tokenizer = Embedder().tokenizer
    found = predictions(records, described=described, checkpoint=checkpoint, threshold=threshold)
    right = predicted = n_gold = 0
    for record, made in zip(records, found, strict=True):
        spans, text = related_spans(record), record["text"]
        entity = {(m["start"], m["end"]): m.get("entity", i) for i, m in enumerate(record["mentions"])}
        entity = {span: ("", i) if e is None else e for i, (span, e) in enumerate(entity.items())}
        spoken = {
            ((h["start"], h["end"]), kind, (t["start"], t["end"])) for _, _, (h, t), kind in in_one_window(record, tokenizer)
        }  # fmt: skip

        def named(relation, text=text):
            return pronouns or not any(text[s:e].lower() in PRONOUNS for s, e in (relation[0], relation[2]))

        def merged(relation, entity=entity):
            return entity.get(relation[0], relation[0]), relation[1], entity.get(relation[2], relation[2])

        gold = {merged(r) for r in spoken if named(r)}
        said_so = set()
        for r in made["relations"]:
            ends = [made["mentions"][r[side]] for side in ("head", "tail")]
            said_so.add(((ends[0]["start"], ends[0]["end"]), r["type"], (ends[1]["start"], ends[1]["end"])))
        said_so = {r for r in said_so if named(r)}
        n_gold += len(gold)
        predicted += len({merged(r) for r in said_so})
        right += len({merged(r) for r in said_so if r in spans} & gold)
    return measures(right, predicted, n_gold)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--threshold", type=float, default=0.0)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--no-pronouns", action="store_true")
    options = parser.parse_args()
    sets = json.loads(options.labels.read_text(encoding="utf-8")) if options.labels else {}
    for file in options.files:
        records = list(read_records(file))[: options.limit or None]
        for record in records:
            record.setdefault("relations", [])
        described = next((value for name, value in sets.items() if file.name.startswith(name)), {})
        print(file.name, len(records), "records")
        if any(r["relations"] for r in records):
            loaded = load_checkpoint(options.checkpoint)
            namer = loaded.namer.backbone
            print("  label, network     ", top_label(records, described, namer, network=loaded.network))
            print("  label, namer       ", top_label(records, described, namer))
            print("  label, untrained   ", top_label(records, described, None))
            scores = end_to_end(
                records, described, options.checkpoint, threshold=options.threshold, pronouns=not options.no_pronouns
            )
            print("  relations          ", scores)


if __name__ == "__main__":
    main()
