"""Takes the pictures of docs/airflow.md by headless Chromium, while `make airflow` runs and its first run has ended.

    .venv/bin/python docs/screenshot_airflow.py http://127.0.0.1:PORT PASSWORD docs/airflow-grid.png docs/airflow-graph.png docs/airflow-report.png

The grid of the runs, the graph of the tasks, and the page of the task `report` with its buttons.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def pictures(url: str, password: str, grid: Path, graph: Path, report: Path, *, dag: str = "sample") -> None:
    token = httpx.post(f"{url}/auth/token", json={"username": "admin", "password": password}, timeout=60).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    found = httpx.get(f"{url}/api/v2/dags/{dag}/dagRuns?order_by=-run_after", headers=headers, timeout=60).json()
    run = f"{url}/dags/{dag}/runs/{found['dag_runs'][0]['dag_run_id']}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 860})
        page.set_default_timeout(240_000)
        page.goto(f"{url}/dags/{dag}")
        page.locator("input[name=username]").fill("admin")
        page.locator("input[name=password]").fill(password)
        page.locator("button[type=submit]").click()
        for address, out, shown, view in (
            (run, grid, "extract", "grid"),
            (run, graph, "extract", "graph"),
            (f"{run}/tasks/report", report, "Neo4j Browser", "grid"),
        ):
            page.wait_for_url(f"{url}/dags/**")
            page.evaluate(
                "([key, view]) => localStorage.setItem(key, JSON.stringify(view))", ["default_dag_view", view]
            )
            page.goto(address)
            page.get_by_text(shown).first.wait_for()
            page.wait_for_timeout(8_000)  # the layout comes to rest
            page.screenshot(path=out)
        browser.close()


if __name__ == "__main__":
    pictures(sys.argv[1], sys.argv[2], *map(Path, sys.argv[3:6]))
