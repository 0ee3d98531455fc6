"""BERT's encoder (Devlin et al. 2019) in plain torch, its parameters named as in Hugging Face checkpoints.

Importing transformers for it takes twice as long as importing torch and 0.3 GB, at every start of a command; it is
kept for the architectures that are not BERT. A test holds both to the same numbers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from kgpipe.errors import ModelError


@dataclass(frozen=True)
class BertConfig:
    """The sizes of an encoder, named and preset as in transformers' BertConfig."""

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12

    @classmethod
    def read(cls, path: Path) -> BertConfig | None:
        """That of a config.json; None where it tells of another architecture or of a variant of BERT.

        ModelError when the file is no JSON object.
        """
        try:
            given = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise ModelError(f"{path} is damaged: {error}. Fetch the model anew.") from error
        if not isinstance(given, dict):
            raise ModelError(f"{path} holds no JSON object. Fetch the model anew.")
        variant = given.get("hidden_act", "gelu") != "gelu" or given.get("is_decoder")
        if (
            given.get("model_type") != "bert"
            or variant
            or given.get("position_embedding_type", "absolute") != "absolute"
        ):
            return None
        return cls(**{f.name: given[f.name] for f in fields(cls) if f.name in given})


class Output(NamedTuple):
    """What an encoder says: `last_hidden_state` (B, S, hidden_size)."""

    last_hidden_state: Tensor


class Bert(nn.Module):
    """The encoder without pooler."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = _Embeddings(config)
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(_Layer(config) for _ in range(config.num_hidden_layers))})
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=config.initializer_range)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def get_input_embeddings(self) -> nn.Embedding:
        """The vectors of the word pieces."""
        return self.embeddings.word_embeddings

    def forward(
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, inputs_embeds: Tensor | None = None
    ) -> Output:
        """Of token ids (B, S), or of vectors (B, S, hidden_size) in their place; the mask (B, S) is 0 for padding."""
        states = self.embeddings(self.get_input_embeddings()(input_ids) if inputs_embeds is None else inputs_embeds)
        for layer in self.encoder["layer"]:
            states = layer(states, attention_mask)
        return Output(states)


class _Embeddings(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, words: Tensor) -> Tensor:
        places = self.position_embeddings.weight[: words.shape[1]] + self.token_type_embeddings.weight[0]
        return self.dropout(self.LayerNorm(words + places))


class _Layer(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.attention = nn.ModuleDict(
            {
                "self": nn.ModuleDict({name: nn.Linear(width, width) for name in ("query", "key", "value")}),
                "output": _Residual(width, config),
            }
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, config.intermediate_size)})
        self.output = _Residual(config.intermediate_size, config)
        self.heads = config.num_attention_heads
        self.dropout = config.attention_probs_dropout_prob

    def forward(self, states: Tensor, mask: Tensor | None) -> Tensor:
        inner = self.attention["self"]
        q, k, v = (inner[n](states).unflatten(-1, (self.heads, -1)).transpose(1, 2) for n in ("query", "key", "value"))
        hidden = None  # added to the scores: a row of padding alone stays a number
        if mask is not None:
            hidden = ((1 - mask[:, None, None].to(q.dtype)) * torch.finfo(q.dtype).min).expand(-1, 1, mask.shape[1], -1)
        seen = functional.scaled_dot_product_attention(
            q, k, v, attn_mask=hidden, dropout_p=self.dropout if self.training else 0.0
        )
        states = self.attention["output"](seen.transpose(1, 2).flatten(2), states)
        return self.output(functional.gelu(self.intermediate["dense"](states)), states)


class _Residual(nn.Module):
    def __init__(self, width: int, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(width, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, states: Tensor, before: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(states)) + before)
