"""Encoders: BERT of our own beside that of transformers, and other architectures through transformers."""

import pytest
import torch
from safetensors.torch import save_file

from kgpipe.errors import ModelError
from kgpipe.models.backbone import WEIGHTS, empty_backbone, load_backbone
from kgpipe.models.bert import Bert


def test_bert_of_our_own_says_what_that_of_transformers_says():
    from transformers import AutoModel

    ours = load_backbone(WEIGHTS / "embedder").eval()
    theirs = AutoModel.from_pretrained(WEIGHTS / "embedder", add_pooling_layer=False, dtype=torch.float32).eval()
    assert isinstance(ours, Bert) and ours.state_dict().keys() == theirs.state_dict().keys()
    torch.manual_seed(0)
    ids = torch.randint(1000, 30000, (4, 60))
    mask = torch.ones_like(ids)
    for row, length in enumerate((60, 31, 2)):
        mask[row, length:] = 0
    with torch.inference_mode():
        a, b = (model(input_ids=ids, attention_mask=mask).last_hidden_state for model in (ours, theirs))
        assert torch.allclose(a[mask.bool()], b[mask.bool()], atol=1e-4)
        vectors = ours.get_input_embeddings()(ids)
        assert torch.equal(ours(inputs_embeds=vectors, attention_mask=mask).last_hidden_state, a)


def test_a_row_of_padding_alone_stays_a_number():
    ours = load_backbone(WEIGHTS / "embedder").eval()
    ids, mask = torch.ones(2, 5, dtype=torch.long), torch.tensor([[1] * 5, [0] * 5])
    with torch.inference_mode():
        assert ours(input_ids=ids, attention_mask=mask).last_hidden_state.isfinite().all()


def test_other_architectures_are_those_of_transformers(tmp_path):
    from transformers import BertConfig, RobertaConfig, RobertaModel

    torch.manual_seed(0)
    sizes = {"vocab_size": 90, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = RobertaModel(RobertaConfig(**sizes, intermediate_size=32)).eval()
    model.config.save_pretrained(tmp_path)
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    ids = torch.randint(5, 90, (2, 7))
    with torch.inference_mode():
        loaded = load_backbone(tmp_path).eval()
        assert torch.allclose(
            loaded(input_ids=ids).last_hidden_state, model(input_ids=ids).last_hidden_state, atol=1e-5
        )
    BertConfig(**sizes, hidden_act="relu").save_pretrained(tmp_path)
    assert not isinstance(empty_backbone(tmp_path), Bert), "a variant of BERT"


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_a_damaged_configuration_is_named(text, tmp_path):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match="config.json"):
        empty_backbone(tmp_path)
