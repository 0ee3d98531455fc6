"""What single choices of decoding are worth: best strict F1 over thresholds with one choice changed at a time.

    python benchmarks/ladder.py tekgen.dev.jsonl.gz --labels labels.json --limit 600

`--show N` prints N random predicted relations at the checkpoint's own threshold instead, with whether the annotation has
them, to be read by a person.
"""

import argparse
import json
import platform
import random
from datetime import date
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from kgpipe.evaluate.extraction import judged
from kgpipe.evaluate.predict import LITERALS, predictions
from kgpipe.extract import cues, decode, encoder
from kgpipe.extract.base import CHECKPOINT
from kgpipe.extract.data import held_out, read_records

LOWEST = 0.05
CHOICES = {
    "as shipped": [],
    "only the likeliest type decides what is legal": [(decode, "POSSIBLE", 1.0)],
    "types down to a tenth of the likeliest": [(decode, "POSSIBLE", 0.1)],
    "no spans for which only naming anything speaks": [(encoder, "MENTION_THRESHOLD", 2.0)],
    "no cue words": [(encoder, "CUE_WEIGHT", 0.0), (encoder, "CUE_AGAINST", 0.0)],
    "stated relations outrank also without synonyms": [(cues, "phrases", lambda known, but=(): PHRASES(known))],
    "relations across sentences lose nothing": [(encoder, "APART", 0.0)],
    "five pairs a window are read, of sixteen": [(encoder, "MAX_READ", 5), (encoder, "MAX_PAIRS", 16)],
    "the network's own vectors alone": [(encoder, "OWN_SHARE", 1.0)],
}
PHRASES = cues.phrases


def best_f1(records, described, options):
    found = predictions(records, described=described, checkpoint=options.checkpoint, threshold=LOWEST)
    scores, right = judged(records, found)
    n_gold = sum(len({(r["head"], r["type"], r["tail"]) for r in record["relations"]}) for record in records)
    order = np.argsort(-scores, kind="stable")
    hits, n = right[order].cumsum(), np.arange(1, len(order) + 1)
    best = (2 * hits / (n + n_gold)).argmax()
    return 2 * hits[best] / (n[best] + n_gold), hits[best] / n[best], hits[best] / n_gold, scores[order][best]


def show(records, described, options):
    rows = []
    for record, made in zip(
        records, predictions(records, described=described, checkpoint=options.checkpoint), strict=True
    ):
        _, right = judged([record], [made])
        for relation, known in zip(made["relations"], right, strict=True):
            ends = [made["mentions"][relation[side]] for side in ("head", "tail")]
            subject, object_ = (record["text"][m["start"] : m["end"]] for m in ends)
            rows.append((bool(known), subject, relation["type"], object_, relation["score"], record["text"]))
    rows = random.Random(5).sample(rows, min(options.show, len(rows)))
    print(sum(row[0] for row in rows), "of", len(rows), "in the annotation")
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--hold-out", type=float, default=0.5, help="leave out what `kgpipe calibrate` took")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--show", type=int, default=0)
    options = parser.parse_args()
    sets = json.loads(options.labels.read_text(encoding="utf-8")) if options.labels else {}
    described = next((value for name, value in sets.items() if options.file.name.startswith(name)), {})
    records = [r for r in read_records(options.file) if not held_out(r, options.hold_out)]
    random.Random(11).shuffle(records)
    records = records[: options.limit or None]
    if options.show:
        show(records, described, options)
        return
    print(f"{date.today()}, {platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}")
    print(f"{options.file.name}, {len(records)} records: F1, precision, recall, threshold")
    choices = CHOICES | {"dates and numbers by the network": []}
    for name, changed in choices.items():
        kept = dict(LITERALS)
        if name == "dates and numbers by the network":
            LITERALS.clear()
        undo = [patch.object(*change) for change in changed]
        for change in undo:
            change.start()
        print(f"{name:50}", *(f"{value:.3f}" for value in best_f1(records, described, options)), flush=True)
        for change in undo:
            change.stop()
        LITERALS.update(kept)


if __name__ == "__main__":
    main()
