"""Whether a sentence asserts, denies or doubts a relation: cue words and their scope, by rule.

Follows the idea of NegEx (Chapman et al. 2001): a cue acts from its place to the end of its clause. First everything
that holds neither end and does not govern them is left out (asides, relative and opening clauses, quotations,
brackets); in what is left a cue counts that reaches one of the ends. Hypothetical and reported statements count as
hedged.
"""

from __future__ import annotations

import re

_BE = r"(?:is|are|was|were|been|being|be)"
_EVENT = (
    r"(?:merger|takeover|acquisition|purchase|sale|deal|marriage|wedding|appointment|expansion|bid|offer|plan|attempt|"
    r"proposal|project|candidacy|nomination|invitation|transfer|visit|move)s?"
)
_REPORT = (
    r"(?:say|believe|think|claim|suggest|argue|speculate|assume|suspect|allege|maintain|contend|conjecture|insist)"
)
_SOME = r"(?:some|many|most|several|others?|people|experts|scholars|historians|critics|sources)"
_REPORTED = (
    r"(?:said|believed|thought|claimed|suggested|argued|speculated|assumed|suspected|alleged|rumou?red|reported|"
    r"supposed|presumed|reputed|conjectured|held|feared)"
)


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile(r"(?<![\w-])(?:" + "|".join(patterns) + r")(?:(?<=\s)|(?![\w-]))")


_NEGATED = _any(
    # words of negation
    r"not|\w+n['’]t|never|neither|nor|no|none|nobody|no one|nothing|nowhere|cannot|hardly|scarcely",
    # verbs whose complement did not happen
    r"fail(?:s|ed|ing)? to|neglected to|omitted to|unable to|incapable of|far from (?=\w+ing\b)|ha(?:s|ve|d) yet to",
    r"refus(?:es?|ed|ing)|reject(?:s|ed|ing)?|turn(?:s|ed|ing)? down",
    r"declin(?:es|ed|ing) (?=(?:to|the|an?|his|her|its|their|all|any)\b)|den(?:y|ies|ied|ying)|forb(?:ids?|ade|idden)",
    r"missed out on|passed over for|lost (?:out )?(?=the [^,;.]{1,40} to\b)",
    r"(?:prevent(?:s|ed|ing)?|barred|banned|excluded|stopped|kept|disqualified|dissuaded|blocked)(?: \S+){0,3} from",
    r"(?:abandon|withdr[ae]w|withdrawn|cancel|block|scrap|shelve|drop|veto|halt|call off|called off)\w*(?: \S+){0,3} "
    + _EVENT,
    # statements called false
    rf"(?:incorrectly|wrongly|falsely|mistakenly|erroneously) (?:{_REPORTED}|credited|attributed|described|identified|"
    r"called|listed|stated|named|given|ascribed)|(?:myth|misconception|fallacy|hoax) (?=that\b)",
)
_NEAR = _any(r"without|rather than|instead of|unlike|except|other than|apart from")
"""Deny only the few words behind them, unless a verb follows."""
_HEDGED = _any(
    r"may|(?<!the )might|could|would (?:\w+ )?have|must have|should have",
    r"perhaps|possibly|probably|maybe|allegedly|reportedly|supposedly|apparently|presumably|arguably|purportedly|"
    r"ostensibly|seemingly|conceivably|potentially|likely|unlikely|doubtful|unclear|uncertain|unknown",
    r"if|whether|unless|as though|suppos(?:e|ing)(?! to)|imagine|provided that|what if",
    # reported by others
    rf"{_BE} (?:\w+ly |often |sometimes |also )?{_REPORTED} (?=(?:to|that|by {_SOME})\b)",
    rf"(?:{_REPORT}|{_REPORTED}|doubt|doubted|pretend|pretended)(?:s|ing)? "
    r"(?:to (?=(?:have|be)\b)|(?=(?:that|he|she|it|they)\b))",
    rf"{_SOME} (?:\w+ )?{_REPORT}",
    r"(?:legends?|traditions?|folklore|rumou?rs?|myths?) (?:\w+ )?(?=has it|have it|holds?|says?|tells?|claims?|that)",
    r"claim(?:s|ed|ing)? to|(?:seem|appear|purport)(?:s|ed|ing)? to|attributed to|ascribed to|disputed|doubted|debated",
    r"(?:sometimes|often|traditionally) (?:credited|described|said)|by some(?! \d)",
    r"accus(?:es?|ed|ing)|suspected of|on suspicion of",
    r"(?:supposed|alleged|purported|putative|rumou?red|reputed|presumed|unconfirmed|disputed) "
    r"(?!(?:by|in|to|that|as|the|an?)\b)",
    # wished, planned, tried
    r"(?:plan|intend|hope|propose|want|wish|try|tri|attempt|seek|aim|aspire|promise|vow|threaten|expect|prepare)"
    r"(?:s|es|ed|d|ned|ning|ing)? (?:\w+ )?to|sought to|dream(?:s|ed|t|ing)? of|consider(?:s|ed|ing)? (?=\w+ing\b)",
    rf"{_BE} (?:set|due|about|scheduled|slated|poised|tipped) to(?! music)",
    rf"(?:planned|proposed|intended|attempted|possible|potential) (?={_EVENT})",
    r"(?:plans?|proposals?|bids?|attempts?|efforts?|offers?|hopes?|wish|desire|intentions?|promises?|threats?) to",
    r"(?:rumou?rs?|speculations?|allegations?|possibility) (?=that|of|about)",
    r"(?:claims?|suggestions?|theory|hypothesis|idea|view) (?=that\b)",
    r"bid (?=for|by)|(?:in|held?|hold|holding|the|of) (?:talks|negotiations) (?=about|on|over|with|to)",
    r"(?:nearly|almost) (?=\w+ed\b)|nominated|shortlisted|(?:was|were|been) offered",
)  # fmt: skip
_AFTERWARDS = {
    "negated": re.compile(
        rf"\b{_BE} (?:\w+ )?(?:false|untrue|incorrect|wrong|refuted|debunked|disproved|disproven)\b|"
        rf"\b{_BE} an? (?:\w+ )?(?:myth|hoax|misconception|fabrication|fallacy|mistake)\b"
    ),
    "hedged": re.compile(
        rf"\b{_SOME} (?:\w+ )?{_REPORT}\b|"
        rf"\b{_BE} (?:\w+ )?(?:disputed|doubted|doubtful|uncertain|unclear|unlikely|unproven|unconfirmed|"
        r"debated|a legend)\b|"
        r"\b(?:it is|they) (?:said|believed|thought|say|think|believe)\b|\bby some\b(?! \d)"
    ),
}
"""Behind both ends, in the clause that has them as its subject."""
_FELL_THROUGH = re.compile(
    rf"\b{_EVENT}\b.*\b(?:(?:was|were|been) (?:\w+ )?(?:blocked|cancelled|canceled|called off|abandoned|scrapped|"
    r"rejected|vetoed|shelved|dropped|withdrawn|turned down|refused|declined)|fell through|failed|collapsed)\b"
)
_HARMLESS = re.compile(
    r"(?:\b(?:not|cannot)|n['’]t)\b(?=[^,;.]*\buntil\b)|"
    r"\bnot (?:only|just|merely|simply|solely|least|until|to mention|far from)\b|"
    r"\b(?:if|or) not\b|\bnothing but\b|"
    r"\bno (?:doubt|fewer|less|more than|sooner|matter|wonder)\b|\bno\.\s*\d|\bnone other\b|\bas (?:likely|possible)\b|"
    r"\b(?:perhaps|possibly|probably|arguably|likely) (?:(?:the|his|her|its|their) (?:\S+ )?|one of the )?"
    r"(?:\w+est|most|best|only|first|\w+ly)\b|\bas the (?:name|title) suggests\b|"
    # what one never left, stopped or finished is true all the same
    r"(?:\b(?:not|never|rarely|seldom|hardly)|n['’]t)(?: ever)? (?:le(?:ft|ave)|sto(?:p|pped)|cease|ceased|fail|failed|"
    r"forg[eo]t|doubt|doubted|deny|denied|divorced?|completed?|finish|finished|abandon|abandoned|g[ia]ve up|"
    r"hesitated?|ignored?|los[et]|regret|regretted)\b",
    re.IGNORECASE,
)

_FULL_STOP = r"(?<!\b[A-Z])(?<!\b(?:Dr|Mr|St|Jr|Sr|vs))(?<!\b(?:Mrs|Inc|Ltd))[.!?]['\"”’)]*\s"
_STOP = re.compile(_FULL_STOP + r"|[;:]\s")
_COMMA = re.compile(r",\s|\s[–—-]{1,2}\s|—|[()]")
_BRACKETS = re.compile(r"\([^()]*\)")
_GERUND = re.compile(r" \w+ing\b")
_QUOTED = re.compile(r"[\"“][^\"“”]*[\"”]")
_HEDGES_ALL = re.compile(
    r"\s*(?:(?:perhaps|maybe|possibly|probably|presumably|allegedly|reportedly|supposedly|apparently|"
    r"(?:so )?(?:legend|tradition|rumou?r|the (?:story|legend)) (?:has it|goes|says|holds)|"
    r"according to\b.*\b(?:legends?|traditions?|folklore|rumou?rs?|myths?|unconfirmed|some|critics|claims?)\b.*|"
    rf"in (?:\w+ )?(?:legend|folklore|myth)|by some accounts|"
    rf"(?:as )?(?:it is|they|(?:the )?{_SOME}) (?:\w+ )?(?:{_REPORT}|{_REPORTED})|"
    r"(?:but|although|though)\b.*\b(?:disputed|doubt\w*|uncertain|unclear|unlikely|unproven|unconfirmed|debated))[\s.]*$|"
    r"(?:suppose|imagine)\b)",
    re.IGNORECASE,
)
"""A part between commas that puts the whole sentence in doubt."""
_CONDITION = re.compile(r"\s*(?:even )?(?:if|unless|had|were|should|provided|in case)\b", re.IGNORECASE)
_MODAL = re.compile(r"\b(?:would|could|might|may|will|should|can)\b|['’]ll\b")
_CLAUSE = re.compile(
    rf"[;:]\s|{_FULL_STOP}|\b(?:but|although|though|however|whereas|while|yet|because|so that|even as|when|where|after|"
    r"before)\b|,\s(?:and|so|since|as|for|who|which|then)\b|"
    r"\b(?:kn[eo]ws?|known|reali[sz]\w+|aware|notic\w+|remember\w*|forg[eo]t\w*|discover\w*|learn\w*|regret\w*|"
    r"surpris\w+|the fact)(?: \w+)? that\b"
)
"""Begins a clause that a cue before it does not reach; what one knows or forgets is a fact."""
_OPEN = re.compile(r"\b(?:if|whether)\b")
_NEXT_VERB = re.compile(
    r"\band (?:then |later |soon |so |also |thus |instead |\w+ly |(?:[A-Z_]\S* ){1,3})?"
    r"(?:\w{2,}ed|is|are|was|were|has|had|became|began|bought|"
    r"built|came|chose|drew|fell|fled|flew|fought|found|gave|got|grew|held|kept|knew|led|left|lost|made|met|paid|ran|rose|"
    r"said|saw|sent|set|sold|spent|spoke|stood|taught|took|told|went|won|wrote)\b"
)
_BARE = re.compile(r"(?:[\s,]|['’]s?|\b(?:the|an?|of|in|at|from|near|on|based|then|actor|husband|wife)\b|-)*")
"""Between two ends of which one only describes the other: the University of ... in ..., her husband ..."""

_REACH = 1000
"""Characters before and after the two ends that are looked at: a line of a megabyte costs no more than others."""


def polarity(sentence: str, first: tuple[int, int], second: tuple[int, int], label: str = "") -> str:
    """`asserted`, `negated` or `hedged` for the relation between two spans of a sentence (offsets into it).

    Words of the relation's `label` are no cues: `nominated` says that `nominated for` holds.
    """
    left, right = sorted((first, second))
    cut = max(0, (left[0] if left[0] < left[1] else right[0]) - _REACH)
    left, right = ((max(0, s - cut), max(0, e - cut)) for s, e in (left, right))
    sentence = sentence[cut : cut + right[1] + _REACH]
    text, doubted = _governing(sentence, left, right)
    found = "hedged" if doubted else "asserted"
    harmless = [m.span() for m in _HARMLESS.finditer(text)]
    own = _content(label)
    described = left[0] < left[1] and _BARE.fullmatch(text, left[1], right[0])
    for kind, cues in (("hedged", _HEDGED), ("negated", _NEGATED), ("negated", _NEAR)):
        for cue in cues.finditer(text):
            spared = any(s < cue.end() and cue.start() < e for s, e in harmless) or own & _content(cue.group())
            apart = described and cue.end() <= left[0]
            if not spared and not apart and _reaches(text, cue, left, right):
                found = kind
    for kind, cues in _AFTERWARDS.items():
        for cue in cues.finditer(text, right[1]):
            if not _CLAUSE.search(text, right[1], cue.start()):
                found = kind
    if any(m.start() < right[0] and m.end() > right[1] for m in _FELL_THROUGH.finditer(text)):
        return "negated"
    return found


def _governing(sentence: str, left: tuple[int, int], right: tuple[int, int]) -> tuple[str, bool]:
    """The sentence with all blanks but what can govern the two ends, and whether it is doubted as a whole.

    Offsets stay; the ends themselves become underscores, for a name may hold any word.
    """
    text = sentence
    for start, end in (left, right):
        text = text[:start] + "_" * (end - start) + text[end:]
    begin = max((m.end() for m in _STOP.finditer(text, 0, left[0])), default=0)
    end = next((m.end() for m in _STOP.finditer(text, right[1])), len(text))
    doubted = text[:end].rstrip(" \"'”’)").endswith("?")
    bracket = text.rfind("(", left[1], right[0])
    if bracket >= 0 and ")" not in text[bracket : right[0]]:
        begin = left[0]  # what is said in brackets stands by itself
    text = _blank(_blank(text, 0, begin), end, len(text))
    for aside in [*_QUOTED.finditer(text), *_BRACKETS.finditer(text)]:
        if not any(aside.start() < e and s < aside.end() for s, e in (left, right) if s < e):
            text = _blank(text, *aside.span())
    cuts = [(begin, begin), *(m.span() for m in _COMMA.finditer(text, begin, end)), (end, end)]
    parts = [(cuts[i], cuts[i][1], cuts[i + 1][0], cuts[i + 1]) for i in range(len(cuts) - 1)]
    for i, (before, start, stop, after) in enumerate(parts):
        if any(start <= at < max(stop, start + 1) for at, _ in (left, right)):
            continue
        said = text[start:stop]
        doubted |= bool(_HEDGES_ALL.match(said))
        doubted |= bool(stop <= left[0] and _CONDITION.match(said) and _MODAL.search(text, stop, end))
        if i + 1 < len(parts) and text.startswith("that ", parts[i + 1][1]):
            continue
        text = _blank(text, before[0], stop) if i else _blank(text, start, after[1])
    opening = len(text) - len(text.lstrip(" \"“'"))
    if not text.startswith("May", opening):  # the month
        text = text[:opening] + text[opening : opening + 1].lower() + text[opening + 1 :]
    return text, doubted


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + " " * (end - start) + text[end:]


def _content(text: str) -> set[str]:
    return set(re.findall(r"\w{5,}", text.lower()))


def _reaches(text: str, cue: re.Match[str], left: tuple[int, int], right: tuple[int, int]) -> bool:
    """Whether the cue stands before the second end and no new clause begins between the two."""
    if cue.start() >= right[0]:
        return False
    near = any(cue.end() <= s and len(text[cue.end() : s].split()) <= 3 for s, _ in (left, right))
    if cue.re is _NEAR and not _GERUND.match(text, cue.end()):
        return near and not _CLAUSE.search(text, cue.end(), left[0] if left[0] > cue.end() else right[0])
    border = _CLAUSE.search(text, cue.end(), right[0])
    if not border and not re.match(r"[\w ]*\bhave\b", text[cue.start() : right[0]]):
        border = _NEXT_VERB.search(text, cue.end(), right[0])
    if not border and cue.re is _NEGATED:
        border = _OPEN.search(text, cue.end(), right[0])
    if border and cue.group() == "not" and cue.end() <= left[0]:
        return near and bool(re.match(r"[\s,]*but\b", text[left[1] :]))
    return not border
