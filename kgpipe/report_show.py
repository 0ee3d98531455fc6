"""The report of a workspace for people: as lines for a terminal, and as one HTML page with plots."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kgpipe import colours
from kgpipe.schema import Schema

PAGES = Path(__file__).parent / "pages"
BAR = 30
"""Characters of the longest bar in a terminal."""
MOST_BARS = 40
"""Bars of one plot; what is less frequent is added up in one more."""
COUNTS = ("documents", "passages", "entities", "facts", "evidence")
LEFT_OUT = {
    "negated": "the sentence denies it",
    "hedged": "the sentence is not sure of it",
    "unresolved": "an end names nothing that is known",
    "pronouns": "pronouns that stand for nothing that is known",
    "self": "both ends are one thing",
    "type": "the types of its ends do not fit the relation",
    "literal_subject": "its subject is a value",
}


def lines(found: Mapping[str, Any]) -> list[str]:
    """The report of `report.report` for a terminal, the counts first."""
    out = [f"{key:16} {value:8,}" for key, value in found.items() if isinstance(value, int)]
    for title, counts in _plots(found):
        out += ["", title, *_bars(counts)]
    silent, parts = found["entities_without_facts"], found["components"]
    out += ["", _silent_sentence(found)]
    out += [
        f"  {row['name']} ({row['type']}), {_counted(row['mentions'], 'mention')}" for row in silent["most_mentioned"]
    ]
    if parts["n"]:
        out += ["", _component_sentence(found)]
    out += ["", "Rules of the schema", *(f"  {line}" for line in _rule_lines(found))]
    if found["left_out"]:
        out += ["", "Found in the text and left out", *(f"  {n:6,}  {reason}" for reason, n in _left_out(found))]
    out += ["", "Most names for one thing"]
    out += [f"  {_merge_line(row)}" for row in found["biggest_merges"]] or ["  none"]
    for key, title in (("weakest_merges", "Least certain merges"), ("waiting_merges", "Not merged, for you to decide")):
        if found[key]:
            out += ["", title, *(f"  {r['score']:.2f}  {r['a']} = {r['b']}  ({r['reason']})" for r in found[key])]
    out += [f"kept, not read (language {name}): {', '.join(uris)}" for name, uris in found["skipped"].items()]
    out += [f"failed: {failure['key']}: {failure['reason']}" for failure in found["failures"]]
    return out


def page(found: Mapping[str, Any], schema: Schema, *, title: str) -> str:
    """One HTML page that needs no network and runs no script: tables that charts.css draws as plots."""
    by_type = colours.of_types(schema)
    tiles = "".join(f"<li><b>{found[key]:,}</b> {key}</li>" for key in COUNTS)
    plots = {name: _plot(name, counts, by_type) for name, counts in _plots(found)}
    silent = found["entities_without_facts"]
    parts = [
        f'<div class="pair">{"".join(plots.values())}</div>',
        _section(
            "Entities without facts",
            _said(_silent_sentence(found)),
            _table(("most mentioned", "type", "mentions"), ((r["name"], r["type"], r["mentions"]) for r in silent["most_mentioned"])),
        ),
        _section("How it hangs together", _said(_component_sentence(found))) if found["components"]["n"] else "",
        _section("Rules of the schema", _rules(found)),
        _section("Found in the text and left out", _table(("why", "statements"), _left_out(found))) if found["left_out"] else "",
        _section(
            "Most names for one thing",
            _said("A wrong merge is worst here: do all of these names mean one thing?"),
            _table(
                ("name", "type", "names", "mentions", "documents", "all names"),
                ((r["name"], r["type"], r["names"], r["mentions"], r["documents"], ", ".join(r["aliases"])) for r in found["biggest_merges"]),
            ),
        ),
        _section("Least certain merges", _merge_table(found["weakest_merges"])) if found["weakest_merges"] else "",
        _section("Not merged, for you to decide", _merge_table(found["waiting_merges"])) if found["waiting_merges"] else "",
        _section("Not in the graph", _missing(found)) if found["skipped"] or found["failures"] else "",
    ]  # fmt: skip
    return (PAGES / "report.html").read_text(encoding="utf-8").format(
        title=html.escape(title), tiles=tiles, body="\n".join(part for part in parts if part),
        charts=(PAGES / "vendor" / "charts.min.css").read_text(encoding="utf-8"),
        style=(PAGES / "report.css").read_text(encoding="utf-8"),
    )  # fmt: skip


def _plots(found: Mapping[str, Any]) -> list[tuple[str, dict[str, int]]]:
    plots = (
        ("Entities by type", _most(found["entities_by_type"])),
        ("Facts by relation", _most(found["facts_by_relation"])),
        ("Facts by number of sentences that state them", found["support"]),
        ("Facts by score", found["scores"]),
        ("Groups of connected entities by size", found["components"]["sizes"]),
        ("Merges by reason", _most(found["merges_by_reason"])),
        ("Documents by language", _most(found["languages"])),
    )
    return [(title, counts) for title, counts in plots if counts]


def _most(counts: Mapping[str, int]) -> dict[str, int]:
    kept = dict(list(counts.items())[:MOST_BARS])
    rest = sum(counts.values()) - sum(kept.values())
    return kept | ({f"{len(counts) - len(kept)} others": rest} if rest else {})


def _bars(counts: Mapping[str, int]) -> list[str]:
    wide, most = max(map(len, counts)), max(counts.values())
    return [f"  {name:{wide}} {n:8,} {'█' * max(n > 0, round(n / most * BAR))}".rstrip() for name, n in counts.items()]


def _counted(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "0%"


def _silent_sentence(found: Mapping[str, Any]) -> str:
    n, every = found["entities_without_facts"]["n"], found["entities"]
    return f"{n:,} of {_counted(every, 'entity', 'entities')} ({_percent(n, every)}) {'has' if n == 1 else 'have'} no fact."


def _component_sentence(found: Mapping[str, Any]) -> str:
    parts = found["components"]
    return (
        f"Facts join {_counted(found['entities'], 'entity', 'entities')} to {_counted(parts['n'], 'group')}; the largest "
        f"holds {parts['largest']:,} of them ({parts['largest_share']:.0%})."
    )


def _left_out(found: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [(LEFT_OUT.get(reason, reason.replace("_", " ")), n) for reason, n in found["left_out"].items()]


def _rule_lines(found: Mapping[str, Any]) -> list[str]:
    out = []
    for row in found["rules"]["functional"]:
        if row["subjects"]:
            out.append(
                f"{row['relation']} should have one value: {row['broken']:,} of {_counted(row['subjects'], 'subject')} "
                f"{'has' if row['broken'] == 1 else 'have'} several that differ"
            )
            out += [f"  {e['subject']}: {_values(e)}" for e in row["examples"]]
    misfits = [row for row in found["rules"]["types"] if row["broken"]]
    for row in misfits:
        out.append(
            f"{row['relation']}: {row['broken']:,} of {_counted(row['facts'], 'fact')} between other types than the schema allows"
        )
        out += [f"  {_misfit(e)}" for e in row["examples"]]
    if not misfits:
        out.append("The ends of all facts have types that domain and range allow.")
    return out


def _values(example: Mapping[str, Any]) -> str:
    return ", ".join(f"{value} ({_counted(n, 'sentence')})" for value, n in example["values"])


def _misfit(example: Mapping[str, Any]) -> str:
    return f"{example['subject']} ({example['subject_type']}) → {example['object']} ({example['object_type']})"


def _merge_line(row: Mapping[str, Any]) -> str:
    names = ", ".join(row["aliases"][:8]) + (", …" if len(row["aliases"]) > 8 else "")
    counted = f"{row['names']} names, {_counted(row['mentions'], 'mention')}, {_counted(row['documents'], 'document')}"
    return f"{row['name']} ({row['type']}): {counted}: {names}"


def _section(title: str, *content: str) -> str:
    return f"<section><h2>{html.escape(title)}</h2>{''.join(content)}</section>"


def _said(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table, or nothing for no rows; numbers stand right."""

    def cell(value: Any) -> str:
        if isinstance(value, int | float):
            return f'<td class="n">{value:,}</td>' if isinstance(value, int) else f'<td class="n">{value:.2f}</td>'
        return f'<td dir="auto">{html.escape(str(value))}</td>'

    rows = list(rows)
    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    numbers = [all(isinstance(row[i], int | float) for row in rows) for i in range(len(head))]
    heads = "".join(f"<th{' class=n' * n}>{html.escape(name)}</th>" for name, n in zip(head, numbers, strict=True))
    return (
        f'<div class="scroll"><table class="rows"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
        * bool(body)
    )


def _merge_table(rows: Sequence[Mapping[str, Any]]) -> str:
    return _table(("one name", "the other", "why", "score"), ((r["a"], r["b"], r["reason"], r["score"]) for r in rows))


def _plot(title: str, counts: Mapping[str, int], by_type: Mapping[str, str]) -> str:
    most = max(counts.values())
    rows = "".join(
        f'<tr><th scope="row" title="{html.escape(name)}">{html.escape(name)}</th><td style="--size: {n / most:.4f}; --color: '
        f'{by_type.get(name, "var(--bar)")}"><span class="data">{n:,}</span></td></tr>'
        for name, n in counts.items()
    )
    wide = min(19, 0.48 * max(map(len, counts)) + 1.5)
    return (
        f'<section><h2>{html.escape(title)}</h2><table class="charts-css bar show-labels data-spacing-2 data-start" '
        f'style="--labels-size: {wide:.1f}rem; height: {1.65 * len(counts):.1f}rem"><tbody>{rows}</tbody></table></section>'
    )


def _rules(found: Mapping[str, Any]) -> str:
    parts = []
    functional = [row for row in found["rules"]["functional"] if row["subjects"]]
    if functional:
        parts.append(
            _said("Relations that should have one value (rounder dates of one day do not count as different):")
        )
        parts.append(
            _table(
                ("relation", "subjects", "with several values", "examples"),
                (
                    (
                        row["relation"], row["subjects"], row["broken"],
                        "; ".join(f"{e['subject']}: {_values(e)}" for e in row["examples"][:5]),
                    )
                    for row in functional
                ),
            )
        )  # fmt: skip
    misfits = [row for row in found["rules"]["types"] if row["broken"]]
    if misfits:
        parts.append(_said("Facts between other types than the schema allows:"))
        parts.append(
            _table(
                ("relation", "facts", "broken", "examples"),
                (
                    (row["relation"], row["facts"], row["broken"], "; ".join(map(_misfit, row["examples"][:5])))
                    for row in misfits
                ),
            )
        )
    else:
        parts.append(_said("The ends of all facts have types that domain and range allow."))
    return "".join(parts)


def _missing(found: Mapping[str, Any]) -> str:
    rows = [(uri, f"kept, not read: language {name}") for name, uris in found["skipped"].items() for uri in uris]
    rows += [(failure["key"], f"failed: {failure['reason']}") for failure in found["failures"]]
    return _table(("document", "why"), rows)
