"""A training loop: warm-up and linear decay, gradient clipping, checkpoints to go on from, a curve on disk.

It knows nothing of what is learned: it takes a model and a function from a step's number to that step's loss.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import torch

from kgpipe.engine import Progress, silent

Parts = dict[str, torch.Tensor]
"""Named scalar losses of one step; their sum is what is minimised."""


def fit(
    model: torch.nn.Module,
    loss_of: Callable[[int], Parts],
    *,
    folder: Path,
    n_steps: int,
    rates: Callable[[str], float],
    warm_up: int = 100,
    clip: float = 1.0,
    save_every: int = 200,
    progress: Progress = silent,
) -> None:
    """Trains in place for `n_steps`; goes on from FOLDER/state.pt when it is there.

    `rates` gives the learning rate of a parameter by name. Losses by step are appended to FOLDER/curve.jsonl.
    """
    folder.mkdir(parents=True, exist_ok=True)
    groups: dict[float, list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault(rates(name), []).append(parameter)
    optimiser = torch.optim.AdamW(
        [{"params": parameters, "lr": rate} for rate, parameters in groups.items()], weight_decay=0.01, fused=True
    )

    def scale(step: int) -> float:
        return min(1.0, (step + 1) / max(1, warm_up)) * max(0.0, 1 - step / n_steps)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, scale)
    begin = 0
    saved = folder / "state.pt"
    if saved.is_file():
        state = torch.load(saved, weights_only=True)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        begin = state["step"]
    trained = [p for group in groups.values() for p in group]
    seen: dict[str, float] = {}
    started = time.monotonic()
    model.train()
    for step in range(begin, n_steps):
        parts = loss_of(step)
        loss = torch.stack(list(parts.values())).sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, clip)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad(set_to_none=True)
        for name, part in parts.items():
            seen[name] = seen.get(name, 0.0) + float(part.detach())
        if (step + 1) % 20 == 0:
            row = {"step": step + 1, "seconds": round(time.monotonic() - started, 1)}
            row |= {name: round(value / 20, 4) for name, value in seen.items()}
            with (folder / "curve.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")
            seen = {}
        if (step + 1) % save_every == 0 or step + 1 == n_steps:
            temporary = saved.with_suffix(".new")
            torch.save(
                {
                    "model": model.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "schedule": schedule.state_dict(),
                    "step": step + 1,
                },
                temporary,
            )
            os.replace(temporary, saved)
        progress("training", step + 1, n_steps)
    model.eval()
