"""Tokens a second of the whole extractor over those of its bare backbone, and the memory both need.

    .venv/bin/python benchmarks/extract.py
    .venv/bin/python benchmarks/extract.py articles.jsonl.gz --limit 100 --relations 3 200
    .venv/bin/python benchmarks/extract.py articles.jsonl.gz --device cuda
    .venv/bin/python benchmarks/extract.py articles.jsonl.gz --gliner

PATH is a folder of documents or a JSON Lines file (plain or .gz) of {"id", "text"}; default: the sample corpus. The
bare backbone reads the very batches, padding included, that it got from the extractor, in the same process, precision
and thread count; runs alternate and medians count. Every run begins with nothing remembered of the texts. Schemas: the
first N relations of `general` with the entity types they need, then relations of `--labels` or invented ones.
Resident memory is read after every group of passages, so a leak shows as a slope.
`--gliner` compares with the relation model of the `gliner` library on the same backbone with random weights, labels in
the prompt, in as many passes as its 512 positions need.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import itertools
import json
import os
import platform
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import torch

from kgpipe import config as configuration
from kgpipe import engine, pipeline
from kgpipe import schema as schemas
from kgpipe.corpus.split import passage_spans
from kgpipe.extract.data import read_records
from kgpipe.extract.encoder import EncoderExtractor
from kgpipe.models.backbone import WEIGHTS, load_tokenizer
from kgpipe.records import Passage, content_id
from kgpipe.schema import RelationType, Schema
from kgpipe.workspace import Workspace

SAMPLE = Path(__file__).parents[1] / "examples" / "corpus"
VERBS = "designed repaired painted guarded sold visited translated measured copied praised".split()
NOUNS = "bridge ship garden mill engine road mine tower school market station map bell harbour dam vessel".split()
PROMPT_PIECES = 250
"""Word pieces of labels that a prompt may hold beside a passage in 512 positions."""
MEGABYTE = 2**20

Batches = list[tuple[torch.Tensor, torch.Tensor]]
"""Token ids and mask (windows, pieces) of each call of the backbone."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, nargs="?", default=SAMPLE)
    parser.add_argument("--limit", type=int, default=100, help="documents that are read")
    parser.add_argument("--relations", type=int, nargs="+", default=[3, 200], help="relation types of each schema")
    parser.add_argument("--labels", type=Path, help="label file whose relations fill the larger schemas")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--checkpoint", default="")
    parser.add_argument("--device", default="")
    parser.add_argument("--gliner", action="store_true", help="compare with that library")
    options = parser.parse_args()
    where = engine.device(options.device)
    passages, n_documents = read_passages(options.path, options.limit)
    dtype = engine.autocast_dtype(where)
    print(
        f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"Python {platform.python_version()}, torch {torch.__version__}, "
        f"{torch.cuda.get_device_name(where) if where.type == 'cuda' else 'CPU'}, {dtype or torch.float32}"
    )
    print(f"{options.path}: {n_documents} documents, {len(passages):,} passages")
    for n_relations in options.relations:
        schema = schema_of(n_relations, label_file=options.labels)
        measure(schema, passages, n_documents, where, options)
    print(f"peak resident memory of the process {peak_memory() / MEGABYTE:,.0f} MB")
    if where.type == "cuda":
        print(f"peak memory on the GPU {torch.cuda.max_memory_allocated(where) / MEGABYTE:,.0f} MB")
    if options.gliner:
        for n_relations in options.relations:
            compare(schema_of(n_relations, label_file=options.labels), passages, n_documents, where, options)


def read_passages(path: Path, limit: int) -> tuple[list[Passage], int]:
    """The passages of the first documents, split as the pipeline splits them, and the number of documents."""
    if path.is_dir():
        texts = folder_texts(path)[:limit]
    else:
        texts = [row["text"] for row in itertools.islice(read_records(path), limit)]
    passages = [
        Passage(content_id("text", number), "", start, end, text[start:end])
        for number, text in enumerate(texts)
        for start, end in passage_spans(text)
    ]
    return passages, len(texts)


def folder_texts(folder: Path) -> list[str]:
    """The cleaned texts of a folder's documents."""
    with tempfile.TemporaryDirectory() as home:
        config = configuration.load(workspace=Path(home) / "workspace")
        workspace = Workspace(config.workspace)
        pipeline.prepare(workspace, [folder], schema="general", prune=False)
        for stage in ("sources", "read"):
            pipeline.run_stage(stage, config, workspace=workspace)
        return workspace.read("documents", ["text"]).column(0).to_pylist()


def schema_of(n_relations: int, *, label_file: Path | None = None) -> Schema:
    """A schema of that many relations, and of the entity types that they need."""
    general = schemas.load("general")
    relations = dict(itertools.islice(general.relations.items(), n_relations))
    types = [e.name for e in general.entities.values()]
    for number, label in enumerate(more_labels(label_file)):
        if len(relations) >= n_relations:
            break
        name = f"R{number}"
        ends = ((types[number % len(types)],), (types[(number * 7 + 3) % len(types)],))
        if not general.is_literal(ends[0][0]):
            relations[name] = RelationType(name, label, "", *ends)
    needed = {a for r in relations.values() for t in (*r.domain, *r.range) for a in general.ancestors(t)}
    entities = {name: e for name, e in general.entities.items() if name in needed}
    return Schema(name=f"{n_relations} relations", entities=entities, relations=relations)


def more_labels(label_file: Path | None) -> Iterator[str]:
    """Relation labels of a label file, or invented ones, without end."""
    if label_file:
        sets = json.loads(label_file.read_text(encoding="utf-8")).values()
        yield from dict.fromkeys(row["label"] for one in sets for row in one.get("relation_types", {}).values())
    for number in itertools.count():
        for verb, noun in itertools.product(VERBS, NOUNS):
            yield f"{verb} {noun} of" + (f" {number}" if number else "")


def measure(
    schema: Schema, passages: list[Passage], n_documents: int, where: torch.device, options: argparse.Namespace
) -> None:  # fmt: skip
    """Prints tokens a second of extractor and backbone, their ratio, and memory along the corpus."""
    group = configuration.Config(workspace=Path()).group

    def fresh() -> EncoderExtractor:
        return EncoderExtractor(schema, checkpoint=options.checkpoint, device=options.device)

    extractor = fresh()
    extractor(passages[:16])
    masks: list[torch.Tensor] = []
    ids: list[torch.Tensor] = []
    backbone = extractor.network.backbone
    hooks = (
        backbone.register_forward_pre_hook(lambda _, a, k: masks.append(k["attention_mask"]), with_kwargs=True),
        backbone.get_input_embeddings().register_forward_pre_hook(lambda _, a: ids.append(a[0])),
    )
    memory = []
    for at in range(0, len(passages), group):
        extractor(passages[at : at + group])
        memory.append(psutil.Process().memory_info().rss)
    for hook in hooks:
        hook.remove()
    batches = list(zip(ids, masks, strict=True))
    n_tokens = sum(int(mask.sum()) for _, mask in batches)
    n_padded = sum(mask.numel() for _, mask in batches)
    bare(extractor, batches[:1])
    whole, alone, whole_cpu, alone_cpu = [], [], [], []
    for _ in range(options.repeats):
        del extractor  # before the next is made: two at once would count as memory
        extractor = fresh()
        for seconds, cpu, run in ((whole, whole_cpu, whole_run), (alone, alone_cpu, bare)):
            started = time.process_time()
            seconds.append(timed(where, run, extractor, *((passages, group) if run is whole_run else (batches,))))
            cpu.append(time.process_time() - started)
    seconds, least = statistics.median(whole), statistics.median(alone)
    print(
        f"\n{len(schema.relations)} relation types, {len(schema.entities)} entity types: "
        f"{n_tokens:,} tokens, {n_padded:,} with padding, {len(batches)} batches"
    )
    print(f"  whole extractor {n_tokens / seconds:10,.0f} tokens/s {n_documents / seconds:8.2f} documents/s")
    print(f"  bare backbone   {n_tokens / least:10,.0f} tokens/s {n_documents / least:8.2f} documents/s")
    print(f"  ratio           {least / seconds:10.2f}    of {options.repeats}: {spread(alone, whole)}")
    if where.type == "cpu":  # what other programs take does not count here
        cpu_ratio = statistics.median(alone_cpu) / statistics.median(whole_cpu)
        print(f"  ratio of processor time {cpu_ratio:.2f}    of {options.repeats}: {spread(alone_cpu, whole_cpu)}")
    marks = [memory[len(memory) * part // 4 - 1] for part in range(1, 5) if len(memory) * part // 4]
    print(f"  resident memory along the corpus {', '.join(f'{m / MEGABYTE:,.0f}' for m in marks)} MB")


def whole_run(extractor: EncoderExtractor, passages: list[Passage], group: int) -> None:
    """Extracts all passages as the stage does, group by group."""
    for at in range(0, len(passages), group):
        extractor(passages[at : at + group])


@torch.inference_mode()
def bare(extractor: EncoderExtractor, batches: Batches) -> None:
    """The forward pass of the extractor's backbone over batches of token ids."""
    for pieces, mask in batches:
        with torch.autocast(extractor.device.type, extractor.dtype, enabled=extractor.dtype is not None):
            extractor.network.backbone(input_ids=pieces, attention_mask=mask)


def timed(where: torch.device, run: Callable[..., Any], *arguments: Any) -> float:
    """Seconds of a call, with what it started on the GPU."""
    if where.type == "cuda":
        torch.cuda.synchronize(where)
    started = time.perf_counter()
    run(*arguments)
    if where.type == "cuda":
        torch.cuda.synchronize(where)
    return time.perf_counter() - started


def spread(alone: list[float], whole: list[float]) -> str:
    """The ratio of each pair of neighbouring runs."""
    return " ".join(f"{a / w:.2f}" for a, w in zip(alone, whole, strict=True))


def peak_memory() -> int:
    """Most resident memory of this process so far, bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if platform.system() == "Darwin" else most * 1024


def compare(
    schema: Schema, passages: list[Passage], n_documents: int, where: torch.device, options: argparse.Namespace
) -> None:  # fmt: skip
    """Prints documents a second of kgpipe and of gliner's relation model, runs alternating, medians."""
    group = configuration.Config(workspace=Path()).group
    model = gliner_model(where)
    types = [e.label for e in schema.entities.values()]
    prompts = prompts_of(types, [r.label for r in schema.relations.values()])
    texts = [passage.text for passage in passages]
    size = len(texts[:32])

    def theirs(some: list[str]) -> None:
        for relations in prompts:  # random weights: a high threshold spares it the pairs of names that are none
            model.inference(some, types, relations, threshold=0.99, batch_size=size)

    theirs(texts[:size])
    texts.sort(key=len)  # it pads to the longest of each batch
    ours_seconds, their_seconds = [], []
    for _ in range(options.repeats):
        extractor = EncoderExtractor(schema, checkpoint=options.checkpoint, device=options.device)
        ours_seconds.append(timed(where, whole_run, extractor, passages, group))
        with torch.autocast(where.type, extractor.dtype, enabled=extractor.dtype is not None):
            their_seconds.append(timed(where, theirs, texts))
    ours, others = statistics.median(ours_seconds), statistics.median(their_seconds)
    print(f"\n{len(schema.relations)} relation types beside gliner {importlib.metadata.version('gliner')}:")
    print(f"  kgpipe {n_documents / ours:8.2f} documents/s")
    print(f"  gliner {n_documents / others:8.2f} documents/s, {len(prompts)} prompts a passage")
    print(f"  kgpipe is {others / ours:.1f} times as fast")


def gliner_model(where: torch.device) -> Any:
    """GLiNER's joint model of names and relations with random weights, on a backbone of the shipped one's size.

    The backbone has 512 positions, twice those of the shipped one, for the labels in the prompt.
    """
    from gliner.config import UniEncoderSpanRelexConfig
    from gliner.model import UniEncoderSpanRelexGLiNER

    with tempfile.TemporaryDirectory() as folder:
        sizes = json.loads((WEIGHTS / "embedder" / "config.json").read_text()) | {"max_position_embeddings": 512}
        (Path(folder) / "config.json").write_text(json.dumps(sizes))
        shutil.copyfile(WEIGHTS / "embedder" / "tokenizer.json", Path(folder) / "tokenizer.json")
        config = UniEncoderSpanRelexConfig(
            model_name=folder, hidden_size=384, max_width=12, max_len=384, span_mode="markerV0",
            relations_layer="dot", triples_layer="DistMult",
        )  # fmt: skip
        torch.manual_seed(0)
        return UniEncoderSpanRelexGLiNER.load_from_config(config, backbone_from_pretrained=False).to(where).eval()


def prompts_of(types: list[str], relations: list[str]) -> list[list[str]]:
    """The relation labels in as many prompts as it takes, each with all entity types."""
    tokenizer = load_tokenizer(WEIGHTS / "embedder")

    def size(labels: list[str]) -> int:
        return sum(1 + len(tokenizer.encode(label, add_special_tokens=False).ids) for label in labels)

    prompts: list[list[str]] = [[]]
    for label in relations:
        if prompts[-1] and size([*types, *prompts[-1], label]) > PROMPT_PIECES:
            prompts.append([])
        prompts[-1].append(label)
    return prompts


if __name__ == "__main__":
    main()
