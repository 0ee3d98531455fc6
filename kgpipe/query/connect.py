"""How two things are connected: the shortest paths between them, over facts of ours or any relationships of others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kgpipe.graph.store import quoted
from kgpipe.query import guard
from kgpipe.schema import Schema

if TYPE_CHECKING:
    from kgpipe.graph.store import Store

MOST_HOPS = 4
"""Facts of the longest path."""
MOST_PATHS = 5
"""Paths between two things that are told."""
MOST_SEEN = 2_000
"""Paths of the shortest length of which the best are chosen."""

_TIED = r"(?:connected|linked|related|tied|associated)"
_TIE = r"(?:connections?|links?|relations?|relationships?|ties?|paths?|chains?)"
_EACH_OTHER = r"(?:\s+(?:to|with)\s+(?:each\s+other|one\s+another))?"
_FORMS = [
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?:how|in what way|in which way)\s+(?:are|is|were|was)\s+(?P<a>.+?)\s+{_TIED}\s+(?:to|with)\s+(?!each other$|one another$)(?P<b>.+)",
        rf"(?:how|in what way|in which way)\s+(?:are|is|were|was)\s+(?P<both>.+?)\s+{_TIED}{_EACH_OTHER}",
        r"how\s+(?:do|does|did)\s+(?P<a>.+?)\s+(?:connect|link|relate)\s+(?:to|with)\s+(?!each other$|one another$)(?P<b>.+)",
        rf"how\s+(?:do|does|did)\s+(?P<both>.+?)\s+(?:connect|link|relate){_EACH_OTHER}",
        r"what\s+(?:connects|links|relates|joins|ties)\s+(?:(?P<a>.+?)\s+(?:to|with)\s+(?P<b>.+)|(?P<both>.+))",
        rf"(?P<whether>(?:are|is|were|was)\s+)(?!there\b)(?P<a>.+?)\s+(?:somehow\s+)?{_TIED}\s+(?:to|with)\s+(?!each other$|one another$)(?P<b>.+)",
        rf"(?P<whether>(?:are|is|were|was)\s+)(?!there\b)(?P<both>.+?)\s+(?:somehow\s+)?{_TIED}{_EACH_OTHER}",
        rf"(?:(?P<whether>(?:is|are|was|were)\s+there)|what\s+(?:is|are|was|were)|what's|show(?:\s+me)?|find|give(?:\s+me)?|tell\s+me)?"
        rf"\s*(?:(?:the|a|an|any|all|some)\s+)?(?:shortest\s+)?{_TIE}\s+"
        r"(?:between\s+(?P<both>.+)|from\s+(?P<a>.+?)\s+to\s+(?P<b>.+))",
    )
]  # fmt: skip
_POLITE = re.compile(r"^(?:and\s+|so\s+|please\s+|can you\s+|could you\s+|do you know\s+)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ends:
    """The ways to read a question as one about what connects two things: pairs of texts."""

    pairs: tuple[tuple[str, str], ...]
    whether: bool
    """Whether yes or no is asked for."""


def ends(question: str) -> Ends | None:
    """The two things whose connection a question asks for; None when it asks for something else."""
    text = _POLITE.sub("", question.strip()).rstrip(" ?!.")
    for form in _FORMS:
        if match := form.fullmatch(text):
            groups = match.groupdict()
            both = groups.get("both")
            pairs = tuple(_halves(both)) if both else ((_bare(groups["a"]), _bare(groups["b"])),)
            pairs = tuple((a, b) for a, b in pairs if a and b)
            if pairs:
                return Ends(pairs, bool(groups.get("whether")))
    return None


def _halves(text: str) -> Iterator[tuple[str, str]]:
    """The text cut at each `and`."""
    text = re.sub(r"^both\s+", "", text, flags=re.IGNORECASE)
    for cut in re.finditer(r"\s*,?\s+(?:and|&)\s+", text, re.IGNORECASE):
        yield _bare(text[: cut.start()]), _bare(text[cut.end() :])


def _bare(text: str) -> str:
    return text.strip(" ,.\"'“”")


@dataclass(frozen=True, slots=True)
class Shape:
    """How the nodes of a graph are found, named and linked, as Cypher with `{n}` and `{r}` for node and relationship."""

    node: str
    """A pattern and condition for a node by its key `{key}`."""
    key: str
    name: str
    relations: tuple[str, ...] = ()
    """The relationship types to go over; empty for all."""
    fact: str = "elementId({r})"
    weight: str = "0.0"
    """What counts for a relationship beside the unconnectedness of its ends."""
    more: str = ""
    """Further entries of the map of a fact, each with a comma before it."""


def own_shape(schema: Schema) -> Shape:
    """The shape of graphs that kgpipe built: its facts between entities."""
    literals = set(schema.literal_types().values())
    relations = tuple(
        r.name for r in schema.relations.values() if r.stored == "relationship" and not set(r.range) & literals
    )
    return Shape(
        node="({n}:Entity {{uid: {key}}})",
        key="{n}.uid",
        name="coalesce({n}.name, {n}.text)",
        relations=relations,
        fact="{r}.uid",
        weight="log({r}.support)",
        more=", support: {r}.support, score: {r}.score, sentence: {r}.sentence, source: {r}.source",
    )


def paths_cypher(shape: Shape) -> str:
    """The query for the shortest paths of each of `$pairs`, best first, as (pair, path: the list of its facts).

    Of paths through the same nodes one is told. Among paths of the same length those are better whose nodes have fewer relationships (two people born in one
    village say more than two of one country) and whose facts are said more often.
    """
    types = "|".join(quoted(name) for name in shape.relations)
    name = {n: shape.name.replace("{n}", n) for n in ("s", "o")}
    key = {n: shape.key.format(n=n) for n in ("s", "o")}
    a, b = (shape.node.format(n=n, key=f"pair[{i}]") for i, n in enumerate("ab"))
    fact = (
        f"{{uid: {shape.fact.format(r='r')}, subject_uid: {key['s']}, subject: {name['s']}, relation: type(r), "
        f"object_uid: {key['o']}, object: {name['o']}{shape.more.format(r='r')}}}"
    )
    return (
        "UNWIND $pairs AS pair\n"
        f"MATCH {a}\nMATCH {b}\n"
        "CALL (a, b) {\n"
        f"  MATCH p = allShortestPaths((a)-[{':' if types else ''}{types}*..{MOST_HOPS}]-(b))\n"
        f"  WITH p LIMIT {MOST_SEEN}\n"
        "  UNWIND relationships(p) AS r\n"
        "  WITH p, r, startNode(r) AS s, endNode(r) AS o\n"
        f"  WITH nodes(p) AS through, sum(log(COUNT {{ (s)--() }}) + log(COUNT {{ (o)--() }}) - {shape.weight.format(r='r')}) AS cost,\n"
        f"       collect({fact}) AS path, p\n"
        "  WITH through, path, cost ORDER BY cost, path[0].uid, path[-1].uid\n"
        "  WITH through, head(collect(path)) AS path, min(cost) AS cost\n"
        f"  RETURN path, cost ORDER BY cost, path[0].uid, path[-1].uid LIMIT {MOST_PATHS}\n"
        "}\n"
        "RETURN path, pair"
    )


def paths(
    pairs: Sequence[tuple[str, str]], shape: Shape, store: Store
) -> tuple[str, dict[str, Any], list[str], list[list[Any]]]:  # fmt: skip
    """Cypher, parameters, columns and rows of the shortest paths between the nodes of each pair of keys."""
    cypher, params = paths_cypher(shape), {"pairs": [list(pair) for pair in pairs]}
    columns, rows = guard.run(cypher, params, store)
    return cypher, params, columns, rows


def arrows(path: Sequence[dict[str, Any]], start: str) -> str:
    """A path as `A -[FOUNDED]-> B <-[WORKED_FOR]- C`, from the node with key `start`."""
    here, out = start, ""
    for fact in path:
        forward = fact["subject_uid"] == here
        near, far = ("subject", "object") if forward else ("object", "subject")
        out += "" if out else str(fact[near])
        out += f" -[{fact['relation']}]-> {fact[far]}" if forward else f" <-[{fact['relation']}]- {fact[far]}"
        here = fact[f"{far}_uid"]
    return out


def told(
    named: Sequence[tuple[tuple[str, str], tuple[str, str]]], rows: Sequence[Sequence[Any]], *, whether: bool = False
) -> str:  # fmt: skip
    """The paths in words; `named` holds for each pair its keys and what its two ends are to be called."""
    found: dict[tuple[str, str], list[list[dict[str, Any]]]] = {}
    for path, pair in rows:
        found.setdefault(tuple(pair), []).append(path)
    if not found:
        (_, (a, b)), *_ = named
        return f"{'No: no' if whether else 'No'} path of at most {MOST_HOPS} facts leads from {a} to {b}."
    lines = []
    for keys, (a, b) in named:
        if keys in found:
            n_paths, n_facts = len(found[keys]), len(found[keys][0])
            lines.append(
                f"{a} and {b}: {n_paths} shortest path{'s' * (n_paths > 1)} of {n_facts} fact{'s' * (n_facts > 1)}."
            )
            lines += [f"  {arrows(path, keys[0])}" for path in found[keys]]
    return ("Yes. " if whether else "") + "\n".join(lines)
