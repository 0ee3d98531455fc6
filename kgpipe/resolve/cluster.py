"""Names to clusters: links in one document, then across documents, joined where nothing speaks against it.

Everything is a pure function of the names present and the user's decisions: inputs are sorted first, links are
taken strongest first, ties by content.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from kgpipe import names
from kgpipe.resolve import block, score
from kgpipe.resolve.review import Decisions

MOST_BY_CHANCE, MANY_DOCUMENTS = 3, 50
"""Initials of so many letters fit some name or other where there are so many documents: CBS and Carey Business School."""
DOUBTFUL = 0.7
"""Score of a bare name and one with an owner in front, where the bare one may be that of something larger."""
MOST_DOUBTFUL = 3
"""Candidates for one short form that are put to the user; among thirty Smiths nobody chooses from a list."""

_Documents = dict[tuple[str, str], set[str]]
"""(family, name) to the documents in which the name stands."""


@dataclass(frozen=True, slots=True)
class Name:
    """All mentions in one document that write one name and have types of one family."""

    document: str
    family: str
    name: str
    """Normalised; `surface` is how the document mostly writes it."""
    surface: str
    surfaces: tuple[tuple[str, int], ...]
    """How often it is written so; 0 for a name that the text gives beside it and the extractor has not marked."""
    mentions: tuple[str, ...]
    types: tuple[tuple[str, float], ...]
    person: bool = False
    place: bool = False
    titled: bool = False
    """Whether the document's title holds the name."""
    title: str = ""
    """The title, where it is itself the name of this person."""
    places: tuple[int, ...] = ()
    """Where its mentions begin in the document, in order."""
    functional: tuple[tuple[str, str], ...] = ()
    """(functional relation, value) said of it; `neighbours`: (relation, name at the other end)."""
    neighbours: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """Two names, by index, and why they are one thing's; `shortens` where the first is a short form of the second."""

    a: int
    b: int
    score: float
    reason: str
    decided_by: str = "rule"
    shortens: bool = False
    stated: bool = False
    """Whether the text or the user says so, which outweighs what names and facts look like."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """The result: cluster of every name (by index), the links that joined them, and those that wait for a decision."""

    label: tuple[int, ...]
    links: tuple[Link, ...]
    review: tuple[Link, ...]
    short: frozenset[int]
    """Names that are only a short form of another one in their cluster."""


def resolve(found: Sequence[Name], decisions: Decisions, explicit: Sequence[Link] = ()) -> Clusters:
    """Clusters of the names, which must be in sorted order; `explicit` are links that a text states itself."""
    state = _State(found, decisions)
    state.join_all(_must_links(found, decisions))
    state.join_all(explicit)
    by_document: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(found):
        by_document[name.document].append(index)
    inside = [link for members in by_document.values() for link in _same_links(found, members)]
    state.join_all(inside)
    documents = _documents(found)
    shorter = [link for members in by_document.values() for link in _document_short_links(found, members, documents)]
    state.absorb([link for link in shorter if not _lone(found[link.a])], nearby=True)
    state.absorb([link for link in shorter if _lone(found[link.a])], nearby=True)
    state.join_across(_same_links(found, state.representatives()))
    across = _short_links(found, state, documents)
    state.absorb([link for link in across if not _lone(found[link.a])], nearby=False)
    state.absorb([link for link in across if _lone(found[link.a])], nearby=False)
    return state.clusters()


def _lone(name: Name) -> bool:
    """Whether it is a surname or a given name alone, which waits until it is known who the full names are."""
    return name.person and not names.person(name.surface).full


def _must_links(found: Sequence[Name], decisions: Decisions) -> list[Link]:
    links = []
    for pair in decisions.must_link:
        members = [i for i, n in enumerate(found) if any(key.matches(n.name, n.family) for key in pair)]
        links += [Link(members[0], other, 1.0, "decided", "user", stated=True) for other in members[1:]]
    return links


def _same_links(found: Sequence[Name], members: Sequence[int]) -> list[Link]:
    items = [(i, found[i].family, block.keys_of_same(found[i].surface, person=found[i].person)) for i in members]
    links = []
    for a, b in block.stars(items):
        value, reason = score.same(found[a].surface, found[b].surface, person=found[a].person)
        if value:
            links.append(Link(a, b, value, reason))
    return links


def _owners(found: Sequence[Name], members: Iterable[int]) -> dict[str, set[str]]:
    """Names to the families that have them: what may stand before another thing's name."""
    owners: dict[str, set[str]] = defaultdict(set)
    for i in members:
        owners[found[i].name].add(found[i].family)
    return owners


def _document_short_links(found: Sequence[Name], members: Sequence[int], documents: _Documents) -> list[Link]:
    """Links inside one document, which is small enough for its names of one family to meet by key."""
    known = _owners(found, members)
    return _compared(found, members, members, known, documents, nearby=True)


def _short_links(found: Sequence[Name], state: _State, documents: _Documents) -> list[Link]:
    members = list({(state.root(i), found[i].name): i for i in reversed(state.representatives())}.values())
    known = _owners(found, range(len(found)))
    links = _compared(found, members, members, known, documents, nearby=False)
    # A name by which another document calls a longer one short: the agency ARPA, introduced elsewhere.
    first: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i in sorted(state.short):
        if not found[i].person:
            first[found[i].family, found[i].name].append(i)
    for i in members:
        if not found[i].person:
            links += [
                Link(i, other, 0.9, "called so in another document", shortens=True)
                for other in first.get((found[i].family, found[i].name), ())
            ]
    return links


def _compared(
    found: Sequence[Name],
    short: Iterable[int],
    long: Iterable[int],
    known: dict[str, set[str]],
    documents: _Documents,
    *,
    nearby: bool,
) -> list[Link]:
    def items(members: Iterable[int], keys: Callable[..., frozenset[str]]) -> list[block.Item]:
        return [(i, found[i].family, keys(found[i].surface, person=found[i].person)) for i in members]

    links = []
    for a, b in block.pairs(items(short, block.keys_of_short), items(long, block.keys_of_long)):
        one, other = found[a], found[b]
        value, reason = score.shortens(one.surface, other.surface, person=one.person, place=one.place, nearby=nearby)
        if not value and not one.person:
            value, reason = score.qualifies(one.surface, other.surface, known, one.family, nearby=nearby)
            here, there = (documents[n.family, n.name] for n in (one, other))
            if value and (one.place or len(here - there) > max(1, len(there))):
                value = DOUBTFUL  # Nazi Germany is not all of Germany, and Germany is spoken of without it
        if value:
            links.append(Link(a, b, value, reason, shortens=True))
    return links


def _documents(found: Sequence[Name]) -> _Documents:
    documents: _Documents = defaultdict(set)
    for name in found:
        documents[name.family, name.name].add(name.document)
    return documents


@dataclass(slots=True)
class _Cluster:
    """What a cluster's names say together; unions pour the smaller one into the larger."""

    members: list[int]
    n_mentions: int
    forms: dict[tuple[str, str], list[int]]
    """(family, name) to the names written so that are no short form of another one here, in order."""
    documents: set[str]
    functional: dict[str, set[str]]
    neighbours: set[tuple[str, str]]
    sides: set[tuple[int, int]]
    """(number of a cannot-link, which of its two names occurs here)"""
    aliases: set[str] = field(default_factory=set)
    """Names that a text or the user gave it although they look like another thing's."""

    def pour(self, other: _Cluster) -> None:
        """Takes over what another cluster holds."""
        self.members += other.members
        self.n_mentions += other.n_mentions
        for key, indexes in other.forms.items():
            mine = self.forms.setdefault(key, [])
            for index in indexes:
                insort(mine, index)
        for relation, values in other.functional.items():
            self.functional.setdefault(relation, set()).update(values)
        self.documents |= other.documents
        self.neighbours |= other.neighbours
        self.sides |= other.sides
        self.aliases |= other.aliases


class _Infos(dict[int, _Cluster]):
    """The clusters by root; that of one name is made when it is asked for, since most are poured into another soon."""

    def __init__(self, found: Sequence[Name], decisions: Decisions) -> None:
        self._found = found
        self._sides: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for number, pair in enumerate(decisions.cannot_link):
            for side, key in enumerate(pair):
                self._sides[key.name].append((number, side, key.family))

    def __missing__(self, i: int) -> _Cluster:
        name = self._found[i]
        functional: dict[str, set[str]] = {}
        for relation, value in name.functional:
            functional.setdefault(relation, set()).add(value)
        self[i] = made = _Cluster(
            members=[i], n_mentions=len(name.mentions), forms={(name.family, name.name): [i]}, documents={name.document}, functional=functional,
            neighbours=set(name.neighbours),
            sides={(n, s) for n, s, family in self._sides.get(name.name, ()) if family in ("", name.family)},
        )  # fmt: skip
        return made


class _Groups:
    """Groups of clusters that bear one name, found by what they say instead of each being tried.

    A cluster that says when somebody was born can only be in a group that says nothing of it or the same year, and the
    best group of the others comes first in order: so a name in very many documents does not take their square.
    """

    def __init__(self, state: _State) -> None:
        self.roots: list[int] = []
        """The root of each group, by its number."""
        self._info = state.info
        self._placed: list[tuple[int, int, int]] = []
        """For each group (-members, root, number)."""
        self._dates: list[frozenset[str]] = []
        """For each group the relations of which it says dates and nothing else."""
        self._order: dict[frozenset[str], list[tuple[int, int, int]]] = defaultdict(list)
        """For such relations the places of the groups that say just these, sorted."""
        self._by_neighbour: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._undated: set[tuple[int, str]] = set()
        self._by_year: dict[str, set[int]] = defaultdict(set)
        """Groups that say a date of the year, of any relation; "" where it is coarser than a year."""

    def open(self, root: int) -> None:
        """A new group of one cluster."""
        number = len(self.roots)
        self.roots.append(root)
        self._placed.append(self._place(number))
        self._dates.append(frozenset())
        insort(self._order[frozenset()], self._placed[number])
        self.note(number, self._info[root])

    def grown(self, number: int, root: int) -> None:
        """A cluster has been joined to a group, whose root may be another one now; `note` has been told before."""
        self.roots[number] = root
        self._move(number, self._dates[number])

    def likely(self, root: int) -> Iterator[int]:
        """Numbers of the groups that do not speak against a cluster by a date: most shared neighbours first, then the largest."""
        one = self._info[root]
        shared: Counter[int] = Counter()
        for neighbour in one.neighbours:
            shared.update(self._by_neighbour.get(neighbour, ()))
        dated = {relation for relation, values in one.functional.items() if _dated(values)}
        years = set().union(*map(_years, one.functional.values()))
        if not dated or "" in years:
            dated, agreeing = set(), set[int]()
        else:
            agreeing = self._by_year[""].union(*(self._by_year[year] for year in years))
        near = [n for n in shared if n in agreeing or dated.isdisjoint(self._dates[n])]
        yield from sorted(near, key=lambda number: (-shared[number], self._placed[number]))
        silent = [places for said, places in self._order.items() if dated.isdisjoint(said)]
        others = sorted(self._placed[n] for n in agreeing if not dated.isdisjoint(self._dates[n]))
        yield from (number for *_, number in heapq.merge(*silent, others) if number not in shared)

    def _place(self, number: int) -> tuple[int, int, int]:
        root = self.roots[number]
        return -len(self._info[root].members), root, number

    def _move(self, number: int, dates: frozenset[str]) -> None:
        before = self._order[self._dates[number]]
        del before[bisect_left(before, self._placed[number])]
        self._dates[number], self._placed[number] = dates, self._place(number)
        insort(self._order[dates], self._placed[number])

    def note(self, number: int, info: _Cluster) -> None:
        """What a cluster says that belongs to a group, or is going to."""
        for neighbour in info.neighbours:
            self._by_neighbour[neighbour].add(number)
        dates = set(self._dates[number])
        for relation, values in info.functional.items():
            if not _dated(values):
                self._undated.add((number, relation))
                dates.discard(relation)
            elif (number, relation) not in self._undated:
                dates.add(relation)
            for year in _years(values):
                self._by_year[year].add(number)
        if dates != self._dates[number]:
            self._move(number, frozenset(dates))


def _dated(values: Iterable[str]) -> bool:
    return all(value[:1].isdigit() for value in values)


def _years(values: Iterable[str]) -> set[str]:
    """The years of the dates among values, "" for one that is coarser."""
    return {value[:4] if len(value.rstrip("X")) >= 4 else "" for value in values if value[:1].isdigit()}


class _State:
    """Clusters that grow; a union is refused where the user or the names speak against it."""

    def __init__(self, found: Sequence[Name], decisions: Decisions) -> None:
        self.found = found
        self.n_documents = len({name.document for name in found})
        self.parent = list(range(len(found)))
        self.links: list[Link] = []
        self.review: list[Link] = []
        self.short: set[int] = set()
        self.info = _Infos(found, decisions)

    def root(self, index: int) -> int:
        while self.parent[index] != index:
            self.parent[index] = self.parent[self.parent[index]]
            index = self.parent[index]
        return index

    def representatives(self) -> list[int]:
        """The names of every cluster that are no short form of another one there."""
        return [i for i in range(len(self.found)) if i not in self.short]

    def refuses(self, a: int, b: int) -> str:
        """Why the clusters at two roots cannot be one; empty when they can."""
        one, other = self.info[a], self.info[b]
        if any((number, 1 - side) in other.sides for number, side in one.sides):
            return "decided"
        if any(
            score.contradict(x.surface, y.surface, person=x.person)
            for x in self._forms(one)
            for y in self._forms(other)
            if x.family == y.family and x.name != y.name and x.name not in other.aliases and y.name not in one.aliases
        ):
            return "names contradict"
        return "facts contradict" if self.facts_contradict(one, other) else ""

    def _forms(self, cluster: _Cluster) -> list[Name]:
        """One name for each way to write the cluster in full, aliases left out."""
        return [self.found[indexes[0]] for (_, name), indexes in cluster.forms.items() if name not in cluster.aliases]

    @staticmethod
    def facts_contradict(one: _Cluster, other: _Cluster) -> bool:
        """Whether functional facts speak of two things.

        A date that the other one has under another relation is taken for a slip of the extractor. Places contain
        each other, so that it takes two of them.
        """
        weight = 0.0
        for relation in set(one.functional) & set(other.functional):
            here, there = one.functional[relation], other.functional[relation]
            if any(score.values_agree(x, y) for x in here for y in there):
                continue
            dated = _dated(here | there)
            if dated:
                elsewhere = {v for r, vs in other.functional.items() if r != relation for v in vs}
                elsewhere_too = {v for r, vs in one.functional.items() if r != relation for v in vs}
                if any(score.values_agree(x, y) for x in here for y in elsewhere) or any(
                    score.values_agree(x, y) for x in there for y in elsewhere_too
                ):
                    continue
            weight += 1.0 if dated else 0.5
        return weight >= 1.0

    def join(self, link: Link, *, checked: bool = False) -> str:
        """Joins the clusters of a link; returns why not, or empty. `checked`: it is known that nothing speaks against it."""
        a, b = sorted((self.root(link.a), self.root(link.b)))
        if a == b:
            if link.shortens:
                self._shorten(link)
            return ""
        why = "" if checked else self.refuses(a, b)
        if why == "decided" or (why and not link.stated):
            return why
        self.parent[b] = a
        small, large = sorted((self.info[a], self.info[b]), key=lambda c: len(c.members))
        del self.info[b]
        large.pour(small)
        self.info[a] = one = large
        if why:
            one.aliases.add(self._lesser(link))
        self.links.append(link)
        if link.shortens:
            self._shorten(link)
        return ""

    def _lesser(self, link: Link) -> str:
        """Of two names the one that the document uses less."""
        a, b = self.found[link.a], self.found[link.b]
        return min((len(a.mentions), a.titled, a.name), (len(b.mentions), b.titled, b.name))[2]

    def _shorten(self, link: Link) -> None:
        name = self.found[link.a]
        forms = self.info[self.root(link.a)].forms
        written_so = forms.get((name.family, name.name), [])
        at = bisect_left(written_so, link.a)
        if written_so[at : at + 1] == [link.a] and (len(forms) > 1 or len(written_so) > 1):
            del written_so[at]
            self.short.add(link.a)
            if not written_so:
                del forms[name.family, name.name]

    def join_all(self, links: Iterable[Link], *, checked: bool = False) -> None:
        for link in sorted(links, key=lambda n: (-n.score, n.a, n.b)):
            self.join(link, checked=checked)

    def join_across(self, links: Sequence[Link]) -> None:
        """Joins whole components where they hold together, and takes the others apart along their facts and names."""
        n_names = len(self.found)
        if not links:
            return
        rows = np.array([self.root(link.a) for link in links])
        columns = np.array([self.root(link.b) for link in links])
        graph = coo_array((np.ones(len(links)), (rows, columns)), shape=(n_names, n_names))
        _, label = connected_components(graph, directed=False)
        by_component: dict[int, list[Link]] = defaultdict(list)
        for link in links:
            by_component[int(label[self.root(link.a)])].append(link)
        for component in sorted(by_component):
            members = by_component[component]
            roots = sorted({self.root(i) for link in members for i in (link.a, link.b)})
            if self._holds_together(roots):
                self.join_all(members, checked=True)
            else:
                self._take_apart(roots)

    def _holds_together(self, roots: Sequence[int]) -> bool:
        """Whether no two clusters of a component refuse each other, told from what they say together."""
        clusters = [self.info[r] for r in roots]
        values: dict[str, set[str]] = defaultdict(set)
        sides: set[tuple[int, int]] = set()
        forms: dict[tuple[str, str], Name] = {}
        for cluster in clusters:
            sides |= cluster.sides
            for relation, found in cluster.functional.items():
                values[relation] |= found
            for name in self._forms(cluster):
                forms.setdefault((name.family, name.name), name)
        if any((number, 1 - side) in sides for number, side in sides):
            return False
        if any(len(found) > 1 for found in values.values()):
            return False
        listed = list(forms.values())
        return not any(
            score.contradict(x.surface, y.surface, person=x.person)
            for place, x in enumerate(listed)
            for y in listed[place + 1 :]
            if x.family == y.family
        )

    def _take_apart(self, roots: Sequence[int]) -> None:
        """Clusters that say most of themselves come first; each joins the group that fits it best, or opens one.

        A cluster that could be in several groups goes where it has neighbours, else to the largest.
        """
        strength = {r: (len(self.info[r].functional), len(self.info[r].members)) for r in roots}
        groups = _Groups(self)
        for root in sorted(roots, key=lambda r: (-strength[r][0], -strength[r][1], r)):
            for number in groups.likely(root):
                group = groups.roots[number]
                link = self._linked(root, group)
                if link and not self.refuses(*sorted((group, root))):
                    groups.note(number, self.info[root])
                    self.join(link)
                    groups.grown(number, self.root(group))
                    break
            else:
                groups.open(root)

    def _linked(self, a: int, b: int) -> Link | None:
        """The best link between two clusters by their names alone."""
        here, there = self.info[a].forms, self.info[b].forms
        best = self._best((here[form][0], there[form][0]) for form in here.keys() & there.keys())
        if best and best.score == 1:  # a usual name has very many forms, and none is more alike than itself
            return best
        return self._best(
            (one[0], other[0])
            for (family, _), one in here.items()
            for (other_family, _), other in there.items()
            if family == other_family
        )

    def _best(self, pairs: Iterable[tuple[int, int]]) -> Link | None:
        """The best link between names that are given by index."""
        found: list[Link] = []
        for one, other in pairs:
            value, reason = score.same(
                self.found[one].surface, self.found[other].surface, person=self.found[one].person
            )
            found += [Link(one, other, value, reason)] if value else []
        return min(found, key=lambda n: (-n.score, n.a, n.b), default=None)

    def absorb(self, links: Sequence[Link], *, nearby: bool) -> None:
        """Joins short forms to the one thing they can stand for; where there are several, context decides or nobody."""
        candidates: dict[int, dict[int, Link]] = defaultdict(dict)
        for link in sorted(links, key=lambda n: (-n.score, n.a, n.b)):
            short, long = self.root(link.a), self.root(link.b)
            if short != long:
                candidates[short].setdefault(long, link)
            elif link.a != link.b:
                self._shorten(link)
        accepted: list[Link] = []
        for short in sorted(candidates):
            chosen, doubtful = self._choose(short, candidates[short], nearby=nearby)
            accepted += chosen
            self.review += doubtful
        self.join_all(accepted)

    def _choose(self, short: int, options: Mapping[int, Link], *, nearby: bool) -> tuple[list[Link], list[Link]]:
        possible = {long: link for long, link in options.items() if not self.refuses(*sorted((short, long)))}
        if not nearby:
            here = self.info[short].documents
            apart = [long for long in possible if not here.isdisjoint(self.info[long].documents)]
            if apart and all(_lone(self.found[link.a]) for link in options.values()):
                return [], []  # its own document knows somebody of that name, and could not tell
            if not all(names.is_acronym(self.found[link.a].surface) for link in possible.values()):
                # initials mean in all documents what they mean in one; of other short forms a mention that its own
                # document did not join says that two things are meant
                possible = {long: link for long, link in possible.items() if long not in apart}
        if not possible:
            return [], []
        top = max(link.score for link in possible.values())
        close = {long: link for long, link in possible.items() if link.score >= top - 0.08}
        if not self._one_thing(list(close)):
            leader, why = self._leader(short, list(close), nearby=nearby)
            if leader < 0:
                doubtful = sorted(close.values(), key=lambda n: (-n.score, n.a, n.b))
                return [], [link for link in doubtful if link.score >= score.GREY][:MOST_DOUBTFUL]
            close = {leader: replace(close[leader], reason=f"{close[leader].reason}, {why}")}
        sure, doubtful = [], []
        for long, link in close.items():
            if link.score >= score.MERGE and (nearby or self._backed(short, long, link)):
                sure.append(link)
            elif link.score >= score.GREY:
                # what lies in one region has neighbours in common: Andorra and Andorra la Vella
                if not self.found[link.a].place and self.info[long].neighbours & self.info[short].neighbours:
                    sure.append(replace(link, reason=link.reason + ", shared neighbours"))
                else:
                    doubtful.append(link)
        return sure, doubtful

    def _backed(self, short: int, long: int, link: Link) -> bool:
        """Whether more speaks for initials or a surname across documents: what one text names may be so by chance."""
        if link.reason not in (score.INITIALS, score.ONLY_BEARER) or self.n_documents < MANY_DOCUMENTS:
            return True
        one, other = self.info[short], self.info[long]
        letters = sum(c.isalnum() for c in self.found[link.a].surface)
        unusual = link.reason == score.INITIALS and letters > MOST_BY_CHANCE
        return unusual or len(other.documents) > 1 or not one.neighbours.isdisjoint(other.neighbours)

    def _leader(self, short: int, roots: Sequence[int], *, nearby: bool) -> tuple[int, str]:
        """Which of several things a short form means and why, (-1, "") when that is open.

        Inside a document: the one of the title, the one that is called so before the others appear, or the one named
        three times as often as each other by its full name. Across documents: the one with most shared neighbours, or
        the one named four times as often as each other.
        """
        if nearby:
            titled = [r for r in roots if any(self.found[i].titled for i in self.info[r].members)]
            if len(titled) == 1:
                return titled[0], "the title's"
            intro = {r: min(p for i in self.info[r].members for p in self.found[i].places or (0,)) for r in roots}
            earliest, second = sorted(roots, key=lambda r: (intro[r], r))[:2]
            if any(intro[earliest] < p < intro[second] for i in self.info[short].members for p in self.found[i].places):
                return earliest, "before any other appears"
        shared = {r: len(self.info[r].neighbours & self.info[short].neighbours) for r in roots}
        most = max(shared.values())
        leading = [r for r in roots if shared[r] == most]
        if len(leading) == 1 and not nearby:
            return leading[0], "shared neighbours"

        size = {r: self.info[r].n_mentions for r in roots}
        first, second = sorted(size.values(), reverse=True)[:2]
        if first >= (3 if nearby else 4) * second and first >= (3 if nearby else 5):
            return max(roots, key=size.__getitem__), "by far the most named"
        return -1, ""

    def _one_thing(self, roots: Sequence[int]) -> bool:
        """Whether the candidates for a short form may all be one thing themselves."""
        forms = [(r, name) for r in roots for name in self._forms(self.info[r])]
        for place, (r, x) in enumerate(forms):
            for s, y in forms[place + 1 :]:
                if r == s or x.name == y.name and not x.person:
                    continue
                if x.person:
                    if score.contradict(x.surface, y.surface, person=True) or self.refuses(*sorted((r, s))):
                        return False
                elif not (
                    score.same(x.surface, y.surface, person=False)[0]
                    or score.shortens(x.surface, y.surface, person=False, nearby=True)[0]
                    or score.shortens(y.surface, x.surface, person=False, nearby=True)[0]
                ):
                    return False
        return True

    def clusters(self) -> Clusters:
        """The clusters as they are now."""
        return Clusters(
            label=tuple(self.root(i) for i in range(len(self.found))),
            links=tuple(self.links),
            review=tuple(link for link in self.review if self.root(link.a) != self.root(link.b)),
            short=frozenset(self.short),
        )


def entity_name(members: Sequence[Name], short: Sequence[bool]) -> tuple[str, tuple[str, ...]]:
    """The canonical name of a cluster, and its other surface forms by frequency.

    What a document about this person is called, else the most frequent form that is no short form and no abbreviation
    where a longer one exists; ties: the longest.
    """
    count: Counter[str] = Counter()
    rank: dict[str, int] = {}
    for name, is_short in zip(members, short, strict=True):
        for surface, n in name.surfaces:
            count[surface] += n
            rank[surface] = max(rank.get(surface, 0), _informative(surface, name, is_short))
        if name.title:
            count[name.title] += 0
            rank[name.title] = TITLE_RANK
    ordered = sorted(count, key=lambda s: (-rank[s], -count[s], -len(s), s))
    best = ordered[0]
    others = sorted((s for s in count if s != best), key=lambda s: (-count[s], -len(s), s))
    return best, tuple(others)


TITLE_RANK = 8
"""More than `_informative` ever is."""


def _informative(surface: str, name: Name, is_short: bool) -> int:
    if name.person:
        parts = names.person(surface)
        value = 2 * parts.full + parts.spelled_out
    else:
        value = 3 * (not names.is_acronym(surface))
    return 2 * (value - 2 * (is_short and not name.person)) + (surface != surface.lower())


def entity_type(votes: Mapping[str, float], parents: Callable[[str], tuple[str, ...]]) -> str:
    """The type with most score; of a type and its parent the more specific, if a quarter of the score is its own."""
    total = sum(votes.values())
    best = min(votes, key=lambda t: (-votes[t], t))
    below = [t for t in votes if t != best and best in parents(t)[1:] and votes[t] >= 0.25 * total]
    return min(below, key=lambda t: (-votes[t], t)) if below else best
