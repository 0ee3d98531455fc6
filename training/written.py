"""The written training texts, checked, and made into annotated lines.

    python training/written.py FILE...                      # checks files in the markup of README.md, prints figures
    python training/written.py training/written/*.txt --out FOLDER [--name written]

FOLDER receives written.train.jsonl.gz, written.dev.jsonl.gz (the domains of `HELD_OUT`, which train nothing) and
labels.json, for `kgpipe train` and the benchmarks; NAME takes the place of written. Exit 1 when something is wrong, each with file, line and what is
allowed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

HELD_OUT = frozenset(
    (
        "hospital letters",
        "public procurement and municipal works",
        "auctions and the art market",
        "security incidents and vulnerabilities",
        "forests and timber",
        "fashion and textiles",
        "chess and board games",
        "rivers, lakes, caves and islands",
        "job adverts, appointments and careers",
        "corporate press releases on deals and posts",
        "police blotters, court news and disaster bulletins",
        "release notes, support tickets and product sheets",
        "local news, newsletters, event pages and stubs",
        "e-mails, chats, minutes, memos and newsletters of firms and associations",
        "alumni magazines, staff news, retirement notices, prize announcements, fellowships and grants",
        "fact files of ships, locomotives, aircraft and weapons",
        "infoboxes of albums, songs, television series and video games",
    )
)
"""Domains that train nothing: one of each of the first eight files, and the last of those that was written; eight of `web`."""
RARE = 3
"""A relation that is used less often is told."""
MENTION = re.compile(r"\{([^{}:=]+):([^{}:=]+)(?:=([^{}]+))?\}")
PRONOUNS = frozenset("he she it they his her its their him them hers theirs himself herself itself themselves".split())


class Reader:
    """One file: its domains as dictionaries, and what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self.path, self.wrong, self.domains = path, [], []
        for self.line, text in enumerate(path.read_text("utf-8").splitlines(), 1):
            if text.strip() and not text.startswith("//"):
                self._read(text.strip())

    def _say(self, what: str) -> None:
        self.wrong.append(f"{self.path}:{self.line}: {what}")

    def _read(self, text: str) -> None:
        kind, _, rest = text.partition(" ")
        rest = rest.strip()
        if kind == "@domain":
            self.domains.append({"name": rest, "types": {}, "relations": {}, "texts": []})
        elif not self.domains:
            self._say("nothing may stand before the first @domain")
        elif kind == "@entity":
            label, _, about = (part.strip() for part in rest.partition("|"))
            self.domains[-1]["types"][label] = {"label": label, "description": about}
        elif kind == "@relation":
            self._relation(rest)
        elif kind == "S":
            self._text(rest)
        elif kind == "R" and self.domains[-1]["texts"]:
            for part in rest.split(";"):
                self._related(part.strip())
        else:
            self._say(f"a line begins with @domain, @entity, @relation, S or (after S) R, not {text[:40]!r}")

    def _relation(self, rest: str) -> None:
        parts = [part.strip() for part in rest.split("|")]
        if len(parts) != 5:
            return self._say(
                "a relation is: label | subject types | object types | other wordings; ~inverse | description"
            )
        label, domain, range_, ways, about = parts
        ends = [[t.strip() for t in side.split(",")] for side in (domain, range_)]
        known = self.domains[-1]
        for t in ends[0] + ends[1]:
            if t not in known["types"]:
                self._say(f"type {t!r} is none of {', '.join(known['types'])}")
        said = [way.strip() for way in ways.split(";") if way.strip()]
        known["relations"][label] = {
            "label": label, "description": about, "domain": ends[0], "range": ends[1],
            "synonyms": [w for w in said if not w.startswith("~")],
            "inverse": [w[1:].strip() for w in said if w.startswith("~")],
        }  # fmt: skip

    def _text(self, marked: str) -> None:
        known, text, mentions, at = self.domains[-1], "", [], 0
        for m in MENTION.finditer(marked):
            text += marked[at : m.start()]
            at = m.end()
            surface, entity_type, entity = m[1], m[2].strip(), (m[3] or m[1]).strip()
            if entity_type not in known["types"]:
                self._say(f"type {entity_type!r} of {surface!r} is none of {', '.join(known['types'])}")
            if surface != surface.strip() or re.search(r"['’]s$", surface):
                self._say(f"leave blanks and possessive out of {surface!r}")
            if surface.lower() in PRONOUNS and not m[3]:
                self._say(f"say whom {surface!r} stands for: {{{surface}:{entity_type}=Name}}")
            mentions.append(
                {"start": len(text), "end": len(text) + len(surface), "type": entity_type, "entity": entity}
            )
            text += surface
        text += marked[at:]
        surfaces = {text[m["start"] : m["end"]] for m in mentions}
        for m in mentions:
            if m["entity"] not in surfaces:
                self._say(f"{m['entity']!r} after = is no other mention of the text")
            if re.search(r"\w\Z", text[: m["start"]]) or re.match(r"\w", text[m["end"] :]):
                self._say(f"{text[m['start'] : m['end']]!r} cuts a word")
        if "{" in text or "}" in text:
            self._say(f"a brace is left over in {text!r}")
        known["texts"].append({"text": text, "mentions": mentions, "relations": []})

    def _related(self, part: str) -> None:
        known = self.domains[-1]
        mentions = known["texts"][-1]["mentions"]
        m = re.fullmatch(r"(\d+)\s+(.+?)\s+(\d+)", part)
        if not m or m[2] not in known["relations"]:
            return self._say(f"{part!r} is not NUMBER label NUMBER with one of {', '.join(known['relations'])}")
        ends = int(m[1]), int(m[3])
        if ends[0] == ends[1] or not all(1 <= n <= len(mentions) for n in ends):
            return self._say(f"{part!r}: mentions are counted from 1 to {len(mentions)}, and the two differ")
        for n, side in zip(ends, ("domain", "range"), strict=True):
            if mentions[n - 1]["type"] not in known["relations"][m[2]][side]:
                self._say(
                    f"{part!r}: mention {n} is a {mentions[n - 1]['type']}, allowed is {known['relations'][m[2]][side]}"
                )
        known["texts"][-1]["relations"].append({"head": ends[0] - 1, "tail": ends[1] - 1, "type": m[2]})


def figures(domain: dict[str, Any]) -> str:
    used = Counter(r["type"] for t in domain["texts"] for r in t["relations"])
    rare = [r for r in domain["relations"] if used[r] < RARE]
    told = (
        f"{domain['name']}: {len(domain['texts'])} texts, {sum(len(t['mentions']) for t in domain['texts'])} mentions of "
        f"{len(domain['types'])} types, {used.total()} relations of {len(domain['relations'])} types"
    )
    return told + (f"; used under {RARE} times: {', '.join(rare)}" if rare else "")


def record(text: dict[str, Any], domain: dict[str, Any], number: int) -> dict[str, Any]:
    """A text as a line of training data; everything of the domain's types is marked in it."""
    return {
        "id": f"written-{number}", **text, "lang": "en", "domain": domain["name"],
        "entity_types": sorted(domain["types"]), "relation_types": sorted(domain["relations"]),
        "complete": {"mentions": True, "relations": True},
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--name", default="written", help="of the set")
    options = parser.parse_args()
    read = [Reader(file) for file in sorted(options.files)]
    for domain in (d for one in read for d in one.domains):
        print(figures(domain))
    wrong = [line for one in read for line in one.wrong]
    print(*wrong, f"{len(wrong)} errors", sep="\n")
    if wrong:
        sys.exit(1)
    if not options.out:
        return
    options.out.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[dict[str, Any]]] = {"train": [], "dev": []}
    labels: dict[str, dict[str, Any]] = {"entity_types": {}, "relation_types": {}}
    texts: set[str] = set()
    for one in read:
        for domain in one.domains:
            for kind, key in (("entity_types", "types"), ("relation_types", "relations")):
                labels[kind] |= {f"{domain['name']}: {name}": about for name, about in domain[key].items()}
            made = rows["dev" if domain["name"] in HELD_OUT else "train"]
            for text in domain["texts"]:
                if text["text"] not in texts:
                    texts.add(text["text"])
                    made.append(record(text, domain, len(texts)))
    for name, some in rows.items():
        with gzip.GzipFile(options.out / f"{options.name}.{name}.jsonl.gz", "wb", mtime=0) as file:
            file.writelines(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in some)
        print(f"{options.name}.{name}: {len(some):,} texts, {sum(len(r['relations']) for r in some):,} relations")
    (options.out / "labels.json").write_text(json.dumps({options.name: labels}, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    main()
