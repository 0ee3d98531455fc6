"""Clusters of one name that facts keep apart: the index of groups finds what trying every group would."""

import random

from kgpipe.resolve import cluster
from kgpipe.resolve.review import Decisions

YEARS = ("1901", "1901-05-04", "1901-05", "190X", "19XX", "1955-02-24", "1955", "1815-12-10", "abroad", "-0044")
PLACES = ("London", "West London", "Paris", "Lyon", "Rome")


def name(number, rng, n_years=0):
    """A person of that name in a document of its own, of whom a few facts are said."""
    born = [("BORN_ON", rng.choice(YEARS))] if rng.random() < 0.5 else []
    if n_years:
        born = [("BORN_ON", str(1000 + rng.randrange(n_years)))]
    facts = born + [("DIED_ON", rng.choice(YEARS))] * (not n_years and rng.random() < 0.3)
    facts += [(r, rng.choice(PLACES)) for r in ("BORN_IN", "DIED_IN") if not n_years and rng.random() < 0.3]
    near = {("MET", f"friend {rng.randrange(6)}") for _ in range(rng.randrange(3))}
    return cluster.Name(
        document=f"{number:05}", family="Person", name="ada king", surface="Ada King", surfaces=(("Ada King", 1),),
        mentions=tuple(f"m{number:05}-{i}" for i in range(rng.randrange(1, 4))), types=(("Person", 1.0),), person=True,
        functional=tuple(sorted(set(facts))), neighbours=tuple(sorted(near)),
    )  # fmt: skip


def by_trying_all(state, roots):
    """Groups as the definition says: the one with most shared neighbours, then most members, that nothing speaks against."""
    strength = {r: (len(state.info[r].functional), len(state.info[r].members)) for r in roots}
    groups = []
    for root in sorted(roots, key=lambda r: (-strength[r][0], -strength[r][1], r)):
        fitting = []
        for group in {state.root(g) for g in groups}:
            link = state._linked(root, group)
            if link and not state.refuses(*sorted((group, root))):
                shared = len(state.info[group].neighbours & state.info[root].neighbours)
                fitting.append((shared, len(state.info[group].members), -group, link))
        if fitting:
            state.join(max(fitting, key=lambda f: f[:3])[3])
        else:
            groups.append(root)


def test_the_index_of_groups_finds_what_trying_all_finds():
    kinds = set()
    for seed in range(300):
        rng = random.Random(seed)
        found = [name(number, rng) for number in range(rng.randrange(2, 30))]
        one, other = (cluster._State(found, Decisions()) for _ in range(2))
        roots = list(range(len(found)))
        one._take_apart(roots)
        by_trying_all(other, roots)
        assert one.clusters().label == other.clusters().label, seed
        kinds.add(len(set(one.clusters().label)))
    assert len(kinds) > 4  # some fell into many groups


def test_a_name_in_many_documents_is_no_square(monkeypatch):
    tried = 0
    refuses = cluster._State.refuses

    def counted(self, a, b):
        nonlocal tried
        tried += 1
        return refuses(self, a, b)

    monkeypatch.setattr(cluster._State, "refuses", counted)
    counts = []
    for n in (500, 2_000):
        tried = 0
        rng = random.Random(0)
        state = cluster._State([name(number, rng, n_years=n // 2) for number in range(n)], Decisions())
        state._take_apart(list(range(n)))
        counts.append(tried)
        assert len(set(state.clusters().label)) > n // 3  # as many people as years
    assert counts[1] < 6 * counts[0], counts
