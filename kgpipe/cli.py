"""The command line. Every command is thin: it reads options, calls one library function, prints what came back."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import logging
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from kgpipe import config as configuration
from kgpipe import pipeline
from kgpipe.engine import parse_shard, progress_bar, silent
from kgpipe.errors import InputError, KgpipeError, StoreGone

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Turns a folder of documents into a knowledge graph that can be trusted, asked and inspected.",
)
schema_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Schema files.")
neo4j_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Our own local Neo4j of a workspace.")
evaluate_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Scores against gold annotations.")
corpus_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What became of the documents.")
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(corpus_app, name="corpus")
app.add_typer(schema_app, name="schema")
app.add_typer(neo4j_app, name="neo4j")

WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", help="Folder of the workspace (default ./.kgpipe).")
]
SchemaOption = Annotated[str, typer.Option("--schema", help="Schema file, or the name of one that comes with kgpipe.")]
Neo4jOption = Annotated[str | None, typer.Option("--neo4j", help="Bolt address of your server (default: our own).")]
PrecisionOption = Annotated[
    float | None, typer.Option("--precision", help="Share of the relations that is to be right, as 0.9 (see docs).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress bars.")]


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def _counted(counts: dict[str, Any]) -> str:
    shown = [f"{k} {v}" for k, v in counts.items() if isinstance(v, int) and not isinstance(v, bool) and v]
    return ", ".join(shown) or "nothing new"


def _print_stages(results: dict[str, dict[str, Any]]) -> None:
    for name, counts in results.items():
        took = f"{counts['seconds']:7.1f} s" if "seconds" in counts else " " * 9
        typer.echo(f"{name:8} {took}  {_counted(counts)}")


def _print_scores(scores: dict[str, Any], indent: str = "") -> None:
    for key, value in scores.items():
        if isinstance(value, dict):
            typer.echo(f"{indent}{key}")
            _print_scores(value, indent + "  ")
        elif isinstance(value, list):
            typer.echo(f"{indent}{key}: {len(value)}")
            for item in value:
                typer.echo(f"{indent}  {item}")
        else:
            typer.echo(f"{indent}{key:24} {value}")


@app.callback()
def options(debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False) -> None:
    """Global options."""
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if not debug:  # what the driver tries again is no news, and what it gives up an error of ours
        logging.getLogger("neo4j").setLevel(logging.CRITICAL)


@app.command()
def build(
    paths: Annotated[
        list[Path], typer.Argument(help="Folders and files: pdf, docx, html, md, txt, jsonl and more (docs/corpus.md).")
    ],
    schema: SchemaOption = "",
    workspace: WorkspaceOption = None,
    neo4j: Neo4jOption = None,
    precision: PrecisionOption = None,
    prune: Annotated[bool, typer.Option(help="Remove documents whose files are gone.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Build or update the graph of a folder of documents.

    Example: kgpipe build examples/corpus --schema computing
    """
    config = configuration.load(workspace=workspace, neo4j=neo4j, precision=precision)
    with progress_bar(not quiet) as progress:
        results = pipeline.build(paths, config, schema=schema, prune=prune, progress=progress)
    if as_json:
        _print_json(results)
        return
    _print_stages(results)
    from kgpipe.report import statistics

    counts = statistics(pipeline.opened(config))
    for language, uris in counts["skipped"].items():
        typer.echo(f"kept, not read (language {language}): {', '.join(uris)}")
    for failure in counts["failures"]:
        typer.echo(f"failed: {failure['key']}: {failure['reason']}")
    for gone in results["sources"].get("gone", []):
        typer.echo(f"gone from disk, still in the graph (remove with --prune): {gone}")


@app.command()
def delete(
    document: Annotated[str, typer.Argument(help="Its path, uri, uid or title.")],
    workspace: WorkspaceOption = None,
    neo4j: Neo4jOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Remove a document and exactly what only it said.

    Example: kgpipe delete examples/corpus/eniac.md
    """
    config = configuration.load(workspace=workspace, neo4j=neo4j)
    with progress_bar(not quiet) as progress:
        results = pipeline.delete(document, config, progress=progress)
    if as_json:
        _print_json(results)
        return
    _print_stages(results)
    if results["delete"]["note"]:
        typer.echo(results["delete"]["note"])


@app.command()
def run(
    stage: Annotated[str, typer.Argument(help="One of: " + ", ".join(s.name for s in pipeline.STAGES) + ".")],
    paths: Annotated[list[Path] | None, typer.Argument(help="For `sources`: the folders and files.")] = None,
    shard: Annotated[str, typer.Option(help="Which part of the work: i/n, 0 <= i < n.")] = "0/1",
    schema: SchemaOption = "",
    workspace: WorkspaceOption = None,
    neo4j: Neo4jOption = None,
    precision: PrecisionOption = None,
    prune: Annotated[bool, typer.Option(help="For `sources`: remove documents whose files are gone.")] = False,
    allow_empty: Annotated[bool, typer.Option(help="For `sources`: folders may hold nothing yet.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run one shard of one stage, as schedulers do.

    Example: kgpipe run extract --shard 0/4 --json
    """
    config = configuration.load(workspace=workspace, neo4j=neo4j)
    part = parse_shard(shard)
    if pipeline.stage(stage).name == "sources":
        pipeline.check_input(paths or [], config, schema=schema or config.schema, allow_empty=allow_empty)
        opened = pipeline.Workspace(config.workspace)
        with opened.lock():
            pipeline.prepare(opened, paths or [], schema=schema or config.schema, prune=prune, allow_empty=allow_empty)
    with progress_bar(not quiet) as progress:
        counts = pipeline.run_stage(stage, config, shard=part, progress=progress)
    typer.echo(json.dumps(counts, ensure_ascii=False, default=str)) if as_json else _print_stages({stage: counts})


@app.command("load")
def load_graph(
    bulk: Annotated[
        bool, typer.Option("--bulk", help="Import files into our own stopped server: for large graphs.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="For --bulk: the graph may hold something already.")
    ] = False,
    workspace: WorkspaceOption = None,
    neo4j: Neo4jOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make the graph equal to the workspace, as the last stage of a build does.

    Example: kgpipe load --bulk
    """
    config = configuration.load(workspace=workspace, neo4j=neo4j)
    if replace and not bulk:
        raise typer.BadParameter("--replace goes with --bulk; without it only what differs is written.")
    opened = pipeline.opened(config)
    with progress_bar(not quiet) as progress, opened.lock():
        if not bulk:
            results = pipeline.run_stage("load", config, workspace=opened, progress=progress)
        else:
            from kgpipe.graph import bulk as importing

            results = importing.run(opened, config, replace=replace, progress=progress)
    if as_json:
        _print_json(results)
    elif not bulk:
        _print_stages({"load": results})
    else:
        typer.echo("  ".join(f"{name} {taken} s" for name, taken in results.pop("seconds").items()))
        typer.echo(_counted(results))


@app.command()
def stats(
    html: Annotated[Path | None, typer.Option("--html", help="Page to write the report to, with plots.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what the workspace holds and how far it can be trusted: counts, support, broken rules, merges to look at.

    Example: kgpipe stats --html report.html
    """
    from kgpipe import report_show
    from kgpipe.report import report

    if html and (html.is_dir() or not html.absolute().parent.is_dir()):
        raise InputError(
            f"{html} cannot be written: --html names a file in a folder that exists. Make that folder first."
        )
    opened = pipeline.opened(configuration.load(workspace=workspace))
    found = report(opened)
    if html:
        title = f"The graph of {opened.path.parent.name if opened.path.name == '.kgpipe' else opened.path.name}"
        html.write_text(report_show.page(found, pipeline.workspace_schema(opened), title=title), encoding="utf-8")
    if as_json:
        _print_json(found)
    else:
        typer.echo(str(html) if html else "\n".join(report_show.lines(found)))


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="File to write; of csv a new folder.")],
    form: Annotated[str, typer.Option("--format", help="One of: graphml, csv, html.")],
    around: Annotated[str, typer.Option("--around", help="Name, alias or uid of the entity to show.")] = "",
    hops: Annotated[int, typer.Option("--hops", min=1, help="With --around: how many facts away.")] = 2,
    top: Annotated[
        int | None, typer.Option("--top", min=1, help="Entities at most: the best connected (html: 150 if not said).")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write the graph for other programs (graphml), for neo4j-admin (csv), or a part of it as a page to look at (html).

    Example: kgpipe export hopper.html --format html --around "Grace Hopper" --hops 2
    Example: kgpipe export graph.graphml --format graphml
    """
    from kgpipe.graph import export as exports

    opened = pipeline.opened(configuration.load(workspace=workspace))
    with progress_bar(not quiet) as progress:
        counts = exports.export(opened, out, form, around=around, hops=hops, top=top, progress=progress)
    _print_json({"out": str(out), **counts}) if as_json else typer.echo(f"{out}: {_counted(counts)}")


@app.command("runs")
def list_runs(
    workspace: WorkspaceOption = None,
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="How many, latest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what ran in the workspace: each stage with its start, seconds, failures and counts.

    Example: kgpipe runs -n 20
    """
    rows = pipeline.runs(pipeline.opened(configuration.load(workspace=workspace)), last=last)
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        told = f"error: {row['error']}" if row["error"] else _counted(row["counts"])
        typer.echo(f"{row['started'][:19]}Z  {row['stage']:8} {row['shard']:>9} {row['seconds']:9.1f} s  {told}")
    if not rows:
        typer.echo("Nothing has run in this workspace yet.")


@app.command()
def check(
    workspace: WorkspaceOption = None,
    neo4j: Neo4jOption = None,
    repair: Annotated[bool, typer.Option("--repair", help="Write and remove what differs, and nothing else.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare the graph with the workspace, row by row; exit 1 when they differ and are not repaired.

    Example: kgpipe check --repair
    """
    from kgpipe.graph import load
    from kgpipe.graph.store import open_store

    config = configuration.load(workspace=workspace, neo4j=neo4j)
    opened = pipeline.opened(config)
    with progress_bar(not quiet) as progress, open_store(config, opened, progress=progress) as store, opened.lock():
        if repair:
            differing, counts = load.repair(store, opened, progress=progress)
            left = load.compare(store, opened, only=differing, progress=progress) if differing else {}
        else:
            left = differing = load.compare(store, opened, progress=progress)
            counts = {}
    if as_json:
        _print_json({"differing": differing, "repaired": counts, "left": left})
    else:
        for name, by_kind in differing.items():
            for how, uids in by_kind.items():
                if uids:
                    typer.echo(f"{name}: {len(uids):,} {how} (first: {uids[0]})")
        if counts:
            typer.echo(f"repaired: {_counted(counts)}")
        if left:
            typer.echo("The graph differs from the workspace. Mend it with: kgpipe check --repair", err=True)
        else:
            typer.echo("The graph agrees with the workspace.")
    if left:
        raise typer.Exit(1)


@corpus_app.command("report")
def corpus_report(
    workspace: WorkspaceOption = None,
    samples: Annotated[int, typer.Option(help="Samples of each reason.", min=0)] = 3,
    as_json: JsonOption = False,
) -> None:
    """Show what cleaning and filters removed, duplicates and failures, with samples.

    Example: kgpipe corpus report --samples 5
    """
    from kgpipe.corpus.report import lines, report

    found = report(pipeline.opened(configuration.load(workspace=workspace)), n_samples=samples)
    _print_json(found) if as_json else typer.echo("\n".join(lines(found)))


@app.command("config")
def show_config(
    workspace: WorkspaceOption = None,
    neo4j: Neo4jOption = None,
    precision: PrecisionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show every setting in force and where it came from.

    Example: kgpipe config
    """
    rows = []
    for one in configuration.explain(workspace=workspace, neo4j=neo4j, precision=precision):
        value = "(set)" if one.name in configuration.SECRETS and one.value else one.value
        value = str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value
        rows.append({"name": one.name, "value": value, "source": one.source})
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['name']:17} {json.dumps(row['value'], ensure_ascii=False):40} {row['source']}")


@contextlib.contextmanager
def _regular_file(source: Path) -> Iterator[Path]:
    """The source, or a temporary file with what standard input (-) or a pipe gives; InputError when there is none."""
    if source.is_dir():
        raise InputError(f"{source} is a folder. Give one file, or build a graph of the folder with kgpipe build.")
    if source.is_file():
        yield source
        return
    if str(source) != "-" and not source.exists():
        raise InputError(f"{source} does not exist. Give a file that does, or - for standard input.")
    data = sys.stdin.buffer.read() if str(source) == "-" else source.read_bytes()
    page = data[:1000].lstrip().lower().startswith((b"<!doctype html", b"<html"))
    with tempfile.TemporaryDirectory() as folder:
        # a name without an extension: what the first line is decides
        path = Path(folder) / ("standard input" + ".html" * page)
        path.write_bytes(data)
        yield path


def _is_json_lines(path: Path) -> bool:
    """By the name of the file, or by its first line where the name does not tell."""
    from kgpipe.corpus.sources import kind_of

    name = path.name.lower().removesuffix(".gz")
    if kind := kind_of(path) or name.endswith((".json", ".ndjson")):
        return kind in ("jsonl", True)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return isinstance(json.loads(file.readline()), dict)
    except (ValueError, RecursionError, OSError, EOFError, zlib.error):  # of a damaged .gz the reader says why
        return False


def _text_row(path: Path, source: Path, config: configuration.Config) -> dict[str, Any]:
    """A text file, read and cleaned as `build` does, as {"id", "title", "text", "language"}; InputError says why not."""
    from kgpipe.corpus.document import document
    from kgpipe.corpus.formats import Raw, read_file
    from kgpipe.records import Document

    found: Any = next(read_file(path.absolute(), max_bytes=config.max_bytes))
    found = document(found, source="") if isinstance(found, Raw) else found
    if not isinstance(found, Document):
        raise InputError(
            f"{source} cannot be read: {found.reason}. Give a text: txt, md, html, pdf, docx or JSON Lines."
        )
    return {"id": str(source), "title": found.title, "text": found.text, "language": found.language}


@app.command()
def extract(
    source: Annotated[
        Path, typer.Argument(metavar="FILE", help='Text (txt, md, html), JSON Lines of {"id", "text"}, or - (stdin).')
    ],
    out: Annotated[Path | None, typer.Option("--out", help="JSON Lines of mentions and relations.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Page with the marked text and its relations.")] = None,
    schema: SchemaOption = "general",
    checkpoint: Annotated[str, typer.Option(help="Folder of a checkpoint (default: the shipped one).")] = "",
    threshold: Annotated[float, typer.Option(help="Least score of a relation; 0: the checkpoint's own.")] = 0.0,
    precision: PrecisionOption = None,
    every_polarity: Annotated[bool, typer.Option(help="Also negated and hedged relations, marked.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Extract entities and relations from texts, without a workspace or a graph.

    Without --out and --html the text is printed with what was found in it; with --json the rows are.

    Example: kgpipe extract examples/corpus/eniac.html --schema computing --html found.html
    Example: kgpipe extract texts.jsonl --schema computing --out found.jsonl
    """
    from kgpipe import schema as schemas
    from kgpipe.extract import files, show
    from kgpipe.extract.base import least_score
    from kgpipe.extract.data import read_records

    for option, path in (("--out", out), ("--html", html)):
        if path and (path.is_dir() or not path.absolute().parent.is_dir()):  # before the model is loaded
            raise InputError(
                f"{path} cannot be written: {option} names a file in a folder that exists. Make that folder first."
            )
    config = configuration.load()
    wanted = schemas.load(schema)
    least = least_score(checkpoint, threshold=threshold, precision=precision or 0.0)
    settings: dict[str, Any] = {"checkpoint": checkpoint, "threshold": least, "device": config.device}
    with _regular_file(source) as path, progress_bar(not quiet) as progress:
        is_lines = _is_json_lines(path)
        if is_lines and out and not html:  # of any size: nothing is held
            counts = files.extract_file(
                path, wanted, out, every_polarity=every_polarity, progress=progress, **settings
            )  # fmt: skip
            _print_json(counts) if as_json else typer.echo(f"{out}: {_counted(counts)}")
            return
        if is_lines:
            files.checked(path)
        texts = list(read_records(path)) if is_lines else [_text_row(path, source, config)]
        from kgpipe.extract.encoder import EncoderExtractor

        extractor = EncoderExtractor(wanted, **settings)
        progress = progress if len(texts) > 1 else silent  # it counts texts
        found = list(files.extract_rows(texts, extractor, every_polarity=every_polarity, progress=progress))
    if not is_lines:  # offsets are those of the cleaned text, which only we have
        found = [row | {"text": text["text"]} for row, text in zip(found, texts, strict=True)]
    counts = files.counted(found)
    if out:
        files.write_rows(found, out)
    if as_json and not out:
        for row in found:
            typer.echo(files.as_line(row))
    shown = [text | row for text, row in zip(texts, found, strict=True)]
    if html:
        title = str(shown[0].get("title") or source.name) if len(shown) == 1 else source.name
        html.write_text(show.page(shown, wanted, title=title), encoding="utf-8")
    if as_json:
        if out:
            _print_json(counts)
    elif out or html:
        typer.echo(f"{', '.join(str(path) for path in (out, html) if path)}: {_counted(counts)}")
    else:
        _print_marked(shown, wanted)
    language = "" if is_lines else texts[0]["language"]
    if language and language not in config.languages and not quiet:
        typer.echo(f"{source} is in another language ({language}) than the model reads: expect little.", err=True)


def _print_marked(rows: list[dict[str, Any]], schema: Any) -> None:
    """Coloured where standard output shows colours, else with brackets; lines are wrapped by terminals only."""
    from rich.console import Console

    from kgpipe.colours import of_types
    from kgpipe.extract import show

    console = Console(highlight=False, markup=False, emoji=False)
    colour = bool(console.color_system) and not console.no_color
    for number, row in enumerate(rows):
        if number:
            console.print()
        for line in show.lines(row, of_types(schema), colour=colour):
            console.print(line, soft_wrap=not console.is_terminal)


@app.command()
def train(
    data: Annotated[list[Path], typer.Argument(help="Annotated JSON Lines, plain or .gz.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the new checkpoint; an interrupted run goes on there.")],
    labels: Annotated[list[Path] | None, typer.Option(help="Label files with descriptions, by set.")] = None,
    start: Annotated[Path | None, typer.Option("--from", help="Checkpoint to fine-tune.")] = None,
    backbone: Annotated[Path | None, typer.Option(help="Hugging Face encoder folder (default: MiniLM).")] = None,
    epochs: Annotated[float, typer.Option(help="Passes over the data.", min=0.001)] = 5,
    encoder_rate: Annotated[float, typer.Option(help="Highest learning rate of the encoder.")] = 1e-4,
    head_rate: Annotated[float, typer.Option(help="Highest learning rate of everything else.")] = 1e-3,
    naming_steps: Annotated[
        int, typer.Option(help="Steps of the second pass, which names relations; 0: as it is.")
    ] = 300,
    hold_out: Annotated[float, typer.Option(help="Share of the records kept for `kgpipe calibrate`.", max=0.5)] = 0.0,
    repeat: Annotated[list[str] | None, typer.Option(help="NAME=TIMES: share of files whose name begins so.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train an extractor, or fine-tune one.

    Example: kgpipe train mine.jsonl --from checkpoint --out better --epochs 10
    """
    from kgpipe.extract.learn import parse_repeat
    from kgpipe.extract.learn import train as train_extractor

    with progress_bar(not quiet) as progress:
        done = train_extractor(
            data, out, labels=labels or (), start=start, backbone=backbone, n_epochs=epochs,
            encoder_rate=encoder_rate, head_rate=head_rate, n_naming_steps=naming_steps, hold_out=hold_out,
            repeat=parse_repeat(repeat or []), seed=seed, device=device, progress=progress,
        )  # fmt: skip
    _print_json(done) if as_json else typer.echo(f"{out}: {done['windows']} windows, {done['steps']} steps")


@app.command()
def calibrate(
    data: Annotated[list[Path], typer.Argument(help="Annotated JSON Lines, plain or .gz.")],
    checkpoint: Annotated[
        Path, typer.Option("--checkpoint", help="Folder of the checkpoint; its config.json is written.")
    ],
    labels: Annotated[Path | None, typer.Option(help="Label file with descriptions, by set.")] = None,
    hold_out: Annotated[float, typer.Option(help="The share that `train --hold-out` kept; 0: all records.")] = 0.0,
    new: Annotated[bool, typer.Option(help="For labels that training did not know.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make the scores of a checkpoint honest, and find its threshold, on records that did not train it.

    Example: kgpipe calibrate mine.jsonl --checkpoint better --hold-out 0.1
    """
    from kgpipe.evaluate.calibration import calibrate as fit_scores

    with progress_bar(not quiet) as progress:
        fitted = fit_scores(
            checkpoint, data, labels=labels, hold_out=hold_out, new=new, device=configuration.load().device,
            progress=progress,
        )  # fmt: skip
    _print_json(fitted) if as_json else _print_scores(fitted)


@evaluate_app.command("extraction")
def evaluate_extraction(
    gold: Annotated[Path, typer.Argument(help="Annotated JSON Lines, plain or .gz.")],
    labels: Annotated[Path | None, typer.Option(help="Label file with descriptions, by set.")] = None,
    checkpoint: Annotated[str, typer.Option(help="Folder of a checkpoint (default: the shipped one).")] = "",
    threshold: Annotated[float, typer.Option(help="Least score of a relation; 0: the checkpoint's own.")] = 0.0,
    limit: Annotated[int, typer.Option(help="Only the first so many records; 0: all.")] = 0,
    hold_out: Annotated[float, typer.Option(help="Leave out the share that `calibrate --hold-out` takes.")] = 0.0,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Score the extractor on annotated texts: strict spans and relations, and Text2KGBench's measure.

    Example: kgpipe evaluate extraction dev.jsonl --labels labels.json
    """
    from kgpipe.evaluate.predict import evaluate_file

    with progress_bar(not quiet) as progress:
        scores = evaluate_file(
            gold, labels=labels, checkpoint=checkpoint, threshold=threshold, limit=limit, hold_out=hold_out,
            device=configuration.load().device, progress=progress,
        )  # fmt: skip
    _print_json(scores) if as_json else _print_scores(scores)


@evaluate_app.command("facts")
def evaluate_facts(
    gold: Annotated[Path, typer.Argument(help="JSON Lines of facts, as examples/gold/facts.jsonl.")],
    aliases: Annotated[Path | None, typer.Option(help="JSON of canonical names to their aliases.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score the facts of a workspace against all facts of some of its documents.

    Example: kgpipe evaluate facts examples/gold/facts.jsonl --aliases examples/gold/aliases.json
    """
    from kgpipe.evaluate.extraction import facts

    scores = facts(pipeline.opened(configuration.load(workspace=workspace)), gold, aliases)
    _print_json(scores) if as_json else _print_scores(scores)


@evaluate_app.command("resolution")
def evaluate_resolution(
    gold: Annotated[Path, typer.Argument(help="JSON Lines of name pairs, as examples/gold/names.jsonl.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score which names ended in one entity.

    Example: kgpipe evaluate resolution examples/gold/names.jsonl
    """
    from kgpipe.evaluate.resolution import resolution

    scores = resolution(pipeline.opened(configuration.load(workspace=workspace)), gold)
    _print_json(scores) if as_json else _print_scores(scores)


@evaluate_app.command("answers")
def evaluate_answers(
    gold: Annotated[Path, typer.Argument(help="JSON Lines of questions, as examples/gold/questions.jsonl.")],
    aliases: Annotated[Path | None, typer.Option(help="JSON of canonical names to their aliases.")] = None,
    workspace: WorkspaceOption = None,
    neo4j: Neo4jOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score the answers to questions: right, wrong, abstained.

    Example: kgpipe evaluate answers examples/gold/questions.jsonl --aliases examples/gold/aliases.json
    """
    from kgpipe.evaluate.answers import answers
    from kgpipe.query import property_graph

    with property_graph.asking(configuration.load(workspace=workspace, neo4j=neo4j)) as graph:
        scores = answers(gold, lambda question: graph.ask(question).to_json(), aliases_file=aliases)
    _print_json(scores) if as_json else _print_scores(scores)


@schema_app.command("check")
def schema_check(
    file: Annotated[str, typer.Argument(help="A schema file, or the name of one that comes with kgpipe.")],
    as_json: JsonOption = False,
) -> None:
    """Check a schema file; say what is wrong, in which line, and how to mend it.

    Example: kgpipe schema check my-schema.yaml
    """
    from kgpipe import schema as schemas

    found = schemas.load(file)
    counts = {"name": found.name, "entities": len(found.entities), "relations": len(found.relations)}
    if as_json:
        _print_json(counts)
    else:
        typer.echo(f"{file} is good: {counts['entities']} entity types, {counts['relations']} relations.")


@schema_app.command("read")
def schema_read(neo4j: Neo4jOption = None, workspace: WorkspaceOption = None) -> None:
    """Print the schema of a Neo4j database as a schema file, to add descriptions to for `kgpipe ask --schema`.

    Example: kgpipe schema read --neo4j bolt://localhost:7687 > shop.yaml
    """
    from kgpipe import schema as schemas
    from kgpipe.graph.introspect import read_schema
    from kgpipe.graph.store import open_store

    with open_store(configuration.load(workspace=workspace, neo4j=neo4j)) as store:
        typer.echo(schemas.to_yaml(read_schema(store)), nl=False)


@schema_app.command("json-schema")
def schema_json() -> None:
    """Print the JSON Schema of schema files, for editors.

    Example: kgpipe schema json-schema > kgpipe-schema.json
    """
    from kgpipe import schema as schemas

    _print_json(schemas.json_schema())


def _neo4j_home(config: configuration.Config) -> Path:
    return config.workspace.absolute() / "neo4j"


def _started(config: configuration.Config, quiet: bool) -> Any:
    from kgpipe.graph import browser, server

    workspace = pipeline.Workspace(config.workspace)
    command = browser.connect_command(browser.schema_of(workspace))
    with progress_bar(not quiet) as progress:
        return server.start(
            workspace.path / "neo4j", neo4j_home=config.neo4j_home, connect_command=command, progress=progress
        )  # fmt: skip


def _print_server(found: Any, as_json: bool) -> None:
    if as_json:
        shown = {"uri": found.uri, "user": found.user, "password": found.password, "browser": found.browser}
        _print_json({**shown, "running": found.running, "pid": found.pid, "home": str(found.home)})
    elif not found.uri:
        typer.echo(f"No Neo4j was started in {found.home} yet. Start it with: kgpipe neo4j start")
    else:
        state = f"runs (process {found.pid})" if found.running else "does not run"
        typer.echo(f"Neo4j in {found.home} {state}")
        for name in ("uri", "user", "password", "browser"):
            typer.echo(f"{name:9} {getattr(found, name)}")


@neo4j_app.command("start")
def neo4j_start(workspace: WorkspaceOption = None, as_json: JsonOption = False, quiet: QuietOption = False) -> None:
    """Start the workspace's own Neo4j; the first time this fetches it (148 MB).

    Example: kgpipe neo4j start
    """
    _print_server(_started(configuration.load(workspace=workspace), quiet), as_json)


@neo4j_app.command("stop")
def neo4j_stop(
    workspace: WorkspaceOption = None,
    every: Annotated[bool, typer.Option("--all", help="All that `kgpipe neo4j list` shows.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Stop the workspace's own Neo4j, or every one of ours.

    Example: kgpipe neo4j stop --all
    """
    from kgpipe.graph import server

    home = _neo4j_home(configuration.load(workspace=workspace))
    count = server.stop_all() if every else int(server.stop(home))
    if as_json:
        _print_json({"stopped": count})
        return
    typer.echo(f"stopped {count}" if every else f"stopped Neo4j in {home}" if count else f"no Neo4j ran in {home}")


@neo4j_app.command("status")
def neo4j_status(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Say whether the workspace's own Neo4j runs, and its address, user and password.

    Example: kgpipe neo4j status --json
    """
    from kgpipe.graph import server

    _print_server(server.status(_neo4j_home(configuration.load(workspace=workspace))), as_json)


@neo4j_app.command("list")
def neo4j_list(as_json: JsonOption = False) -> None:
    """List the running Neo4j servers that kgpipe started for you, of all workspaces.

    Example: kgpipe neo4j list
    """
    from kgpipe.graph import server

    found = server.listed()
    if as_json:
        _print_json([{"home": str(s.home), "uri": s.uri, "browser": s.browser, "pid": s.pid} for s in found])
        return
    for one in found:
        typer.echo(f"{one.pid:8}  {one.uri or 'folder deleted':24}  {one.home}")
    if not found:
        typer.echo("none runs")


@neo4j_app.command("open")
def neo4j_open(
    query: Annotated[str, typer.Argument(help="Name of a saved query, or Cypher, for the editor.")] = "overview",
    about: Annotated[str, typer.Option("--about", help="The name that a saved query asks about.")] = "",
    workspace: WorkspaceOption = None,
    print_only: Annotated[bool, typer.Option("--print-only", help="Print the address, open no browser.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Open Neo4j Browser on the workspace's graph, with a first query; print address, user and password.

    Example: kgpipe neo4j open why --about "Grace Hopper"
    Example: kgpipe neo4j open "MATCH p=(:Person)-->() RETURN p LIMIT 50"
    """
    from kgpipe.graph import browser

    config = configuration.load(workspace=workspace)
    one_word = len(query.split()) == 1
    written = browser.saved(query, pipeline.Workspace(config.workspace), about=about).text if one_word else query
    found = _started(config, quiet)
    address = browser.url(found.browser, found.uri, found.user, written)
    if as_json:
        _print_json({"address": address, "user": found.user, "password": found.password})
    else:
        typer.echo(f"{address}\nuser      {found.user}\npassword  {found.password}")
    if not print_only and not browser.open_page(address):
        typer.echo("No browser on this machine: open the address in one that reaches it.", err=as_json)


@neo4j_app.command("queries")
def neo4j_queries(
    out: Annotated[Path | None, typer.Option("--out", help="Folder for files that Neo4j Browser imports.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the saved queries; with --out write them, and the style, as files for Neo4j Browser (docs/browser.md).

    Example: kgpipe neo4j queries --out browser
    """
    from kgpipe.graph import browser

    opened = pipeline.opened(configuration.load(workspace=workspace))
    found = browser.saved_queries(opened)
    if out and out.is_file():
        raise InputError(f"{out} is a file. Name a folder with --out.")
    written = [str(path) for path in browser.write_files(out, opened)] if out else []
    if as_json:
        _print_json([{"name": q.name, "title": q.title, "text": q.text} for q in found])
    elif out:
        typer.echo("\n".join(written))
    else:
        typer.echo("\n\n".join(f"{q.name}\n{q.text}" for q in found))


@neo4j_app.command("logs")
def neo4j_logs(
    workspace: WorkspaceOption = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Print the end of the log of the workspace's own Neo4j.

    Example: kgpipe neo4j logs -n 100
    """
    from kgpipe.graph import server

    home = _neo4j_home(configuration.load(workspace=workspace))
    if as_json:
        _print_json({"home": str(home), "lines": server.log_tail(home, lines).splitlines()})
        return
    typer.echo(server.log_tail(home, lines) or f"No log: no Neo4j was started in {home} yet.")


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="A question in English; without one, a prompt for several.")] = "",
    questions: Annotated[
        Path | None, typer.Option("--questions", help='JSON Lines file: {"id", "question", "entities"?} a line.')
    ] = None,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Show the query and the readings that lost.")
    ] = False,
    schema: Annotated[
        str, typer.Option("--schema", help="Schema file that describes a Neo4j which kgpipe did not build.")
    ] = "",
    lm: Annotated[
        str | None, typer.Option("--lm", help="Language model to consult: URL#MODEL of a server, a folder, a hub name.")
    ] = None,
    workspace: WorkspaceOption = None,
    neo4j: Neo4jOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the graph; every answer comes with the sentences that state it.

    Without a question there is a prompt (or each line of standard input is one), and a question may speak of the one
    before: "and when did she die?", "what about Grace Hopper?", "who else?". Tab completes names; exit or Ctrl-D ends.

    With --neo4j any Neo4j can be asked, also one that kgpipe did not build; nothing is written there.

    Example: kgpipe ask "Who designed the Analytical Engine?"
    """
    from kgpipe.query import answer, property_graph

    if question and questions:
        raise typer.BadParameter('give a question, or a file with --questions. Example: kgpipe ask "Who designed C?"')
    config = configuration.load(workspace=workspace, neo4j=neo4j, lm=lm)
    given = [] if question or questions else _lines_of_input()
    asked = answer.read_questions(questions) if questions else [{"id": "", "question": question}]
    with property_graph.asking(config, schema) as graph:
        if not question and not questions:
            _converse(graph, given, verbose=verbose, as_json=as_json)
            return
        for item in asked:
            found = graph.ask(item["question"], entities=item.get("entities") or ())
            if questions and as_json:
                typer.echo(json.dumps({"id": item["id"], **found.to_json()}, ensure_ascii=False, default=str))
            elif as_json:
                _print_json(found.to_json())
            else:
                if questions:
                    typer.echo(f"\n{item['id']}  {item['question']}")
                typer.echo("\n".join(answer.lines(found, verbose=verbose)))


def _lines_of_input() -> Iterator[str] | None:
    """The lines of standard input that are not empty; None for a terminal; wrong usage when there is none."""
    if sys.stdin.isatty():
        return None
    lines = (line for raw in sys.stdin.buffer if (line := raw.decode("utf-8", "replace").strip()))
    first = next(lines, None)
    if first is None:
        raise typer.BadParameter(
            'give a question, or questions on standard input. Example: kgpipe ask "Who designed C?"'
        )
    return itertools.chain([first], lines)


def _converse(graph: Any, given: Iterator[str] | None, *, verbose: bool, as_json: bool) -> None:
    """Answers line after line; what is wrong with one is said in a line, only a server that is gone ends it."""
    from kgpipe.query import answer
    from kgpipe.query.follow import Conversation
    from kgpipe.query.prompt import terminal

    talk = Conversation(graph)
    if given is None:
        typer.echo(
            "Ask, and go on asking: what a question named, the next may call it. Tab completes names, exit ends."
        )
    for line in terminal(graph.names, configuration.cache_folder() / "history") if given is None else given:
        if line.strip().lower() in ("exit", "quit"):
            return
        if not line.strip():
            continue
        if given is not None and not as_json:
            typer.echo(f"\n? {line}")
        try:
            for found in talk.ask(line):
                if as_json:
                    typer.echo(json.dumps(found.to_json(), ensure_ascii=False, default=str))
                else:
                    typer.echo("\n".join(answer.lines(found, verbose=verbose)))
        except KeyboardInterrupt:
            if given is not None:
                raise
            typer.echo("stopped", err=True)
        except StoreGone:
            raise
        except KgpipeError as error:
            typer.echo(f"kgpipe: {error}", err=True)


@app.command()
def show(
    entity: Annotated[str, typer.Argument(help="Its name, alias or uid.")],
    workspace: WorkspaceOption = None,
    neo4j: Neo4jOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the facts of an entity and where they are said.

    Example: kgpipe show "Grace Hopper"
    """
    from kgpipe.query import answer, show

    config = configuration.load(workspace=workspace, neo4j=neo4j)
    with answer.opened(config) as (store, schema):
        found = show.show(entity, store, schema)
    _print_json(found) if as_json else typer.echo("\n".join(show.lines(found)))


def main() -> None:
    """Entry point: exit 0 done, 1 failed with one line (traceback with --debug), 2 wrong usage."""
    try:
        app(prog_name="kgpipe")
    except KgpipeError as error:
        if "--debug" in sys.argv:
            raise
        typer.echo(f"kgpipe: {error}", err=True)
        sys.exit(1)
    except OSError as error:  # a full disk, a folder that may not be written
        if "--debug" in sys.argv:
            raise
        where = f" {error.filename}" if error.filename else ""
        typer.echo(
            f"kgpipe: The system refuses{where}: {error.strerror or error}. Mend that (kgpipe --debug shows where).",
            err=True,
        )
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("kgpipe: stopped; what was committed is kept, the same command goes on from there.", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
