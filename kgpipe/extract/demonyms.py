"""Words for the people and things of a place (American, Scots, Saxon): they look like names of places and are none.

What is American is not thereby located in anything; who is American is a citizen. So such a word is an end only of
relations about citizenship, people, language, religion and origin.
"""

from __future__ import annotations

import re

from kgpipe.schema import RelationType, in_words

_PEOPLES = """
abkhaz abkhazian afghan african albanian algerian alsatian american andalusian andorran angolan anglo antiguan arab
arabian argentine argentinian armenian asian athenian australian austrian azerbaijani aztec babylonian bahamian
bahraini bangladeshi barbadian basque bavarian belarusian belgian belizean bengali beninese berber bermudian bhutanese
bohemian bolivian bosnian botswanan brazilian breton british britons bruneian bulgarian burgundian burmese burundian
byzantine californian cambodian cameroonian canadian carthaginian castilian catalan caucasian chadian chechen chilean
chinese colombian comoran congolese cornish corsican cossack croat croatian cuban cypriot czech czechoslovak dalmatian
danes danish dominican dutch ecuadorian egyptian emirati english eritrean estonian ethiopian european faroese fijian
filipino finnish finns flemish florentine frankish french frisian gabonese galician gambian gaulish genoese georgian
german germanic ghanaian greek greenlandic grenadian guatemalan guinean guyanese haitian hawaiian hessian hispanic
honduran hungarian iberian icelandic inca indian indonesian iranian iraqi irish israeli italian ivorian jamaican
japanese javanese jordanian kazakh kenyan korean kosovan kurdish kuwaiti kyrgyz lao laotian latin latino latvian
lebanese liberian libyan lithuanian luxembourgish macedonian malagasy malawian malay malaysian maldivian malian
maltese manx maori mauritanian mauritian mexican minoan mayan moldovan monegasque mongol mongolian montenegrin moorish
moravian moroccan mozambican namibian neapolitan nepalese nepali nicaraguan nigerian nigerien nordic normans norse
norwegian omani ottoman pakistani palestinian panamanian paraguayan parisian persian peruvian phoenician polish
polynesian portuguese prussian punjabi qatari romanian romans russian rwandan salvadoran samoan sardinian saudi saxon
scandinavian scottish scots senegalese serb serbian sicilian silesian singaporean slavic slovak slovene slovenian
somali soviet spaniard spanish sudanese sumerian surinamese swedes swedish swiss syrian tahitian taiwanese tajik tamil
tanzanian tasmanian tatar thai tibetan togolese tongan trinidadian tunisian turk turkic turkish turkmen tuscan
tyrolean ugandan ukrainian uruguayan uzbek venetian venezuelan viennese vietnamese visigothic walloon welsh yemeni
yoruba yugoslav zambian zimbabwean zulu
"""
DEMONYMS = frozenset(_PEOPLES.split())
_PREFIX = re.compile(
    r"^(?:north|south|east|west|northern|southern|eastern|western|latin|central|ancient|old|pan|afro)[ -]"
)
_NATIONAL = re.compile(
    r"\b(?:citizen\w*|national\w*|ethnic\w*|people\w*|language\w*|sp[eo]ak\w*|spoken|religion\w*|origin\w*|descent|demonym\w*)\b"
)


def is_demonym(name: str) -> bool:
    """Whether a name, as it stands in a text, is such a word, also with a point of the compass before it."""
    folded = _PREFIX.sub("", name.lower())
    return folded in DEMONYMS or (folded.endswith("s") and folded[:-1] in DEMONYMS)


def national(relation: RelationType) -> bool:
    """Whether a relation is about what such words say."""
    return bool(_NATIONAL.search(" ".join((in_words(relation.name), relation.label, *relation.synonyms)).lower()))
