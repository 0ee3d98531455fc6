"""Exact and near-duplicates: documents that say the same point to one that stands for them.

MinHash with locality-sensitive hashing (Broder 1997; Leskovec et al., Mining of Massive Datasets, ch. 3): of the
shingles of a text, runs of five words or Chinese characters, 120 minima are kept in 20 bands of 6. Documents that share
a band are candidates, and their true Jaccard similarity decides: nothing is a duplicate by a sketch alone.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kgpipe.config import Config
from kgpipe.corpus.clean import folded_hash
from kgpipe.engine import Progress, frame, silent
from kgpipe.records import TABLES, content_id
from kgpipe.workspace import Workspace

SHINGLE = 5
"""Words, or Chinese characters, of a shingle."""
N_BANDS, N_ROWS = 20, 6
"""At a Jaccard similarity of 0.8 a pair shares a band with probability 0.998, at 0.5 with 0.27."""
LEAST_WORDS = 40
"""Shorter texts have exact duplicates only: records that differ in one name or number say different things."""
_GROUP = 2048
"""Documents whose signatures are one commit."""
_CJK = re.compile(r"([\u3040-\u30ff\u3400-\u9fff])")
_NOT_WORD = re.compile(r"[^\w]+|_+")
_METHOD = 1


def run(
    workspace: Workspace, config: Config, *, shard: tuple[int, int] = (0, 1), progress: Progress = silent
) -> dict[str, Any]:
    """Brings `duplicates` up to date with the documents present: {duplicates, released}, rows new and rows gone.

    `reason` is `exact`, for texts that differ in case and white space only, or `near` with the Jaccard similarity to
    the representative.
    """
    documents = workspace.read("documents", ["uid", "version", "uri"])
    inputs = content_id(
        "dedup",
        _METHOD,
        config.near_duplicate,
        *documents.column("version").to_pylist(),
        *documents.column("uid").to_pylist(),
    )
    before = workspace.read("duplicates").to_pylist()
    if workspace.state("dedup") == {"inputs": inputs, "rows": _content(before)}:
        return {"duplicates": 0, "released": 0}
    _sign(workspace, documents, progress)
    wanted = _duplicates(workspace, documents, config.near_duplicate)
    present = {row["document"]: (row["representative"], row["reason"]) for row in before}
    fresh = [uid for uid in sorted(wanted) if present.get(uid) != wanted[uid]]
    released = [uid for uid in present if uid not in wanted]
    workspace.delete("duplicates", "document", [*(uid for uid in fresh if uid in present), *released])
    rows = [{"document": uid, "representative": wanted[uid][0], "reason": wanted[uid][1]} for uid in fresh]
    workspace.commit("duplicates", rows)
    after = workspace.read("duplicates").to_pylist()
    workspace.set_state("dedup", {"inputs": inputs, "rows": _content(after)})
    progress("dedup", 1, 1)
    return {"duplicates": len(fresh), "released": len(released)}


def _content(rows: list[dict[str, str]]) -> str:
    """A hash of rows of `duplicates`: a document that was deleted and came back has lost its own."""
    return content_id(*(value for row in rows for value in row.values()))


def order(uri: str) -> tuple[int, str]:
    """Which of several documents stands for all: that of the shortest uri, so `eniac.txt` before `eniac (copy).txt`.

    It depends on the documents present alone, not on their order of arrival.
    """
    return len(uri), uri


def shingle_text(text: str) -> str:
    """The words of a text with a space between two, folded; a Chinese character is a word."""
    return " ".join(_NOT_WORD.sub(" ", _CJK.sub(r" \1 ", text.casefold())).split())


def shingles(words: str) -> np.ndarray:
    """The distinct shingles of what `shingle_text` gives, hashed: sorted, uint64.

    A text of fewer words than a shingle has none.
    """
    parts = words.split(" ")
    n = len(parts) - SHINGLE + 1
    if n < 1:
        return np.empty(0, np.uint64)
    hashes = np.fromiter(map(hash, parts), np.int64, len(parts)).view(np.uint64)
    mixed = np.zeros(n, np.uint64)
    with np.errstate(over="ignore"):
        for i in range(SHINGLE):
            mixed = (mixed ^ hashes[i : i + n]) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
    return np.unique(mixed)


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """The share of all distinct shingles that both have, each array sorted and without repetitions."""
    if not len(a) or not len(b):
        return 0.0
    both = len(np.intersect1d(a, b, assume_unique=True))
    return both / (len(a) + len(b) - both)


def _sign(workspace: Workspace, documents: pa.Table, progress: Progress) -> None:
    """Brings `signatures` up to date: the folded hash and the bands of each document, group by group."""
    current = dict(zip(documents.column("uid").to_pylist(), documents.column("version").to_pylist(), strict=True))
    rows = workspace.read("signatures", ["document", "version"]).to_pylist()
    workspace.delete(
        "signatures", "document", [r["document"] for r in rows if current.get(r["document"]) != r["version"]]
    )
    done = {row["document"] for row in rows if current.get(row["document"]) == row["version"]}
    n_todo, n_done = len(current) - len(done), 0
    for table in _texts(workspace, ["uid", "version", "text"], lambda uid: uid in current and uid not in done):
        workspace.commit("signatures", signed(table))
        n_done += table.num_rows
        progress("dedup", n_done, n_todo)


def _texts(workspace: Workspace, columns: list[str], wanted: Any) -> Iterator[pa.Table]:
    """Rows of the wanted documents, in groups that fit in memory."""
    held: list[pa.Table] = []
    for path in workspace.files("documents"):
        file = pq.ParquetFile(path)
        keep = [bool(wanted(uid)) for uid in file.read(columns=["uid"]).column(0).to_pylist()]
        if any(keep):
            held.append(file.read(columns=columns).filter(pa.array(keep)))
        if sum(t.num_rows for t in held) >= _GROUP or sum(t.nbytes for t in held) > 64_000_000:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def signed(table: pa.Table) -> pa.Table:
    """Signature rows of documents with uid, version and text; short texts have no bands."""
    texts = table.column("text").to_pylist()
    words = [shingle_text(text) for text in texts]
    minima = _minhash(words)
    bands = _bands(minima)
    short = [word.count(" ") + 1 < LEAST_WORDS for word in words]
    lists = [[] if is_short else row for is_short, row in zip(short, bands.tolist(), strict=True)]
    return pa.table(
        [table.column("uid"), table.column("version"), pa.array(map(folded_hash, texts), pa.string()),
         pa.array(lists, pa.list_(pa.uint64()))],
        schema=TABLES["signatures"],
    )  # fmt: skip


def _minhash(words: list[str]) -> np.ndarray:
    """(n_texts, N_BANDS * N_ROWS) minima of the shingles of each text, by Daft."""
    daft = _daft()
    column = daft.from_pydict({"words": words}).select(
        daft.col("words").minhash(
            num_hashes=N_BANDS * N_ROWS, ngram_size=SHINGLE, seed=1, hash_function="murmurhash3"
        )
    )  # fmt: skip
    flat = column.to_arrow().column(0).combine_chunks().flatten()
    return np.asarray(flat).reshape(len(words), N_BANDS * N_ROWS)


def _bands(minima: np.ndarray) -> np.ndarray:
    """(n_texts, N_BANDS) hashes of the rows of each band, different from band to band."""
    rows = minima.reshape(len(minima), N_BANDS, N_ROWS).astype(np.uint64)
    mixed = np.broadcast_to(np.arange(1, N_BANDS + 1, dtype=np.uint64), rows.shape[:2]).copy()
    with np.errstate(over="ignore"):
        for i in range(N_ROWS):
            mixed = (mixed ^ rows[:, :, i]) * np.uint64(0xFF51AFD7ED558CCD)
            mixed ^= mixed >> np.uint64(33)
    return mixed


def _daft() -> Any:
    os.environ["DO_NOT_TRACK"] = "true"  # Daft reports usage unless this stands before the import
    import daft

    return daft


def _duplicates(workspace: Workspace, documents: pa.Table, least: float) -> dict[str, tuple[str, str]]:
    """{uid: (representative, reason)} of all that are duplicates of another.

    Documents are taken in the order in which they may stand for others. One that is like an earlier representative
    points to the first such, else it becomes one itself: so each is as similar as asked to what stands for it, and
    the result depends on the documents present alone.
    """
    uids = documents.column("uid").to_pylist()
    uris = dict(zip(uids, documents.column("uri").to_pylist(), strict=True))
    ranked = sorted(uids, key=lambda uid: order(uris[uid]))
    rank = {uid: i for i, uid in enumerate(ranked)}
    signatures = workspace.read("signatures", ["document", "fold"])
    first: dict[str, int] = {}
    exact: dict[int, int] = {}  # rank of a copy: rank of the first with the same text
    rows = zip(signatures.column("document").to_pylist(), signatures.column("fold").to_pylist(), strict=True)
    for i, fold in sorted((rank[uid], fold) for uid, fold in rows if uid in rank):
        if (stands := first.setdefault(fold, i)) != i:
            exact[i] = stands
    del first
    near = _near(workspace, rank, exact, least) if least else {}
    wanted: dict[str, tuple[str, str]] = {}
    for i, (stands, score) in near.items():
        wanted[ranked[i]] = (ranked[stands], f"near {score:.2f}")
    for i, stands in exact.items():
        wanted[ranked[i]] = (
            ranked[near[stands][0] if stands in near else stands],
            "exact" if stands not in near else f"near {near[stands][1]:.2f}",
        )
    return wanted


def _near(
    workspace: Workspace, rank: dict[str, int], exact: dict[int, int], least: float
) -> dict[int, tuple[int, float]]:
    """{rank: (rank of its representative, Jaccard)} of near-duplicates among documents that are no exact copies."""
    documents, buckets = _shared_bands(workspace, rank, exact)
    if not len(documents):
        return {}
    candidates = set(documents.tolist())
    by_rank = {i: uid for uid, i in rank.items() if i in candidates}
    n_buckets = int(buckets.max()) + 1
    standing: list[list[int]] = [[] for _ in range(n_buckets)]  # representatives by bucket
    found: dict[int, tuple[int, float]] = {}
    starts = np.flatnonzero(np.r_[True, documents[1:] != documents[:-1]])
    with tempfile.TemporaryFile() as scratch:
        places = _write_shingles(workspace, {uid: i for i, uid in by_rank.items()}, scratch)
        if not places:
            return {}
        scratch.flush()
        stored = np.memmap(scratch, np.uint64, mode="r")
        for start, end in zip(starts, [*starts[1:], len(documents)], strict=True):
            i = int(documents[start])
            mine = buckets[start:end].tolist()
            others = sorted({other for bucket in mine for other in standing[bucket]})
            own = stored[slice(*places[i])]
            for other in others:
                theirs = stored[slice(*places[other])]
                small, large = sorted((len(own), len(theirs)))
                if small < least * large:  # too different in length
                    continue
                score = jaccard(own, theirs)
                if score >= least:
                    found[i] = (other, score)
                    break
            else:
                for bucket in mine:
                    standing[bucket].append(i)
        del stored
    return found


def _shared_bands(workspace: Workspace, rank: dict[str, int], exact: dict[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Documents by rank and the numbers of the bands that they share with another, sorted by rank."""
    daft = _daft()
    col = daft.col
    single = {uid: i for uid, i in rank.items() if i not in exact}
    ranks = daft.from_arrow(pa.table({"document": list(single), "rank": pa.array(single.values(), pa.int64())}))
    bands = (
        frame(workspace, "signatures")
        .select("document", "bands")
        .join(ranks, on="document")
        .select("rank", "bands")
        .explode("bands")
        .where(col("bands").not_null())
    )
    shared = bands.groupby("bands").agg(col("rank").count().alias("n")).where(col("n") > 1).select("bands")
    table = bands.join(shared, on="bands").to_arrow()
    found = table.column("rank").to_numpy()
    order_of = np.argsort(found, kind="stable")
    _, numbers = np.unique(table.column("bands").to_numpy(), return_inverse=True)
    return found[order_of], numbers[order_of]


def _write_shingles(workspace: Workspace, wanted: dict[str, int], scratch: Any) -> dict[int, tuple[int, int]]:
    """Writes the shingles of the wanted documents one after the other; returns {rank: (start, end)}."""
    places: dict[int, tuple[int, int]] = {}
    at = 0
    for table in _texts(workspace, ["uid", "text"], wanted.__contains__):
        for uid, text in zip(table.column("uid").to_pylist(), table.column("text").to_pylist(), strict=True):
            found = shingles(shingle_text(text))
            scratch.write(found.tobytes())
            places[wanted[uid]] = (at, at + len(found))
            at += len(found)
    return places if at else {}
