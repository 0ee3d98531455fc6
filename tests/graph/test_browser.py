"""Neo4j Browser on our graphs: the address, the style, the saved queries, and what a headless Chromium sees."""

import importlib.util
import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgpipe import cli, colours
from kgpipe import schema as schemas
from kgpipe.errors import InputError
from kgpipe.graph import browser, cypher, server
from kgpipe.graph.load import load
from kgpipe.graph.store import Store
from kgpipe.records import Document, Entity, Evidence, Extraction, Fact, Literal, Mention, Passage, content_id
from kgpipe.workspace import Workspace

SCRIPT = Path(__file__).parents[2] / "docs" / "screenshot.py"
SCHEMA = schemas.parse("""
name: people
entities: {Person: {}, Organization: {}, Company: {is: Organization}, Date: {literal: date}}
relations:
  FOUNDED: {domain: [Person], range: [Organization]}
  BORN_ON: {domain: [Person], range: [Date], functional: true}
""")
ADA = 'Ada "the O\'Neill \\ first"'
N_PASSAGES = 120
"""More passages than Browser brings in when a node is opened."""


@pytest.fixture
def workspace(tmp_path):
    """Ada founded a company and has two birthdays; 120 passages name her."""
    made = Workspace(tmp_path / "ws")
    made.set_state("schema", {"name": SCHEMA.name, "json": SCHEMA.to_json()})
    text = "x" * 10
    document = Document("file:///ada.md", text * N_PASSAGES, title="On Ada", time="2026-11-28")
    passages = [
        Passage(document.uid, document.version, i * 10, i * 10 + 10, f"{i:03}{text[3:]}") for i in range(N_PASSAGES)
    ]
    mention = Mention(0, 3, "Person")
    made.commit("documents", [document])
    made.commit("passages", passages)
    made.commit("extractions", [Extraction(p.uid, "f", document.uid, (mention,)) for p in passages])
    dates = [Literal("Date", value, "date") for value in ("1815-12-10", "1816")]
    ada, firm = content_id(ADA), content_id("Firm")
    facts = [
        Fact(ada, "FOUNDED", firm, False, 1, 0.9, "Ada founded it.", document.uri),
        *(Fact(ada, "BORN_ON", d.uid, True, 1, 0.8, f"Ada, {d.value}.", document.uri) for d in dates),
    ]
    evidence = [
        Evidence(
            content_id(i), f.uid, f.type, f.subject, f.object, document.uid, passages[0].uid, i, i + 1, f.sentence, "hand", 0.9
        ) for i, f in enumerate(facts)
    ]  # fmt: skip
    entities = [
        Entity(ada, "Person", ADA, ("Countess",), tuple(mention.uid(p.uid) for p in passages)),
        Entity(firm, "Company", "Firm"),
    ]
    made.snapshot(
        "resolution",
        {"entities": entities, "merges": [], "literals": dates, "facts": facts, "evidence": evidence},
        inputs="1",
    )
    return made


def test_the_style_names_every_type_after_its_parents():
    made = browser.style(SCHEMA)
    order = list(made)
    assert order.index("node.Entity") < order.index("node.Organization") < order.index("node.Company")
    assert made["node.Company"]["color"] == colours.of_types(SCHEMA)["Company"]
    assert made["node.Company"]["caption"] == "{name}"
    assert 'node.Company {\n  color: #' in browser.grass(SCHEMA)  # fmt: skip
    assert '  caption: "{name}";\n' in browser.grass(SCHEMA)


def test_saved_queries_begin_with_what_they_show_and_run(workspace, graph):
    texts = {query.name: query.text for query in browser.saved_queries(workspace)}
    assert {q.name: q.text.count("$") for q in browser.saved_queries()} == {
        "conflicts": 1, "connections": 2, "merges": 0, "neighbours": 1, "newest": 0, "overview": 0, "said_once": 0, "why": 1,
    }  # fmt: skip
    assert all(text.startswith("// ") and "$" not in text for text in texts.values())
    with Store(graph.uri, graph.user, graph.password) as store:
        load(store, workspace)
        store.write(cypher.AWAIT_INDEXES)
        rows = {name: store.read(text)[1] for name, text in texts.items()}
        plans = {name: store.explain(text) for name, text in texts.items()}
    assert {plan.kind for plan in plans.values()} == {"r"}
    assert [[row[i] for i in (0, 1, 2)] for row in rows["conflicts"]] == [
        [ADA, "BORN_ON", "1815-12-10"], [ADA, "BORN_ON", "1816"],
    ]  # fmt: skip
    assert len(rows["neighbours"]) == 3
    assert [path[0]["relationships"][0]["type"] for path in rows["connections"]] == ["FOUNDED"]
    assert [row[:4] for row in rows["why"]] == [
        [f"{ADA} BORN_ON 1815-12-10", "Ada, 1815-12-10.", "On Ada", 0.9], [f"{ADA} BORN_ON 1816", "Ada, 1816.", "On Ada", 0.9],
        [f"{ADA} FOUNDED Firm", "Ada founded it.", "On Ada", 0.9],
    ]  # fmt: skip
    assert [row[2] for row in rows["said_once"]] == ["1815-12-10", "1816", "Firm"]
    assert rows["newest"] == [["2026-11-28", "On Ada", 3, "file:///ada.md"]]
    assert rows["merges"] == [[ADA, "Person", ["Countess"], 1, N_PASSAGES, content_id(ADA)]]
    assert [path[0]["relationships"][0]["type"] for path in rows["overview"]] == ["FOUNDED"]


def test_queries_are_listed_and_written_as_files(workspace, tmp_path):
    def run(*arguments):
        return CliRunner().invoke(cli.app, ["neo4j", "queries", *arguments, "--workspace", str(workspace.path)])

    listed = json.loads(run("--json").stdout)
    assert [q["name"] for q in listed] == [q.name for q in browser.saved_queries()]
    folder = tmp_path / "files"
    assert run("--out", str(folder)).stdout.split() == [str(p) for p in browser.write_files(folder, workspace)]
    assert (folder / "why.cypher").read_text() == browser.saved("why", workspace).text + "\n"
    assert (folder / "kgpipe.grass").read_text() == browser.grass(SCHEMA)
    told = browser.saved("connections", workspace, about="Firm").text
    assert "'\"Firm\"'" in told and "Neill" in told  # from it to the best connected one
    with pytest.raises(InputError, match='Unknown query "whi"; known: conflicts, .*why'):
        browser.saved("whi")


# in Chromium


@pytest.fixture(scope="module")
def styled(neo4j_jars, tmp_path_factory):
    """A server that tells Browser the style of SCHEMA."""
    home = tmp_path_factory.mktemp("styled") / "neo4j"
    command = browser.connect_command(SCHEMA)
    yield server.start(home, heap_mb=512, pagecache_mb=64, connect_command=command, timeout_s=300)
    server.stop(home)


@pytest.mark.browser
@pytest.mark.slow
def test_a_double_click_opens_the_facts_first_and_all_has_the_colour_of_its_type(styled, workspace, tmp_path):
    if not shutil.which("chromium"):
        assert not os.environ.get("CI"), "CI installs Chromium"
        pytest.skip("no Chromium on this machine; .ci/run installs it")
    from playwright.sync_api import sync_playwright

    spec = importlib.util.spec_from_file_location("screenshot", SCRIPT)
    screenshot = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(screenshot)
    with Store(styled.uri, styled.user, styled.password) as store:
        load(store, workspace)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=screenshot.FLAGS)
        page = chromium.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(screenshot.SLOW)
        query = "MATCH (e:Person) RETURN e"
        screenshot.connected(page, styled, query)
        frame = screenshot.run(page, query)
        nodes = frame.locator("g.node")
        assert nodes.count() == 1
        screenshot.double_click(page, frame, "Ada")
        nodes.filter(has_text="Firm").wait_for()
        assert nodes.count() == 1 + 100  # of 123 neighbours
        for caption in ("Firm", "1815", "1816"):
            assert nodes.filter(has_text=caption).count() == 1
        fills = (
            nodes.filter(has_text="Firm").locator("circle").evaluate_all("all => all.map(c => c.getAttribute('fill'))")
        )
        assert colours.of_types(SCHEMA)["Company"] in fills
        chromium.close()
