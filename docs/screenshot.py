"""Takes the README's pictures by headless Chromium: the sample graph in Neo4j Browser, after `make demo`, and a page.

.venv/bin/python docs/screenshot.py docs/browser.png
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

from playwright.sync_api import sync_playwright

from kgpipe import config as configuration
from kgpipe import pipeline
from kgpipe.graph import server

QUERY = 'MATCH p = (:Person {name: "Grace Hopper"})-->(x) WHERE x:Entity OR x:Literal RETURN p'
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def picture(ours: server.Server, out: Path, *, query: str = QUERY) -> str:
    """Writes a PNG of the query's result in the Browser of a running server of ours; returns the text beside it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(server.browser_url(ours, query))
        page.locator("input[data-testid=password]").fill(ours.password)
        page.locator("button[data-testid=connect]").click()
        page.locator("input[data-testid=password]").wait_for(state="detached")
        page.wait_for_timeout(5_000)  # Browser writes down the connection, nothing on the page says when
        page.goto(server.browser_url(ours, query))
        page.locator("[data-testid=activeEditor]", has_text=query.split()[0]).wait_for()
        page.wait_for_timeout(5_000)  # connected again
        page.locator("[data-testid=editor-Run]").first.click()
        frame = page.locator("[data-testid=frame]").first
        frame.get_by_text("Displaying").wait_for(timeout=60_000)
        page.wait_for_timeout(8_000)  # the layout comes to rest
        frame.screenshot(path=out)
        seen = frame.inner_text()
        browser.close()
    return seen


def picture_of_page(page: Path, out: Path, *, click: str = "") -> None:
    """Writes a PNG of the top of an HTML file; of an exported graph with the entity of that name selected."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        tab = browser.new_page(viewport={"width": 1300, "height": 800} if click else {"width": 1000, "height": 760})
        tab.goto(page.absolute().as_uri())
        if click:
            tab.locator("body[data-settled]").wait_for(timeout=60_000)
            tab.wait_for_timeout(1_000)  # it moves to its place
            tab.evaluate("name => select(nodes.find(n => n.name === name))", click)
            tab.wait_for_timeout(500)
        tab.screenshot(path=out)
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--workspace", type=Path, default=Path(".kgpipe"))
    parser.add_argument("--query", default=QUERY)
    parser.add_argument("--page", type=Path, help="An HTML file, instead of Neo4j Browser.")
    parser.add_argument("--click", default="", help="With the page of an exported graph: the name of a node.")
    options = parser.parse_args()
    if options.page:
        picture_of_page(options.page, options.out, click=options.click)
    else:
        workspace = pipeline.opened(configuration.load(workspace=options.workspace))
        print(picture(server.start(workspace.path / "neo4j"), options.out, query=options.query))
