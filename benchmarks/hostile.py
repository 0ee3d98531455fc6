"""A folder of hostile files, and what reading it does: crashes, failures, time and memory a file.

    .venv/bin/python benchmarks/hostile.py --files 1000

makes zip and XML bombs, a sparse file of 1 GB in one line, deep and endless markup, cyclic links, odd names, wrong
extensions, truncated UTF-16, PDFs with a broken cross-reference table, pipes, and valid files of every format with
random damage, and reads them as `kgpipe build` does while a thread deletes and rewrites some. Every file must end as a
document, a removed document or a named failure.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import email.message
import gzip
import io
import itertools
import json
import os
import platform
import random
import resource
import tarfile
import tempfile
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from kgpipe.config import Config
from kgpipe.corpus import isolate, read, sources
from kgpipe.workspace import Workspace

PROSE = "Ada Lovelace wrote notes on the Analytical Engine, and Charles Babbage built it. " * 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20, help="read_seconds")
    parser.add_argument("--megabytes", type=int, default=1000, help="read_memory_mb")
    options = parser.parse_args()
    print(f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        made = make(Path(folder) / "files", options.files, random.Random(options.seed))
        print(f"{len(made):,} files, read_seconds {options.seconds:g}, read_memory_mb {options.megabytes:,}")
        config = Config(max_failed=1.0, read_seconds=options.seconds, read_memory_mb=options.megabytes)
        found = measure(Path(folder) / "files", Path(folder) / "ws", config)
    for key, value in found.items():
        print(f"{key}: {json.dumps(value, indent=1) if isinstance(value, dict) else value}")


def measure(folder: Path, home: Path, config: Config, *, disturbed: bool = True) -> dict:
    """Reads the folder and returns what became of its files, the slowest of them, and the peaks of memory."""
    workspace = Workspace(home)
    workspace.set_state("paths", {"paths": [str(folder)]})
    times: dict[str, float] = {}
    processor: dict[str, float] = {}
    peak = [0]
    over = threading.Event()
    reader = isolate.reader()
    original = reader.texts

    def used() -> float:
        process = reader.process
        with contextlib.suppress(psutil.Error):
            if process is not None:
                times_of = psutil.Process(process.pid).cpu_times()
                return times_of.user + times_of.system
        return 0.0

    def timed(path, **settings):
        started, before = time.monotonic(), used()
        try:
            yield from original(path, **settings)
        finally:
            times[path.name] = time.monotonic() - started
            after = used()
            processor[path.name] = after - before if after >= before else after

    def watch() -> None:
        while not over.wait(0.05):
            process = reader.process
            with contextlib.suppress(psutil.Error):
                if process is not None:
                    peak[0] = max(peak[0], psutil.Process(process.pid).memory_info().rss)

    threads = [threading.Thread(target=watch)]
    if disturbed:
        threads.append(threading.Thread(target=disturb, args=(folder, over)))
    for thread in threads:
        thread.start()
    reader.texts = timed  # type: ignore[method-assign]
    started = time.monotonic()
    try:
        sources.run(workspace, config)
        counts = read.run(workspace, config)
    finally:
        over.set()
        for thread in threads:
            thread.join()
        del reader.texts
    every = set(workspace.keys("sources"))
    documents = {row["source"] for row in workspace.read("documents", ["source"]).to_pylist()}
    removed = {row["source"] for row in workspace.read("removed", ["source"]).to_pylist()}
    failures = workspace.read("failures").to_pylist()
    failed = {row["key"].partition("#")[0] for row in failures}
    lost = every - documents - removed - failed
    slowest = max(times, key=lambda name: times[name])
    busiest = max(processor, key=lambda name: processor[name])
    return {
        "files": len(every),
        "with documents": len(documents),
        "removed by a filter": len(removed - documents),
        "named failures": len(failed - documents - removed),
        "neither": sorted(lost),
        "documents": counts["documents"],
        "seconds in all": round(time.monotonic() - started, 1),
        "slowest": f"{times[slowest]:.1f} s by the clock, {slowest!r}",
        "most processor time": f"{processor[busiest]:.1f} s, {busiest!r}",
        "peak MB of the reading process": round(peak[0] / 2**20),
        "peak MB of kgpipe": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "reasons": dict(Counter(row["reason"].split(":")[0][:60] for row in failures).most_common(25)),
    }


def disturb(folder: Path, over: threading.Event) -> None:
    """Deletes and rewrites files while they are read."""
    vanishing = sorted(folder.rglob("vanish-*"))
    changing = sorted(folder.rglob("change-*"))
    for i in itertools.count():
        if over.wait(0.05):
            return
        if vanishing and i % 4 == 3:
            vanishing.pop().unlink()
        if changing:
            path = changing[i % len(changing)]
            path.write_text(PROSE * (i % 50))
            os.truncate(path, 10 * (i % 7))


def make(folder: Path, n_files: int, rng: random.Random, *, megabytes: int = 1024) -> list[Path]:
    """Writes n files (or a few more: each kind once at least), bombs of so many megabytes, and returns their paths."""
    folder.mkdir(parents=True)
    for name, data in fixed(megabytes):
        path = folder / os.fsdecode(name) if isinstance(name, bytes) else folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    special(folder)
    valid = list(bases())
    n_made = sum(1 for path in folder.rglob("*") if not path.is_dir())
    for i in range(max(0, n_files - n_made)):
        kind, data = valid[i % len(valid)]
        home = folder / f"damaged-{i % 7}"
        home.mkdir(exist_ok=True)
        other = rng.choice(valid)[0] if rng.random() < 0.15 else kind
        (home / f"{i}{other}").write_bytes(damaged(data, rng))
    return sorted(path for path in folder.rglob("*") if not path.is_dir())


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The data cut off, with bytes changed, a stretch taken out or doubled, or followed by noise."""
    way = rng.randrange(6)
    new = bytearray(data)
    at = rng.randrange(len(new))
    if way == 0:
        return bytes(new[:at])
    if way == 1:
        for _ in range(rng.choice((1, 5, 50))):
            new[rng.randrange(len(new))] = rng.randrange(256)
    elif way == 2:
        del new[at : at + rng.randrange(1, 200)]
    elif way == 3:
        new[at:at] = new[at : at + rng.randrange(1, 200)] * rng.randrange(1, 50)
    elif way == 4:
        new += rng.randbytes(rng.randrange(1, 5000))
    else:
        new = bytearray(rng.randbytes(rng.randrange(1, 3000)))
    return bytes(new)


def special(folder: Path) -> None:
    """Sparse files, links in circles, a pipe, folders within folders."""
    for name in ("line.txt", "line.jsonl", "line.csv", "line.html", "line.xml"):
        with (folder / f"sparse-{name}").open("wb") as file:
            file.truncate(2**30)
    (folder / "loop").symlink_to(folder)
    (folder / "self.txt").symlink_to(folder / "self.txt")
    (folder / "a.txt").symlink_to(folder / "b.txt")
    (folder / "b.txt").symlink_to(folder / "a.txt")
    (folder / "zero.txt").symlink_to("/dev/zero")
    (folder / "lost.txt").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.txt")
    deep = folder
    for _ in range(300):
        deep = deep / "deepdeep"
    deep.mkdir(parents=True)
    (deep / "bottom.txt").write_text(PROSE)
    for i in range(10):
        (folder / f"vanish-{i}.txt").write_text(PROSE * 100)
        (folder / f"change-{i}.txt").write_text(PROSE * 100)


def fixed(megabytes: int) -> Iterator[tuple[str | bytes, bytes]]:
    """Names and contents of the files that are hostile by intent."""
    zeros = bytes(2**20)
    yield "bomb.zip", zipped({"bomb.txt": lambda out: [out.write(zeros) for _ in range(megabytes)]})
    nested = zipped({"a.txt": PROSE.encode()})
    for _ in range(8):
        nested = zipped({"inner.zip": nested})
    yield "nested.zip", nested
    yield "many.zip", zipped({f"{i}.txt": PROSE.encode() for i in range(500)})
    yield (
        "bomb.docx",
        zipped(
            {
                "[Content_Types].xml": b"<Types/>",
                "word/document.xml": lambda out: [out.write(zeros) for _ in range(megabytes // 3)],
            }
        ),
    )
    yield "bomb.txt.gz", gzip.compress(zeros * (megabytes // 5), 9)
    yield "bomb.txt.gz.gz", gzip.compress(gzip.compress(zeros * (megabytes // 5), 9))
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]><mediawiki><page><title>&l11;</title></page></mediawiki>'
    yield "laughs.xml", bomb.encode()
    yield "laughs.html", bomb.encode()
    yield "laughs.epub", zipped({"META-INF/container.xml": bomb.encode()})
    yield (
        "outside.xml",
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><mediawiki><page><ns>0</ns><id>1</id><revision><text>&e;</text></revision></page></mediawiki>',
    )
    yield "deep.html", b"<div>" * 200_000 + PROSE.encode()
    yield "deep-tables.html", b"<table><tr><td>" * 20_000 + PROSE.encode()
    yield "open.html", b"<" * 500_000
    yield "comment.html", b"<!--" * 100_000
    yield "deep.json.jsonl", b"[" * 200_000 + b"\n" + b'{"a":' * 100_000 + b'\n{"text": "Ada wrote notes."}\n'
    yield "brackets.md", b"[" * 50_000 + b"](" * 50_000
    yield "quotes.md", b"> " * 20_000 + PROSE.encode()
    yield "stars.md", b"*a **b " * 50_000
    yield "braces.wiki", b"{{" * 50_000 + b"[[" * 50_000 + PROSE.encode()
    yield "table.wiki", b"{|\n" * 5_000 + PROSE.encode()
    yield "field.csv", b'text\n"' + b"a" * 5_000_000
    yield "columns.csv", b"text," * 200_000 + b"\n" + b"a," * 200_000
    yield "nul.csv", b"text\n\0\0\0\na\n"
    yield "long.txt", b"a" * 20_000_000
    yield "spaces.txt", b" " * 5_000_000 + b"x"
    yield "newlines.txt", b"\n" * 5_000_000 + b"x"
    yield "mojibake.txt", ("Ã©" * 500_000).encode()
    yield "marks.txt", ("e" + "\u0301" * 500_000).encode()
    yield "at.txt", b"a@" * 200_000 + b"a." * 200_000
    yield "digits.txt", b"4 1-" * 200_000
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        yield f"odd-{encoding}.txt", (PROSE * 3).encode(encoding)[:-1]
    yield "half.txt", "😀".encode("utf-16-le")[:3] * 100
    mail = email.message.EmailMessage()
    mail["Subject"] = "deep"
    mail.set_content(PROSE)
    yield "deep.eml", b"Subject: x\r\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (i, i) for i in range(3000)
    )  # fmt: skip
    yield "xref.pdf", pdf([[PROSE[:80]]]).replace(b"xref", b"xrxx").replace(b"startxref", b"startxxxx")
    yield "offsets.pdf", pdf([[PROSE[:80]]]).replace(b"00000", b"99999")
    yield "pages.pdf", pdf([[PROSE[:80]]]).replace(b"/Count 1", b"/Count 99999999")
    yield "circle.pdf", pdf([[PROSE[:80]]]).replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]")
    yield "truncated.pdf", pdf([[PROSE[:80]]] * 20)[:900]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in (
            ("/etc/absolute.txt", tarfile.LNKTYPE),
            ("../up.txt", tarfile.SYMTYPE),
            ("d.txt", tarfile.CHRTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("../../outside.txt")
        info.size = len(PROSE)
        archive.addfile(info, io.BytesIO(PROSE.encode()))
    yield "links.tar", buffer.getvalue()
    yield "new\nline.txt", PROSE.encode()
    yield "tab\tand\x07bell.txt", PROSE.encode()
    yield b"latin-\xe9.txt", PROSE.encode()
    yield f"{'n' * 250}.txt", PROSE.encode()
    yield "100%#?&.txt", PROSE.encode()
    yield "-rf.txt", PROSE.encode()
    yield "no-extension-at-all.", PROSE.encode()
    for end in (
        ".txt",
        ".pdf",
        ".docx",
        ".pptx",
        ".epub",
        ".zip",
        ".tar",
        ".tgz",
        ".parquet",
        ".csv",
        ".xml",
        ".eml",
        ".md.gz",
        ".txt.zst",
        ".xml.bz2",
    ):
        yield f"empty{end}", b""
        yield f"text{end}", PROSE.encode()
        yield f"picture{end}", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 20
        yield f"really-pdf{end}", pdf([[PROSE[:80]]])
        yield f"really-zip{end}", zipped({"a.txt": PROSE.encode()})


def zipped(members: dict[str, bytes | Callable]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            with archive.open(name, "w", force_zip64=True) as out:
                out.write(content) if isinstance(content, bytes) else content(out)
    return buffer.getvalue()


def pdf(pages: list[list[str]]) -> bytes:
    """A PDF with these lines on its pages, in Helvetica."""
    n = len(pages)
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        kids.append(f"{len(objects) + 1} 0 R")
        shown = "".join(f"BT /F1 11 Tf 60 {780 - 16 * i} Td ({line}) Tj ET\n" for i, line in enumerate(lines)).encode()
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents {len(objects) + 2} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown))
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {n} >>".encode()
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def bases() -> Iterator[tuple[str, bytes]]:
    """A valid file of every format, to be damaged."""
    import docx
    import pptx
    import pyarrow as pa
    import pyarrow.parquet as pq

    yield ".txt", PROSE.encode()
    yield ".md", f"# Notes\n\n{PROSE}\n\n```\ncode\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n".encode()
    yield (
        ".html",
        f"<html><head><title>Notes</title></head><body><article><p>{PROSE}</p></article></body></html>".encode(),
    )
    yield ".jsonl", "\n".join(json.dumps({"id": i, "text": PROSE}) for i in range(5)).encode()
    yield ".csv", ("id,text\n" + "\n".join(f'{i},"{PROSE}"' for i in range(5))).encode()
    yield ".pdf", pdf([[PROSE[:80]] * 5] * 3)
    buffer = io.BytesIO()
    document = docx.Document()
    document.add_paragraph(PROSE)
    document.save(buffer)
    yield ".docx", buffer.getvalue()
    buffer = io.BytesIO()
    deck = pptx.Presentation()
    deck.slides.add_slide(deck.slide_layouts[0]).shapes.title.text = PROSE
    deck.save(buffer)
    yield ".pptx", buffer.getvalue()
    yield ".epub", zipped({
        "META-INF/container.xml": b'<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>',
        "a.opf": b'<package><metadata><title>Notes</title></metadata><manifest><item id="c" href="c.xhtml"/></manifest><spine><itemref idref="c"/></spine></package>',
        "c.xhtml": f"<html><body><p>{PROSE}</p></body></html>".encode(),
    })  # fmt: skip
    mail = email.message.EmailMessage()
    mail["Subject"], mail["From"], mail["Date"] = "Notes", "ada@example.org", "Thu, 26 Nov 2026 10:00:00 +0000"
    mail.set_content(PROSE)
    mail.add_attachment(PROSE.encode(), maintype="text", subtype="plain", filename="notes.txt")
    yield ".eml", mail.as_bytes()
    buffer = io.BytesIO()
    pq.write_table(pa.table({"id": ["a", "b"], "text": [PROSE, PROSE]}), buffer)
    yield ".parquet", buffer.getvalue()
    page = f"<page><title>Ada</title><ns>0</ns><id>1</id><revision><text>'''Ada''' {{{{x|y}}}} [[Notes|notes]] {PROSE}</text></revision></page>"
    yield ".xml", f"<mediawiki>{page}</mediawiki>".encode()
    yield ".wiki", f"'''Ada''' wrote [[Notes|notes]].\n\n{{| \n|-\n! a\n|-\n| b\n|}}\n{PROSE}".encode()
    yield ".zip", zipped({"a.txt": PROSE.encode(), "b.md": PROSE.encode()})
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo("a.txt")
        info.size = len(PROSE)
        archive.addfile(info, io.BytesIO(PROSE.encode()))
    yield ".tgz", buffer.getvalue()
    yield ".txt.gz", gzip.compress(PROSE.encode())


if __name__ == "__main__":
    main()
