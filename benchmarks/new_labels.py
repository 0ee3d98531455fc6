"""Fits how much a score of a label that training did not know should listen to what, and writes it into a checkpoint.

    python benchmarks/new_labels.py knowledgenet.train.jsonl.gz crossner.train.jsonl.gz --labels labels.json \
        --checkpoint LEFT_OUT --into CHECKPOINT

LEFT_OUT was trained without the files; every label of theirs is taken as new. Logistic regressions with a small penalty
are fitted to the features of `kgpipe.extract.scoring`, of types over the spans that were kept, of relations over the
pairs that were read, and stand afterwards in the config.json of both checkpoints, in the halves for new labels.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit

from kgpipe.evaluate.predict import label_schema
from kgpipe.extract.data import held_out, read_records
from kgpipe.extract.encoder import EncoderExtractor
from kgpipe.extract.scoring import FAR, relation_features, type_features
from kgpipe.records import Passage

PENALTY = 1e-3


class Recorder(EncoderExtractor):
    """An extractor to which every label is new, and which keeps the features of all that it scored."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.novel_types, self.novel = torch.ones_like(self.novel_types), torch.ones_like(self.novel)
        self.any_novel = True
        self.spans, self.pairs = [], []

    def _decoded(self, reads, **options):
        for decoded in super()._decoded(reads, **options):
            reads = decoded.chosen

            def place(b, first, last, reads=reads):
                offsets = reads[b].window.offsets
                return reads[b].passage, offsets[first][0], offsets[last][1]

            for b, first, last, *row in self._types:
                self.spans.append((place(b, first, last), row[0]))
            for b, subject, object_, features in self._pairs:
                self.pairs.append((place(b, *subject), place(b, *object_), features))
            yield decoded

    def _retyped(self, seen):
        types = super()._retyped(seen)
        cosines = seen.name @ self.type_vectors.T, seen.context @ self.type_vectors.T
        features = type_features(seen.types, seen.mention, *cosines, self.novel_types)
        half = features.shape[-1] // 2
        b, k = (seen.kept & (seen.types > -FAR).any(-1)).nonzero(as_tuple=True)
        self._types = [
            (int(i), *seen.spans[i, j].tolist(), features[i, j, :, half:].numpy()) for i, j in zip(b, k, strict=True)
        ]
        self._pairs = []
        return types

    def _scored(self, chosen, batch, seen, mentions, pairs, legal):
        import kgpipe.extract.encoder as encoder

        kept = []

        def recorded(*arguments):
            kept.append(relation_features(*arguments))
            return kept[-1]

        reads = []
        likeliest = encoder.decode.likeliest
        encoder.relation_features, encoder.decode.likeliest = (
            recorded,
            lambda *a: reads.append(likeliest(*a)) or reads[-1],
        )
        try:
            out = super()._scored(chosen, batch, seen, mentions, pairs, legal)
        finally:
            encoder.relation_features, encoder.decode.likeliest = relation_features, likeliest
        for read, features in list(zip(reads, kept, strict=False))[1:]:  # the second look is what scores
            for p, row in zip(pairs[read].tolist(), features[..., 3:].numpy(), strict=True):
                (b, *subject, _), (_, *object_, _) = (mentions.rows[m].tolist() for m in p)
                self._pairs.append((b, tuple(subject), tuple(object_), row))
        return out


def recorded(file, described, options):
    """Features and targets of types, (n, F) and (n,), and of relations, of a file's records."""
    records = [r for r in read_records(file) if not options.hold_out or held_out(r, options.hold_out)]
    random.Random(0).shuffle(records)
    records = records[: options.limit or None]
    groups = {}
    for record in records:
        record.setdefault("relations", [])
        groups.setdefault((tuple(record["entity_types"]), tuple(record.get("relation_types", ()))), []).append(record)
    types, relations = [], []
    extractor = None
    for (kinds, labels), rows in groups.items():
        schema = label_schema(kinds, labels, described)
        extractor = Recorder(schema, checkpoint=options.checkpoint, like=extractor)
        names, related = [t.name for t in extractor.types], [r.name for r in extractor.relations]
        for at in range(0, len(rows), 64):
            some = rows[at : at + 64]
            extractor.spans, extractor.pairs = [], []
            extractor([Passage(str(i), "", 0, len(r["text"]), r["text"]) for i, r in enumerate(some)])
            gold = [{(m["start"], m["end"]): m["type"] for m in r["mentions"]} for r in some]
            for (i, start, end), features in extractor.spans:
                found = gold[i].get((start, end))
                types.append((features, [name == found for name in names]))
            said = [
                {
                    (*(tuple(r["mentions"][x[side]][k] for k in ("start", "end")) for side in ("head", "tail")), x["type"])
                    for x in r["relations"]
                }
                for r in some
            ]  # fmt: skip
            for (i, *subject), (_, *object_), features in extractor.pairs:
                ends = tuple(subject), tuple(object_)
                relations.append((features, [(*ends, name) in said[i] for name in related]))
    return [
        (np.concatenate([f for f, _ in rows]), np.concatenate([t for _, t in rows]).astype(float))
        for rows in (types, relations) if rows
    ]  # fmt: skip


def fitted(features, target, *, keep):
    """Weights (F,) of the logistic regression that may use the features `keep`; the others are zero."""
    x = features[:, keep].astype(np.float64)
    scale = x.std(0) + (x.std(0) == 0)

    def loss(w):
        z = x / scale @ w
        off = expit(z) - target
        return (np.logaddexp(0, z) - target * z).mean() + PENALTY * w @ w / 2, off @ (x / scale) / len(x) + PENALTY * w

    found = minimize(loss, np.zeros(len(keep)), jac=True, method="L-BFGS-B").x / scale
    weights = np.zeros(features.shape[1])
    weights[keep] = found
    return weights


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--into", type=Path, nargs="*", default=[])
    parser.add_argument("--limit", type=int, default=800)
    parser.add_argument("--hold-out", type=float, default=0.0, help="fit on this share only, as kgpipe calibrate does")
    parser.add_argument("--without-joint", action="store_true", help="the network's own relation scores are not used")
    options = parser.parse_args()
    sets = json.loads(options.labels.read_text(encoding="utf-8"))
    parts = {"typing": [], "scoring": []}
    for file in options.files:
        described = next((value for name, value in sets.items() if file.name.startswith(name)), {})
        for name, part in zip(parts, recorded(file, described, options), strict=False):
            parts[name].append(part)
            print(f"{file.name} {name}: {len(part[1]):,} scores, {int(part[1].sum()):,} right")
    made = {}
    for name, rows in parts.items():
        if rows:
            x, y = (np.concatenate(column) for column in zip(*rows, strict=True))
            keep = [i for i in range(x.shape[1]) if name == "typing" or i or not options.without_joint]
            made[name] = fitted(x, y, keep=keep)
            print(name, np.round(made[name], 3).tolist())
    for folder in {options.checkpoint, *options.into}:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        for name, weights in made.items():
            known = config[name][: 3 if name == "scoring" else 6]
            config[name] = [*known, *np.round(weights, 3).tolist()]
        path.write_text(json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
