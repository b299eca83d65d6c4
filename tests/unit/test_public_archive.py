"""The page of a sent edition, where "Read in your browser" leads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.model.digest import Edition
from pipeline.model.edition import SealedEdition
from pipeline.model.message import PLACEHOLDERS, without_personal_links
from tests.subscriber_pages import NOW, Pages, open_pages, write_publication

WEEK = "2026-W07"
GOLDEN = Path(__file__).parents[1] / "golden"
HTML = (GOLDEN / "classic-sample.html").read_text()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    with open_pages(write_publication(tmp_path_factory.mktemp("publication"))) as opened:
        editions = opened.audience.context.store.editions
        for number, week in enumerate((WEEK, "2026-W08", "2026-W09"), 1):
            edition = Edition(
                week=week,
                state="approved",
                number=number,
                subject="Bread",
                preheader="",
                html=HTML.encode(),
                text=b"",
                eml=b"",
                manifest=b"{}",
                content_hash=week,
            )
            sealed = SealedEdition(edition=edition, stories=(), sealed_at=NOW, sealed_by="ann")
            state = "sent" if week == WEEK else "approved"
            record = editions.approve(editions.get(week), sealed, state=state)
            if week == "2026-W09":
                editions.change_state(record, "sending", now=NOW, actor="ann")
        yield opened


def test_a_sent_edition_has_a_page(pages: Pages) -> None:
    """It is what was sealed, without links to one person's pages; nothing in it runs, and nobody indexes it."""
    for week in (WEEK, "2026-W09"):
        response = pages.get(f"/archive/{week}")
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.headers["x-robots-tag"] == "noindex, nofollow"
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert "script-src" not in response.headers["content-security-policy"]
        assert "img-src 'self' https:" in response.headers["content-security-policy"]
        assert response.text == without_personal_links(HTML)
    assert pages.client.request("HEAD", f"/archive/{WEEK}").status_code == 200


def test_a_corrected_edition_says_so_above(pages: Pages) -> None:
    """When and what, safely; the edition below is what was sealed, and the correction has a page of its own."""
    store = pages.audience.context.store
    path = f"/archive/{WEEK}"
    sealed = store.editions.sealed(WEEK)
    assert sealed
    edition = replace(sealed.edition, html=b"<html><body><p>Corrected</p></body></html>", content_hash="corrected")
    note = "It is on *Friday*, [here](https://h.example/). <script>alert(1)</script>"
    draft = store.corrections.save_draft(1, replace(sealed, edition=edition), note)
    assert pages.get(path).text == without_personal_links(HTML)
    assert pages.get(f"{path}/corrections/1").status_code == 404
    sent = store.corrections.change_state(draft, "sent", now=NOW, actor="ann")
    try:
        page = pages.get(path)
        above, body, below = page.text.partition("<section")
        section, _, rest = below.partition("</section>")
        assert body
        assert above + rest == without_personal_links(HTML)
        assert "Corrected on 2 March 2026" in section
        assert "It is on <em>Friday</em>" in section
        assert "<script" not in section
        assert f'href="{path}/corrections/1"' in section
        assert page.headers["x-robots-tag"] == "noindex, nofollow"
        assert pages.get(f"{path}/corrections/1").text == edition.html.decode()
        for other in ("0", "2", "01", "1.html", "99999", "١"):
            assert pages.get(f"{path}/corrections/{other}").status_code == 404
        assert pages.get("/archive/2026-W10/corrections/1").status_code == 404
    finally:
        store.corrections.change_state(sent, "cancelled", now=NOW, actor="ann")


@pytest.mark.parametrize(
    "week", ["2026-W08", "2026-W10", "2026-W99", "latest", "2026-W07.html", "..%2fsubscribe", "２０２６-W07"]
)
def test_other_editions_have_none(pages: Pages, week: str) -> None:
    """An edition that is sealed and not sent is nobody's to read yet."""
    response = pages.get(f"/archive/{week}")
    assert response.status_code == 404
    assert "Bread" not in response.text


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*-*.html")), ids=lambda path: path.stem)
def test_no_theme_leaves_a_personal_link(path: Path) -> None:
    """The links go with their separators, and nothing else changes: the same text is left, in balanced elements."""
    html = path.read_text()
    assert all(placeholder in html for placeholder in PLACEHOLDERS)
    public = without_personal_links(html)
    assert not any(placeholder in public for placeholder in PLACEHOLDERS)
    assert public.count("<a") == public.count("</a>") == html.count("<a") - html.count("#zz")
    assert public.count("<p") == html.count("<p")
    assert not re.search(r"[·|•]\s*(</(p|td)>|$)", public)
    assert not re.search(r"<(p|td)\b[^>]*>\s*[·|•]", public)


def test_placeholders_outside_of_links_are_emptied() -> None:
    """A theme of somebody's own may use them in any way: the rest of the page stays."""
    html = '<img alt="a" src="https://h.example/#zzBrowserzz"><p>zzUnsubscribezz</p><a href="#zzPreferenceszz">open'
    assert without_personal_links(html) == '<img alt="a" src="https://h.example/#"><p></p><a href="#">open'
