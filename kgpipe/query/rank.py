"""Query graphs ordered by how well they say what the question says, each with a confidence from 0 to 1.

Hand-set weights over features that hold for any schema: does every edge have words of the question that ask for it, does
every content word have a part of the graph that explains it, does the returned type fit the question word and head noun,
does the direction of the edge fit the grammar, and how near are question and graph as sentence vectors.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from kgpipe.query.link import Linked, Vocabulary, scaled
from kgpipe.query.plan import Planned
from kgpipe.query.words import BE, PREPOSITION, content_stems, stem, words

WEIGHTS = {"support": 0.34, "coverage": 0.22, "type": 0.22, "direction": 0.12, "whole": 0.10}
"""Share of each feature in the score of a graph."""
UNPROVEN = 0.03
"""Taken off a graph that the store does not have: 'no' and zero only when nothing else fits."""
EDGE_COST = 0.02
"""Taken off for each edge."""
DESCRIBED = 0.55
"""What a word counts that stands only in the description of a relation."""

BESIDE = 0.4
"""Share that is left of a likeness in meaning where the very word stands under another relation."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A planned graph, its score, and the features that made it."""

    planned: Planned
    score: float
    features: tuple[tuple[str, float], ...]
    said: str


@dataclass(frozen=True)
class Evidence:
    """How much each content word of a question speaks for each relation and type."""

    content: tuple[int, ...]
    relations: dict[str, np.ndarray]
    types: dict[str, np.ndarray]
    phrases: dict[str, tuple[str, ...]]
    """For each relation and content word, the phrase of the schema that it matched."""
    masked: dict[str, float]
    """Nearness of the whole question, names replaced by types, to each relation."""


def rank(linked: Linked, planned: list[Planned], known: Vocabulary, *, most: int = 8) -> list[Ranked]:
    """The graphs, best first; sentence vectors are made only for the few whose place they can change."""
    if not planned:
        return []
    evidence = weigh(linked, known)
    drafts = [(p, features(p, linked, evidence, known)) for p in planned]
    drafts.sort(key=lambda d: (-_score(d[0], d[1] | {"whole": 0.5}), d[0].graph.uid))
    best = _score(drafts[0][0], drafts[0][1] | {"whole": 0.5})
    drafts = [d for d in drafts[:most] if _score(d[0], d[1] | {"whole": 0.5}) >= best - WEIGHTS["whole"]]
    texts = [said(p, known) for p, _ in drafts]
    vectors = known.vectors([linked.question[:1000], *texts])
    near = vectors[1:] @ vectors[0]
    ranked = []
    for (graph, found), text, cosine in zip(drafts, texts, near, strict=True):
        found["whole"] = scaled(float(cosine), 0.2, 0.9)
        ranked.append(Ranked(graph, _score(graph, found), tuple((k, round(v, 3)) for k, v in found.items()), text))
    return sorted(ranked, key=lambda r: (-r.score, len(r.planned.graph.edges), r.planned.graph.uid))


def _score(planned: Planned, found: dict[str, float]) -> float:
    score = sum(weight * found[name] for name, weight in WEIGHTS.items())
    score *= 0.6 + 0.4 * found["names"]
    score *= 0.5 + 0.5 * min(1.0, found["least"] / 0.5)  # an edge or word that nothing speaks for spoils the whole
    score *= 0.5 + 0.5 * found["known"]  # what is said of others is no answer about somebody unknown
    score *= 0.55 + 0.45 * min(1.0, found["type"] / 0.4)  # a date does not answer "who"
    score -= EDGE_COST * max(0, len(planned.graph.edges) - 1) + UNPROVEN * (not planned.proven)
    return round(max(0.0, score), 4)


def weigh(linked: Linked, known: Vocabulary) -> Evidence:
    """The evidence of a question's words for every relation and type of the schema."""
    content = linked.content
    units = [linked.words[i] for i in content]
    texts = []
    for i, word in zip(content, units, strict=True):
        after = linked.words[i + 1].lower if i + 1 < len(linked.words) else ""
        texts += [word.lower, f"{word.lower} {after}" if after in PREPOSITION else word.lower]
    stems = {w.stem for w in units}
    lowered = [w.lower for w in linked.words]
    pairs = set(itertools.pairwise(lowered))
    masked = _masked(linked, known)
    vectors = known.vectors([masked, *texts])
    relations, matched, whole, literal = {}, {}, {}, {}
    for name in known.relations:
        phrases = known.relation_phrases[name]
        table = known.vectors(phrases)
        soft = np.zeros((len(units), len(phrases)))
        if units:
            soft = np.maximum(vectors[1::2] @ table.T, vectors[2::2] @ table.T)
            soft = 0.9 * np.clip((soft - 0.4) / 0.4, 0, 1)
        described = set(content_stems(known.schema.relations[name].description)) - _types_words(known, name)
        for w, word in enumerate(units):
            for p, phrase in enumerate(phrases):
                inside = content_stems(phrase)
                if word.stem in inside:
                    share = sum(s in stems for s in inside) / len(inside)
                    exact = 0.55 + 0.45 * share + _preposition(phrase, content[w], linked, pairs)
                    soft[w, p] = max(soft[w, p], min(1.0, exact))
            if word.stem in described:
                soft[w, 0] = max(soft[w, 0], DESCRIBED)
        literal[name] = [any(w.stem in content_stems(p) for p in phrases) or w.stem in described for w in units]
        relations[name] = soft.max(1)
        matched[name] = tuple(phrases[p] for p in soft.argmax(1))
        whole[name] = float((known.vectors(known.said[name]) @ vectors[0]).max())
    types = {}
    for name in known.types:
        phrases = known.type_phrases[name]
        soft = 0.85 * np.clip((vectors[1::2] @ known.vectors(phrases).T - 0.45) / 0.35, 0, 1)
        exact = {s for p in phrases for s in content_stems(p)}
        types[name] = np.array(
            [1.0 if w.stem in exact else row.max() for w, row in zip(units, soft, strict=True)]
        )  # fmt: skip
    # a word that stands in the schema under another relation ("husband" under spouse) does not ask for a similar one
    named = [any(relations[r][w] >= 0.95 for r in relations) for w in range(len(units))]
    for name, scores in relations.items():
        for w in range(len(units)):
            if named[w] and not literal[name][w]:
                scores[w] *= BESIDE
    low, high = min(whole.values(), default=0), max(whole.values(), default=1)
    masked_scores = {name: scaled(value, low, max(high, low + 1e-6)) for name, value in whole.items()}
    return Evidence(content, relations, types, matched, masked_scores)


def _types_words(known: Vocabulary, relation: str) -> set[str]:
    """Stems that name the ends of a relation; in a description they say nothing about the relation itself."""
    ends = (*known.schema.relations[relation].domain, *known.schema.relations[relation].range)
    return {s for e in ends for p in known.type_phrases[e] for s in content_stems(p)} | {"subject", "object"}


def _preposition(phrase: str, position: int, linked: Linked, pairs: set[tuple[str, str]]) -> float:
    """A little for `worked at` where the question says so, less where it says another preposition."""
    last = phrase.split()[-1]
    after = linked.words[position + 1].lower if position + 1 < len(linked.words) else ""
    if last not in PREPOSITION or after not in PREPOSITION:
        return 0.0
    return 0.05 if last == after else -0.12


def _masked(linked: Linked, known: Vocabulary) -> str:
    """The question with the names of entities replaced by their types."""
    replaced = {}
    for span in linked.entities:
        label = known.schema.entities[span.candidates[0].type].label if span.candidates[0].type else "it"
        replaced[span.start] = (span.end, label)
    for value in linked.values:
        replaced[value.start] = (value.end, value.kind)
    out, i = [], 0
    while i < len(linked.words):
        if i in replaced:
            end, label = replaced[i]
            out.append(label)
            i = max(end, i + 1)
        else:
            out.append(linked.words[i].lower)
            i += 1
    return " ".join(out) or "question"


def features(planned: Planned, linked: Linked, evidence: Evidence, known: Vocabulary) -> dict[str, float]:
    """The features of one graph, each 0 to 1."""
    graph, schema = planned.graph, known.schema
    n_words = len(evidence.content)
    supports, assigned = _assigned(planned, linked, evidence, known)
    support = sum(supports) / len(supports) if supports else 1.0
    covered = np.zeros(n_words)
    for number, (_, relation, _) in enumerate(graph.edges):
        mine = evidence.relations[relation].copy()
        for w in range(n_words):  # a word that asks for another edge does not count twice
            if assigned[number] != w and w in assigned:
                mine[w] = min(mine[w], 0.5) if mine[w] < 0.9 else mine[w]
        covered = np.maximum(covered, mine)
    for types in (*planned.types, *((n.type,) for n in graph.nodes)):
        for t in types:
            for family in schema.ancestors(t):
                if family in evidence.types:
                    covered = np.maximum(covered, evidence.types[family])
            if t and linked.types:
                covered = np.maximum(covered, _typed(evidence, linked, t, known))
    for w, i in enumerate(evidence.content):  # the head noun is answered for by the fit of the returned type
        if linked.head[0] <= i < linked.head[1]:
            covered[w] = max(covered[w], 0.8 * _fit(planned, linked, known))
    coverage = float(covered.mean()) if n_words else 1.0
    least = min([*supports, *(float(c) + 0.15 for c in covered), 1.0])
    return {
        "support": support,
        "coverage": coverage,
        "type": _fit(planned, linked, known),
        "direction": _direction(planned, linked, evidence, assigned, known),
        "names": planned.name_score,
        "least": least,
        "known": 0.0 if linked.unknown or linked.beyond else 1.0,
    }


def _typed(evidence: Evidence, linked: Linked, entity_type: str, known: Vocabulary) -> np.ndarray:
    """Words of type spans of the family of a type in the graph are explained by it."""
    out = np.zeros(len(evidence.content))
    for span in linked.types:
        if known.schema.family(span.type) == known.schema.family(entity_type):
            exact = span.type in known.schema.ancestors(entity_type)
            for w, i in enumerate(evidence.content):
                if span.start <= i < span.end:
                    out[w] = 1.0 if exact else 0.8
    return out


def _assigned(
    planned: Planned, linked: Linked, evidence: Evidence, known: Vocabulary
) -> tuple[list[float], list[int]]:  # fmt: skip
    """For each edge how much its own word speaks for it, and which word (index into the content, -1 for none).

    Each word asks for one edge; edges of the same relation (`both A and B received`) share one.
    """
    edges = planned.graph.edges
    if not edges:
        return [], []
    groups = _together(planned)
    options = []
    for relation, _ in groups:
        scores = evidence.relations[relation]
        options.append([-1, *(int(w) for w in np.argsort(-scores)[:4] if scores[w] > 0)])
    best_total, best = -1.0, (-1,) * len(groups)
    for choice in itertools.product(*options):
        used = [w for w in choice if w >= 0]
        if len(set(used)) < len(used):
            continue
        total = sum(
            _support(relation, w, planned, linked, evidence, known)
            for (relation, _), w in zip(groups, choice, strict=True)
        )
        if total > best_total:
            best_total, best = total, choice
    chosen = [-1] * len(edges)
    for (_, members), w in zip(groups, best, strict=True):
        for number in members:
            chosen[number] = w
    return [
        _support(r, w, planned, linked, evidence, known) for (_, r, _), w in zip(edges, chosen, strict=True)
    ], chosen


def _together(planned: Planned) -> list[tuple[str, list[int]]]:
    """Edges that one word asks for: of one relation, from several named ends to one node (`both A and B received`)."""
    groups: dict[tuple, list[int]] = {}
    for number, (subject, relation, object_) in enumerate(planned.graph.edges):
        named = [planned.spans[end] >= 0 for end in (subject, object_)]
        if named[0] and not named[1]:
            key = (relation, "object", object_)
        elif named[1] and not named[0]:
            key = (relation, "subject", subject)
        else:
            key = (relation, "object", object_) if all(named) else (relation, "edge", number)
        groups.setdefault(key, []).append(number)
    return [(key[0], members) for key, members in groups.items()]


def _support(name: str, w: int, planned: Planned, linked: Linked, evidence: Evidence, known: Vocabulary) -> float:
    """How much a word speaks for a relation, with a share for the nearness of the whole question."""
    whole = evidence.masked[name]
    if w < 0:  # "Where is IBM?", "IBM's machines": only question word and types ask for the relation
        returned = planned.types[planned.graph.returns]
        asked = max((dict(linked.asks).get(t, 0.0) for t in returned), default=0.0)
        return (
            0.45 * whole * asked
            if linked.asker in ("where", "when") or linked.head[1] > linked.head[0]
            else 0.25 * whole
        )
    return 0.85 * float(evidence.relations[name][w]) + 0.15 * whole


def _fit(planned: Planned, linked: Linked, known: Vocabulary) -> float:
    """How well the returned node fits the question word and head noun."""
    graph = planned.graph
    node = graph.nodes[graph.returns]
    if graph.output == "exists":
        return 1.0
    if node.uid or node.operator:
        return 0.0  # what is given is not asked for
    asks = dict(linked.asks)
    types = (node.type,) if node.type else planned.types[graph.returns]
    # most of what is there must fit, not only one stray
    return sum(asks.get(t, 0.3) for t in types) / len(types) if types else 0.3


def said(planned: Planned, known: Vocabulary) -> str:
    """The graph in words: for a returned node 'person: person designed ENIAC; person educated at university'."""
    graph, schema = planned.graph, known.schema

    def name(index: int) -> str:
        node = graph.nodes[index]
        if node.name:
            words_ = {"<": "before ", ">": "after "}.get(node.operator, "")
            return words_ + node.name
        types = (node.type,) if node.type else planned.types[index]
        labels = [schema.entities[t].label for t in types if t]
        return " or ".join(labels[:2]) or "thing"

    parts = [f"{name(s)} {schema.relations[r].label} {name(o)}" for s, r, o in graph.edges]
    if not parts:
        parts = [
            f"{graph.nodes[0].name} is a {schema.entities[graph.nodes[0].type].label}"
            if graph.nodes[0].uid
            else name(0)
        ]
    start = {"count": "number of ", "exists": "whether "}.get(graph.output, "")
    asked = "" if graph.output == "exists" else f"{name(graph.returns)}: "
    return f"{start}{asked}{'; '.join(parts)}"


def _direction(
    planned: Planned, linked: Linked, evidence: Evidence, assigned: list[int], known: Vocabulary
) -> float:  # fmt: skip
    """1 where grammar and direction of all edges agree, 0 where they contradict, 0.5 where grammar does not tell.

    Only edges that could run either way by schema are judged.
    """
    schema, graph = known.schema, planned.graph
    verdicts = []
    for number, (subject, name, object_) in enumerate(graph.edges):
        relation = schema.relations[name]
        if relation.symmetric or not relation.domain or not relation.range:
            continue
        families = [{schema.family(t) for t in side} for side in (relation.domain, relation.range)]
        if not families[0] & families[1] or assigned[number] < 0:
            continue
        near = _nearest_anchor(planned, subject, object_)
        if near is None:
            continue
        end, position = near
        places = _places(linked, planned, position)
        if places is None:
            continue
        wanted = anchor_is_subject(linked, evidence.content[assigned[number]], places,
                                   evidence.phrases[name][assigned[number]], relation.inverse)  # fmt: skip
        if wanted is not None:
            verdicts.append(1.0 if wanted == (end == subject) else 0.0)
    return sum(verdicts) / len(verdicts) if verdicts else 0.8


def _nearest_anchor(planned: Planned, subject: int, object_: int) -> tuple[int, int] | None:
    """(end of the edge, node of the anchor) where that end is an anchor, or leads to one without crossing the edge."""
    for end in (subject, object_):
        if planned.spans[end] >= 0:
            return end, end
    for end, other in ((subject, object_), (object_, subject)):
        for a, _, b in planned.graph.edges:
            if {a, b} != {subject, object_} and end in (a, b):
                far = b if a == end else a
                if far != other and planned.spans[far] >= 0:
                    return end, far
    return None


def _places(linked: Linked, planned: Planned, node: int) -> tuple[int, int] | None:
    """Words [start, end) of the span that a node stands for."""
    number = planned.spans[node]
    spans = (*linked.entities, *linked.values)
    return (spans[number].start, spans[number].end) if 0 <= number < len(spans) else None


def anchor_is_subject(
    linked: Linked, verb: int, span: tuple[int, int], phrase: str, inverse: str, acts: bool | None = None
) -> bool | None:
    """Whether the grammar makes the named entity the subject of the relation; None when it does not tell.

    `verb` is the index of the word that asks for the relation, `phrase` the label or synonym that it matched; `acts` says
    whether the named entity is who acts, where that is known.
    """
    found = linked.words
    word = found[verb].lower
    before = found[verb - 1] if verb else None
    after = found[verb + 1].lower if verb + 1 < len(found) else ""
    subject_acts, noun_is_subject = _reading(phrase, inverse)
    of_entity = after == "of" and span[0] > verb
    possessed = before is not None and before.possessive and span[1] == verb
    if (of_entity or possessed) and not is_participle(word):
        if noun_is_subject is None:
            return not word.endswith(("er", "or", "ers", "ors")) if subject_acts else None
        return not noun_is_subject
    if subject_acts is None:
        return None
    lower = [w.lower for w in found]
    by_after = after == "by"
    passive = by_after or (
        is_participle(word) and any(w in BE for w in lower[:verb]) and not {"did", "does", "do"} & set(lower[:verb])
    )
    if acts is not None:
        pass
    elif passive:
        acts = (
            lower[span[0] - 1 : span[0]] == ["by"] or "by" in lower[max(verb, span[0] - 2) : span[0]] and span[0] > verb
        )
    elif span[0] > verb:
        acts = False
    else:
        acts = True
    return acts == subject_acts


def is_participle(word: str) -> bool:
    """Whether a word in lower case looks like a past participle."""
    return word.endswith("ed") or (stem(word) != word and word.endswith(("n", "t")) and not word.endswith("ment")) or word in (
        "made", "won", "led", "sold", "held", "known"
    )  # fmt: skip


def _reading(phrase: str, inverse: str) -> tuple[bool | None, bool | None]:
    """(whether the subject of the relation acts, whether a noun phrase `N of` names the subject) for one phrase of it."""
    tokens = [w.lower for w in words(phrase)]
    if not tokens:
        return None, None
    flipped = bool(inverse) and phrase == inverse.replace("_", " ").lower()
    if tokens[-1] == "by":
        acts = False
    elif tokens[-1] == "of" and not is_participle(tokens[0]):
        return None, not flipped
    elif is_participle(tokens[0]) and (len(tokens) == 1 or tokens[-1] not in PREPOSITION):
        acts = True
    elif flipped and len(tokens) == 1:
        acts = True
    elif len(tokens) > 1 and tokens[-1] in PREPOSITION:
        return (not flipped), None
    else:
        return None, flipped
    return (not acts if flipped else acts), None


def readings(ranked: list[Ranked], linked: Linked) -> list[Ranked]:
    """The best graph, and those that differ from it only in which thing of one name the question speaks of.

    A thing that another one's name names less surely, or whose graph says the question less well, is not meant: then
    grammar or type decided.
    """
    if not ranked:
        return []
    best = ranked[0]
    candidates = {c.uid: c for span in linked.entities for c in span.candidates}
    together = [best]
    for other in ranked[1:]:
        if other.score < best.score - ALIKE or _shape(other) != _shape(best):
            continue
        if any(_meant(other) == _meant(one) for one in together):
            continue
        nodes = zip(best.planned.graph.nodes, other.planned.graph.nodes, strict=True)
        pairs = [(candidates[a.uid], candidates[b.uid]) for a, b in nodes if a.uid and a.uid != b.uid]
        # "No" for everybody of a family name is no answer about the one who is meant
        whole = best.planned.graph.output != "exists" or all(b.whole for _, b in pairs)
        if whole and all(a.rivals(b) for a, b in pairs):
            together.append(other)
    return together[:MOST_READINGS]


ALIKE = 0.06
"""How much less well a graph may say the question and still be a reading of it."""
MOST_READINGS = 4


def _meant(ranked: Ranked) -> list[tuple[str, str]]:
    return [(n.uid, n.value) for n in ranked.planned.graph.nodes]


def _shape(ranked: Ranked) -> tuple:
    """The graph without what its names and values stand for, and without types, of which one thing may have fewer around it."""
    graph = ranked.planned.graph
    nodes = tuple(
        (n.operator, span if n.uid or n.operator else -1)
        for n, span in zip(graph.nodes, ranked.planned.spans, strict=True)
    )
    return nodes, graph.edges, graph.returns, graph.output


def confidence(ranked: list[Ranked]) -> float:
    """How sure the best graph is, lowered when a different graph is nearly as good."""
    if not ranked:
        return 0.0
    best = ranked[0].score
    margin = best - ranked[1].score if len(ranked) > 1 else 0.2
    return round(best * (1 - 0.15 * math.exp(-margin / 0.02)), 4)
