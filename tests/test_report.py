"""What a person reads before trusting a graph: in the terminal, as JSON, and on a page with plots."""

import json
import os
import shutil

import pytest
from typer.testing import CliRunner

from kgpipe import cli
from kgpipe import schema as schemas
from kgpipe.records import Document, Entity, Evidence, Extraction, Fact, Literal, Mention, Merge, Run, content_id
from kgpipe.report import compatible, report
from kgpipe.workspace import Workspace

SCHEMA = schemas.parse("""
name: people
entities: {Person: {label: person}, Company: {label: company}, Date: {literal: date}}
relations:
  BORN_ON: {domain: [Person], range: [Date], functional: true}
  FOUNDED: {domain: [Person], range: [Company]}
  FOUNDED_ON: {domain: [Company], range: [Date], functional: true}
""")
ATTACK = "<script>document.title='run'</script>"


def fact(subject, relation, object_, support, score):
    literal = relation.endswith("_ON")
    target = Literal("Date", object_, "date").uid if literal else content_id(object_)
    return Fact(content_id(subject), relation, target, literal, support, score, "said", "file:///a")


@pytest.fixture
def workspace(tmp_path):
    made = Workspace(tmp_path / "people")
    made.set_state("schema", {"name": SCHEMA.name, "json": SCHEMA.to_json()})
    documents = [Document(f"file:///{letter}", letter, language="en") for letter in "ab"]
    made.commit("documents", documents)
    mentions = (Mention(0, 3, "Person"), Mention(4, 7, "Person"))
    made.commit("extractions", [Extraction(d.uid, "f", d.uid, mentions) for d in documents])
    spoken = [m.uid(d.uid) for d in documents for m in mentions]
    dates = [Literal("Date", value, "date") for value in ("1906", "1906-12-09", "1907", "1911")]
    facts = [
        fact("Ada", "BORN_ON", "1906", 1, 0.5), fact("Ada", "BORN_ON", "1906-12-09", 3, 0.99),  # one is rounder
        fact("Bob", "BORN_ON", "1907", 2, 0.62), fact("Bob", "BORN_ON", "1911", 1, 1.0),
        fact("Ada", "FOUNDED", "Acme", 25, 0.9), fact("Ada", "FOUNDED", "Bob", 1, 0.3),
    ]  # fmt: skip
    entities = [
        Entity(content_id("Ada"), "Person", "Ada", ("Countess", "Lady"), tuple(spoken[1:])),
        Entity(content_id("Bob"), "Person", "Bob", ("Robert",), (spoken[0],)),
        Entity(content_id("Acme"), "Company", "Acme"),
        Entity(content_id("Eve"), "Person", f"Eve{ATTACK}", (), ("x", "y")),
        Entity(content_id("Bolt"), "Company", "Bolt"),
    ]
    merges = [
        Merge("1", "2", "Ada", "Countess", "the text says so", 0.9),
        Merge("2", "3", "Countess", "Lady", "initials", 0.7),
        Merge("3", "4", "Eve", "Bob", "surname", 0.6, "review"),
    ]
    evidence = [
        Evidence(
            "e", facts[0].uid, "BORN_ON", facts[0].subject, facts[0].object, documents[0].uid, "p", 0, 1, "s", "x", 0.5
        )
    ]
    tables = {"entities": entities, "merges": merges, "literals": dates, "facts": facts, "evidence": evidence}
    made.snapshot("resolution", tables, inputs="1")
    counts = [{"entities": 5, "left_out_negated": 4, "pronouns_left_out": 2}, {"entities": 5}]
    made.commit(
        "runs",
        [Run(str(i), "resolve", "0/1", f"2026-11-28T0{i}", 1.0, 0, json.dumps(c)) for i, c in enumerate(counts)],
    )
    return made


def test_the_report_says_what_to_look_at(workspace):
    found = report(workspace)
    assert (found["entities"], found["facts"], found["evidence"]) == (5, 6, 1)
    assert found["support"] == {"1": 3, "2": 1, "3-4": 1, "20-49": 1}
    assert found["scores"] == {
        "0.3-0.4": 1, "0.4-0.5": 0, "0.5-0.6": 1, "0.6-0.7": 1, "0.7-0.8": 0, "0.8-0.9": 0, "0.9-1.0": 3,
    }  # fmt: skip
    assert found["entities_without_facts"] == {
        "n": 2,
        "by_type": {"Person": [1, 3], "Company": [1, 2]},
        "most_mentioned": [
            {"uid": content_id("Eve"), "name": f"Eve{ATTACK}", "type": "Person", "mentions": 2},
            {"uid": content_id("Bolt"), "name": "Bolt", "type": "Company", "mentions": 0},
        ],
    }
    assert found["rules"] == {
        "functional": [
            {"relation": "BORN_ON", "subjects": 2, "broken": 1,
             "examples": [{"subject": "Bob", "values": [["1907", 2], ["1911", 1]]}]},
            {"relation": "FOUNDED_ON", "subjects": 0, "broken": 0, "examples": []},
        ],
        "types": [
            {"relation": "BORN_ON", "facts": 4, "broken": 0, "examples": []},
            {"relation": "FOUNDED", "facts": 2, "broken": 1, "examples": [
                {"subject": "Ada", "subject_type": "Person", "object": "Bob", "object_type": "Person"},
            ]},
        ],
    }  # fmt: skip
    assert found["left_out"] == {"negated": 4, "pronouns": 2}  # the last run had nothing to do
    assert found["components"] == {"n": 3, "largest": 3, "largest_share": 0.6, "sizes": {"1": 2, "3-4": 1}}
    assert found["biggest_merges"] == [
        {"uid": content_id("Ada"), "name": "Ada", "type": "Person", "names": 3, "mentions": 3, "documents": 2,
         "aliases": ["Countess", "Lady"]},
        {"uid": content_id("Bob"), "name": "Bob", "type": "Person", "names": 2, "mentions": 1, "documents": 1,
         "aliases": ["Robert"]},
    ]  # fmt: skip
    assert found["merges_by_reason"] == {"initials": 1, "the text says so": 1}
    assert [m["score"] for m in found["weakest_merges"]] == [0.7, 0.9]
    assert found["waiting_merges"] == [{"a": "Eve", "b": "Bob", "reason": "surname", "score": 0.6}]


@pytest.mark.parametrize(
    "a, b, same",
    [
        ("1906", "1906-12-09", True), ("194X", "1943-01", True), ("18XX", "1843", True), ("1906", "1906", True),
        ("1906", "1907", False), ("194X", "1953", False), ("1906-12-09", "1906-12-10", False),
    ],
)  # fmt: skip
def test_a_rounder_date_does_not_contradict(a, b, same):
    assert (compatible(a, b), compatible(b, a)) == (same, same)


def run(*arguments):
    return CliRunner().invoke(cli.app, ["stats", *arguments])


def test_the_command_prints_the_report(workspace):
    told = run("--workspace", str(workspace.path)).stdout
    for line in (
        "entities                5",
        "  Person         3 ██████████████████████████████",
        "  Company        2 ████████████████████",
        "2 of 5 entities (40%) have no fact.",
        "Facts join 5 entities to 3 groups; the largest holds 3 of them (60%).",
        "  BORN_ON should have one value: 1 of 2 subjects has several that differ",
        "    Bob: 1907 (2 sentences), 1911 (1 sentence)",
        "  FOUNDED: 1 of 2 facts between other types than the schema allows",
        "    Ada (Person) → Bob (Person)",
        "       4  the sentence denies it",
        "  Ada (Person): 3 names, 3 mentions, 2 documents: Countess, Lady",
        "  0.60  Eve = Bob  (surname)",
    ):
        assert line in told.splitlines()
    assert json.loads(run("--workspace", str(workspace.path), "--json").stdout) == report(workspace)


def test_an_empty_workspace_has_a_report(tmp_path):
    Workspace(tmp_path / "ws")
    told = run("--workspace", str(tmp_path / "ws"))
    assert told.exit_code == 0
    assert "0 of 0 entities (0%) have no fact." in told.stdout
    assert "a folder that exists" in str(
        run("--workspace", str(tmp_path / "ws"), "--html", str(tmp_path / "no" / "x.html")).exception
    )


@pytest.mark.browser
def test_the_page_draws_the_counts_and_fetches_and_runs_nothing(workspace, tmp_path):
    if not shutil.which("chromium"):
        assert not os.environ.get("CI"), "CI installs Chromium"
        pytest.skip("no Chromium on this machine; .ci/run installs it")
    from playwright.sync_api import sync_playwright

    out = tmp_path / "report.html"
    assert run("--workspace", str(workspace.path), "--html", str(out)).stdout == f"{out}\n"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1200, "height": 900})
        asked = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(out.as_uri())
        assert (asked, tab.title()) == ([out.as_uri()], "The graph of people")
        assert f"Eve{ATTACK}" in tab.inner_text("main")
        plot = tab.locator("section", has_text="Entities by type")
        people, companies = (plot.locator("tr", has_text=name).locator("td") for name in ("Person", "Company"))
        assert people.inner_text() == "3"
        widths = [bar.bounding_box()["width"] for bar in (people, companies)]
        assert widths[1] / widths[0] == pytest.approx(2 / 3, abs=0.02)
        colour = "element => getComputedStyle(element).backgroundColor"
        assert people.evaluate(colour) != companies.evaluate(colour)
        browser.close()
