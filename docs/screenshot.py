"""Takes the pictures of README and docs by headless Chromium: Neo4j Browser on the sample graph, and pages.

make demo
.venv/bin/python docs/screenshot.py                      # all pictures of docs/browser.md, and README's first
.venv/bin/kgpipe extract examples/corpus/ada-lovelace.md --schema computing --html page.html
.venv/bin/python docs/screenshot.py docs/extract.png --page page.html
.venv/bin/kgpipe stats --html page.html
.venv/bin/python docs/screenshot.py docs/report.png --page page.html
.venv/bin/kgpipe export page.html --format html --around "Grace Hopper"
.venv/bin/python docs/screenshot.py docs/graph-page.png --page page.html --click "Grace Hopper"
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from kgpipe import config as configuration
from kgpipe import pipeline
from kgpipe.graph import browser, server

SLOW = 240_000
"""Milliseconds that a busy machine may take for anything."""
DOCS = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def connected(page: Page, ours: server.Server, query: str) -> None:
    """Neo4j Browser, connected to a running server of ours, with the query in its editor."""
    page.goto(browser.url(ours.browser, ours.uri, ours.user, query))
    page.locator("input[data-testid=password]").fill(ours.password, timeout=SLOW)
    page.locator("button[data-testid=connect]").click()
    page.get_by_text("You are connected as user").wait_for(timeout=SLOW)
    page.locator("[data-testid=activeEditor]", has_text=query.split()[0]).wait_for()
    page.locator("[data-testid=frame]", has_text=":style").wait_for()  # what our server has Browser run


def run(page: Page, query: str) -> Locator:
    """Runs the query that stands in the editor; the frame of its result, at rest."""
    page.locator("[data-testid=editor-Run]").first.click()
    frame = page.locator("[data-testid=frame]", has_text=query.partition("\n")[0])
    frame.get_by_text("Displaying").or_(frame.get_by_text("Started streaming")).first.wait_for(timeout=SLOW)
    page.wait_for_timeout(8_000)  # the layout comes to rest
    return frame


def double_click(page: Page, frame: Locator, name: str) -> None:
    """Opens a node: its neighbours come in."""
    frame.locator("g.node", has_text=name.split()[0]).first.dblclick()
    page.wait_for_timeout(6_000)


def picture(
    ours: server.Server, out: Path, *, query: str, open_node: str = "", click_edge: str = "", height: int = 900
) -> str:  # fmt: skip
    """Writes a PNG of the query's result in the Browser of a running server of ours; returns the text of its frame.

    `open_node` is the name of a node to double-click, `click_edge` the type of a relationship to click.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = chromium.new_page(viewport={"width": 1400, "height": height})
        page.set_default_timeout(SLOW)
        connected(page, ours, query)
        frame = run(page, query)
        if open_node:
            double_click(page, frame, open_node)
        if click_edge:
            frame.locator("g.relationship text", has_text=click_edge).first.click(force=True)
            page.wait_for_timeout(1_000)
        if frame.locator("g.node").count():
            frame.locator("[aria-label='zoom-to-fit']").click()
            page.wait_for_timeout(2_000)
        frame.screenshot(path=out)
        seen = frame.inner_text()
        chromium.close()
    return seen


def picture_of_page(page: Path, out: Path, *, click: str = "") -> None:
    """Writes a PNG of the top of an HTML file; of an exported graph with the entity of that name selected."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        tab = chromium.new_page(viewport={"width": 1300, "height": 800} if click else {"width": 1000, "height": 760})
        tab.goto(page.absolute().as_uri())
        if click:
            tab.locator("body[data-settled]").wait_for(timeout=60_000)
            tab.wait_for_timeout(1_000)  # it moves to its place
            tab.evaluate("name => select(nodes.find(n => n.name === name))", click)
            tab.wait_for_timeout(500)
        tab.screenshot(path=out)
        chromium.close()


def guide(workspace: pipeline.Workspace) -> None:
    """Takes the pictures of docs/browser.md from the workspace's own server."""
    ours = server.start(
        workspace.path / "neo4j", connect_command=browser.connect_command(browser.schema_of(workspace))
    )  # fmt: skip

    def about_hopper(name: str) -> str:
        return browser.saved(name, workspace, about="Grace Hopper").text

    one = "MATCH (e:Person {name: 'Alan Turing'}) RETURN e"
    picture(ours, DOCS / "browser.png", query=about_hopper("neighbours"))
    picture(ours, DOCS / "browser-overview.png", query=browser.saved("overview", workspace).text)
    picture(ours, DOCS / "browser-fact.png", query=about_hopper("neighbours"), click_edge="MEMBER_OF")
    picture(ours, DOCS / "browser-opened.png", query=one, open_node="Alan")
    picture(ours, DOCS / "browser-why.png", query=about_hopper("why"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="?", help="With --page: the picture.")
    parser.add_argument("--workspace", type=Path, default=Path(".kgpipe"))
    parser.add_argument("--page", type=Path, help="An HTML file, instead of Neo4j Browser.")
    parser.add_argument("--click", default="", help="With the page of an exported graph: the name of a node.")
    options = parser.parse_args()
    if options.page:
        picture_of_page(options.page, options.out, click=options.click)
    else:
        guide(pipeline.opened(configuration.load(workspace=options.workspace)))
