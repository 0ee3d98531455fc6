"""The mean of two checkpoints of one chain of training, weight by weight.

    python benchmarks/average.py BEFORE AFTER --out CHECKPOINT [--share 0.5]

AFTER, which counts by its share, was trained from BEFORE, so both have the same network; the mean often does better than
either (weight averaging, after Izmailov et al. 2018). What tells known labels from new ones is BEFORE's. Calibrate the result
(`kgpipe calibrate`) before it is used.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

KNOWN = ("known_types", "known_relations")
"""Vectors of the labels that training asked for."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.5, help="of AFTER in the mean")
    options = parser.parse_args()
    before, after = (load_file(folder / "model.safetensors") for folder in (options.before, options.after))
    differing = sorted(
        k for k in before.keys() | after.keys()
        if k not in KNOWN and (k not in before or k not in after or before[k].shape != after[k].shape)
    )  # fmt: skip
    if differing:
        raise SystemExit(
            f"{options.before} and {options.after} are not of one network: they differ in {', '.join(differing[:5])}."
        )
    mean = {
        k: v if k in KNOWN else torch.lerp(v.float(), after[k].float(), options.share).to(v.dtype)
        for k, v in before.items()
    }
    options.out.mkdir(parents=True, exist_ok=True)
    save_file(mean, options.out / "model.safetensors")
    config = json.loads((options.after / "config.json").read_text("utf-8"))
    config["training"]["averaged"] = f"the mean of this run, to {options.share:g}, and of the one it began from"
    (options.out / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
