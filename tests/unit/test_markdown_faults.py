"""What an editor is told at once about a text that cannot be sent as it was meant."""

from __future__ import annotations

import pytest

from pipeline.text.markdown_faults import markdown_faults


@pytest.mark.parametrize(
    ("md", "words"),
    [
        ("<p onclick=x>Bread", "HTML would be shown as it is typed"),
        ("[x](javascript:alert(1))", "a link leads to a page or a mailbox"),
        ("[x](data:text/html,y)", "a link leads to a page or a mailbox"),
        ("[us](about/)", "Write the whole address of the link to “about/”"),
        ("[us]()", "Write the address of the link after https://"),
        ("[us](https://)", "Write the address of the link after https://"),
        ("![loaf]()", "Upload the picture “loaf”"),
        ("![loaf](file:///C:/loaf.jpg) ![loaf](loaf.jpg)", "Upload the picture “loaf.jpg”"),
    ],
)
def test_what_cannot_be_sent_is_said(md: str, words: str) -> None:
    """The sentence names the part and says what to do."""
    assert words in " ".join(markdown_faults(f"# Tides\n\n- one\n\n> {md}"))


@pytest.mark.parametrize(
    "md",
    [
        "1 < 2, a <3 and `<b>`",
        "[us](https://a.example/x) <https://a.example/> [mail](mailto:a@h.example)",
        "![loaf](https://a.example/x.jpg) ![loaf](pictures/0123456789abcdef01234567-1200x800.jpg)",
        "",
    ],
)
def test_what_can_be_sent_has_no_fault(md: str) -> None:
    """Comparisons, code, absolute addresses and uploaded pictures are left alone."""
    assert list(markdown_faults(md)) == []
