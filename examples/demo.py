"""The demo: a graph of the sample corpus, what is in it, three questions, and where to look at it. Run by `make demo`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from urllib.parse import unquote

from kgpipe import config as configuration
from kgpipe import pipeline
from kgpipe.engine import progress_bar
from kgpipe.errors import KgpipeError
from kgpipe.graph import jars, server
from kgpipe.query import answer
from kgpipe.report import statistics, top_facts

CORPUS = Path(__file__).parent / "corpus"
QUESTIONS = (
    "Who founded Intel?",
    "Where was the designer of TeX born?",
    "How many people founded Digital Equipment Corporation?",
)
BROWSER_QUERY = "MATCH p = (:Person)-->(:Organization) RETURN p LIMIT 60"


def main() -> None:
    started = time.monotonic()
    config = configuration.load(workspace=Path(".kgpipe"))
    print(f"Building the graph of {CORPUS} in {config.workspace.absolute()}", flush=True)
    if not (config.neo4j or config.neo4j_home or jars.lib_folder().is_dir()):
        megabytes = sum(jar.size for jar in jars.read_list()) / 1e6
        print(f"Neo4j is fetched once: {megabytes:.0f} MB into {jars.lib_folder().parent}", flush=True)
    with progress_bar() as progress:
        stages = pipeline.build([CORPUS], config, schema="computing", progress=progress)
    print("  ".join(f"{name} {counts['seconds']} s" for name, counts in stages.items()))

    workspace = pipeline.opened(config)
    found = statistics(workspace)
    print("\n== What was found")
    print(
        ", ".join(f"{found[k]:,} {k}" for k in ("documents", "duplicates", "passages", "entities", "facts", "evidence"))
    )
    for title, key in (("entities", "entities_by_type"), ("facts", "facts_by_relation")):
        print(f"{title}: " + ", ".join(f"{name} {n}" for name, n in found[key].items()))
    for language, uris in found["skipped"].items():
        print(f"kept, not read, because the model reads English ({language}): {', '.join(map(_file_name, uris))}")

    print("\n== Ten facts and where they are said")
    for fact in top_facts(workspace):
        print(f"{fact['subject']} -{fact['relation']}-> {fact['object']}   ({fact['support']} sentences)")
        print(f'    "{_short(fact["sentence"])}"  {_file_name(fact["source"])}')

    print("\n== Three questions")
    with answer.opened(config) as (store, schema):
        for question in QUESTIONS:
            print(f"\n? {question}")
            print("\n".join(answer.lines(answer.ask(question, store, schema))))

    if config.neo4j:
        print(f"\nThe graph is in your Neo4j at {config.neo4j}.")
    else:
        ours = server.start(workspace.path / "neo4j", neo4j_home=config.neo4j_home)
        print("\n== Look at it in Neo4j Browser")
        print(f"address  {ours.browser}\nuser     {ours.user}\npassword {ours.password}")
        print(f"paste    {BROWSER_QUERY}")
        print('ask      .venv/bin/kgpipe ask "..."        stop it   .venv/bin/kgpipe neo4j stop')
    print(f"\nDone in {time.monotonic() - started:.0f} s.")


def _file_name(uri: str) -> str:
    return unquote(uri.rsplit("/", 1)[-1])


def _short(sentence: str, longest: int = 220) -> str:
    folded = " ".join(sentence.split())
    return folded if len(folded) <= longest else folded[: longest - 3] + "..."


if __name__ == "__main__":
    try:
        main()
    except KgpipeError as error:
        sys.exit(f"demo: {error}")
