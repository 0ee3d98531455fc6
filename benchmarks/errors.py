"""Why annotated relations are missed, and what is wrong with those that are found, by cause.

    python benchmarks/errors.py tekgen.dev.jsonl.gz --labels labels.json --limit 400 --hold-out 0.5
    python benchmarks/errors.py webnlg.train.jsonl.gz --labels labels.json --show 100

Strict spans and relations, as `kgpipe evaluate extraction` counts. A missed relation has the first cause that holds:
its ends share no window; an end is no mention (not among the spans that are looked at, below its threshold, beaten by a
part of it or by a longer one); the types forbid the relation; the pair was not read or another label or the other
direction scored higher; the score is below the threshold. A wrong one: right pair with another label, ends exchanged,
both ends annotated but not this pair, or an end that no annotated relation has. `--show N` prints so many of them.
"""

import argparse
import json
import random
from collections import Counter
from pathlib import Path

from kgpipe.evaluate.gold import measures
from kgpipe.evaluate.predict import label_schema
from kgpipe.extract.base import CHECKPOINT
from kgpipe.extract.data import held_out, read_records
from kgpipe.extract.encoder import FAR, EncoderExtractor
from kgpipe.records import Passage


class Recorder(EncoderExtractor):
    """An extractor that keeps, for every window, what became of its spans and pairs."""

    def _decoded(self, reads, **options):
        for decoded in super()._decoded(reads, **options):
            mentions, spans = decoded.mentions, decoded.spans
            offsets = [read.window.offsets for read in decoded.chosen]
            made = [
                {
                    "window": (o[0][0], o[-1][1]),
                    "spans": {
                        (o[first][0], o[last][1])
                        for (first, last), kept in zip(spans.spans[b].tolist(), spans.kept[b].tolist(), strict=True)
                        if kept
                    },
                    "mentions": set(),
                    "pairs": {},
                }
                for b, o in enumerate(offsets)
            ]  # fmt: skip
            place = []
            for b, first, last, _ in mentions.rows.tolist():
                place.append((b, (offsets[b][first][0], offsets[b][last][1])))
                made[b]["mentions"].add(place[-1][1])
            for (s, o), logits, legal in zip(decoded.pairs.tolist(), decoded.logits, decoded.legal, strict=True):
                made[place[s][0]]["pairs"][place[s][1], place[o][1]] = logits.masked_fill(~legal, -2 * FAR)
            for read, row in zip(decoded.chosen, made, strict=True):
                self.seen.setdefault(read.passage, []).append(row)
            yield decoded


def why_missed(subject, label, object_, windows, names, threshold):
    """The first cause that holds, in words."""
    ends = (subject, object_)
    window = next((w for w in windows if all(w["window"][0] <= s and e <= w["window"][1] for s, e in ends)), None)
    if not window:
        return "ends in two windows"
    for start, end in ends:
        if (start, end) in window["mentions"]:
            continue
        over = [m for m in window["mentions"] if m[0] < end and start < m[1]]
        if any(m[0] <= start and end <= m[1] for m in over):
            return "span: a longer one won"
        if over:
            return "span: a part of it won"
        return "span: below its threshold" if (start, end) in window["spans"] else "span: not looked at"
    logits = window["pairs"].get((subject, object_))
    if logits is None or label not in names or logits[names.index(label)] <= -2 * FAR:
        return "types forbid it"
    own = float(logits[names.index(label)])
    if own <= -FAR:
        return "pair not read"
    if float(logits.max()) > own:
        return "another label scored higher"
    back = window["pairs"].get((object_, subject))
    if back is not None and float(back.max()) > own:
        return "other direction scored higher"
    return (
        "score too low" if 1 / (1 + 2.718281828**-own) < threshold[names.index(label)] else "lost to a surer relation"
    )


def why_wrong(subject, object_, gold):
    """What is wrong with a relation that is not annotated."""
    pairs = {(s, o) for s, _, o in gold}
    if (subject, object_) in pairs:
        return "right pair, another label"
    if (object_, subject) in pairs:
        return "ends exchanged"
    known = {end for pair in pairs for end in pair}
    return "annotated ends, not a pair" if {subject, object_} <= known else "an end that no annotated relation has"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--threshold", type=float, default=0.0)
    parser.add_argument("--limit", type=int, default=300)
    parser.add_argument("--hold-out", type=float, default=0.0, help="leave out what `kgpipe calibrate` took")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0)
    options = parser.parse_args()
    sets = json.loads(options.labels.read_text(encoding="utf-8")) if options.labels else {}
    described = next((value for name, value in sets.items() if options.file.name.startswith(name)), {})
    records = [r for r in read_records(options.file) if r["relations"] and not held_out(r, options.hold_out)]
    random.Random(options.seed).shuffle(records)
    records = records[: options.limit]
    groups = {}
    for record in records:
        groups.setdefault((tuple(record["entity_types"]), tuple(record["relation_types"])), []).append(record)
    missed, wrong, shown = Counter(), Counter(), []
    right = predicted = n_gold = 0
    extractor = None
    for (types, labels), rows in groups.items():
        schema = label_schema(types, labels, described)
        extractor = Recorder(schema, checkpoint=options.checkpoint, threshold=options.threshold, like=extractor)
        extractor.seen = {}
        names, threshold = [r.name for r in extractor.relations], extractor.threshold.tolist()
        found = extractor([Passage(str(i), "", 0, len(r["text"]), r["text"]) for i, r in enumerate(rows)])
        for i, (record, (mentions, relations)) in enumerate(zip(rows, found, strict=True)):
            text, spans = record["text"], [(m["start"], m["end"]) for m in record["mentions"]]
            gold = {(spans[r["head"]], r["type"], spans[r["tail"]]) for r in record["relations"]}
            made = {
                ((mentions[r.subject].start, mentions[r.subject].end), r.type,
                 (mentions[r.object].start, mentions[r.object].end)) for r in relations if r.polarity == "asserted"
            }  # fmt: skip
            right, predicted, n_gold = right + len(made & gold), predicted + len(made), n_gold + len(gold)
            causes = [(g, why_missed(*g, extractor.seen.get(i, []), names, threshold)) for g in gold - made]
            faults = [(m, why_wrong(m[0], m[2], gold)) for m in made - gold]
            missed.update(cause for _, cause in causes)
            wrong.update(cause for _, cause in faults)
            shown += [
                f"{kind} ({cause}): {text[s[0] : s[1]]} | {label} | {text[o[0] : o[1]]}\n      {text}"
                for kind, rows_ in (("missed", causes), ("wrong", faults)) for (s, label, o), cause in rows_
            ]  # fmt: skip
    print(f"{options.file.name}, {len(records)} records: {measures(right, predicted, n_gold)}")
    for title, counts in ((f"missed, of {n_gold} annotated", missed), (f"wrong, of {predicted} found", wrong)):
        print(title)
        for cause, n in counts.most_common():
            print(f"  {cause:34} {n:5} {n / sum(counts.values()):6.1%}")
    for line in random.Random(options.seed).sample(sorted(shown), min(options.show, len(shown))):
        print(line)


if __name__ == "__main__":
    main()
