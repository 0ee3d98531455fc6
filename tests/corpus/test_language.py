from kgpipe.corpus.language import language_of

GERMAN = "Konrad Zuse baute im Jahr 1941 in Berlin den ersten frei programmierbaren Rechner der Welt."
CHINESE = "王选是中国计算机科学家，他发明了汉字激光照排系统。"


def test_short_articles_are_told_apart():
    assert language_of("Alan Turing was an English mathematician who worked at Bletchley Park during the war.") == "en"
    assert language_of(GERMAN) == "de"
    assert language_of(CHINESE) == "zh"


def test_a_text_too_short_or_without_words_has_no_language():
    assert [language_of(text) for text in ("", "Hello", "1941, 1943 -- 12:30", "IBM 704")] == ["", "", "", ""]


def test_foreign_names_do_not_make_an_english_text_foreign():
    text = "The conference was attended by Edsger Dijkstra, Friedrich Bauer, Niklaus Wirth and Andrei Ershov."
    assert language_of(text) == "en"
