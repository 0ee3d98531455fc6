"""Plainer wordings of a question: idioms, and words that stand for two links, as clauses that name each link.

"The co-stars of A" becomes "people who acted in a movie acted in by A", where the schema has a relation that the noun
names. Query trees are grown for the plain wording.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kgpipe.query.grammar import PARTICIPLE, is_participle
from kgpipe.query.words import AUXILIARY, FUNCTION, INDEFINITE, PREPOSITION, SYNONYMS, words
from kgpipe.stems import stem

if TYPE_CHECKING:
    from kgpipe.query.catalog import Catalog
    from kgpipe.query.values import Match

IDIOMS = tuple(
    (re.compile(rf"\b(?:{idiom})\b", re.IGNORECASE), instead)
    for idiom, instead in (
        (r"set up|got off the ground", "founded"),
        (r"setting up", "founding"),
        (r"(?:came|come|comes) into being", "was founded"),
        (r"(?:came|comes) out(?! of)|hit the market|came to market", "was released"),
        (r"come out(?! of)", "get released"),
        (r"rolled out|brought out", "released"),
        (r"passed away|lost (?:his|her|their) li(?:fe|ves)", "died"),
        (r"pass away|lose (?:his|her|their) li(?:fe|ves)", "die"),
        (r"(?:came|come|comes) into the world|(?:saw|see|sees) the light of day", "born"),
        (r"(?:is|was|are|were) (?:a )?natives? of", "was born in"),
        (r"natives of", "people born in"),
        (r"native of", "person born in"),
        (r"(?:hail|hails|hailed|hailing) from", "was born in"),
        (r"mom and dad|mum and dad|mother and father|father and mother", "parents"),
        (r"(?:thesis|doctoral|ph\.?d\.?) (?:supervisor|teacher|director|adviser|advisor)", "doctoral advisor"),
        (r"(?:went|gone) to (?:a |the )?(?:university|college|school)", "studied"),
        (r"go to (?:a |the )?(?:university|college|school)", "study"),
        (
            r"(?:went|gone) to(?! (?:the )?(?:people|person|m[ae]n|wom[ae]n|those|team|designer|inventor|maker|author|founder))",
            "attended",
        ),  # not what an award did
        (r"(?:alumni|alumnae|graduates) of", "people who studied at"),
        (r"(?:alumnus|alumna|graduate) of", "person who studied at"),
        (r"alma maters", "universities"),
        (r"alma mater", "university"),
        (r"got (?:married|hitched) to|tied the knot with", "married"),
        (r"get married to|tie the knot with", "marry"),
        (r"on (?:its|their|the) (?:payroll|payrolls|staff)", "as employees"),
        (r"workplace", "employer"),
        (r"workplaces", "employers"),
        (r"(?:gobbled|scooped|snapped|swallowed) up|swallowed(?! up)|bought out|took over|taken over", "acquired"),
        (r"(?:gobble|scoop|snap|swallow) up|buy out|take over", "acquire"),
        (r"(?:came|come|comes) up with|(?:dreamed|dreamt|dream|thought|think) up", "invented"),
        (
            r"(?:took|take|takes|taken|drew|draw|draws|drawn) (?:its |their |some )?(?:inspiration|ideas) from|"
            r"(?:drew|draw|draws|drawn) on|(?:borrowed|borrow|borrows) (?:ideas )?from|(?:grew|grow|grows|grown) out of|"
            r"(?:is |was |are |were )?(?:derived|descended) from|(?:is |was |are |were )?modell?ed (?:on|after)",
            "was influenced by",
        ),
        (r"shared? the screen", "acted"),
        (r"(?:shares|sharing) the screen", "acts"),
        (r"whoever|whichever person", "a person who"),
        (r"cast member", "actor"),
        (r"cast members", "actors"),
        (r"cast(?= of\b)", "actors"),
        (r"(?<=['’]s )cast", "actors"),
        (r"(?:can be |can you |be |been )?(?:seen|spotted) in", "acted in"),
        (r"(?:turned|turn|turns|showed|shows) up (?:as an act(?:or|ress) )?in", "acted in"),
        (r"(?:went|gone|goes|go) behind the camera", "directed"),
        (r"(?:wrote|written|write|writes) (?:the |a |an )?(?:reviews?|critiques?) (?:of|for|about|on)", "reviewed"),
        (r"(?:passed|pass|passes) judge?ment on|critiqued", "reviewed"),
        (r"scripted", "wrote"),
        (r"filmography", "films"),
    )
)
"""Turns of phrase, by what they mean."""
OF_SCHEMA = frozenset("acted acts directed reviewed wrote acquired acquire invented influenced".split())
"""Verbs that are put for a turn of phrase only where a relation of the schema is said so."""
NOUNS = {
    noun: instead
    for instead, nouns in {
        "reviewer": "critic",
        "director": "filmmaker film-maker regisseur helmer",
        "actor": "performer thespian",
        "writer": "scriptwriter scripter",
        "award": "honour honor accolade",
    }.items()
    for noun in nouns.split()
}
"""Nouns by a more usual one, where the schema has that and not them."""
ASKERS = frozenset("who whom whose what which when where".split())
COMMANDS = frozenset("name give tell list show find please identify".split())
COMPANIONS = frozenset("with alongside opposite beside".split())
FELLOWS = (
    (frozenset("coworker co-worker colleague workmate".split()), "worked"),
    (frozenset("classmate schoolmate fellow-student".split()), "studied"),
    (frozenset("bandmate teammate".split()), "played"),
    (frozenset(("castmate",)), "acted"),
)
"""Nouns for those who did the same, and what they did."""
THEIRS = (["their"], ["his"], ["her"], ["its"])
JOINT = " ⸺ "
"""Between what is asked and what was told before it; nobody types it."""
FRONTED = frozenset("for on from under".split())
UNDER = frozenset("for under with".split())


@dataclass(frozen=True, slots=True)
class Said:
    """A relation in words: `did` ("acted in", "wrote"), `done` ("acted in", "written") and `to` what ("a movie")."""

    relation: str
    did: str
    done: str
    to: str
    subject: str
    object: str
    human: bool
    verbs: tuple[str, ...]
    nouns: tuple[str, ...]


def plain(question: str, catalog: Catalog, found: Sequence[Match]) -> str:
    """The question in plainer words; the same where nothing in it asks for that. `found` is what it names."""
    return _Plainer(question, catalog, found).text()


class _Plainer:
    def __init__(self, question: str, catalog: Catalog, found: Sequence[Match]) -> None:
        self.catalog = catalog
        self.relations = _relations(catalog)
        given = words(question)
        self.kinds: dict[str, set[str]] = {}
        """For the text of each name the types that it may have."""
        for m in found:
            text = question[given[m.start].start : given[m.end - 1].end]
            self.kinds.setdefault(re.sub(r"['’]s?$", "", text), set()).add(m.type)
        self.names = sorted(self.kinds, key=len, reverse=True)
        self.question = question
        said = (p for phrases in catalog.phrases.values() for p in phrases)
        self.stems = catalog.nouns | {stem(w) for p in said for w in p.lower().split()}
        """Stems of all words of the schema."""

    def text(self) -> str:
        for idiom, instead in IDIOMS:
            verbs = {stem(w) for w in OF_SCHEMA & set(instead.split())}
            if verbs <= self.stems and all(not idiom.search(name) for name in self.names):
                self.question = idiom.sub(instead, self.question)
        for rule in (
            self._nouns,
            self._asked_first,
            self._genitives,
            self._last,
            self._fellows,
            self._sharing,
            self._done_by,
            self._acted_for,
            self._as,
            self._together,
            self._done_to,
        ):
            self.words = words(self.question)
            self.named = {i for i in range(len(self.words)) if self._name_at(i)}
            """Words at which a name begins."""
            self.question = rule()
        return self.question

    def _name_at(self, i: int) -> str:
        at = self.words[i].start
        return next((n for n in self.names if self.question.startswith(n, at)), "")

    def _is_subject(self, i: int, said: Said) -> bool:
        """Whether what is named at a word can only be the subject of a relation."""
        kinds = self.kinds[self._name_at(i)]
        return said.subject in kinds and said.object not in kinds

    def _lower(self, i: int) -> str:
        return self.words[i].lower if 0 <= i < len(self.words) else ""

    def _put(self, start: int, end: int, text: str) -> str:
        """The question with words [start, end) replaced."""
        return self.question[: self.words[start].start] + text + self.question[self.words[end - 1].end :]

    def _who(self, said: Said, *, plural: bool) -> str:
        return ("people" if plural else "a person") if said.human else f"{self.catalog.label(said.subject).lower()}"

    def _nouns(self) -> str:
        """Critics: reviewers."""
        for w in reversed(self.words):
            single = w.lower.removesuffix("s")
            known = single not in NOUNS or w.stem in self.stems or stem(NOUNS[single]) not in self.stems
            if not known and not self._inside_name(w.start):
                ending = w.text[len(w.text.removesuffix("'s").removesuffix("’s")) :]
                noun = NOUNS[single] + "s" * (single != w.lower)
                self.question = self.question[: w.start] + noun + ending + self.question[w.end :]
        return self.question

    def _inside_name(self, at: int) -> bool:
        """Whether a name covers a place of the question."""
        return any(
            m.start() <= at < m.end() for name in self.names for m in re.finditer(re.escape(name), self.question)
        )

    def _asked_first(self) -> str:
        """A made a film; who was in it? Who was in it, A made a film? Of the films of A, how many: how many of the films of A."""
        if among := re.fullmatch(r"of (the [^,]+), (how many|which)\b(.*)", self.question, re.IGNORECASE):
            return f"{among[2][0].upper()}{among[2][1:]} of {among[1]}{among[3]}"
        lower = [w.lower for w in self.words]
        if len(lower) < 4:
            return self.question
        told = lower[0] in INDEFINITE and lower[1] in ("who", "whom", "whose")  # someone who
        asks = bool(set(lower[:2]) & (ASKERS | {"how"})) and not told
        when = lower[0] == "when" and lower[1] not in AUXILIARY | PREPOSITION | {
            "and",
            "or",
            "exactly",
        }  # when A called B, who
        if (asks and not when) or lower[0] in AUXILIARY | COMMANDS:
            return self.question
        for i in range(2, len(lower)):
            if self._inside_name(self.words[i].start):
                continue
            at = i + 1 if lower[i] in PREPOSITION and i + 1 < len(lower) else i
            gap = self.question[self.words[i - 1].end : self.words[i].start]
            parted = bool(re.search(r"[;:.!?–—]|\s-\s", gap)) or (
                lower[i - 1] in ("and", "so") and bool(re.search(r"[,;:.–—]|\s-\s", self._gap(i - 1)))
            )
            noun = lower[at] in ("which", "what") and at + 1 < len(lower) and lower[at + 1] not in AUXILIARY
            asks = lower[at] in ASKERS or lower[i : i + 2] == ["how", "many"] or (parted and lower[i] in COMMANDS)
            whose = lower[at + 1 : at + 2] in (["is"], ["are"], ["was"], ["were"]) and lower[at + 2 : at + 3] in THEIRS
            if asks and ("," in gap if when else parted or ("," in gap and (noun or whose))):
                told = self.question[: self.words[i - 1].end] if lower[i - 1] not in ("and", "so") else ""
                told = told or self.question[: self.words[i - 2].end]
                told = told[self.words[1].start :] if when else told
                clause = self.question[self.words[i].start :].rstrip(" ?.!")
                return _relative(told, clause) or f"{clause[0].upper()}{clause[1:]}{JOINT}{told}?"
            ends = at + 1 + (lower[at] in ("which", "what")) * 3 >= len(lower) and lower[at] in ASKERS
            if ends and (at + 1 == len(lower) or noun) and lower[at] != "whose":
                phrase = self.question[self.words[i].start : self.words[-1].end]
                return f"{phrase[0].upper()}{phrase[1:]} {self.question[: self.words[i - 1].end]}?"
        return self.question

    def _gap(self, i: int) -> str:
        """What stands before a word."""
        return self.question[self.words[i - 1].end : self.words[i].start] if i else ""

    def _genitives(self) -> str:
        """The birthplaces of the designers for the designers' birthplaces; of what is named it is understood so."""
        for i, w in reversed(list(enumerate(self.words[:-1]))):
            quoted = self.question[w.start - 1 : w.start] in ("'", "‘", '"', "“")
            if not w.possessive or quoted or w.lower in FUNCTION or self._inside_name(w.start):
                continue
            start = i
            while start and self.words[start - 1].lower not in FUNCTION and not self._parted(start):
                start -= 1
            end = i + 1
            while end < len(self.words) and end - i < 3 and self.words[end].lower not in FUNCTION:
                if is_participle(self.words[end].lower) or self._inside_name(self.words[end].start):
                    break
                end += 1
            if end > i + 1:
                owned = self.question[self.words[i + 1].start : self.words[end - 1].end]
                owner = self.question[self.words[start].start : w.end].removesuffix("'s").removesuffix("’s")
                self.question = self._put(start, end, f"{owned} of {owner}")
                self.words = words(self.question)
                return self._genitives()
        return self.question

    def _parted(self, i: int) -> bool:
        """Whether a mark other than an apostrophe stands before a word."""
        return bool(re.search(r"[^\s\w'’]", self._gap(i)))

    def _last(self) -> str:
        """For whom did A work: whom did A work for."""
        if self._lower(0) in FRONTED and self._lower(1) in ("whom", "what", "which") and len(self.words) > 3:
            first = (
                self.question[self.words[1].start].upper() + self.question[self.words[1].start + 1 : self.words[-1].end]
            )
            return f"{first} {self._lower(0)}{self.question[self.words[-1].end :]}"
        return self.question

    def _fellows(self) -> str:
        """A co-star of A, A's co-stars: who acted in a movie acted in by A."""
        for i, w in enumerate(self.words):
            said = self._of_fellow(w.lower)
            if said is None:
                continue
            who = f"{self._who(said, plural=w.lower.endswith('s'))} who {said.did} {said.to} {said.done} by"
            if self._lower(i + 1) in ("of", "to") and i + 2 in self.named:
                start = i - 1 if self._lower(i - 1) in ("a", "an", "the", "any", "some", "other") else i
                return self._put(start, i + 2, who)
            owner = next((k for k in range(max(0, i - 8), i) if k in self.named and k + self._size(k) == i), -1)
            if owner >= 0 and self.words[i - 1].possessive:
                return self._put(owner, i + 1, f"{who} {self._name_at(owner)}")
        return self.question

    def _size(self, i: int) -> int:
        """The words of the name that begins at a word."""
        end = self.words[i].start + len(self._name_at(i))
        return sum(1 for w in self.words[i:] if w.start < end)

    def _of_fellow(self, noun: str) -> Said | None:
        """The relation that fellows have to the same thing: co-founder, coworker, classmate."""
        for fellows, did in FELLOWS:
            if noun in fellows or noun[:-1] in fellows:
                return self._of_verb(did)
        same = re.fullmatch(r"co-?(\w{4,})", noun)
        return self._of_noun(same[1]) if same else None

    def _sharing(self) -> str:
        """Had the same employer as A: worked for an organization worked for by A."""
        verbs = ("has", "have", "had", "share", "shares", "shared")
        for i in range(len(self.words) - 3):
            if self._lower(i) not in verbs or self._lower(i + 1) not in ("the", "a", "an", "same"):
                continue
            at = i + 2 + (self._lower(i + 2) in ("same", "common"))
            if self._lower(at + 1) not in ("as", "with") or at + 2 not in self.named:
                continue
            said = self._of_object(self._lower(at))
            if said and self._is_subject(at + 2, said):
                return self._put(i, at + 2, f"{said.did} {said.to} {said.done} by")
            said = self._of_noun(self._lower(at))
            if said and said.object in self.kinds[self._name_at(at + 2)]:
                kind = self.catalog.label(said.object).lower()
                return self._put(i, at + 2, f"have {_a(self._lower(at))} of another {kind},")
        return self.question

    def _done_by(self) -> str:
        """Actors directed by A, who is no movie: people who acted in a movie directed by A."""
        for i in range(len(self.words) - 3):
            noun, verb = self._of_noun(self._lower(i)), self._of_verb(self._lower(i + 1))
            if self._lower(i + 2) != "by" or i + 3 not in self.named or not noun or not verb:
                continue
            if noun.relation != verb.relation and (noun.subject, noun.object) == (verb.subject, verb.object):
                who = self._who(noun, plural=self._lower(i).endswith("s"))
                return self._put(i, i + 3, f"{who} who {noun.did} {noun.to} {verb.done} by")
        return self.question

    def _acted_for(self) -> str:
        """Which directors has A acted for, or who worked with A: who directed a movie acted in by A."""
        for i in range(len(self.words)):
            noun = self._of_noun(self._lower(i))
            if noun is None:
                continue
            if self._lower(i + 1) in ("has", "have", "had", "did", "does", "do") and i + 2 in self.named:
                name = self._name_at(i + 2)
                verb = i + 2 + self._size(i + 2)
                said = self._of_verb(self._lower(verb))
                last = verb + 1 == len(self.words) - 1 and self._lower(verb + 1) in UNDER
                if last and said and said.relation != noun.relation and said.object == noun.object:
                    who = self._who(noun, plural=True)
                    return self._put(i, verb + 2, f"{who} {noun.did} {noun.to} {said.done} by {name}")
            if [self._lower(i + k) for k in (1, 2, 3)] in (["who", "worked", "with"], ["who", "work", "with"]):
                at = i + 4 + (self._lower(i + 4) == "the")
                by_noun = None if at in self.named else self._of_noun(self._lower(at))
                at += by_noun is not None
                said = by_noun or self._usual(noun)
                if at in self.named and said and said.relation != noun.relation and self._is_subject(at, said):
                    who = self._who(noun, plural=self._lower(i).endswith("s"))
                    return self._put(i, at, f"{who} who {noun.did} {noun.to} {said.done} by")
        return self.question

    def _as(self) -> str:
        """The films of director A: the films directed by A."""
        for i in range(1, len(self.words) - 2):
            at = i + 1 + (self._lower(i + 1) == "the")
            if self._lower(i) in ("of", "by", "with", "from") and at + 1 in self.named and at not in self.named:
                said = self._of_noun(self._lower(at))
                if said and self._is_subject(at + 1, said):
                    return self._put(i, at + 1, f"{said.done} by")
        return self.question

    def _together(self) -> str:
        """Acted with A, founded something with A: acted in a movie acted in by A."""
        for i in range(1, len(self.words) - 1):
            if self._lower(i) not in COMPANIONS or i + 1 not in self.named:
                continue
            start = i - 1 if self._lower(i - 1) in ("together", "along") else i
            at = start - 1
            while start - at < 4 and (
                self._lower(at) in FUNCTION or self._lower(at) in ("something", "things", "anything")
            ):
                at -= 1
            said = self._of_verb(self._lower(at))
            if said and self._is_subject(i + 1, said):
                return self._put(at, i + 1, f"{said.did} {said.to} {said.done} by")
        return self.question

    def _done_to(self) -> str:
        """Someone who directed A, who is no movie: who directed a movie acted in by A."""
        for i in range(1, len(self.words) - 1):
            said = self._of_verb(self._lower(i)) if is_participle(self._lower(i)) else None
            if said is None or i + 1 not in self.named or self._lower(i - 1) != "who":
                continue
            usual = self._usual(said)
            direct = {x.object for x in self.catalog.links if x.relation == said.relation}
            if usual and self._is_subject(i + 1, said) and not direct & self.kinds[self._name_at(i + 1)]:
                return self._put(i, i + 1, f"{said.did} {said.to} {usual.done} by")
        return self.question

    def _usual(self, said: Said) -> Said | None:
        """The most frequent other relation between the same types."""
        alike = (x for x in self.relations if (x.subject, x.object) == (said.subject, said.object))
        return next((x for x in alike if x.relation != said.relation), None)

    def _of_noun(self, noun: str) -> Said | None:
        """The relation of whose subjects a noun speaks: star, founder, author."""
        if noun in FUNCTION or noun in INDEFINITE:
            return None
        single = noun[:-1] if noun.endswith("s") else noun
        if stem(single) in self.catalog.type_nouns:
            return None
        return self._of({stem(single), *_meant(single), *_meant(noun)})

    def _of_verb(self, verb: str) -> Said | None:
        """The relation whose subjects do what a verb says; who employs is not the subject of "works for", which is meant."""
        return None if verb in FUNCTION or verb.startswith("employ") else self._of({stem(verb), *_meant(verb)})

    def _of(self, stems: set[str]) -> Said | None:
        """The most frequent relation of which a verb for what its subject does has one of the stems."""
        return next((x for x in self.relations if stems & {stem(p.split()[0]) for p in x.verbs}), None)

    def _of_object(self, noun: str) -> Said | None:
        """The relation of whose objects a noun speaks: employer, birthplace; of a type of things the most frequent one."""
        named = (x for x in self.relations if noun in x.nouns)
        typed = (x for x in self.relations if stem(noun) in {stem(p) for p in self.catalog.type_phrases(x.object)})
        return next(named, None) or next(typed, None)


def _relative(told: str, clause: str) -> str:
    """A clause about what another one introduces, as one question: A made a film; who was in it?

    Who was in the film that A made? "" where that is not the way it is said.
    """
    introduced = re.fullmatch(r"(.*\w) (?:an?|some) ((?:[\w-]+ ){0,2}[\w-]+)", told.rstrip(" ,"))
    if not introduced or FUNCTION & set(introduced[2].lower().split()):
        return ""
    noun = introduced[2].split()[-1]
    taken_up = re.compile(rf"\b(?:it|(?:this|that|the|these|those) {re.escape(noun)})\b(?!['’-])", re.IGNORECASE)
    found, n = taken_up.subn(lambda _: f"the {introduced[2]} that {introduced[1]}", clause, count=1)
    return f"{found[0].upper()}{found[1:]}?" if n else ""


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _meant(word: str) -> list[str]:
    return [stem(w) for w in SYNONYMS.get(word, "").split()[:1]]


def _phrases(relation: str, catalog: Catalog) -> tuple[str, ...]:
    i = next(i for i, x in enumerate(catalog.links) if x.relation == relation and not x.half)
    return tuple(p for p in catalog.phrases[i, True] if p.split())


def _relations(catalog: Catalog) -> list[Said]:
    """The relations between things of two kinds that can be said as a verb, the most frequent first."""
    found: dict[str, Said] = {}
    for link in sorted(catalog.links, key=lambda x: -x.count):
        if link.half or link.subject == link.object or link.relation in found:
            continue
        phrases = [p.lower() for p in _phrases(link.relation, catalog)]
        verbs = [
            p for p in phrases if not p.endswith(" by") and (is_participle(p.split()[0]) or p.split()[0] in PARTICIPLE)
        ]
        if not verbs:
            continue
        first, *rest = verbs[0].split()
        ranges = catalog.schema.relations[link.relation].range
        label = catalog.label(ranges[0]).lower() if len(ranges) == 1 else ""
        found[link.relation] = Said(
            relation=link.relation,
            did=verbs[0],
            done=" ".join((PARTICIPLE.get(first, first), *rest)),
            to=_a(label) if label else "something",
            subject=link.subject,
            object=link.object,
            human=catalog.human(link.subject),
            verbs=tuple(verbs),
            nouns=tuple(p for p in phrases if p not in verbs),
        )
    return list(found.values())
