"""Near-duplicates: recall and precision against true Jaccard similarities, speed beside other MinHash programs, memory.

    .venv/bin/python benchmarks/dedup.py articles.jsonl.gz --sizes 10000 30000 --others FOLDER

The set is made from paragraphs of the articles: pieces of 80 to 400 words, a third of them copied once to three times
with 1 to 30% of their words replaced, deleted or inserted (half of the edits scattered, half in one run). True pairs
are found without MinHash: an index of all shingles gives the exact Jaccard similarity of every pair that shares any.
FOLDER holds datatrove and text-dedup, installed there for this comparison only:
`uv pip install --target FOLDER datatrove text-dedup`. Processor seconds count, so that other programs on the machine
do not; each measurement is a process of its own on one thread. All three are measured from the JSON Lines file to their
result: a table of duplicates here, the filtered files there.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import importlib.metadata
import json
import math
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

THRESHOLD = 0.8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", type=Path, help='JSON Lines of {"text"}, plain or .gz')
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000])
    parser.add_argument("--quality", type=int, default=5_000, help="documents of the set whose pairs are all known")
    parser.add_argument("--others", type=Path, help="folder with datatrove and text-dedup")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure[0], Path(options.measure[1]), options.others)
        return
    print(f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("daft", "numpy", "pyarrow")))
    with tempfile.TemporaryDirectory() as folder:
        texts = made_texts(options.articles, options.quality, options.seed)
        path = write(texts, Path(folder) / "quality")
        found = run_process("kgpipe", path, options)
        quality(texts, [tuple(pair) for pair in found["pairs"]])
        print(
            f"\n{'program':12} {'documents':>10} {'processor s':>12} {'documents/s/core':>17} {'peak MB':>8} {'duplicates':>10}"
        )
        times = []
        for size in options.sizes:
            path = write(made_texts(options.articles, size, options.seed + 1), Path(folder) / str(size))
            for name in (
                "kgpipe",
                *(("datatrove", "text-dedup") if options.others and size == options.sizes[0] else ()),
            ):
                found = run_process(name, path, options)
                if name == "kgpipe":
                    times.append(found["seconds"])
                print(
                    f"{name:12} {size:10,} {found['seconds']:12.1f} {size / found['seconds']:17.0f} {found['mb']:8.0f} "
                    f"{found['duplicates']:10,}", flush=True,
                )  # fmt: skip
        if len(times) > 1:
            exponent = math.log(times[-1] / times[0]) / math.log(options.sizes[-1] / options.sizes[0])
            print(f"time grows with the power {exponent:.2f} of the documents")


def made_texts(articles: Path, n_texts: int, seed: int) -> list[str]:
    """Pieces of articles and edited copies of a third of them, shuffled."""
    rng = random.Random(seed)
    opener = gzip.open if articles.suffix == ".gz" else open
    with opener(articles, "rt", encoding="utf-8") as lines:
        sources = [json.loads(line)["text"].split() for line in lines]
    words = [word for text in sources[:50] for word in text]
    sources = [text for text in sources if len(text) > 500]
    texts: list[str] = []
    while len(texts) < n_texts:
        source = rng.choice(sources)
        size = rng.randint(80, 400)
        start = rng.randrange(len(source) - size)
        piece = source[start : start + size]
        if n_texts > 20_000:  # pieces of few articles would all overlap: other words between them keep them apart
            piece = [word if rng.random() < 0.75 else rng.choice(words) for word in piece]
        texts.append(" ".join(piece))
        if rng.random() < 1 / 3:
            texts += [" ".join(edited(piece, rng.uniform(0.01, 0.3), words, rng)) for _ in range(rng.randint(1, 3))]
    rng.shuffle(texts)
    return texts[:n_texts]


def edited(piece: list[str], share: float, words: list[str], rng: random.Random) -> list[str]:
    """The words with a share of them replaced, deleted or followed by another."""
    n = max(1, round(share * len(piece)))
    if rng.random() < 0.5:
        places = set(rng.sample(range(len(piece)), n))
    else:
        start = rng.randrange(len(piece) - n + 1)
        places = set(range(start, start + n))
    new: list[str] = []
    for i, word in enumerate(piece):
        kind = rng.choice(("replace", "delete", "insert")) if i in places else ""
        new += {"": [word], "replace": [rng.choice(words)], "delete": [], "insert": [word, rng.choice(words)]}[kind]
    return new


def write(texts: list[str], folder: Path) -> Path:
    folder.mkdir()
    with (folder / "texts.jsonl").open("w", encoding="utf-8") as out:
        for i, text in enumerate(texts):
            out.write(json.dumps({"id": str(i), "text": text}) + "\n")
    return folder


def true_pairs(texts: list[str], least: float) -> dict[tuple[int, int], float]:
    """The Jaccard similarity of every pair that reaches `least`, by an index of all shingles and no sketch."""
    from kgpipe.corpus.dedup import SHINGLE, shingle_text

    sets = []
    index: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, text in enumerate(texts):
        words = shingle_text(text).split(" ")
        sets.append({tuple(words[j : j + SHINGLE]) for j in range(len(words) - SHINGLE + 1)})
        for shingle in sets[-1]:
            index[shingle].append(i)
    shared: Counter[tuple[int, int]] = Counter()
    for members in index.values():
        for a in range(len(members)):
            for b in range(a + 1, len(members)):
                shared[members[a], members[b]] += 1
    scores = {(a, b): n / (len(sets[a]) + len(sets[b]) - n) for (a, b), n in shared.items()}
    return {pair: score for pair, score in scores.items() if score >= least}


def quality(texts: list[str], found: list[tuple[int, int]]) -> None:
    """Prints recall and precision of what was found: documents that are a duplicate of what stands for them."""
    pairs = true_pairs(texts, 0.3)
    alike = {pair for pair, score in pairs.items() if score >= THRESHOLD}
    partner = defaultdict(set)
    for a, b in alike:
        partner[a].add(b)
        partner[b].add(a)
    group = {i: i for i in range(len(texts))}
    for duplicate, stands in found:
        group[duplicate] = stands
    # a pair is found when both are in one group: then only one of the two stays
    joined = sum(group[a] == group[b] for a, b in alike)
    # a document whose like is left must not stay: what remains after removal holds no pair
    removed = {duplicate for duplicate, _ in found}
    left = sum(a not in removed and b not in removed for a, b in alike)
    right = sum((min(p), max(p)) in alike for p in found)
    print(f"\n{len(texts):,} documents, {len(alike):,} pairs with a Jaccard similarity of {THRESHOLD} or more")
    print(
        f"recall: {1 - left / max(len(alike), 1):.4f} of these pairs lose one of the two; {joined / max(len(alike), 1):.4f} end in one group"
    )
    print(f"precision: {right / max(len(found), 1):.4f} of {len(found):,} duplicates are so like what stands for them")
    for low in (0.8, 0.85, 0.9, 0.95):
        some = [pair for pair in alike if low <= pairs[pair] < low + 0.05 + 1e-9]
        if some:
            gone = sum(a in removed or b in removed for a, b in some)
            print(f"  similarity {low:.2f} to {low + 0.05:.2f}: {gone} of {len(some)}")


def run_process(name: str, path: Path, options: argparse.Namespace) -> dict:
    others = ["--others", str(options.others.absolute())] if options.others else []
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "DAFT_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
    }
    done = subprocess.run(
        [sys.executable, __file__, str(options.articles), "--measure", name, str(path), *others],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{name} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(name: str, path: Path, others: Path | None) -> None:
    """Runs one program on a folder of texts and prints what it found and cost as JSON."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})
    run = {"kgpipe": _kgpipe, "datatrove": _datatrove, "text-dedup": _text_dedup}[name]
    if name != "kgpipe":
        sys.path.insert(0, str(others))
    with tempfile.TemporaryDirectory() as scratch:
        begin, result = run(path, Path(scratch))
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(each.ru_utime + each.ru_stime for each in usage) - begin
    print(json.dumps({"seconds": seconds, "mb": max(_peak_mb(), usage[1].ru_maxrss / 1024), **result}))


def _peak_mb() -> float:
    """Of this process alone: ru_maxrss would begin with what the parent had when it started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _used() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def _rows(path: Path):
    with (path / "texts.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _kgpipe(path: Path, scratch: Path) -> tuple[float, dict]:
    from kgpipe.config import Config
    from kgpipe.corpus import dedup
    from kgpipe.records import Document
    from kgpipe.workspace import Workspace

    dedup._daft()
    begin = _used()
    workspace = Workspace(scratch / "ws")
    group = []
    for row in _rows(path):
        group.append(Document(f"file:///{row['id']:0>9}", row["text"]))
        if len(group) == 256:  # as the reading stage commits them
            workspace.commit("documents", group)
            group = []
    workspace.commit("documents", group)
    counts = dedup.run(workspace, Config(near_duplicate=THRESHOLD))
    uris = {row["uid"]: int(row["uri"][8:]) for row in workspace.read("documents", ["uid", "uri"]).to_pylist()}
    rows = workspace.read("duplicates").to_pylist()
    return begin, {
        "duplicates": counts["duplicates"],
        "pairs": [[uris[row["document"]], uris[row["representative"]]] for row in rows] if len(uris) <= 20_000 else [],
    }


def _datatrove(path: Path, scratch: Path) -> tuple[float, dict]:
    """Its four steps, signatures to filtered files, with 20 bands of 6 as here and five-grams of words."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils.logging import logger

    logger.remove()
    config = MinhashConfig(n_grams=5, num_buckets=20, hashes_per_bucket=6)
    signatures, buckets, gone = (str(scratch / name) for name in ("signatures", "buckets", "gone"))
    begin = _used()
    steps = [
        [
            JsonlReader(str(path)),
            MinhashDedupSignature(output_folder=signatures, config=config, language="eng", skip_existing_sigs=False),
        ],
        [MinhashDedupBuckets(input_folder=signatures, output_folder=buckets, config=config)],
        [MinhashDedupCluster(input_folder=buckets, output_folder=gone, config=config)],
        [JsonlReader(str(path)), MinhashDedupFilter(input_folder=gone), JsonlWriter(str(scratch / "out"))],
    ]
    for i, pipeline in enumerate(steps):
        LocalPipelineExecutor(
            pipeline=pipeline, tasks=20 if i == 1 else 1, workers=1, logging_dir=str(scratch / f"logs{i}")
        ).run()
    n_left = sum(1 for file in (scratch / "out").rglob("*.jsonl.gz") for _ in gzip.open(file))
    return begin, {"duplicates": sum(1 for _ in _rows(path)) - n_left}


def _text_dedup(path: Path, scratch: Path) -> tuple[float, dict]:
    """Its command, with 20 bands of 6 and five-grams of words; what importing it costs is not counted."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path[:1])}

    def run(*arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, env=environment, cwd=scratch, stdout=sys.stderr)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    imports = run("-c", "import text_dedup.minhash")
    begin = _used()
    run(
        "-m", "text_dedup.minhash", "--path", "json", "--data_files", str(path / "texts.jsonl"), "--split", "train",
        "--column", "text", "--output", str(scratch / "out"), "--cache_dir", str(scratch / "cache"), "--ngram", "5",
        "--min_length", "5", "--num_perm", str(20 * 6), "--b", "20", "--r", "6", "--threshold", str(THRESHOLD),
        "--num_proc", "1", "--batch_size", "1000",
    )  # fmt: skip
    import datasets

    n_left = datasets.load_from_disk(str(scratch / "out")).num_rows
    return begin + 2 * imports, {"duplicates": sum(1 for _ in _rows(path)) - n_left}


if __name__ == "__main__":
    main()
