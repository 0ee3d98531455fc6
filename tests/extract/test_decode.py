"""The decoder against a slow, obvious version of itself on random scores."""

import pytest
import torch

from kgpipe.extract import decode
from kgpipe.extract.decode import POSSIBLE, POSSIBLE_NEW, RULE_ORDER
from kgpipe.extract.network import MAX_WIDTH, Batch, Scores

B, N, K, T, R = 3, 12, 8, 4, 5
LEAST = torch.tensor([0.5, 0.6, 0.4, 0.5, 0.8])
NOVEL = torch.tensor([0.0, 1.0, 0.0, 0.5])
NOVEL_RELATIONS = torch.tensor([0.0, 1.0, 0.0, 0.3, 0.0])
HOPED = 0.7


def random_scores(seed):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator) * 4

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
    return Scores(
        span_types=torch.zeros(B, N, MAX_WIDTH, T), spans=spans, kept=kept, flat=flat, types=types, mention=draw(B, K),
        vector=nothing, name=nothing, context=nothing, word=nothing, total=nothing, relations=relations, related=nothing,
    ), batch  # fmt: skip


def slowly(scores, batch, threshold, mention_threshold):
    """Mentions {(window, first, last, type)} and relations {(window, subject span, type, object span)}."""
    mentions, relations = set(), set()
    for b in range(B):
        ranked = []
        for k in range(K):
            probability = scores.types[b, k].sigmoid()
            kind = int(probability.argmax())
            anything = float(scores.mention[b, k].sigmoid())
            if scores.kept[b, k] and (probability[kind] >= mention_threshold or anything >= HOPED):
                named = max(float(probability[kind]), anything)
                ranked.append((RULE_ORDER if batch.by_rule[kind] else named, k, kind))
        chosen = []
        for _, k, kind in sorted(ranked, key=lambda row: (-row[0], row[1])):
            s, e = scores.spans[b, k].tolist()
            if all(e < scores.spans[b, o, 0] or scores.spans[b, o, 1] < s for o, _ in chosen):
                chosen.append((k, kind))
                mentions.add((b, s, e, kind))

        def may(k, allowed, r, b=b):
            probability = scores.types[b, k].sigmoid()
            return any(
                allowed[t]
                and p >= POSSIBLE * (POSSIBLE_NEW / POSSIBLE) ** (NOVEL[t] + NOVEL_RELATIONS[r]) * probability.max()
                and p > 0
                for t, p in enumerate(probability.tolist())
            )

        def best(s, o, b=b):
            legal = [
                (float(scores.relations[b, s[0], o[0], r].sigmoid()), -r)
                for r in range(R)
                if may(s[0], batch.domain[r], r) and may(o[0], batch.range[r], r)
            ]
            return max(legal, default=(0.0, 0))

        for s in chosen:
            for o in chosen:
                score, label = best(s, o)
                back = best(o, s)[0]
                wins = score > back or (score == back and s[0] < o[0])
                if s != o and score >= threshold[-label] and wins:
                    spans = [tuple(scores.spans[b, k].tolist()) for k in (s[0], o[0])]
                    relations.add((b, spans[0], -label, spans[1]))
    return mentions, relations


@pytest.mark.parametrize("seed", range(40))
def test_the_decoder_agrees_with_the_obvious_version(seed):
    scores, batch = random_scores(seed)
    hoped = scores.mention.sigmoid() >= HOPED
    found = decode.mentions(scores, by_rule=batch.by_rule, least=torch.tensor(0.4), hoped=hoped)
    pairs, legal = decode.pairs(
        found, domain=batch.domain, range_=batch.range, novel=NOVEL, novel_relations=NOVEL_RELATIONS
    )
    logits = scores.relations[found.rows[pairs[:, 0], 0], found.slot[pairs[:, 0]], found.slot[pairs[:, 1]]]
    linked = decode.relations(logits, pairs, legal, n=len(found.rows), threshold=LEAST)
    rows = [tuple(row) for row in found.rows.tolist()]
    relations = {(rows[s][0], rows[s][1:3], r, rows[o][1:3]) for s, r, o in linked.rows.tolist()}
    assert (set(rows), relations) == slowly(scores, batch, LEAST.tolist(), 0.4)
    assert len(rows) == len(set(rows))
    assert len(found.scores) == len(rows)
    assert (found.alone == (found.scores >= 0.4)).all()
    assert (linked.scores >= LEAST.min()).all()
    assert pairs[decode.turned(pairs, len(rows))].tolist() == pairs.flip(1).tolist()


def test_of_each_window_the_likeliest_pairs_are_read():
    window = torch.tensor([0, 0, 0, 2, 2])
    score = torch.tensor([1.0, 3.0, 2.0, -torch.inf, -5.0])
    assert sorted(decode.likeliest(score, window, 2).tolist()) == [1, 2, 4]
