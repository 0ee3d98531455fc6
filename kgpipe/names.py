"""Names: normalising, comparing and abbreviating them. Spelling only; what a name refers to is for `resolve`."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

from rapidfuzz.distance import DamerauLevenshtein

_BRACKETS = re.compile(r"\s*[(\[（【][^()\[\]（）【】]*[)\]）】]\s*$")
_SPACED_BRACKETS = re.compile(r"(?:\s+[(\[]|\s*[（【])[^()\[\]（）【】]*[)\]）】]\s*$")
_OPEN_BRACKET = re.compile(r"\s*(?:[(\[（【][^)\]）】]*|\[\d+\])$")
"""A bracket that is not closed, or a reference as in `Turing[1]`."""
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_POSSESSIVE = re.compile(r"(?:['’ʼ`]s|(?<=s)['’ʼ])$", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:the|an?)\s+(?=[\w\"“'‘])", re.IGNORECASE)
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,}|\b(?:[^\W\d_]\.)+[^\W\d_]\b")
_APOSTROPHE = re.compile(r"['’ʼ`´]")
_INNER_AND = re.compile(r"(?<=\S)&(?=\S)")
_PUNCTUATION = re.compile(r"[^\w\s+#]|_|(?<![\w+#])[+#]+(?=\s|$)")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
_EDGES = " \t\n\r\u00a0,;:!?*_–—-|"
_CLOSING = {")": "(", "]": "[", "}": "{", "）": "（", "】": "【", "》": "《", "」": "「"}
_QUOTES = frozenset('"“”„«»')
_SINGLE_QUOTES = frozenset("'‘’‚`")
_ELIDED = re.compile(r"['‘’](?:n|til|till|cause|bout|em|round|twas|\d\ds?)\b", re.IGNORECASE)

FUNCTION_WORDS = frozenset("a an and at by de des di for from in of on or per the to und von with &".split())
_FORMS = frozenset(
    "ag co company corp corporation gmbh inc incorporated limited llc llp ltd nv oy plc pty sa spa kk".split()
)
_SPELLINGS = {
    "lab": "laboratory", "labs": "laboratory", "laboratories": "laboratory", "univ": "university",
    "dept": "department", "inst": "institute", "centre": "center", "organisation": "organization",
    "defence": "defense", "intl": "international", "bros": "brothers", "assoc": "association",
    "programme": "program", "theatre": "theater", "st": "saint", "mt": "mount", "ft": "fort",
}  # fmt: skip
GENERIC = frozenset(
    "academy agency airlines association bank business center club college company computer computers department "
    "electronics engineering enterprises foundation group holdings industries institute institution international "
    "laboratory library machines museum observatory office organization press research school semiconductor services "
    "society software studios systems technologies technology university".split()
) | _FORMS  # fmt: skip
"""Words that say what kind of thing a name names, and that people leave out."""

_TITLES = frozenset(
    "admiral baron baroness brigadier captain capt chancellor colonel col commander count countess dame doctor dr duke "
    "earl emperor empress father general gen governor justice king lady lieutenant lt lord madam madame major maj "
    "marquis master minister miss monsieur mother mr mrs ms pope president prince princess prof professor queen rear "
    "reverend rev saint secretary senator sergeant sgt sir sister st vice viscount".split()
)
_CROWNED = frozenset("emperor empress king pope prince princess queen".split())
_GENERATIONS = {
    "jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "ii", "iii": "iii", "iv": "iv",
}  # fmt: skip
_DEGREES = frozenset("phd md frs obe mbe cbe kbe esq msc bsc dsc scd dphil".split())
_PARTICLES = frozenset(
    "af al bin da dal de del della den der di dos du el ibn la le ten ter van vom von y zu zum zur".split()
)
_NICKNAMES = [
    {"al", "albert", "alan", "alfred", "alexander"}, {"alex", "alexander", "alexandra"}, {"andy", "andrew"},
    {"ben", "benjamin"}, {"beth", "betty", "liz", "elizabeth"}, {"bill", "billy", "will", "william"},
    {"bob", "rob", "bobby", "robert"}, {"charlie", "chuck", "charles"}, {"chris", "christopher", "christian"},
    {"dan", "danny", "daniel"}, {"dave", "david"}, {"dick", "rick", "richard"}, {"don", "donald"},
    {"doug", "douglas"}, {"ed", "eddie", "ted", "edward", "edwin", "edgar"}, {"fred", "freddie", "freddy", "frederick", "frederic"},
    {"gene", "eugene"}, {"gus", "gustav"}, {"hal", "harry", "henry", "harold"}, {"jack", "johnny", "john"},
    {"jeff", "jeffrey", "geoff", "geoffrey"}, {"jim", "jimmy", "jamie", "james"}, {"joe", "joseph"},
    {"ken", "kenneth"}, {"kay", "kathleen", "kathy", "katherine", "kate"}, {"larry", "lawrence"}, {"len", "leonard"},
    {"lou", "louis", "lewis"}, {"matt", "matthew"}, {"max", "maxwell", "maximilian"}, {"mike", "michael"},
    {"nick", "nicholas", "niklaus"}, {"pat", "patrick", "patricia"}, {"pete", "peter"}, {"phil", "philip", "phillip"},
    {"ray", "raymond"}, {"ron", "ronald"}, {"sam", "samuel"}, {"steve", "steven", "stephen"}, {"sue", "susan"},
    {"tim", "timothy"}, {"tom", "tommy", "thomas"}, {"tony", "anthony", "antony"}, {"vic", "victor"},
    {"walt", "walter"},
]  # fmt: skip


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without possessive, white space, punctuation, emoji, and quotes or brackets around it or unbalanced.

    A span of nothing else stays as it is.
    """
    first, last = start, end
    while first < last:
        narrower = _narrower(text[first:last])
        if narrower == (0, last - first):
            return first, last
        first, last = first + narrower[0], first + narrower[1]
    return start, end


def _narrower(name: str) -> tuple[int, int]:
    """One step of `trimmed`: the (start, end) of what is kept of a name."""
    end = len(name)
    if found := _POSSESSIVE.search(name):
        return 0, found.start()
    first, last = name[0], name[-1]
    if name.startswith("..") or (first == "." and not name[1:2].isalnum()):
        return end - len(name.lstrip(".")), end
    if first in _EDGES or _decoration(first) or unicodedata.combining(first):
        return 1, end
    if last in _EDGES or _decoration(last) or (last == "." and not _ends_dotted(name)):
        return 0, end - 1
    if first in _CLOSING or last in _CLOSING.values():
        return int(first in _CLOSING), end - (last in _CLOSING.values())
    inner = name[1:-1]
    if first in _CLOSING.values() and first not in map(_CLOSING.get, inner):
        return 1, end - (_CLOSING.get(last) == first)
    if last in _CLOSING and _CLOSING[last] not in name:
        return 0, end - 1
    n_quotes = sum(c in _QUOTES for c in name)
    if n_quotes % 2 or (first in _QUOTES and last in _QUOTES and n_quotes == 2):
        if first in _QUOTES or last in _QUOTES:
            return int(first in _QUOTES), end - (last in _QUOTES)
    opened = first in _SINGLE_QUOTES and not _ELIDED.match(name)
    if opened or last in _SINGLE_QUOTES:
        return int(opened), end - (last in _SINGLE_QUOTES)
    return 0, end


def _decoration(character: str) -> bool:
    """Whether it is an emoji or a part of one, or invisible: a symbol, modifier, variation selector or format mark."""
    return unicodedata.category(character) in ("So", "Sk", "Cf", "Me") or "\ufe00" <= character <= "\ufe0f"


def _without_brackets(name: str, brackets: re.Pattern[str]) -> str:
    """The name trimmed, and without the brackets that follow it."""
    while True:
        start, end = trimmed(name, 0, len(name))
        shorter = _OPEN_BRACKET.sub("", brackets.sub("", name[start:end])) or name[start:end]
        if shorter == name:
            return name
        name = shorter


def clean(surface: str) -> str:
    """The name as people would print it: no possessive, article, quotes or brackets around it, one space a gap."""
    text = " ".join(unicodedata.normalize("NFC", _INVISIBLE.sub("", surface)).split())
    text = _without_brackets(text, _SPACED_BRACKETS)
    shorter = _ARTICLE.sub("", text)
    # "The Hague" and "The Art of ..." keep theirs: the article is dropped when it is written small, or before a
    # name that begins with a word for a kind ("The University of ...").
    if text[:1].islower() or shorter.split(" ")[0].lower() in GENERIC:
        text = shorter or text
    return text.strip() or surface.strip()


def _ends_dotted(surface: str) -> bool:
    last = surface.split()[-1:] or [""]
    return bool(_DOTTED.fullmatch(last[0])) or last[0].lower().rstrip(".") in (*_GENERATIONS, *_FORMS)


def fold(text: str) -> str:
    """NFKC, casefold, Latin accents and strokes dropped; Chinese, Japanese and Korean as they are."""
    lowered = unicodedata.normalize("NFKC", text).casefold().translate(_STROKES)
    bare = "".join(c for c in unicodedata.normalize("NFD", lowered) if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", bare)


@functools.lru_cache(maxsize=200_000)
def normalise(name: str) -> str:
    """The name for comparison: folded, without possessive, trailing brackets, leading article and punctuation.

    `C++`, `C#` and `C` stay three; `I.B.M.` becomes `ibm`, `AT&T` `att`. Never empty for a name that is not.
    """
    text = " ".join(unicodedata.normalize("NFKC", _INVISIBLE.sub("", name)).split())
    text = _without_brackets(text, _BRACKETS)
    text = _ARTICLE.sub("", text) or text
    text = _DOTTED.sub(lambda m: m.group().replace(".", ""), fold(text))
    text = _INNER_AND.sub("", text).replace("&", " and ")
    text = _PUNCTUATION.sub(" ", _APOSTROPHE.sub("", text))
    return " ".join(text.split()) or " ".join(fold(name).split()) or " ".join(name.split())


@functools.lru_cache(maxsize=200_000)
def core(name: str) -> str:
    """The normalised name with one spelling a word and without a legal form: `Bell Labs, Inc.` is `bell laboratory`."""
    words = [_SPELLINGS.get(word, word) for word in normalise(name).split()]
    while len(words) > 1 and (words[-1] in _FORMS or words[-1] == "and"):
        words.pop()
    return " ".join(words)


def is_acronym(surface: str) -> bool:
    """Whether the name is written like an abbreviation: `IBM`, `U.S.`, `AT&T`, `IBMs` not."""
    text = surface.strip().replace(".", "")
    return bool(re.fullmatch(r"[A-Z][A-Z0-9&/\-]{1,9}", text)) and sum(c.isupper() for c in text) >= 2


def acronym(name: str) -> str:
    """Initials of the words that carry meaning, in capitals; empty for a name of one word."""
    words = [w for w in _words(name, hyphens=True) if w.lower() not in FUNCTION_WORDS]
    return "".join(w[0] for w in words).upper() if len(words) > 1 else ""


@functools.lru_cache(maxsize=200_000)
def acronyms(name: str) -> frozenset[str]:
    """Every abbreviation by initials people make of the name: with and without `and`, hyphens, and the legal form."""
    found: set[str] = set()
    for hyphens, article in ((True, False), (False, False), (True, True)):
        words = _words(name, hyphens=hyphens, article=article)
        for chosen in (words, [w for w in words if w.lower() not in FUNCTION_WORDS],
                       [w for w in words if w.lower() == "and" or w.lower() not in FUNCTION_WORDS]):  # fmt: skip
            while len(chosen) > 1:
                letters = "".join(fold(w[0]) for w in chosen).upper()
                found |= {letters, re.sub(r"(.)\1{2,}", lambda m: f"{m.group(1)}{len(m.group())}", letters)}
                if fold(chosen[-1]).rstrip(".") not in _FORMS:
                    break
                chosen = chosen[:-1]
    return frozenset(a for a in found if len(a) > 1)


def _words(name: str, *, hyphens: bool, article: bool = False) -> list[str]:
    text = _POSSESSIVE.sub("", _BRACKETS.sub("", name.strip()))
    text = text if article else _ARTICLE.sub("", text)
    if _CJK.search(text):
        return []
    pieces = re.split(r"[\s,/&–—-]+" if hyphens else r"[\s,/&–—]+", text)
    return [p for p in (piece.strip(".'’\"“”()") for piece in pieces) if p and p[0].isalnum()]


def abbreviates(short: str, full: str) -> bool:
    """Whether the letters of `short` stand in `full` in order, the first at its beginning.

    For pairs that a text itself puts together, as in `FORmula TRANslator (FORTRAN)`; far too lenient for others.
    Method: Schwartz and Hearst, A simple algorithm for identifying abbreviation definitions, 2003.
    """
    letters = [c for c in fold(short) if c.isalnum()]
    text = fold(full)
    if not letters or len(letters) > 10 or len(full) <= len(short) + 1:
        return False
    place = len(text)
    for index in range(len(letters) - 1, -1, -1):
        place -= 1
        while place >= 0 and (
            text[place] != letters[index] or (index == 0 and place > 0 and text[place - 1].isalnum())
        ):
            place -= 1
        if place < 0:
            return False
    words_before = [w for w in text[:place].split() if w not in FUNCTION_WORDS]
    return not words_before


def half_abbreviates(short: str, full: str) -> bool:
    """Whether at least half of the letters of `short` are initials in `full`, in any order: CERN, NLS.

    Like `abbreviates` for pairs that a text puts together, where the letters come from another language.
    """
    initials = [fold(w)[0] for hyphens in (True, False) for w in _words(full, hyphens=hyphens)]
    letters = [c for c in fold(short) if c.isalpha()]
    return len(letters) > 1 and len(set(initials)) > 1 and 2 * sum(c in initials for c in letters) >= len(letters)


_COMPASS = re.compile(r"^(?:north|south|east|west|mid)(?:ern|east|west|$)|(?:north|south)(?:east|west)")


def near(a: str, b: str) -> bool:
    """Whether two folded words are one word spelled or typed differently: one edit, two in words from nine letters."""
    if a == b:
        return True
    longest = max(len(a), len(b))
    if longest < 5 or a[:1] != b[:1] or any(c.isdigit() for c in a + b):
        return False
    if _COMPASS.search(a) and _COMPASS.search(b) or a.endswith("ism") != b.endswith("ism"):
        return False  # Southeast and Southwest, Catholics and Catholicism
    shared = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    if shared >= longest - 2:
        return False  # an ending makes another word of it: Armenia and Armenian, Olympic and Olympics
    return DamerauLevenshtein.distance(a, b) <= (2 if min(len(a), len(b)) >= 9 else 1)


@dataclass(frozen=True, slots=True)
class PersonName:
    """The parts of a person's name, folded; a given name of one letter is an initial."""

    given: tuple[str, ...]
    surname: str
    particles: tuple[str, ...] = ()
    generation: str = ""

    @property
    def full(self) -> bool:
        """Whether it says more than a surname or a given name alone."""
        return bool(self.given)

    @property
    def spelled_out(self) -> bool:
        """Whether some given name is more than an initial."""
        return any(len(g) > 1 for g in self.given)


@functools.lru_cache(maxsize=200_000)
def person(name: str) -> PersonName:
    """The parts of a person's name: `Sir J.P. von Neumann Jr.` is given j p, particle von, surname neumann, jr.

    A Chinese, Japanese or Korean name counts as full and is kept whole, its given name being not set apart.
    """
    text = _POSSESSIVE.sub("", _BRACKETS.sub("", " ".join(unicodedata.normalize("NFKC", name).split())))
    text = re.sub(r"\s*[\"“„][^\"”“]*[\"”“]\s*", " ", text)
    if _CJK.search(text):
        whole = normalise(text)
        return PersonName(("",) if len(whole) > 1 else (), whole)
    before, _, after = text.partition(",")
    first_after = fold(after).strip(" .").split(" ")[0].strip(".")
    if after and first_after not in _TITLES | _DEGREES | set(_GENERATIONS) and " " not in before.strip():
        text = f"{after} {before}"
    tokens = [normalise(t) for t in re.sub(r"\.(?=\S)", ". ", text.replace(",", " ")).split()]
    tokens = [t for t in tokens if t and t not in _DEGREES]
    generation = ""
    if len(tokens) == 3 and tokens[0] in _CROWNED and re.fullmatch("[ivx]+", tokens[2]):
        tokens = tokens[1:]
    if len(tokens) == 2 and re.fullmatch("[ivx]+", tokens[1]) and re.search(r"\b[IVX]+$", text.strip(" ,.")):
        return PersonName((tokens[0],), tokens[1])  # a king: Carol II is no Carol I
    while len(tokens) > 1 and tokens[-1] in _GENERATIONS:
        generation = _GENERATIONS[tokens.pop()]
    kept: list[str] = []
    for index, token in enumerate(tokens):
        last = index == len(tokens) - 1
        titled = token in _TITLES and not last and (not kept or tokens[index + 1] == "of")
        if not titled and not (token == "of" and index and tokens[index - 1] in _TITLES) and token != "the":
            kept.append(token)
    if not kept:
        return PersonName((), normalise(name))
    surname, given = kept[-1], kept[:-1]
    particles: list[str] = []
    while given and given[-1] in _PARTICLES:
        particles.insert(0, given.pop())
    return PersonName(tuple(given), surname, tuple(particles), generation)


def compare_persons(a: PersonName, b: PersonName) -> float:
    """0 to 1: how well two full names can be one person's; 0 when they contradict or one has no given name.

    0.95 and more: the same names, middle ones left out; about 0.9: initials or a short form; 0.7 to 0.8: a spelling
    or a first name left out. A generation (Jr., Sr.) contradicts another one; the other name may lack it.
    """
    if not a.full or not b.full or (a.generation and b.generation and a.generation != b.generation):
        return 0.0
    if a.surname == b.surname:
        score = 1.0
    elif near(a.surname, b.surname) and min(len(a.surname), len(b.surname)) >= 6:
        score = 0.8
    else:
        return 0.0
    if a.particles and b.particles and a.particles != b.particles:
        return 0.0
    if a.given == b.given:
        return score if a.generation == b.generation else min(score, 0.95)
    short, long = sorted((a.given, b.given), key=lambda g: (len(g), g))
    place = 0
    for name in short:
        while place < len(long) and not _given(name, long[place]):
            if place == 0:
                score *= 0.93 if len(long[0]) == 1 else 0.78
            place += 1
        if place == len(long) or (score < 1.0 and min(len(name), len(long[place])) == 1 and len(short) == 1):
            return 0.0  # `David R.` is not John D. R.
        score = min(score, _given(name, long[place]))
        place += 1
    return round(score, 4)


def given_initials(name: str) -> frozenset[str]:
    """First letters under which a given name and its common short forms begin: those of `bob` are b and r."""
    return frozenset({name[:1], *(other[:1] for group in _NICKNAMES if name in group for other in group)})


def _given(a: str, b: str) -> float:
    if a == b:
        return 0.96
    if len(a) == 1 or len(b) == 1:
        return 0.88 if a[:1] == b[:1] else 0.0
    if any(a in group and b in group for group in _NICKNAMES):
        return 0.9
    if min(len(a), len(b)) >= 3 and (a.startswith(b) or b.startswith(a)) and " " not in a + b:
        return 0.86
    return 0.78 if near(a, b) else 0.0


_MALE = frozenset(
    "aaron adam adolf adrian alan albert alberto alec alexander alfred allan allen alonzo andre andreas andrew andy "
    "anthony antonio arnold arthur barry ben benjamin bernard bill billy bob brian bruce carl carlos charles charlie "
    "chris christian christopher claude clifford clive craig curtis dan daniel dave david dean dennis derek dick "
    "dmitri don donald douglas duncan dwight earl ed eddie edgar edmund edsger eduard edward edwin emil eric ernest "
    "ernst eugene ferdinand francis francois frank franz fred frederic frederick friedrich gary geoffrey george gerald "
    "gerard gilbert giovanni giuseppe glenn gordon gottfried graham greg gregory guy hans harold harry harvey heinrich "
    "heinz henri henry herbert herman hermann howard hugh hugo ian isaac ivan jack jacob jacques jake james jan jason "
    "jay jeff jeffrey jeremy jerome jerry jim jimmy joe johann john johannes jon jonathan jose josef joseph juan "
    "julian julius justin karl keith ken kenneth kevin konrad kurt larry lawrence lee leo leon leonard leonardo "
    "leonhard leopold linus louis ludwig luigi luke marco marcus mario mark martin marvin matt matthew maurice max "
    "michael michel miguel mike mohammed morris nathan neil nicholas niels nicolas niklaus nikola nikolai noam norbert "
    "norman oliver oscar oskar otto patrick paul pedro pete peter philip pierre rafael ralph ray raymond rene richard "
    "rick rob robert roberto robin rod rodney roger roland ron ronald ross roy rudolf russell sam samuel scott sean "
    "sergei sergey seymour sidney simon stan stanley stefan stephen steve steven stuart ted theodore thomas tim timothy "
    "tom tommy tony victor vincent vint vladimir walter warren wayne werner wilhelm will william wolfgang".split()
)
_FEMALE = frozenset(
    "ada adele agatha agnes alice alicia alison amanda amelia amy andrea angela anita ann anna anne annie annabella "
    "audrey augusta barbara beatrice becky bertha beth betty brenda carla carol caroline catherine cathy charlotte "
    "christina christine cindy claire clara claudia cynthia daisy deborah debra diana diane dolores donna dora doris "
    "dorothy edith edna eileen elaine eleanor elena elizabeth ella ellen elsie emily emma erica esther ethel eva eve "
    "evelyn fay fiona florence frances gertrude gillian gladys gloria grace hannah harriet hazel heather heidi helen "
    "helena hilary hilda ida ingrid irene iris isabel isabella jacqueline jane janet janice jean jennifer jenny jessica "
    "jill joan joanna josephine joy joyce judith judy julia julie karen kate katharine katherine kathleen kathryn katie "
    "kay kim kristen laura lauren leslie lily linda lisa lois lorraine louise lucy lydia lynn madeleine margaret maria "
    "marian marie marilyn marjorie marlene martha mary matilda maud maureen melissa michelle mildred miriam molly monica "
    "nancy natalie nicole nina nora olga olivia pamela patricia paula pauline peggy phyllis rachel radia rebecca rita "
    "rosa rose rosemary ruth sally samantha sandra sara sarah sharon sheila shirley sofia sophia sophie stella stephanie "
    "sue susan susanna sylvia teresa thelma theresa tina ursula valerie vera veronica victoria viola violet virginia "
    "vivian wendy winifred yvonne".split()
)
_MALE_TITLES = frozenset("mr sir lord king prince duke earl count baron father brother pope emperor monsieur".split())
_FEMALE_TITLES = frozenset(
    "mrs ms miss lady queen princess duchess countess baroness mother sister dame empress madame".split()
)


@functools.lru_cache(maxsize=200_000)
def gender(surface: str) -> str:
    """male or female where a title or a common given name says so, else empty."""
    words = [word.strip(".,").lower() for word in fold(surface).split()]
    if not words:
        return ""
    if words[0] in _MALE_TITLES | _FEMALE_TITLES and len(words) > 1:
        return "male" if words[0] in _MALE_TITLES else "female"
    for given in person(surface).given or (words[0],):
        if given in _FEMALE or given in _MALE:
            return "female" if given in _FEMALE else "male"
    return ""
