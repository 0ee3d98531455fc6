"""The guard: a Cypher text runs only when the server's own plan says that it reads, by operators that are known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kgpipe.errors import QueryRefused, StoreError

if TYPE_CHECKING:
    from kgpipe.graph.store import Store

TIMEOUT_S = 10.0
MOST_ROWS = 10_000
MOST_HOPS = 8
"""Upper bound of a variable-length expansion that is let through."""
LONGEST = 3_000
"""Characters of a Cypher text."""
MOST_DEPTH = 20
"""Brackets that may be open at once: the server's parser takes minutes for hundreds, and then falls over."""

FIRST = frozenset(("MATCH", "OPTIONAL", "WITH", "UNWIND", "RETURN"))
"""What a text may begin with; EXPLAIN, PROFILE and CYPHER would turn our own EXPLAIN into something else, USE leaves the database."""

OPERATORS = frozenset(
    """
    AllNodesScan AntiSemiApply Apply Argument AssertSameNode AssertSameRelationship CacheProperties CartesianProduct
    ConditionalApply DirectedAllRelationshipsScan DirectedRelationshipByElementIdSeek DirectedRelationshipIndexContainsScan
    DirectedRelationshipIndexEndsWithScan DirectedRelationshipIndexScan DirectedRelationshipIndexSeek
    DirectedRelationshipTypeScan DirectedUnionRelationshipTypesScan Distinct Eager EagerAggregation EmptyRow
    Expand(All) Expand(Into) Filter IntersectionNodeByLabelsScan LetAntiSemiApply LetSelectOrAntiSemiApply LetSelectOrSemiApply
    LetSemiApply Limit MultiNodeIndexSeek NodeByElementIdSeek NodeByLabelScan NodeCountFromCountStore NodeHashJoin
    NodeIndexContainsScan NodeIndexEndsWithScan NodeIndexScan NodeIndexSeek NodeIndexSeekByRange NodeUniqueIndexSeek
    NodeUniqueIndexSeekByRange Optional OptionalExpand(All) OptionalExpand(Into) OrderedAggregation OrderedDistinct
    OrderedUnion PartialSort PartialTop PartitionedAllNodesScan PartitionedNodeByLabelScan PartitionedUnwind ProduceResults
    ProjectEndpoints Projection RelationshipCountFromCountStore RollUpApply SelectOrAntiSemiApply SelectOrSemiApply SemiApply
    Skip Sort SubtractionNodeByLabelsScan Top Top1WithTies UndirectedAllRelationshipsScan
    UndirectedRelationshipIndexContainsScan UndirectedRelationshipIndexEndsWithScan UndirectedRelationshipIndexScan
    UndirectedRelationshipIndexSeek UndirectedRelationshipIndexSeekByRange DirectedRelationshipIndexSeekByRange
    UndirectedRelationshipTypeScan UndirectedUnionRelationshipTypesScan Union UnionNodeByLabelsScan Unwind ValueHashJoin
    LeftOuterHashJoin RightOuterHashJoin TriadicSelection TriadicBuild TriadicFilter ExhaustiveLimit
    DirectedRelationshipUniqueIndexSeek UndirectedRelationshipUniqueIndexSeek
    """.split()
)
"""Operators that only read the graph; what is not here (LoadCSV, ProcedureCall, Show…, Terminate…, writes) is refused."""
EXPANSIONS = frozenset(("VarLengthExpand(All)", "VarLengthExpand(Into)", "VarLengthExpand(Pruning)",
                        "VarLengthExpand(Pruning,BFS,All)", "VarLengthExpand(Pruning,BFS,Into)",
                        "ShortestPath"))  # fmt: skip

FUNCTIONS = frozenset(
    """
    abs acos all any asin atan atan2 avg ceil char_length character_length coalesce collect cos count cot date
    date.truncate datetime datetime.truncate degrees duration duration.between duration.indays duration.inmonths
    duration.inseconds elementid endnode exists exp floor haslabels head id isempty isnan keys labels last left length
    localdatetime localtime log log10 lower ltrim max min nodes none nullif percentilecont percentiledisc pi point
    point.distance point.withinbbox properties radians relationships right round rtrim sign sin single size sqrt
    startnode stdev stdevp substring sum tail tan time toboolean tobooleanornull tofloat tofloatornull tointeger
    tointegerornull tolower tostring tostringornull toupper trim type upper valuetype
    """.split()
)
"""Functions that take time in proportion to what they are given; range, reduce, replace and split can ask for any amount."""
_BEFORE_BRACKET = frozenset(
    "match where and or xor not in with return unwind by when then else case distinct limit skip call union as on contains "
    "shortestpath allshortestpaths optional starts ends is order set foreach yield".split()
)
MOST_PLUS = 8
"""Additions in one text: each may double a string or list."""

_IGNORED = re.compile(r"\s+|//[^\n]*(?:\n|$)|/\*.*?\*/", re.DOTALL)
_QUOTED = re.compile(r"`(?:[^`]|``)*`|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
QUOTED_OR_COMMENT = re.compile(rf"//[^\n]*|/\*.*?\*/|{_QUOTED.pattern}", re.DOTALL)
_CALLED = re.compile(r"([^\W\d][\w.]*|``)\s*\(")
_BRACKETS = re.compile(r"[(\[{](\s*(?:\w+|``)\s+IN\b)?|[)\]}]", re.IGNORECASE)
_NESTING = {
    "NOT": re.compile(r"\bNOT\b", re.IGNORECASE),
    "CASE": re.compile(r"\bCASE\b", re.IGNORECASE),
    "UNION": re.compile(r"\bUNION\b", re.IGNORECASE),
    "a relationship": re.compile(r"-\s*\[|--"),
}
_BOUNDED = re.compile(r"\*\d*\.\.(\d+)|\*(\d+)(?!\d*\.\.)")


def check(cypher: str, params: dict[str, Any], store: Store) -> None:
    """Raises QueryRefused, naming the operator or clause, unless the text only reads and is bounded.

    The text is explained, never run: the server's parser is the judge, so no trick of spelling gets past it. Before that
    `_check_work` refuses expressions that could keep the server busy in one step, where no time limit ends them, some of
    them already while it plans.
    """
    if len(cypher) > LONGEST:
        raise QueryRefused(
            f"The query has {len(cypher)} characters; at most {LONGEST} are let through. Make it shorter."
        )
    _check_work(cypher)
    first = first_word(cypher)
    if first not in FIRST:
        raise QueryRefused(
            f'The query begins with "{first}"; it may begin with {", ".join(sorted(FIRST))}. Write one reading query.'
        )
    try:
        plan = store.explain(cypher, params)
    except StoreError as error:
        raise QueryRefused(f"The query is not let through: {error}") from error
    if plan.kind != "r":
        raise QueryRefused(
            f'The query is of kind "{plan.kind}"; only "r" (reading) is let through. Leave out what writes.'
        )
    if not plan.tree:
        raise QueryRefused(
            "The server gave no plan for the query, so nothing says that it only reads. Write a MATCH query."
        )
    for operator, details in _operators(plan.tree):
        if operator in EXPANSIONS:
            _check_bound(operator, details)
        elif operator not in OPERATORS:
            raise QueryRefused(
                f"The query needs the operator {operator}, which is not let through; reading, filtering, "
                "expanding, joining, sorting and counting are. Leave out the clause that needs it."
            )


def run(
    cypher: str, params: dict[str, Any], store: Store, *, timeout_s: float = TIMEOUT_S, max_rows: int = MOST_ROWS
) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of a query that the guard lets through, from a READ session with time limit and row cap."""
    check(cypher, params, store)
    return store.read(cypher, params, timeout_s=timeout_s, max_rows=max_rows)


def first_word(cypher: str) -> str:
    """The first word of a text after white space and comments, in capitals."""
    place = 0
    while match := _IGNORED.match(cypher, place):
        place = match.end()
    word = re.match(r"[A-Za-z]+(?![\w\\])", cypher[place:])
    return word.group().upper() if word else cypher[place : place + 12]


def _check_work(cypher: str) -> None:
    """Refuses what computes without bound inside one row: neither limit of time nor of memory reaches into it."""
    if re.search(r"\\u", cypher, re.IGNORECASE):
        raise QueryRefused(
            "The query spells characters as \\u escapes, which hide what it says. Write the characters themselves."
        )
    bare = QUOTED_OR_COMMENT.sub(lambda found: " " if found[0][0] == "/" else "``", cypher)
    if "=~" in bare:
        raise QueryRefused("The query compares by regular expression (=~), which can take for ever. Use CONTAINS.")
    if bare.count("+") > MOST_PLUS:
        raise QueryRefused(f"The query adds more than {MOST_PLUS} times (+). Write fewer additions.")
    for what, pattern in _NESTING.items():
        if len(pattern.findall(bare)) > MOST_DEPTH:
            raise QueryRefused(f"The query has more than {MOST_DEPTH} times {what}. Make it simpler.")
    if re.search(r"(?:\.\s*(?:[^\W\d]\w*|``)\s*){3}", bare):
        raise QueryRefused("The query reads a property of a property of a property. Name one at a time.")
    for name in _CALLED.findall(bare):
        if name.lower() not in FUNCTIONS and name.lower() not in _BEFORE_BRACKET:
            raise QueryRefused(
                f"The query calls {name if name != '``' else 'a name in backticks'}, which is not let through; counting, "
                "comparing, dates and parts of texts are. Leave that function out."
            )
    opened: list[bool] = []
    for bracket in _BRACKETS.finditer(bare):
        if bracket[0][0] in ")]}":
            if opened:
                opened.pop()
            continue
        opened.append(bracket[1] is not None)
        if len(opened) > MOST_DEPTH:
            raise QueryRefused(f"The query nests brackets deeper than {MOST_DEPTH}. Write it flatter.")
        if sum(opened) > 1:
            raise QueryRefused("The query goes through a list inside a list, which can take for ever. Use UNWIND.")


def _operators(tree: dict[str, Any]) -> list[tuple[str, str]]:
    found = [(tree["operatorType"].partition("@")[0], str((tree.get("args") or {}).get("Details", "")))]
    for child in tree.get("children") or ():
        found.extend(_operators(child))
    return found


def _check_bound(operator: str, details: str) -> None:
    # names may hold anything between backticks, a "*..3" too: take them out before looking
    stars = _QUOTED.sub("", details)
    bounds = [int(a or b) for a, b in _BOUNDED.findall(stars)]
    if not bounds or len(bounds) != stars.count("*") or max(bounds) > MOST_HOPS:
        raise QueryRefused(
            f"The query expands paths without an upper bound, or beyond {MOST_HOPS} hops ({operator}: {details.strip()}). "
            f"Write one, like *1..{MOST_HOPS}."
        )
