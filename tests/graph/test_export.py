"""The graph in formats of others: networkx reads the GraphML, Chromium shows the page without a network."""

import json
import os
import re
import shutil
import subprocess

import networkx
import pytest
from typer.testing import CliRunner

from kgpipe import cli
from kgpipe import schema as schemas
from kgpipe.errors import InputError
from kgpipe.graph import select, server
from kgpipe.graph.export import export
from kgpipe.records import Document, Entity, Evidence, Fact, Literal, Passage, content_id
from kgpipe.workspace import Workspace

SCHEMA = schemas.parse("""
name: people
entities: {Person: {label: person}, Company: {label: company}, Date: {literal: date, label: date}}
relations:
  FOUNDED: {label: founded, domain: [Person], range: [Company]}
  KNOWS: {label: knows, domain: [Person], range: [Person]}
  BORN_ON: {label: date of birth, domain: [Person], range: [Date]}
""")
ATTACK = "</script><img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
HOSTILE = f"Bobby\x00 `Tables` \ufffe\u202e&amp; {ATTACK}"
PEOPLE = ("Ada", "Bob", "Cy", "Dee", "Eve", "Fay", HOSTILE)
SAID = [  # (subject, relation, object, how many sentences)
    ("Ada", "KNOWS", "Bob", 3), ("Ada", "FOUNDED", "Acme", 25), ("Bob", "KNOWS", "Cy", 1), ("Bob", "FOUNDED", "Acme", 1),
    ("Bob", "KNOWS", HOSTILE, 2), ("Cy", "KNOWS", "Dee", 1), ("Ada", "BORN_ON", "1815-12-10", 1),
    ("Eve", "BORN_ON", "1815-12-10", 1), ("Ada", "FOUNDED", "Bolt", 1),
]  # fmt: skip


def entity(name):
    kind = "Company" if name in ("Acme", "Bolt") else "Person"
    aliases = ("Countess", "Lady") if name == "Ada" else ("Lady",) if name == "Eve" else ()
    return Entity(content_id(name), kind, name, (name, *aliases), (content_id("mention", name),))


@pytest.fixture
def workspace(tmp_path):
    made = Workspace(tmp_path / "ws")
    made.set_state("schema", {"name": SCHEMA.name, "json": SCHEMA.to_json()})
    document = Document("file:///x/a b.md", "text", title="On <b>Ada</b>")
    made.commit("documents", [document])
    date = Literal("Date", "1815-12-10", "date")
    facts, evidence = [], []
    for number, (subject, relation, object_, n) in enumerate(SAID):
        literal = relation == "BORN_ON"
        fact = Fact(
            content_id(subject), relation, date.uid if literal else content_id(object_), literal, n, 0.9, f"{subject} said",
            document.uri,
        )  # fmt: skip
        facts.append(fact)
        evidence += [
            Evidence(
                content_id(number, i), fact.uid, relation, fact.subject, fact.object, document.uid, "p", i, i + 1,
                f"{subject} {relation}\n{object_}, sentence {i}.", "hand", round(0.9 - i / 100, 2),
            ) for i in range(n)
        ]  # fmt: skip
    made.snapshot(
        "resolution",
        {
            "entities": [entity(name) for name in (*PEOPLE, "Acme", "Bolt")], "merges": [], "literals": [date],
            "facts": facts, "evidence": evidence,
        },
        inputs="1",
    )  # fmt: skip
    return made


def names(part):
    return set(part.entities.column("name").to_pylist())


# what is chosen


def test_around_an_entity_goes_from_fact_to_fact_and_not_over_dates(workspace):
    assert names(select.around(workspace, "Ada", hops=1, most=None)) == {"Ada", "Bob", "Acme", "Bolt"}
    two = select.around(workspace, "countess", hops=2, most=None)
    assert names(two) == {"Ada", "Bob", "Acme", "Bolt", "Cy", HOSTILE}
    assert two.literals.column("value").to_pylist() == ["1815-12-10"]
    assert two.facts.num_rows == len(SAID) - 2  # neither that of Eve nor that of Dee
    assert two.n_facts[content_id("Cy")] == 2
    few = select.around(workspace, content_id("Ada"), hops=2, most=4)
    assert (names(few), few.n_left_out) == ({"Ada", "Acme", "Bob", "Bolt"}, 2)
    assert names(select.around(workspace, "Ada", hops=1, most=3)) == {"Ada", "Acme", "Bob"}  # most sentences


def test_the_best_connected_entities_and_the_whole(workspace):
    assert names(select.top(workspace, 2)) == {"Ada", "Bob"}
    assert names(select.whole(workspace)) == {*PEOPLE, "Acme", "Bolt"}
    assert names(select.top(workspace, 100)) == {*PEOPLE, "Acme", "Bolt"} - {"Eve", "Fay"}  # joined to no other


@pytest.mark.parametrize(
    "name, message",
    [
        ("Adda", 'Nothing in the graph is called "Adda". Similar: .*Ada'),
        ("lady", '"lady" names 2 entities: Eve .Person. \\w+; Ada'),
        (" ", "No entity is named"),
    ],
)
def test_a_name_that_is_not_that_of_one_entity_is_refused(workspace, name, message):
    with pytest.raises(InputError, match=message):
        select.around(workspace, name, hops=1, most=None)


# GraphML


def test_networkx_reads_the_graphml_back(workspace, tmp_path):
    counts = export(workspace, tmp_path / "g.graphml", "graphml")
    assert counts == {"entities": 9, "literals": 1, "facts": 9, "replaced": 3}
    found = networkx.read_graphml(tmp_path / "g.graphml", force_multigraph=True)
    nodes = {row["uid"]: row for row in workspace.read("entities").to_pylist()}
    for uid, row in nodes.items():
        told = found.nodes[uid]
        assert told["label"] == row["name"].replace("\x00", "\ufffd").replace("\ufffe", "\ufffd")
        assert (told["type"], told["kind"], told["mentions"]) == (row["type"], "entity", 1)
        assert json.loads(told["aliases"])[1:] == row["aliases"][1:]
    [date] = workspace.read("literals").to_pylist()
    assert found.nodes[date["uid"]] == {"label": "1815-12-10", "type": "Date", "kind": "date"}
    edges = {key: (s, o, told) for s, o, key, told in found.edges(keys=True, data=True)}
    assert edges == {
        row["uid"]: (
            row["subject"], row["object"],
            {"label": row["type"], "sentence": row["sentence"].replace("\x00", "\ufffd").replace("\ufffe", "\ufffd"),
             **{k: row[k] for k in ("support", "score", "source")}},
        )
        for row in workspace.read("facts").to_pylist()
    }  # fmt: skip


def test_a_part_can_be_written_as_graphml_too(workspace, tmp_path):
    export(workspace, tmp_path / "g.graphml", "graphml", around="Cy", hops=1)
    assert {told["label"] for _, told in networkx.read_graphml(tmp_path / "g.graphml").nodes.items()} == {
        "Cy", "Bob", "Dee",
    }  # fmt: skip


# CSV


@pytest.mark.slow
def test_neo4j_admin_imports_the_csv(workspace, tmp_path, neo4j_jars):
    document = Document("file:///x/a b.md", "text", title="On <b>Ada</b>")
    workspace.commit("passages", [Passage(document.uid, document.version, 0, 4, "text")])
    made = {name: workspace.read(name).to_pylist() for name in ("entities", "merges", "literals", "facts", "evidence")}
    for row in made["evidence"]:
        row["passage"] = Passage(document.uid, document.version, 0, 4, "text").uid
    for row in made["entities"]:  # no extraction holds the mentions of this workspace
        row["mentions"] = []
    workspace.snapshot("resolution", made, inputs="2")
    counts = export(workspace, tmp_path / "csv", "csv")
    n_evidence = sum(n for *_, n in SAID)
    assert counts == {
        "nodes": 9 + 1 + 1 + 1 + n_evidence + 1, "relationships": len(SAID) + 1 + n_evidence, "lists_left_out": 0,
    }  # fmt: skip  # the last node is the marker
    (tmp_path / "neo4j" / "conf").mkdir(parents=True)
    done = subprocess.run(
        [server.java_command(), "-Xmx512m", "-cp", f"{neo4j_jars}/*", server.ADMIN, "database", "import", "full", "neo4j",
         "@import.args"],
        cwd=tmp_path / "csv", env=os.environ | {"NEO4J_HOME": str(tmp_path / "neo4j"), "NEO4J_CONF": str(tmp_path / "neo4j" / "conf")},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    said = re.search(r"Imported:\s+(\d+) nodes\s+(\d+) relationships", done.stdout)
    assert [int(n) for n in said.groups()] == [counts["nodes"], counts["relationships"]]
    for arguments, message in (({}, "no empty folder"), ({"around": "Ada"}, "the whole graph")):
        with pytest.raises(InputError, match=message):
            export(workspace, tmp_path / "csv", "csv", **arguments)


def test_the_command_says_what_it_wrote_and_what_it_cannot_do(workspace, tmp_path):
    def run(*arguments):
        return CliRunner().invoke(cli.app, ["export", *arguments, "--workspace", str(workspace.path)])

    out = tmp_path / "page.html"
    done = run(str(out), "--format", "html", "--around", "Ada", "--json")
    assert json.loads(done.stdout) == {"out": str(out), "entities": 6, "literals": 1, "facts": 7, "sentences": 29}
    assert "9 entities" not in out.read_text(encoding="utf-8")
    for arguments, message in (
        ((str(out), "--format", "pdf"), 'Unknown format "pdf"; known: graphml'),
        ((str(tmp_path / "no" / "x.html"), "--format", "html"), "a folder that exists"),
    ):
        assert message in str(run(*arguments).exception)


# the page


@pytest.fixture
def tab():
    if not shutil.which("chromium"):
        assert not os.environ.get("CI"), "CI installs Chromium"
        pytest.skip("no Chromium on this machine; .ci/run installs it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1600, "height": 900})
        opened.problems = []
        opened.on("request", lambda r: r.url.startswith(("file:", "data:")) or opened.problems.append(r.url))
        opened.on("pageerror", lambda error: opened.problems.append(str(error)))
        opened.on("console", lambda message: message.type == "error" and opened.problems.append(message.text))
        yield opened
        browser.close()


def opened(tab, page):
    tab.goto(page.as_uri())
    tab.locator("body[data-settled]").wait_for(timeout=60_000)
    tab.wait_for_timeout(600)  # it moves to its place
    return tab


def place(tab, what):
    """Where a node (by name) or the middle of a fact (by place in the data) is on the screen."""
    return tab.evaluate(
        """what => {
          const node = nodes.find(n => n.name === what), fact = facts[what];
          const at = node || { x: (fact.source.x + fact.target.x) / 2, y: (fact.source.y + fact.target.y) / 2 };
          const on = graph.graph2ScreenCoords(at.x, at.y), box = byId("graph").getBoundingClientRect();
          return { x: on.x + box.x, y: on.y + box.y };
        }""",
        what,
    )


def point_at(tab, what):
    """Moves the mouse there and waits until force-graph has seen, at its next frame, what is under the pointer."""
    at = place(tab, what)
    tab.mouse.move(at["x"], at["y"])
    tab.wait_for_function("what => hovered && hovered === (nodes.find(n => n.name === what) || facts[what])", arg=what)
    return at


def click(tab, what):
    at = point_at(tab, what)
    tab.mouse.click(at["x"], at["y"])


@pytest.mark.browser
@pytest.mark.slow
def test_the_page_shows_facts_with_their_sentences(workspace, tab, tmp_path):
    page = tmp_path / "page.html"
    export(workspace, page, "html", around="Bob", hops=2)
    opened(tab, page)
    panel = tab.locator("#panel")
    assert tab.locator("h1").inner_text() == "Bob"
    assert "7 entities and 8 facts, at most 2 facts away from Bob" in tab.locator("header p").inner_text()
    assert re.sub(r"\s+", " ", tab.locator("#legend").inner_text()) == "Types person 5 company 2 Values date 1"

    click(tab, "Ada")  # a node: its facts, with the best sentence of each
    panel.locator("h2", has_text="Ada").wait_for()
    told = re.sub(r"\s+", " ", panel.inner_text())
    assert "person also: Countess, Lady" in told
    assert "founded → Acme 25 sentences Ada FOUNDED Acme, sentence 0. On <b>Ada</b> · score 0.90 24 more" in told
    assert "date of birth → 1815-12-10 1 sentence" in told
    panel.locator("summary", has_text="24 more sentences").click()
    assert "sentence 19." in panel.inner_text()
    assert "5 more sentences in the graph." in panel.inner_text()
    assert tab.url.endswith("#" + content_id("Ada"))

    panel.get_by_role("button", name="25 sentences").click()  # a fact: all of its sentences
    assert "Ada founded → Acme" in re.sub(r"\s+", " ", panel.inner_text())
    assert panel.locator("blockquote").count() == 20
    tab.keyboard.press("Escape")
    assert panel.locator("h2").inner_text() == "Bob"

    straight = tab.evaluate("facts.find(f => f.r === 'KNOWS' && !f.bend).id")  # a line
    click(tab, straight)
    panel.locator("p.statement").wait_for()
    assert "KNOWS, said in" in panel.inner_text()

    tab.keyboard.press("Escape")
    tab.keyboard.press("/")  # the search box
    tab.keyboard.type("count")
    assert "Ada" in tab.locator("#matches").inner_text()
    tab.keyboard.press("Enter")
    assert panel.locator("h2").inner_text() == "Ada"

    tab.locator("#legend label", has_text="company").click()
    assert tab.evaluate("graph.graphData().nodes.map(n => n.type).includes('Company')") is False

    tab.get_by_role("button", name="Fit to window").click()
    tab.wait_for_timeout(1_500)
    before = point_at(tab, "Cy")  # dragged to another place, where it stays
    tab.mouse.down()
    tab.mouse.move(before["x"] + 40, before["y"] + 30, steps=5)
    tab.mouse.up()
    tab.wait_for_timeout(500)
    after = place(tab, "Cy")
    assert (abs(after["x"] - before["x"] - 40) < 8) and (abs(after["y"] - before["y"] - 30) < 8)
    scale = tab.evaluate("graph.zoom()")
    tab.mouse.wheel(0, -300)
    tab.wait_for_timeout(300)
    assert tab.evaluate("graph.zoom()") > scale
    assert tab.problems == []


@pytest.mark.browser
def test_text_of_documents_is_text_on_the_page(workspace, tab, tmp_path):
    page = tmp_path / "page.html"
    export(workspace, page, "html", around=HOSTILE, hops=1)
    opened(tab, page)
    tab.goto(f"{page.as_uri()}#{content_id(HOSTILE)}")
    tab.reload()
    tab.locator("#panel h3", has_text="knows").wait_for()
    assert ATTACK in tab.locator("#panel h2").inner_text()
    assert tab.title() != "run"
    assert tab.locator("img").count() == 0
    assert tab.problems == []
