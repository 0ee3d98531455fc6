"""One raw text to one document: cleaned, masked where asked, judged, with title, language and marks."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from kgpipe.config import Config
from kgpipe.corpus.clean import clean, mended
from kgpipe.corpus.formats import title_from_name
from kgpipe.corpus.language import language_of
from kgpipe.corpus.quality import reason_to_remove
from kgpipe.corpus.raw import Limits, Raw, sample
from kgpipe.corpus.sources import path_of
from kgpipe.records import Document, Failure, Removal, Removed, content_id

_METHOD = 1
"""Raised when the same file gives another document than before; then all files are read again."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The settings on which the documents of a file depend."""

    limits: Limits = field(default_factory=Limits)
    drop: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    min_words: int = 0
    mask: tuple[str, ...] = ()
    phone_region: str = "US"

    @property
    def fingerprint(self) -> str:
        return content_id("reading", _METHOD, json.dumps(asdict(self), sort_keys=True))

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Reading:
        """What `asdict` made of one."""
        limits = {k: tuple(v) if isinstance(v, list) else v for k, v in values["limits"].items()}
        others = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k != "limits"}
        return cls(limits=Limits(**limits), **others)


def reading(config: Config) -> Reading:
    """The configured settings."""
    limits = Limits(
        max_bytes=config.max_bytes, max_unpacked=config.max_unpacked, text_column=config.text_column,
        metadata_columns=config.metadata_columns,
    )  # fmt: skip
    return Reading(limits, config.drop, config.quality, config.min_words, config.mask, config.phone_region)


def document(raw: Raw, *, source: str, settings: Reading | None = None) -> Document | Failure | Removed:
    """The cleaned document, the failure when nothing is left to read, or what a filter removed and why."""
    settings = settings or Reading()
    found = clean(raw.text, drop=settings.drop)
    if not any(c.isalnum() for c in found.text):
        return Failure("read", raw.uri, "no text")
    title = " ".join(mended(raw.title or _first_line(found.text)).split())
    title = title or title_from_name(Path(raw.name) if raw.name else path_of(raw.uri))
    text, marks, metadata = found.text, found.marks, dict(raw.metadata)
    removals = [*raw.removals, *found.removals]
    if settings.mask:
        from kgpipe.corpus.personal import masked, masked_values

        text, marks, counts = masked(text, marks, kinds=settings.mask, region=settings.phone_region)
        title, in_title = masked_values(title, kinds=settings.mask, region=settings.phone_region)
        metadata, in_metadata = masked_values(metadata, kinds=settings.mask, region=settings.phone_region)
        total = counts + in_title + in_metadata
        removals = [
            Removal(
                r.kind,
                r.count,
                r.characters,
                masked_values(r.sample, kinds=settings.mask, region=settings.phone_region)[0],
            )
            for r in removals
        ]
        removals += [Removal(f"masked {kind}", n, 0) for kind, n in sorted(total.items())]
    # judged as it came: lines that come again and again tell what it is
    if reason := reason_to_remove(found.whole, filters=settings.quality, min_words=settings.min_words):
        return Removed(raw.uri, reason, len(text), sample(text), title, source)
    return Document(
        uri=raw.uri,
        text=text,
        title=title,
        language=raw.language or language_of(text),
        time=mended(raw.time),
        metadata=json.dumps(metadata, ensure_ascii=True, sort_keys=True, default=str),
        source=source,
        marks=marks,
        removals=tuple(removals),
    )


def without_personal(made: Failure | Removed, settings: Reading) -> Failure | Removed:
    """What is told of a text that gives no document, masked where asked; the uri stays, it is the name of the file."""
    if not settings.mask:
        return made
    from kgpipe.corpus.personal import masked

    def mask(text: str) -> str:
        return masked(text, kinds=settings.mask, region=settings.phone_region)[0]

    if isinstance(made, Failure):
        return replace(made, reason=mask(made.reason))
    return replace(made, title=mask(made.title), sample=mask(made.sample))


def _first_line(text: str) -> str:
    """The first paragraph where it looks like a title: short, without a full stop, with something after it."""
    line, _, rest = text.partition("\n\n")
    return line if rest and len(line) <= 80 and line[-1].isalnum() else ""
