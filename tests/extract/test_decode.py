"""The decoder against a slow, obvious version of itself on random scores."""

import pytest
import torch

from kgpipe.extract.decode import RULE_ORDER, decode
from kgpipe.extract.network import MAX_WIDTH, Batch, Scores

B, N, K, T, R = 3, 12, 8, 4, 5


def random_scores(seed):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator) * 3

    first = torch.randint(0, N - 3, (B, K), generator=generator)
    spans = torch.stack((first, first + torch.randint(0, 3, (B, K), generator=generator)), -1)
    kept = torch.rand(B, K, generator=generator) < 0.9
    types = draw(B, K, T)
    types[0, 0] = torch.tensor([-torch.inf, -torch.inf, -torch.inf, 12.0])  # a span given by rule
    nothing = torch.zeros(B, 0, dtype=torch.long)
    batch = Batch(
        pieces=nothing, shapes=nothing, mask=nothing, first=nothing, last=nothing, words=nothing,
        types=torch.zeros(T, 2), relations=torch.zeros(R, 2),
        type_mask=torch.ones(B, T, dtype=torch.bool), relation_mask=torch.ones(B, R, dtype=torch.bool),
        domain=torch.rand(R, T, generator=generator) < 0.6, range=torch.rand(R, T, generator=generator) < 0.6,
        forced=torch.zeros(B, 0, 2, dtype=torch.long), forced_mask=torch.zeros(B, 0, dtype=torch.bool),
        fixed=nothing, by_rule=torch.tensor([False, False, False, True]),
    )  # fmt: skip
    relations = draw(B, K, K, R).masked_fill(torch.eye(K, dtype=torch.bool)[None, :, :, None], -torch.inf)
    flat = spans[..., 0] * MAX_WIDTH + spans[..., 1] - spans[..., 0]
    return Scores(torch.zeros(B, N, MAX_WIDTH, T), spans, kept, flat, types, relations), batch


def slowly(scores, batch, threshold, mention_threshold):
    """Mentions {(window, first, last, type)} and relations {(window, subject span, type, object span)}."""
    mentions, relations = set(), set()
    for b in range(B):
        ranked = []
        for k in range(K):
            probability = scores.types[b, k].sigmoid()
            kind = int(probability.argmax())
            if scores.kept[b, k] and probability[kind] >= mention_threshold:
                ranked.append((RULE_ORDER if batch.by_rule[kind] else float(probability[kind]), k, kind))
        chosen = []
        for _, k, kind in sorted(ranked, key=lambda row: (-row[0], row[1])):
            s, e = scores.spans[b, k].tolist()
            if all(e < scores.spans[b, o, 0] or scores.spans[b, o, 1] < s for o, _ in chosen):
                chosen.append((k, kind))
                mentions.add((b, s, e, kind))

        def best(s, o, b=b):
            legal = [
                (float(scores.relations[b, s[0], o[0], r].sigmoid()), -r)
                for r in range(R)
                if batch.domain[r, s[1]] and batch.range[r, o[1]]
            ]
            return max(legal, default=(0.0, 0))

        for s in chosen:
            for o in chosen:
                score, label = best(s, o)
                back = best(o, s)[0]
                wins = score > back or (score == back and s[0] < o[0])
                if s != o and score >= threshold and wins:
                    spans = [tuple(scores.spans[b, k].tolist()) for k in (s[0], o[0])]
                    relations.add((b, spans[0], -label, spans[1]))
    return mentions, relations


@pytest.mark.parametrize("seed", range(40))
def test_the_decoder_agrees_with_the_obvious_version(seed):
    scores, batch = random_scores(seed)
    found = decode(
        scores, batch, domain=batch.domain, range_=batch.range, threshold=0.5, mention_threshold=torch.tensor(0.4)
    )
    rows = [tuple(row) for row in found.mentions.tolist()]
    relations = {(rows[s][0], rows[s][1:3], r, rows[o][1:3]) for s, r, o in found.relations.tolist()}
    assert (set(rows), relations) == slowly(scores, batch, 0.5, 0.4)
    assert len(rows) == len(set(rows))
    assert len(found.mention_scores) == len(rows)
    assert (found.relation_scores >= 0.5).all()
