import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgpipe.config import Config
from kgpipe.errors import WorkspaceError
from kgpipe.resolve import run
from kgpipe.resolve.review import Decisions, NameKey
from kgpipe.workspace import Workspace


def link(a, b):
    return NameKey(a.lower(), "", a), NameKey(b.lower(), "", b)


def test_full_names_surnames_and_pronouns_of_one_document_are_one_person(document, resolve):
    found = resolve(
        document(
            "turing",
            "[Alan Turing|Person] was born in [London|Place]. [Turing|Person] worked for the "
            "[National Physical Laboratory|Organization] (NPL). [He|Person] left the [NPL|Organization] in 1948.",
            (0, "BORN_IN", 1), (2, "WORKED_FOR", 3), (4, "WORKED_FOR", 5),
        )
    )  # fmt: skip
    assert found.groups == [["Alan Turing", "Turing"], ["London"], ["NPL", "National Physical Laboratory"]]
    assert found.said == [
        ("Alan Turing", "BORN_IN", "London"),
        ("Alan Turing", "WORKED_FOR", "National Physical Laboratory"),
    ]
    assert [f.support for f in found.facts if f.type == "WORKED_FOR"] == [2]


def test_a_pronoun_without_a_name_makes_no_entity_and_no_fact(document, resolve):
    found = resolve(document("a", "[She|Person] worked for [IBM|Company].", (0, "WORKED_FOR", 1)))
    assert found.groups == [["IBM"]]
    assert found.said == []
    assert found.counts["pronouns_left_out"] == 1
    assert found.counts["left_out_unresolved"] == 1


@pytest.mark.parametrize(
    ("full", "short", "elsewhere"),
    [
        ("International Business Machines", "IBM", "[IBM|Company]"),
        ("Digital Equipment Corporation", "DEC", "[DEC|Company]"),
        ("European Organization for Nuclear Research", "CERN", "[CERN|Organization]"),
    ],
)
def test_an_abbreviation_introduced_in_one_document_holds_in_another(full, short, elsewhere, document, resolve):
    found = resolve(
        document("a", f"The [{full}|Company] ([{short}|Company]) was large."),
        document("b", f"She worked for {elsewhere}."),
        document("c", f"They left {elsewhere} again."),
    )
    assert found.groups == [sorted([full, short])]
    assert [(m.name_a, m.name_b) for m in found.merges] in ([(full, short)], [(short, full)])


def test_initials_join_the_only_name_they_fit_and_nobody_where_there_are_two(document, resolve):
    alone = [
        document("a", "The [Massachusetts Institute of Technology|University] is old."),
        document("b", "She studied at [MIT|University]."),
    ]
    other = document("c", "The [Mandalay Institute of Trade|University] is new.")
    assert resolve(*alone).groups == [["MIT", "Massachusetts Institute of Technology"]]
    both = resolve(*alone, other)
    assert len(both.groups) == 3
    assert {m.decided_by for m in both.merges} == {"review"}


def test_initials_in_common_use_mean_one_thing_only(document, resolve):
    found = resolve(
        document("a", "The [United States|Place] is large. [Union Station|Place] lies in the [U.S.|Place]."),
        document("b", "[Union Station|Place] in [D.C.|Place] is older than that of the [US|Place]."),
        document("c", "[Dallas County|Place] is in [Texas|Place], and [Texas|Place] in the [U.S.|Place]."),
    )
    assert ["U.S.", "United States"] in found.groups
    assert {("Union Station",), ("D.C.",), ("Dallas County",)} <= {tuple(group) for group in found.groups}


def test_among_many_documents_three_letters_or_a_surname_alone_are_no_proof(document, resolve):
    pair = [
        document("a", "The [Carey Business School|University] is new. [Ray Charles|Person] came."),
        document("b", "He met [Charles|Person] and studied at [CBS|University]."),
    ]
    many = [document(f"c{n}", f"[Company {n}|Company] is large.") for n in range(60)]
    assert len(resolve(*pair).groups) == 2
    assert len(resolve(*pair, *many).groups) == 4 + 60
    known = document("d", "The [Carey Business School|University] grows.")
    assert ["CBS", "Carey Business School"] in resolve(*pair, *many, known).groups


@pytest.mark.parametrize("name", ["Scottsdale Center", "Scottsdale River", "Old Scottsdale"])
def test_the_longer_name_of_a_place_is_mostly_that_of_another(name, document, resolve):
    text = f"[Scottsdale|Place] is dry. The [{name}|Place] lies there. [Scottsdale|Place] grows."
    assert resolve(document("a", text)).groups == sorted([[name], ["Scottsdale"]])


def test_what_is_spoken_of_without_its_owner_elsewhere_is_not_only_his(document, resolve):
    both = document(
        "a", "The [Texas|Place] [Texas Democratic Party|Organization] met. The [Democratic Party|Organization] won."
    )
    others = [document(f"b{n}", "The [Democratic Party|Organization] lost.") for n in range(2)]
    assert ["Democratic Party", "Texas Democratic Party"] in resolve(both).groups
    assert ["Democratic Party"] in resolve(both, *others).groups


def test_a_person_is_called_what_the_title_of_his_document_says(document, resolve):
    text = "[Kobe Bean Bryant|Person] won. [Bryant|Person] left. His father [Joe Bryant|Person] stayed."
    found = resolve(document("a", text, title="Kobe Bryant (athlete)"), document("b", "[Kobe Bryant|Person] came."))
    assert {e.name: e.aliases for e in found.entities} == {
        "Kobe Bryant": ("Kobe Bean Bryant", "Bryant"),
        "Joe Bryant": (),
    }
    guest = document("a", "[Ada King|Person] spoke. [King|Person] came.", title="Behind the Engine Part 31 Ada King")
    assert [e.name for e in resolve(guest).entities] == ["Ada King"]
    file = document("a", "[Ada King|Person] spoke. [King|Person] came.", title="ada king")
    assert [e.name for e in resolve(file).entities] == ["Ada King"]
    saint = document("a", "[Saint Patrick|Person] came. [Magonus Patrick|Person] was his name.", title="Saint Patrick")
    assert "Saint Patrick" in [e.name for e in resolve(saint).entities]
    son = document("a", "[John Adams Jr.|Person] came.", title="John Adams")
    assert [e.name for e in resolve(son).entities] == ["John Adams Jr."]


def test_two_people_of_one_surname_in_one_document_stay_two(document, resolve):
    found = resolve(
        document(
            "a",
            "[John Mauchly|Person] and [Kathleen Mauchly|Person] met at the [ENIAC|Machine]. [Mauchly|Person] designed it.",
        )
    )
    assert found.groups == [["ENIAC"], ["John Mauchly"], ["Kathleen Mauchly"], ["Mauchly"]]
    assert [(m.decided_by, m.reason) for m in found.merges] == [("review", "surname")] * 2


def test_the_surname_alone_means_whom_the_document_is_about(document, resolve):
    text = "[Sara Turing|Person] was his mother. [Alan Turing|Person] was her son. [Turing|Person] worked for [NPL|Company]."
    found = resolve(document("a", text, (2, "WORKED_FOR", 3), title="Alan Turing"))
    assert found.said == [("Alan Turing", "WORKED_FOR", "NPL")]


def test_the_surname_alone_means_whom_it_stood_for_before_another_appears(document, resolve):
    text = (
        "[Donald Knuth|Person] wrote books. [Knuth|Person] worked for [Caltech|University]. "
        "He married Jill; [Jill Knuth|Person] worked for [IBM|Company]. [Knuth|Person] left."
    )
    found = resolve(document("a", text, (1, "WORKED_FOR", 2), (3, "WORKED_FOR", 4)))
    assert found.said == [("Donald Knuth", "WORKED_FOR", "Caltech"), ("Jill Knuth", "WORKED_FOR", "IBM")]


def test_a_name_taken_at_the_wedding_is_the_same_person(document, resolve):
    text = (
        "[Kathleen McNulty|Person] married [John Mauchly|Person]. [Kathleen Mauchly|Person] worked for [IBM|Company]."
    )
    wed = resolve(document("a", text, (0, "SPOUSE", 1), (2, "WORKED_FOR", 3)))
    assert wed.groups == [["IBM"], ["John Mauchly"], ["Kathleen Mauchly", "Kathleen McNulty"]]
    assert len(resolve(document("a", text)).groups) == 4


def test_a_surname_in_another_document_joins_the_only_person_who_bears_it(document, resolve):
    turing, lone = document("a", "[Alan Turing|Person] came."), document("b", "[Turing|Person] went.")
    sara = document("c", "[Sara Turing|Person] stayed.")
    assert resolve(turing, lone).groups == [["Alan Turing", "Turing"]]
    assert resolve(turing, lone, sara).groups == [["Alan Turing"], ["Sara Turing"], ["Turing"]]


def test_surnames_alone_do_not_meet_across_documents(document, resolve):
    found = resolve(document("a", "[Berry|Person] came."), document("b", "[Berry|Person] went."))
    assert found.groups == [["Berry"], ["Berry"]]


def test_two_people_of_one_name_stay_two_when_their_facts_contradict(document, resolve):
    found = resolve(
        document("a", "[John Smith|Person] was born in [1850|Date=1850].", (0, "BORN_ON", 1)),
        document("b", "[John Smith|Person] was born on [3 May 1931|Date=1931-05-03].", (0, "BORN_ON", 1)),
        document("c", "[John Smith|Person] was born in [May 1931|Date=1931-05].", (0, "BORN_ON", 1)),
    )
    assert found.groups == [["John Smith"], ["John Smith"]]
    assert sorted(len(e.mentions) for e in found.entities) == [1, 2]


def test_organisations_do_not_fall_apart_over_dates(document, resolve):
    found = resolve(
        document("a", "[MIT|University] was founded in [1861|Date=1861].", (0, "BORN_ON", 1)),
        document("b", "[MIT|University] was founded in [1916|Date=1916].", (0, "BORN_ON", 1)),
    )
    assert found.groups == [["MIT"]]


def test_a_mention_that_runs_on_from_a_heading_is_what_follows_it(document, resolve):
    found = resolve(document("a", "[Grace Hopper\n\nGrace Hopper|Person] came. [Grace Hopper|Person] left."))
    assert [(e.name, e.aliases, len(e.mentions)) for e in found.entities] == [("Grace Hopper", (), 2)]


def test_fathers_and_sons_and_versions_stay_apart(document, resolve):
    found = resolve(
        document("a", "[Thomas Watson Sr.|Person] built it, [Thomas Watson Jr.|Person] changed it."),
        document("b", "[Harvard Mark I|Machine] and [Harvard Mark II|Machine], [PDP-7|Machine] and [PDP-11|Machine]."),
        document("c", "[C|ProgrammingLanguage] became [C++|ProgrammingLanguage]."),
    )
    assert len(found.groups) == 8
    assert found.merges == []


def test_one_name_of_two_kinds_of_thing_is_two(document, resolve):
    found = resolve(
        document("a", "[Cambridge|Place] has a university. [Cambridge|University] is in [Cambridge|Place].")
    )
    assert sorted(e.type for e in found.entities) == ["Place", "University"]


def test_a_slip_of_the_type_in_one_document_follows_the_others(document, resolve):
    text = (
        "[ENIAC|Machine] was big. [ENIAC|Machine] was loud. [ENIAC|Machine] was hot. [ENIAC|ProgrammingLanguage] ran."
    )
    assert [(e.type, len(e.mentions)) for e in resolve(document("a", text)).entities] == [("Machine", 4)]


def test_a_slip_of_the_type_of_a_long_name_follows_the_corpus(document, resolve):
    texts = [document(n, "[Linus Torvalds|Person] came to [Cambridge|Place].") for n in "abc"]
    slip = document("d", "[Linus Torvalds|University] and [Cambridge|University] came.")
    assert [(e.type, e.name) for e in sorted(resolve(*texts, slip).entities, key=lambda e: e.type)] == [
        ("Person", "Linus Torvalds"),
        ("Place", "Cambridge"),
        ("University", "Cambridge"),
    ]


def test_the_more_special_type_of_a_family_wins(document, resolve):
    text = "[Intel|Organization] grew. [Intel|Company] sold chips. [Intel|Organization] moved."
    assert [e.type for e in resolve(document("a", text)).entities] == ["Company"]


def test_negated_and_hedged_relations_are_counted_and_left_out(document, resolve):
    found = resolve(
        document(
            "a", "[Ada King|Person], [Mary King|Person] and [IBM|Company].",
            (0, "WORKED_FOR", 2, "negated"), (1, "WORKED_FOR", 2, "hedged"),
        )
    )  # fmt: skip
    assert found.facts == []
    assert (found.counts["left_out_negated"], found.counts["left_out_hedged"]) == (1, 1)


def test_a_decision_joins_and_another_keeps_apart(document, resolve):
    texts = [
        document("a", "[Lord Kelvin|Person] came. [Turing|Person] and [Alan Turing|Person] left."),
        document("b", "[William Thomson|Person] went."),
    ]
    found = resolve(
        *texts, decisions=Decisions((link("Lord Kelvin", "William Thomson"),), (link("Turing", "Alan Turing"),))
    )
    assert found.groups == [["Alan Turing"], ["Lord Kelvin", "William Thomson"], ["Turing"]]
    assert [(m.reason, m.decided_by) for m in found.merges] == [("decided", "user")]


def test_cannot_link_holds_through_a_third_name(document, resolve):
    texts = [document("a", "[Grace Hopper|Person] came."), document("b", "[Grace Murray Hopper|Person] went."),
             document("c", "[G. Hopper|Person] stayed.")]  # fmt: skip
    assert len(resolve(*texts).groups) == 1
    apart = resolve(*texts, decisions=Decisions(cannot_link=(link("Grace Hopper", "Grace Murray Hopper"),)))
    assert all({"Grace Hopper", "Grace Murray Hopper"} - set(group) for group in apart.groups)


def test_a_decision_about_a_name_nobody_bears_is_reported(document, resolve):
    found = resolve(document("a", "[IBM|Company] grew."), decisions=Decisions((link("IBM", "Big Blue"),)))
    assert found.counts["decisions_unused"] == ["Big Blue"]


TEXTS = [
    ("[Alan Turing|Person] worked for the [National Physical Laboratory|Organization] ([NPL|Organization]).", [(0, "WORKED_FOR", 1)]),
    ("[Turing|Person] was born in [London|Place]. [He|Person] knew [J. Eckert|Person].", [(0, "BORN_IN", 1), (2, "SPOUSE", 3)]),
    ("[John Presper Eckert|Person] and [Presper Eckert|Person] of [NPL|Organization].", [(0, "WORKED_FOR", 2)]),
    ("[Sara Turing|Person] married [Julius Turing|Person]. [Turing|Person] left.", [(0, "SPOUSE", 1)]),
    ("[Eckert|Person] founded [EMCC|Company], the [Eckert-Mauchly Computer Corporation|Company].", [(0, "FOUNDED", 1)]),
    ("[John Smith|Person] was born in [1850|Date=1850].", [(0, "BORN_ON", 1)]),
    ("[John Smith|Person] was born in [1931|Date=1931].", [(0, "BORN_ON", 1)]),
    ("[John Smith|Person] worked for [NPL|Organization].", [(0, "WORKED_FOR", 1)]),
    ("The [Mark I|Machine], or [Harvard Mark I|Machine], of [Harvard|University].", []),
]  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(range(len(TEXTS))), unique=True, min_size=2), st.randoms())
def test_the_order_of_documents_does_not_matter(document, resolve, chosen, shuffle):
    documents = [document(f"d{i}", TEXTS[i][0], *TEXTS[i][1]) for i in chosen]
    expected = resolve(*documents).content
    shuffle.shuffle(documents)
    assert resolve(*documents).content == expected


def test_uids_are_carried_over_when_documents_come_and_go(document, resolve):
    documents = [document(f"d{i}", text, *relations) for i, (text, relations) in enumerate(TEXTS)]
    before = resolve(*documents[:4])
    after = resolve(*documents, previous={m: e.uid for e in before.entities for m in e.mentions})
    kept = {e.name: e.uid for e in before.entities} | {"John Presper Eckert": next(
        e.uid for e in before.entities if "Eckert" in e.name)}  # fmt: skip
    shared = {e.name: e.uid for e in after.entities if e.name in kept and e.name != "John Smith"}
    assert shared == {name: kept[name] for name in shared}
    assert len({e.uid for e in after.entities}) == len(after.entities)


def test_the_smaller_part_of_a_cluster_that_falls_apart_gets_a_new_uid(document, resolve):
    dated = [
        document(name, f"[Grace Hopper|Person] was born in [{year}|Date={year}].", (0, "BORN_ON", 1))
        for name, year in (("a", 1906), ("b", 1850), ("c", 1906))
    ]
    mentions = [extraction.mentions[0].uid(extraction.passage) for _, extraction in dated]
    large, small = sorted(
        resolve(*dated, previous=dict.fromkeys(mentions, "old")).entities, key=lambda e: -len(e.mentions)
    )
    assert (large.uid, len(large.mentions)) == ("old", 2)
    assert small.uid != "old"


# --- the stage on a workspace


@pytest.fixture
def workspace(tmp_path, schema):
    made = Workspace(tmp_path / "ws")
    made.set_state("schema", {"name": schema.name, "json": schema.to_json()})
    return made


def add(workspace, *documents):
    for one, extraction in documents:
        workspace.commit("documents", [one])
        workspace.commit("extractions", [extraction])


def test_the_stage_writes_a_snapshot_and_does_nothing_the_second_time(workspace, document):
    add(workspace, document("a", "[Ada King|Person] worked for [IBM|Company].", (0, "WORKED_FOR", 1)))
    first = run.run(workspace, Config())
    snapshot = workspace.snapshot_id("resolution")
    assert (first["entities"], first["facts"], first["evidence"]) == (2, 1, 1)
    assert set(run.run(workspace, Config()).values()) == {0}
    assert workspace.snapshot_id("resolution") == snapshot
    evidence = workspace.read("evidence").to_pylist()[0]
    assert evidence["sentence"] == "Ada King worked for IBM."
    assert (evidence["start"], evidence["end"]) == (0, 24)
    assert workspace.read("facts").to_pylist()[0]["source"] == "file:///a"


def test_deleting_a_document_takes_what_only_it_said(workspace, document):
    kept = document("a", "[Ada King|Person] worked for [IBM|Company].", (0, "WORKED_FOR", 1))
    gone = document("b", "[Ada King|Person] founded [Apple|Company] in [1976|Date=1976].", (0, "FOUNDED", 1))
    add(workspace, kept)
    run.run(workspace, Config())
    before = {t: workspace.read(t).to_pylist() for t in ("entities", "facts", "evidence", "literals")}
    add(workspace, gone)
    assert run.run(workspace, Config())["facts"] == 2
    workspace.delete("documents", "uid", [gone[0].uid])
    workspace.delete("extractions", "document", [gone[0].uid])
    run.run(workspace, Config())
    assert {t: workspace.read(t).to_pylist() for t in before} == before


def test_failed_extractions_are_skipped(workspace, document):
    one, extraction = document("a", "[Ada King|Person] came.")
    workspace.commit("documents", [one])
    workspace.commit("extractions", [type(extraction)(extraction.passage, "f", one.uid, error="out of memory")])
    assert run.run(workspace, Config())["entities"] == 0
    assert workspace.snapshot_id("resolution")


def test_a_changed_decision_resolves_anew(workspace, document, tmp_path):
    add(workspace, document("a", "[Lord Kelvin|Person] came."), document("b", "[William Thomson|Person] went."))
    assert run.run(workspace, Config())["entities"] == 2
    decisions = tmp_path / "decisions.yaml"
    decisions.write_text("must_link:\n  - [Lord Kelvin, William Thomson]\n")
    assert run.run(workspace, Config(decisions=str(decisions)))["entities"] == 1
    assert workspace.read("merges").to_pylist()[0]["decided_by"] == "user"


def test_a_workspace_without_schema_is_refused(tmp_path):
    with pytest.raises(WorkspaceError, match="kgpipe build"):
        run.run(Workspace(tmp_path / "new"), Config())
