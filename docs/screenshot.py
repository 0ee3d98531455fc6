"""Takes the README's picture: the sample graph in Neo4j Browser, by headless Chromium. Run after `make demo`.

    .venv/bin/python docs/screenshot.py docs/browser.png
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

from kgpipe import config as configuration
from kgpipe import pipeline
from kgpipe.graph import server

QUERY = "MATCH p = (:Person)-->(:Organization) RETURN p LIMIT 40"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def picture(home: Path, out: Path, *, query: str = QUERY, chromium: str = "") -> Path:
    """A PNG of the query's result in the Browser of our own server in `home`."""
    ours = server.start(home)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium or shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(server.browser_url(ours, query))
        page.locator("input[data-testid=password]").fill(ours.password)
        page.locator("button[data-testid=connect]").click()
        page.locator("input[data-testid=password]").wait_for(state="detached")
        page.wait_for_timeout(5_000)  # Browser writes down the connection
        page.goto(server.browser_url(ours, query))
        page.locator("[data-testid=activeEditor]", has_text=query.split()[0]).wait_for()
        page.wait_for_timeout(5_000)  # connected again
        page.locator("[data-testid=editor-Run]").first.click()
        page.wait_for_timeout(15_000)  # until the layout has come to rest
        frame = page.locator("[data-testid=frame]").first
        frame.screenshot(path=out)
        browser.close()
    return out


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--workspace", type=Path, default=Path(".kgpipe"))
    options = parser.parse_args()
    workspace = pipeline.opened(configuration.load(workspace=options.workspace))
    print(picture(workspace.path / "neo4j", options.out))
