"""A story is published once, whatever its feed changes; news is never taken for a repeat."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from bench.pairing.measure import SETS, load
from pipeline.digest.selection.repeats import find_repeats
from pipeline.ingest.dedupe import decide
from pipeline.jobs.digests.build import build_draft
from pipeline.model.edition import Overrides
from pipeline.model.entry import Enclosure, Entry
from pipeline.model.feed import Feed
from pipeline.model.week import Week
from tests.factories import MONDAY
from tests.factories import stored as stored_entry
from tests.publication import CLOCK, W06, W07, W08, PublicationHarness, shared_theme, story_titles

DAY = timedelta(days=1)
VOCABULARY = (
    "slate harbour kiln ember rope willow tide lantern quince barley heron copper thimble orchard gully saffron "
    "mortar plough wicker cobble drizzle flint marrow nettle osprey pewter russet sorrel thatch umber vellum "
    "wharf yarrow anvil bracken chalk damson eddy fennel gorse hazel ingot juniper kelp linnet madder nutmeg "
    "oatmeal "
)
WORDS = VOCABULARY.split()
FOOTER = (
    "<p>Harbour and Hearth is written in a loft above the quay. Reply to this and tell us what you cook tonight.</p>"
)
INTRODUCTION = (
    "<p>Good morning, it is a new day on the quay, and here is what the boats brought in before the sun rose.</p>"
)


def prose(seed: str, words: int = 110) -> str:
    """Return a paragraph that shares hardly a run of words with that of another seed."""
    chosen = random.Random(seed).choices(WORDS, k=words)
    return "<p>" + " ".join(chosen[:60]) + ".</p><p>" + " ".join(chosen[60:]) + ".</p>"


def edited(text: str, seed: str) -> str:
    """Return a text with a few words changed and a sentence added."""
    words = text.split(" ")
    for position in random.Random(seed).sample(range(1, len(words) - 1), 3):
        words[position] = "differently"
    return " ".join(words) + "<p>This was corrected in the evening, thanks to all who wrote.</p>"


def post(feed: str, name: str, when: datetime, **fields: object) -> Entry:
    values: dict[str, object] = {
        "feed_id": feed,
        "guid": f"{feed}-{name}",
        "url": f"https://{feed}.example/{name}",
        "title": f"The {name} of {feed} and what we keep",
        "body_html": prose(f"{feed} {name}") + FOOTER,
        "published_at": when,
    }
    return Entry(**(values | fields))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Change:
    """How a feed offers its story again."""

    guid: bool
    address: str
    days: int
    title: str
    text: bool
    is_old_there: bool

    def apply(self, old: Entry) -> Entry:
        feed = old.feed_id
        address = {"same": old.url, "version": f"{old.url}?v=2", "other": f"https://{feed}.example/anew/77"}
        title = {"same": old.title, "edited": f"Updated: {old.title}", "other": f"Read this, friends of {feed}"}
        return replace(
            old,
            guid=f"{old.guid}-again" if self.guid else old.guid,
            url=address[self.address],
            published_at=old.published_at + self.days * DAY,
            title=title[self.title],
            body_html=edited(old.body_html, feed) if self.text else old.body_html,
        )


CHANGES = [
    Change(*values)
    for values in product(
        (True, False), ("same", "version", "other"), (0, 7), ("same", "edited", "other"), (False, True), (False, True)
    )
    if values[0] or not values[5]  # one document does not have one guid twice
]


class Season(PublicationHarness):
    """A publication with a feed for each case."""

    def __init__(self, folder: Path, feeds: int, url: str = "") -> None:
        super().__init__(folder, shared_theme(), url)
        self.names = [f"feed{number}" for number in range(feeds)]
        blogs = tuple(Feed(id=name, url=f"https://{name}.example/feed", kind="blog") for name in self.names)
        self.context = replace(self.context, feeds=blogs)

    def published(self, week: Week) -> list[tuple[str, str]]:
        """Publish a week; return the feed and title of each of its entries."""
        self.publish(week)
        sealed = self.store.editions.sealed(str(week))
        assert sealed is not None
        stored = self.store.entries.by_id(sealed.entry_ids)
        return [(one.entry.feed_id, one.entry.title) for one in stored]

    def read_history(self, name: str) -> list[Entry]:
        """Read a feed for the first time; return what it then contains."""
        history = [post(name, word, CLOCK.bounds(W06)[0] - (20 - 3 * at) * DAY) for at, word in enumerate(WORDS[:3])]
        self.fetch(*history, feed=name)
        return history


@pytest.mark.parametrize(
    ("every", "weeks_later"),
    [(3, 1), pytest.param(1, 1, marks=pytest.mark.slow), pytest.param(1, 40, marks=pytest.mark.slow)],
)
def test_no_change_of_a_published_story_publishes_it_twice(tmp_path: Path, every: int, weeks_later: int) -> None:
    """Guid, address, date, title and text change in every combination; the old item is gone or still there."""
    changes = CHANGES[::every]
    season = Season(tmp_path, len(changes))
    wednesday = CLOCK.bounds(W07)[0] + 2 * DAY
    documents = {}
    season.set_time(wednesday - 9 * DAY)
    for name in season.names:
        documents[name] = season.read_history(name)
    season.set_time(wednesday)
    for name in season.names:
        documents[name].insert(0, post(name, "story", wednesday))
        season.fetch(*documents[name], feed=name)
    first = season.set_time_after_closing(W07).published(W07)
    assert sorted(first) == sorted((name, documents[name][0].title) for name in season.names)

    week = W07.next(weeks_later)
    season.set_time(CLOCK.bounds(week)[0] + 2 * DAY)
    for name, change in zip(season.names, changes, strict=True):
        old, *history = documents[name]
        again = change.apply(old)
        if change.days:
            again = replace(again, published_at=season.now)
        news = post(name, "news", season.now)
        season.fetch(news, again, *([old] if change.is_old_there else []), *history, feed=name)
    second = season.set_time_after_closing(week).published(week)
    assert sorted(second) == sorted((name, post(name, "news", MONDAY).title) for name in season.names)
    season.store.close()


def copies(old: Entry, number: int, *, is_edited: bool) -> list[Entry]:
    """Return copies of a long story under other guids, addresses and titles, the text edited or not."""
    text = prose("the story", 600)
    return [
        replace(
            old,
            guid=f"copy {at}",
            url=f"https://{old.feed_id}.example/anew/{at}",
            title=f"{WORDS[at].title()}: read this today",
            body_html=edited(text, f"edit {at}") if is_edited and at else text,
        )
        for at in range(number)
    ]


@pytest.mark.parametrize("number", [3, 5])
@pytest.mark.parametrize("is_edited", [False, True])
@pytest.mark.parametrize("weeks_later", [0, 30])
def test_copies_under_other_titles_in_one_week_are_one_story(
    tmp_path: Path, number: int, is_edited: bool, weeks_later: int
) -> None:
    """However many there are, whether the story was published before or not; news of the week is published."""
    season = Season(tmp_path, 1)
    (name,) = season.names
    history = season.set_time(CLOCK.bounds(W07)[0]).read_history(name)
    week = W07.next(weeks_later)
    story, *again = copies(post(name, "story", season.now + DAY), number, is_edited=is_edited)
    if weeks_later:
        season.set_time(season.now + DAY).fetch(story, *history, feed=name)
        assert season.set_time_after_closing(W07).published(W07) == [(name, story.title)]
    season.set_time(CLOCK.bounds(week)[0] + 2 * DAY)
    new = [replace(copy, published_at=season.now) for copy in again]
    news = post(name, "news", season.now)
    season.fetch(news, *new, *([] if weeks_later else [story]), *history, feed=name)
    first_draft = build_draft(season.set_time_after_closing(week).store, season.context, week, now=season.now)
    titles = story_titles(first_draft.edition.manifest)
    assert news.title in titles
    assert len(titles) == (1 if weeks_later else 2)
    assert sorted(titles) == sorted(title for _, title in season.published(week))
    season.store.close()


def test_what_repeats_says_so_and_can_be_put_back(tmp_path: Path) -> None:
    """The decision names the original, its edition and the evidence, before and after the week is closed."""
    season = Season(tmp_path, 1)
    (name,) = season.names
    history = season.set_time(CLOCK.bounds(W07)[0]).read_history(name)
    old = post(name, "story", season.now + DAY)
    season.set_time(season.now + DAY).fetch(old, *history, feed=name)
    season.set_time_after_closing(W07).published(W07)
    again = Change(True, "other", 7, "other", False, False).apply(old)
    season.set_time(again.published_at).fetch(again, post(name, "news", season.now), *history, feed=name)
    reasons = [season.set_time_after_closing(W08).reason(W08, again.title)]
    season.digest(W08)
    reasons.append(season.reason(W08, again.title))
    assert (
        reasons
        == [
            f"out: dated Tue 17 Feb 2026, repeats “{old.title}” of Tue 10 Feb 2026, which was "
            "sent with Issue 1 (2026-W07): the same text; nothing is published twice"
        ]
        * 2
    )
    season.overrides["2026-W08"] = Overrides(put_back=(f"{name} {again.guid}",))
    assert season.reason(W08, again.title).startswith("in: ")
    season.store.close()


def test_a_doubtful_repeat_stays_out_and_the_check_says_so(tmp_path: Path) -> None:
    """Half of the text is new, and so are title and address: an editor decides."""
    season = Season(tmp_path, 1)
    (name,) = season.names
    history = season.set_time(CLOCK.bounds(W07)[0]).read_history(name)
    old = post(name, "story", season.now + DAY)
    season.set_time(season.now + DAY).fetch(old, *history, feed=name)
    season.set_time_after_closing(W07).published(W07)
    again = replace(
        Change(True, "other", 7, "other", False, False).apply(old),
        body_html=prose(f"{name} story") + prose("what happened since", 60) + FOOTER,
    )
    season.set_time(again.published_at).fetch(again, post(name, "news", season.now), *history, feed=name)
    manifest = season.set_time_after_closing(W08).digest(W08).edition.manifest.decode()
    assert "may repeat" in season.reason(W08, again.title)
    assert '"possible-repeat"' in manifest
    assert f'"fix_target": "story {name} {again.guid}"' in manifest
    season.overrides["2026-W08"] = Overrides(put_back=(f"{name} {again.guid}",))
    manifest = season.digest(W08).edition.manifest.decode()
    assert again.title in season.titles(W08)
    assert "possible-repeat" not in manifest
    season.store.close()


def _news() -> dict[str, list[Entry]]:
    """Return documents by what they are: the first entry is news, the others were published before it."""
    start = CLOCK.bounds(W08)[0] + DAY
    before = [start - (7 + number) * DAY for number in range(4)]

    def sound(number: int) -> Enclosure:
        return Enclosure(url=f"https://cdn.example/{number}.mp3", media_type="audio/mpeg")

    return {
        "a weekly column with one title": [
            post("feed", f"c{at}", when, title="Notes from the quay") for at, when in enumerate([start, *before])
        ],
        "a daily show with one introduction": [
            post("feed", f"d{at}", when, title=f"Day {at}", body_html=INTRODUCTION + prose(f"day {at}", 14))
            for at, when in enumerate([start, *before])
        ],
        "a daily show with one description and one title": [
            post("feed", f"d{at}", when, title="The tide report", body_html=INTRODUCTION, enclosure=sound(at))
            for at, when in enumerate([start, *before])
        ],
        "a second episode with the description of the first": [
            post("feed", f"d{at}", when, title=f"Boats, part {at}", body_html=prose("show"), enclosure=sound(at))
            for at, when in enumerate([start, before[0]])
        ],
        "a re-run that says so": [
            post("feed", "e1", start, title="Rerun: How to bank a fire", body_html=prose("fire")),
            post("feed", "e2", before[0], title="How to bank a fire", body_html=prose("fire")),
        ],
        "pages of one address": [
            post("feed", f"p{at}", when, url=f"https://feed.example/watch?v={at}")
            for at, when in enumerate([start, *before])
        ],
        "links without a text": [
            post("feed", f"l{at}", when, title="A good read", body_html="") for at, when in enumerate([start, *before])
        ],
        "a short text and a long closing paragraph": [
            post("feed", f"s{at}", when, body_html=prose(f"short {at}", 20) + prose("closing", 90))
            for at, when in enumerate([start, *before])
        ],
        "a form that is filled in, with a title of its own each day": [
            post(
                "feed",
                f"f{at}",
                when,
                title=f"Landed on {WORDS[at]} day",
                body_html=f"{INTRODUCTION}<p>Today: {WORDS[at]}, {WORDS[-at]}.</p>{prose('closing', 200)}",
            )
            for at, when in enumerate([start, *before])
        ],
        "a review of the month that quotes a post": [
            post("feed", "month", start, body_html="".join(prose(f"post {at}") for at in range(4))),
            *(post("feed", f"m{at}", when, body_html=prose(f"post {at}")) for at, when in enumerate(before)),
        ],
    }


@pytest.mark.parametrize("what", _news())
def test_news_is_no_repeat(what: str) -> None:
    """Columns with one title, shows with one introduction, re-runs, quotations: nothing new stays out."""
    news, *earlier = [
        stored_entry(entry, number, edition_week="" if number == 99 else "2026-W07")
        for number, entry in zip([99, *range(1, 99)], _news()[what], strict=False)
    ]
    assert find_repeats([news], earlier) == {}


def test_a_series_that_begins_is_published_whole(tmp_path: Path) -> None:
    """The edition that is approved has all that its first draft had."""
    season = Season(tmp_path, 1)
    (name,) = season.names
    history = season.set_time(CLOCK.bounds(W07)[0]).read_history(name)
    form = _news()["a form that is filled in, with a title of its own each day"]
    season.set_time(CLOCK.bounds(W07)[0] + 2 * DAY)
    season.fetch(*(replace(one, feed_id=name, published_at=season.now) for one in form), *history, feed=name)
    published = season.set_time_after_closing(W07).published(W07)
    assert sorted(title for _, title in published) == sorted(one.title for one in form)
    season.store.close()


@pytest.mark.parametrize(
    "what", [what for what, entries in _news().items() if len(entries) > 2 and not entries[0].enclosure]
)
def test_a_series_that_begins_is_no_repeat(what: str) -> None:
    """Nor while none of its entries was published."""
    new = [stored_entry(entry, number) for number, entry in enumerate(_news()[what][::-1])]
    assert find_repeats(new, ()) == {}


def test_any_number_of_repeats_is_recognised() -> None:
    """Twenty copies of a published post with twenty titles, all of them new at once."""
    old = post("feed", "story", MONDAY)
    published = [stored_entry(old, 1, edition_week="2026-W07"), stored_entry(post("feed", "other", MONDAY), 2)]
    copies = [
        replace(old, guid=f"{at}", url=f"https://feed.example/anew/{at}", title=f"Read on, part {at}")
        for at in range(20)
    ]
    new = [stored_entry(copy, 3 + at) for at, copy in enumerate(copies)]
    repeats = find_repeats(new, published)
    assert {again.original.entry.guid for again in repeats.values()} == {old.guid}
    assert len(repeats) == 20


@pytest.mark.parametrize("name", SETS)
def test_labelled_entries_of_one_feed_are_different_stories(name: str) -> None:
    """No entry of the labelled set repeats another one of its feed, alone or in an archive of all of them."""
    entries = [entry for case in load(name) for entry in case.entries.values()]
    stored = [stored_entry(entry, number) for number, entry in enumerate(entries)]
    assert [(one, again.original.entry) for one, again in find_repeats(stored, ()).items()] == []


@pytest.mark.parametrize("days", [0, 1, 30])
@pytest.mark.parametrize("is_old_there", [False, True])
def test_items_offered_again_every_day_stay_the_same_entries(tmp_path: Path, days: int, *, is_old_there: bool) -> None:
    """Thirty items with new guids, versions of their addresses and dates are still thirty entries after a week."""
    season = Season(tmp_path, 1)
    (name,) = season.names
    items = [post(name, f"{word}{at}", MONDAY - (at + 1) * DAY) for at, word in enumerate(WORDS[:30])]
    season.fetch(*items, feed=name)
    document = items
    for day in range(1, 7):
        again = [
            replace(
                item,
                guid=f"{item.guid}/{day}",
                url=f"{item.url}?v={day}",
                published_at=item.published_at + day * days * DAY,
            )
            for item in items
        ]
        season.set_time(MONDAY + day * DAY).fetch(*again, *(document if is_old_there else ()), feed=name)
        document = again
    identities = season.store.entries.identities(name)
    assert len(identities) == 30
    assert {one.published_at for one in identities} == {item.published_at for item in items}
    season.store.close()


def test_issues_of_a_column_at_one_address_are_different_entries() -> None:
    """Items that differ only in the query of their address are one column's issues if all have the same words."""
    issues = [
        post(
            "feed",
            f"i{at}",
            MONDAY + at * DAY,
            url=f"https://feed.example/column?issue={at}",
            title="Out now",
            body_html=FOOTER,
        )
        for at in range(4)
    ]
    season = [change.kind for change in decide(issues[1:], _identities(issues[:3])).entries]
    assert season.count("new") == 1


def _identities(entries: list[Entry]) -> list[object]:
    from tests.unit.test_dedupe import stored

    return [stored(entry, number) for number, entry in enumerate(entries)]
