import json

import pytest
import torch

from kgpipe.models.train import fit


def trained(folder, *, stop_at=0, n_steps=40):
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    data = torch.randn(n_steps, 8, 3, generator=torch.Generator().manual_seed(1))

    def loss_of(step):
        if stop_at and step == stop_at:
            raise KeyboardInterrupt
        x = data[step]
        return {"square": ((model(x) - x.sum(-1, keepdim=True)) ** 2).mean()}

    fit(model, loss_of, folder=folder, n_steps=n_steps, rates=lambda name: 0.1, warm_up=5, save_every=10)
    return model


def test_a_run_that_was_interrupted_ends_as_one_that_was_not(tmp_path):
    whole = trained(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "cut", stop_at=27)
    resumed = trained(tmp_path / "cut")
    assert torch.equal(whole.weight, resumed.weight)
    curve = [json.loads(line) for line in (tmp_path / "whole" / "curve.jsonl").read_text().splitlines()]
    assert [row["step"] for row in curve] == [20, 40]
    assert curve[1]["square"] < curve[0]["square"]
