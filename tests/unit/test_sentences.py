"""Where sentences end, and where a shortened text does."""

from __future__ import annotations

import pytest

from pipeline.text.markdown import excerpt
from pipeline.text.plain_text import excerpt_text, strip_boilerplate
from pipeline.text.sentences import sentence_ends, split_sentences
from tests.growth import assert_linear


@pytest.mark.parametrize(
    "text",
    [
        "We open on Feb. 3 at the quay.| Come early.",
        "Das gilt z. B. für Nr. 7 am 19. Mai.| Danach nicht mehr.",
        "Mme. Roux, i.e. the baker, met J. R. Holm.| They ate.",
        "“Wait. Then bake.”| She left (as ever. Or not.) at noon.| Bo stayed.",
        "Er sagte: „Warte. Dann back.“| Sie ging.",
        'It is "odd. Very odd" here.| We go.',
        "هل تأتي؟| نعم.",
        "وہ آیا۔| پھر گیا۔",
        "वह आया।| फिर गया।",
        "塩と油。|酸と熱。|",
        "「もう帰ろう。」と父は言った。|誰も来ない！？|本当?|そうです!|船が来た。",
        "他说：“走吧。”|我们走了。|“好。",
        "彼女は「待って。それから焼いて」と言う。|焼けた",
        "What now? he asked.| Nobody knew… or cared.| End.",
        "In 1990.| Then in 2020.| Both.",
        "... | Salt.",
    ],
)
def test_sentence_ends(text: str) -> None:
    """Each bar in the example stands behind the end of a sentence; there are no other ends but the last."""
    if text.startswith("..."):
        text = text.replace("| ", "")
    plain = text.replace("|", "")
    ends = {len(part) for number in range(text.count("|")) if (part := "".join(text.split("|")[: number + 1]))}
    assert {end for end in sentence_ends(plain) if end < len(plain)} == ends - {len(plain)}


@pytest.mark.parametrize(
    ("text", "words", "short"),
    [
        ("We met. It was on the 19. May of a cold year", 6, "We met."),
        ("Salt, fat, acid, and then heat for all", 3, "Salt, fat, acid…"),
        ("Salt, fat, acid and heat", 2, "Salt, fat…"),
        ("She came. “Sit down. Eat.” He sat down at once", 4, "She came."),
        ("港の朝は早い。船が戻ると市場に灯がともり人びとは鍋を囲んで風の話をする", 8, "港の朝は早い。"),
        ("船が戻ると市場に灯がともり、人びとは鍋を囲む", 8, "船が戻ると市場に灯がともり…"),
        ("船が戻ると、市場に「灯がともり人びとは鍋を囲む", 4, "船が戻ると、市場に…"),
        ("Pythonの本を閉じてPostgreSQLの本を開く", 4, "Pythonの本を閉じて…"),
        ("一次只读一页书，然后去看海。" * 40, 7, "一次只读一页书，然后去看海。"),
    ],
)
def test_a_shortened_text_ends_well(text: str, words: int, short: str) -> None:
    """Plain text and Markdown are shortened alike: at a sentence, or with "…", never on a comma."""
    assert (excerpt_text(text, words), excerpt(text, words)) == (short, short)


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("Salt first. Then heat […]", "Salt first. Then heat…"),
        ("Salt first. [&#8230;]", "Salt first."),
        ("<p>Salt first. Then heat [...]</p>", "<p>Salt first. Then heat…</p>"),
        ("She said “Salt!” […]", "She said “Salt!”"),
    ],
)
def test_a_text_that_the_feed_cut(text: str, ended: str) -> None:
    """It ends at its last sentence, or with "…"."""
    assert strip_boilerplate(text) == ended


def test_sentences_are_split() -> None:
    """A text without an end is a sentence as well; blanks between sentences belong to none."""
    assert list(split_sentences("Ask Dr. Holm.  He knows. Or")) == ["Ask Dr. Holm.", "He knows.", "Or"]
    assert list(split_sentences(" ")) == []


@pytest.mark.parametrize("part", ["a. ", "(", "“", '" ', "(.) ", "„“", "1. ", ". "])
def test_sentences_are_found_in_linear_time(part: str) -> None:
    """Whatever is repeated."""
    assert_linear(lambda length: list(sentence_ends(part * (length // len(part)))), 1_000)
