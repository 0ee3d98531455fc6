"""Entity F1 on an unseen domain before and after fine-tuning on a few labelled sentences of it, and what that costs.

    .venv/bin/python benchmarks/finetune.py --checkpoint CHECKPOINT
    .venv/bin/python benchmarks/finetune.py --checkpoint CHECKPOINT --domains science music --sentences 50 100 200

For every domain of CrossNER and every seed: sentences are drawn for training and others held out, `kgpipe train --from`
runs as a user would run it, and the strict entity F1 of the held-out sentences is taken before and after. CHECKPOINT
must not have been trained on CrossNER. Seconds are those of `kgpipe train` from start to end; processor seconds count
the work of all its threads, which other programs on the machine hardly change.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from kgpipe.evaluate.extraction import extraction
from kgpipe.evaluate.predict import predictions
from kgpipe.extract.data import read_records

DATA = Path(__file__).parents[2] / "shared" / "data" / "ie"
FILES = ("crossner.train.jsonl.gz", "crossner.dev.jsonl.gz")
Record = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", required=True, help="a checkpoint that was trained without CrossNER")
    parser.add_argument("--data", type=Path, default=DATA, help=f"folder of {' and '.join(FILES)}")
    parser.add_argument("--domains", nargs="*", default=[], help="default: all of them")
    parser.add_argument("--sentences", type=int, nargs="*", default=[200], help="sentences to train on")
    parser.add_argument("--held-out", type=int, default=300, help="other sentences of the domain to score, at most")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("options", nargs="*", help="options of `kgpipe train`, after --")
    options = parser.parse_args()
    print(
        f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}, torch {torch.__version__}, kgpipe train {' '.join(options.options)}"
    )
    domains = read_domains(options.data)
    for domain in options.domains or sorted(domains):
        for n_sentences in options.sentences:
            rows = []
            for seed in options.seeds:
                rows.append(
                    measure(
                        domains[domain],
                        options.checkpoint,
                        n_sentences,
                        options.held_out,
                        seed,
                        options=options.options,
                    )
                )
                print(f"{domain:10}", json.dumps(rows[-1]), flush=True)
            mean = {key: round(statistics.mean(row[key] for row in rows), 4) for key in rows[0] if key != "seed"}
            print(f"{domain:10} mean", json.dumps(mean), flush=True)


def read_domains(folder: Path) -> dict[str, list[Record]]:
    """The records of CrossNER by domain, which is what a record's `source` names and its `entity_types` follow."""
    found: dict[str, list[Record]] = defaultdict(list)
    for name in FILES:
        for record in read_records(folder / name):
            found[record["source"].split()[1]].append(record)
    return dict(found)


def drawn(records: Sequence[Record], n_sentences: int, n_held_out: int, seed: int) -> tuple[list[Record], list[Record]]:
    """Records to train on, and others to score, whose texts differ from all of the first."""
    order = random.Random(seed).sample(records, len(records))
    chosen = order[:n_sentences]
    texts = {record["text"] for record in chosen}
    return chosen, [record for record in order[n_sentences:] if record["text"] not in texts][:n_held_out]


def measure(
    records: Sequence[Record],
    checkpoint: str,
    n_sentences: int,
    n_held_out: int,
    seed: int,
    *,
    options: Sequence[str] = (),
) -> dict[str, float]:
    """F1 before and after, gain in points, and the seconds of fine-tuning."""
    chosen, others = drawn(records, n_sentences, n_held_out, seed)
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "labelled.jsonl", Path(folder) / "checkpoint"
        data.write_text("".join(json.dumps(record) + "\n" for record in chosen), encoding="utf-8")
        command = [
            str(Path(sys.executable).with_name("kgpipe")), "train", str(data), "--from", checkpoint,
            "--out", str(out), "--seed", str(seed), "--quiet", *options,
        ]  # fmt: skip
        started, worked = time.monotonic(), _processor_seconds()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds, processor_seconds = time.monotonic() - started, _processor_seconds() - worked
        before, after = (score(others, c) for c in (checkpoint, str(out)))
    return {
        "seed": seed,
        "trained_on": len(chosen),
        "scored_on": len(others),
        "before": before["f1"],
        "after": after["f1"],
        "points": round(100 * (after["f1"] - before["f1"]), 1),
        "after_precision": after["precision"],
        "after_recall": after["recall"],
        "seconds": round(seconds, 1),
        "processor_seconds": round(processor_seconds, 1),
    }


def score(records: Sequence[Record], checkpoint: str) -> dict[str, float]:
    """Strict entity precision, recall and F1 of a checkpoint on annotated records."""
    return extraction(predictions(records, checkpoint=checkpoint), records)["entities"]


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
