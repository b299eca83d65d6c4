"""Pairing across feeds: what is one story, what is not, and what is uncertain."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.pairing.measure import HERE, SETS, load, measure, measure_together, report
from pipeline.digest.pairing.pair import Pairing, join_stories, pair
from pipeline.model.entry import Enclosure, Entry, Person
from pipeline.text.titles import parse_title
from tests.factories import stored
from tests.growth import assert_linear

TUESDAY = datetime(2026, 2, 10, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NOTES = "Nell Tarrant on forty years of cooking by the tides, the galley stove she learned on and a soup for weddings."


def post(**fields: Any) -> Entry:
    given: dict[str, Any] = {
        "feed_id": "blog",
        "guid": "post",
        "url": "https://harbourandhearth.example/cooking-by-the-tides/",
        "title": "Cooking by the tides",
        "label": "Podcast",
        "guest": "Nell Tarrant",
        "published_at": TUESDAY,
    }
    return Entry(**(given | fields))


def episode(**fields: Any) -> Entry:
    given: dict[str, Any] = {
        "feed_id": "podcast",
        "guid": "episode",
        "url": "https://podcasts.harbourtable.example/14",
        "title": "14. Cooking by the Tides",
        "published_at": TUESDAY - timedelta(days=1),
        "enclosure": Enclosure(url="https://cdn.harbourtable.example/14.mp3", media_type="audio/mpeg"),
    }
    return Entry(**(given | fields))


def reason(pairing: Pairing) -> str:
    """Return the reason of the only pair."""
    (found,) = pairing.pairs
    return found.reason


# ── The labelled set ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", SETS)
def test_labelled_sets_are_paired_well(name: str) -> None:
    """Precision is at least 0.995 and recall at least 0.95."""
    score = measure(load(name))
    assert score.precision >= 0.995, score.mistakes
    assert score.recall >= 0.95, score.mistakes


def test_all_labelled_entries_together_are_paired_as_well() -> None:
    """Hundreds of entries of many publications in one archive do not confuse each other."""
    score = measure_together([case for name in SETS for case in load(name)])
    assert score.precision >= 0.995, score.mistakes
    assert score.recall >= 0.95, score.mistakes


def test_labelled_sets_are_large_and_have_near_misses() -> None:
    """There are at least 150 labelled pairs and near misses, many of them held out."""
    counts = {name: (sum(len(c.same) for c in load(name)), sum(len(c.apart) for c in load(name))) for name in SETS}
    assert sum(map(sum, counts.values())) >= 150
    assert all(same >= 40 and apart >= 40 for same, apart in counts.values())


def test_figures_in_the_readme_are_the_measured_ones() -> None:
    """The table of precision and recall is what the script prints."""
    table = [line for line in report(SETS) if line.startswith("|")]
    assert "\n".join(table) in (HERE / "README.md").read_text(encoding="utf-8")


# ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (post(), episode(), "same title apart from its prefix, one day apart"),
        (post(title="Supper", label=""), episode(title="Supper"), "same title, one day apart"),
        (post(title="“Supper”", label=""), episode(title="Supper"), "same title, spelled differently, one day apart"),
        (post(), episode(title="Nell Tarrant – Cooking by the Tides"), "same title apart from a prefix"),
        (post(), episode(title="Fish", url=post().url + "?utm_source=x"), "same page, one day apart"),
        (post(enclosure=episode().enclosure), episode(title="Fish"), "same media file, one day apart"),
        (
            post(guest="", body_html='<audio src="https://op3.dev/e/cdn.harbourtable.example/14.mp3?x=1"></audio>'),
            episode(title="Fish"),
            "the post and the episode use the same audio file",
        ),
        (
            post(guest="", label="", body_html=f'<a href="{episode().url}">Listen</a> {NOTES}'),
            episode(title="Fish", body_html=NOTES),
            "one links to the other and both are about the same topic",
        ),
        (
            post(title="Galley stoves", label="", body_html=NOTES),
            episode(title="Fish", body_html=NOTES, persons=(Person(name="Nell Tarrant", role="guest"),)),
            "same guest and similar text",
        ),
    ],
)
def test_rules_and_their_reasons(one: Entry, other: Entry, words: str) -> None:
    """Each rule pairs the post with the episode, and gives its reason."""
    assert reason(pair([one, other])).startswith(words)


def test_the_post_comes_first() -> None:
    """The same holds where the post carries the episode's file."""
    with_audio = post(enclosure=episode().enclosure)
    (found,) = pair([episode(duration_seconds=2400), with_audio]).pairs
    assert (found.first, found.second) == (with_audio, episode(duration_seconds=2400))


@pytest.mark.parametrize(
    "other",
    [
        episode(feed_id="blog"),
        episode(published_at=TUESDAY - timedelta(days=15)),
        episode(title="Cooking by the tides, part 2"),
        episode(title="Trailer: Cooking by the tides"),
        episode(title="Bonus: Cooking by the tides"),
        episode(title="Cooking by the stars"),
        episode(title=""),
    ],
    ids=lambda entry: entry.title or "untitled",
)
def test_no_pair(other: Entry) -> None:
    """One feed, two weeks, another part, a trailer, a bonus, another word or no title: two stories."""
    assert pair([post(guest=""), other]).pairs == ()


def test_two_numbers_are_two_episodes() -> None:
    """Where both titles have an episode number, it must be the same; a number within a season does not count."""
    letters = post(title="Ep. 9: Your letters", label="", guest="")
    assert pair([letters, episode(title="10. Your letters")]).pairs == ()
    assert len(pair([letters, episode(title="009 – Your Letters")]).pairs) == 1
    assert len(pair([letters, episode(title="S2E1 – Your Letters")]).pairs) == 1


def test_syndicated_post_is_one_story() -> None:
    """A post and its copy in another feed are one story, the older one first."""
    original = post(label="", body_html=NOTES)
    copy = replace(original, feed_id="magazine", url="https://magazine.example/7", published_at=TUESDAY + timedelta(1))
    (found,) = pair([copy, original]).pairs
    assert (found.first.feed_id, found.reason) == ("blog", "same title and similar text, one day apart")


def test_post_copy_and_episode_are_one_story() -> None:
    """Two pairs join a post, its copy and the episode."""
    original = post(body_html=NOTES)
    copy = replace(original, feed_id="magazine", url="https://magazine.example/7", label="")
    pairs = pair([copy, original, episode()]).pairs
    assert len(pairs) == 2
    feeds = {entry.feed_id for found in pairs for entry in (found.first, found.second)}
    assert feeds == {"blog", "magazine", "podcast"}


def test_link_to_a_page_of_that_title_is_not_the_post() -> None:
    """Entries of a link feed are paired by their URL, never by their title."""
    sites = ("https://a.example/tides", "https://b.example/x", post().url)
    links = [post(feed_id="links", guid=site, url=site, label="", guest="") for site in sites]
    pairing = pair([post(body_html='<a href="https://b.example/x">More</a>'), *links])
    assert [(found.first.feed_id, found.second.guid) for found in pairing.pairs] == [("blog", post().url)]
    assert pairing.uncertain == ()


def test_shared_pages_pair_nothing() -> None:
    """A page or file of several entries of one feed pairs none of them."""
    copies = [episode(guid=str(n), title=f"Number {n} of many", url=post().url) for n in range(3)]
    assert pair([post(guest="", label=""), *copies]).pairs == ()


# ── Words of the publisher ───────────────────────────────────────────────────────────────────────────────────────────

IMPRINT = "A programme of Saltmarsh Sound. More of our programmes, and how to support us, on our page; thanks to all."


def test_words_of_other_entries_prove_nothing() -> None:
    """A paragraph that two entries of any one feed have pairs no entry of another feed with it."""
    one = post(guid="1", title="Larch for shelves", label="", guest="", body_html=f"<p>Slats.</p><p>{IMPRINT}</p>")
    others = [episode(guid=str(n), title=title, body_html=IMPRINT) for n, title in enumerate(("Peat", "Reeds"))]
    assert pair([one, others[0]]).pairs  # nobody can know yet
    assert pair([one, *others]) == Pairing()
    assert pair([one, others[0]], others[1:]) == Pairing()


def test_own_words_pair_beside_shared_ones() -> None:
    """What an entry says itself still pairs it."""
    one = post(title="Galley stoves", label="", guest="", body_html=f"{NOTES} {IMPRINT}")
    casts = [episode(title="Fish", body_html=f"{NOTES} {IMPRINT}"), episode(guid="2", title="Peat", body_html=IMPRINT)]
    assert reason(pair([one, *casts])) == "similar text, one day apart"


@pytest.mark.parametrize(
    "same", [{"body_html": NOTES}, {"url": "https://network.example/shows"}, {"guest": "Ada Lund"}]
)
def test_two_files_with_two_titles_are_two_stories(same: dict[str, str]) -> None:
    """Neither the text nor the page nor the guest makes two recordings one, nor raises a doubt."""
    other = Enclosure(url="https://cdn.example/peat.mp3", media_type="audio/mpeg")
    second = episode(feed_id="weather", guid="w", url="https://w.example/1", enclosure=other)
    assert pair([episode(title="Fish", **same), replace(second, title="Peat", **same)]) == Pairing()
    labelled = post(title="Peat", enclosure=other, **same)
    assert pair([episode(title="Fish", **same), labelled]) == Pairing()
    assert len(
        pair([episode(title="Peat bogs today", **same), replace(second, title="Peat bogs today", **same)]).pairs
    ) == ("guest" not in same)


# ── Uncertain pairs ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (
            post(label="Guest Blog", title="How to prune"),
            episode(title="Nell Tarrant: a soup for weddings"),
            "same guest, but different text, one day apart",
        ),
        (
            post(label="", guest="", title="Galley stoves", body_html=f'<a href="{episode().url}">this</a>'),
            episode(title="Fish"),
            "one links to the other, but their texts have nothing in common, one day apart",
        ),
        (
            post(label="", guest="", title="The case for slow food"),
            post(label="", guest="", title="The case for slow food", feed_id="magazine", url="https://m.example/1"),
            "same title, but nothing else in common, the same day",
        ),
    ],
)
def test_uncertain_pairs_are_kept_apart_with_a_reason(one: Entry, other: Entry, words: str) -> None:
    """If the evidence is weak, both entries stay."""
    pairing = pair([one, other])
    assert pairing.pairs == ()
    assert [doubt.reason for doubt in pairing.uncertain] == [words]


def test_paired_entries_are_never_uncertain() -> None:
    """A guest's own post beside the episode and its post raises no doubt."""
    own = post(guid="own", label="Guest Blog", title="How to prune", url="https://harbourandhearth.example/prune")
    pairing = pair([own, post(), episode(title="Nell Tarrant: Cooking by the tides")])
    assert (len(pairing.pairs), pairing.uncertain) == (1, ())


# ── Bounds ───────────────────────────────────────────────────────────────────────────────────────────────────────────

SECOND = timedelta(seconds=1)
LINKED = f'<a href="{episode().url}">Listen</a>'
SUPPER = {"title": "Supper", "guest": ""}
WORDS = [f"word{number}" for number in range(16)]


@pytest.mark.parametrize(
    ("one", "other", "gap"),
    [
        (post(guest=""), episode(), 14 * DAY),  # two distinctive words
        (post(**SUPPER), episode(title="Supper"), 7 * DAY),  # labelled as a podcast post
        (post(**SUPPER | {"label": ""}), episode(title="Supper"), 4 * DAY),
        (post(guest=""), episode(title="Tessa Dorn – Cooking by the Tides"), 7 * DAY),
        (post(title="Cooking with fire by the …", guest=""), episode(title="Cooking with fire by the sea"), 7 * DAY),
        (post(guest=""), episode(title="Cookinng by the tides"), 4 * DAY),
        (post(guest="", title="Slow boats, cold stoves"), episode(title="Cold stoves, slow boats"), 4 * DAY),
        (post(title="Fire", label="", guest="", body_html=NOTES), episode(title="Fish", body_html=NOTES), 7 * DAY),
        (post(title="Fire", body_html=NOTES), episode(title="Fish", body_html=NOTES, guest="Nell Tarrant"), 7 * DAY),
    ],
)
@pytest.mark.parametrize("direction", [1, -1])
def test_stories_are_near_in_time(one: Entry, other: Entry, gap: timedelta, direction: int) -> None:
    """The weaker the evidence, the nearer they must be; a second more is too much."""
    near, far = (replace(other, published_at=one.published_at + direction * each) for each in (gap, gap + SECOND))
    assert len(pair([one, near]).pairs) == 1
    assert pair([one, far]).pairs == ()


@pytest.mark.parametrize(
    ("one", "other", "gap", "certain"),
    [
        (post(title="Fire", guest="", body_html=LINKED), episode(title="Fish"), 3 * DAY, True),
        (post(title="Fire", guest="", label="", body_html=LINKED), episode(title="Fish"), 3 * DAY, False),
        (post(title="Fire"), episode(title="Fish", guest="Nell Tarrant"), 3 * DAY, True),
        (post(title="Fire", label=""), episode(title="Fish", guest="Nell Tarrant"), 4 * DAY, False),
    ],
)
def test_links_and_guests_prove_less_with_time(one: Entry, other: Entry, gap: timedelta, certain: bool) -> None:
    """A link or a guest pairs only what is near; a little later it raises a doubt, or nothing."""
    near, far = (pair([one, replace(other, published_at=one.published_at + each)]) for each in (gap, gap + SECOND))
    assert (len(near.pairs), len(near.uncertain)) == ((1, 0) if certain else (0, 1))
    assert far.pairs == ()
    assert certain or far.uncertain == ()


@pytest.mark.parametrize(("shared", "own", "paired"), [(14, 0, True), (13, 0, False), (14, 8, True), (12, 7, False)])
def test_similar_text_is_most_of_a_dozen_runs(shared: int, own: int, paired: bool) -> None:
    """Twelve runs of three words on either side, and six of ten of the shorter side in the other."""
    bodies = (" ".join([*WORDS[:shared], *(f"{side}{n}" for n in range(own))]) for side in "ab")
    one, other = (
        make(title=title, guest="", body_html=body)
        for make, title, body in zip((post, episode), ("Fire", "Fish"), bodies, strict=True)
    )
    assert bool(pair([replace(one, label=""), other]).pairs) is paired


def bodies(shared: int, own: int) -> list[str]:
    """Return two texts that begin with the same words and have other words of their own after them."""
    return [" ".join([*(f"word{n}" for n in range(shared)), *(f"{side}{n}" for n in range(own))]) for side in "ab"]


@pytest.mark.parametrize(
    ("one", "other", "shared", "own", "certain"),
    [
        (post(title="Fire", guest="", label=""), episode(title="Fish"), 7, 5, True),  # linked, half of the runs
        (post(title="Fire", guest="", label=""), episode(title="Fish"), 7, 6, False),
        (post(title="Fire", guest="", label=""), episode(title="Fish"), 7, 0, True),  # five runs in all
        (post(title="Fire", guest="", label=""), episode(title="Fish"), 6, 0, False),
        (post(title="Fire", label=""), episode(title="Fish", guest="Nell Tarrant", url=""), 6, 6, True),  # two of five
        (post(title="Fire", label=""), episode(title="Fish", guest="Nell Tarrant", url=""), 6, 7, False),
        (post(guest="", label=""), post(feed_id="magazine", guest="", label="", url="https://m.example/1"), 7, 5, True),
        (
            post(guest="", label=""),
            post(feed_id="magazine", guest="", label="", url="https://m.example/1"),
            7,
            6,
            False,
        ),
    ],
)
def test_how_much_text_they_must_share(one: Entry, other: Entry, shared: int, own: int, certain: bool) -> None:
    """Half of the shorter text beside a link or the same title, two fifths beside the same guest; else a doubt."""
    first, second = bodies(shared, own)
    link = f'<a href="{other.url}"></a>' if other.url and other.title != one.title else ""
    found = pair([replace(one, body_html=first + link), replace(other, body_html=second)])
    assert (len(found.pairs), len(found.uncertain)) == ((1, 0) if certain else (0, 1))


@pytest.mark.parametrize(
    ("one", "other", "certain"),
    [("Fire water earth steel stone", "Fire water earth metal cloud", True), ("Fire water steel", "Fire metal", False)],
)
def test_a_link_and_most_words_of_the_title(one: str, other: str, certain: bool) -> None:
    """Three of five words of four letters or more, whichever of the two links to the other."""
    first, second = post(title=one, guest="", label=""), episode(title=other)
    for entries in (
        [replace(first, body_html=f'<a href="{second.url}">x</a>'), second],
        [first, replace(second, body_html=f"<a href='{first.url}'>x</a>")],
    ):
        assert bool(pair(entries).pairs) is certain


@pytest.mark.parametrize(
    ("one", "other", "guest", "paired"),
    [
        ("Cold boats, slow stoves", "Slow stoves, cold boats", "", True),
        ("Cold boats and stoves", "Stoves and cold boats", "", True),
        ("Cold boats", "Boats, cold", "", False),
        ("Cold boats", "Boats, cold", "Nell Tarrant", True),
        ("Boats of her", "Her boats of", "Nell Tarrant", False),
        ("Cold boats, 7 stoves", "8 stoves, cold boats", "", False),
        ("Cold boats, kettles", "Cold boats, kettless", "", True),
        ("Cold boats and stoves", "Cold boats and reeds", "", False),
    ],
)
def test_similar_titles(one: str, other: str, guest: str, paired: bool) -> None:
    """One letter, or the order of three words of four letters or more; with the same guest two are enough."""
    found = pair([post(title=one, guest=guest, label=""), episode(title=other, guest=guest)])
    assert bool(found.pairs) is paired


@pytest.mark.parametrize(
    ("seconds", "certain"), [(1920, True), (1921, False), (1680, True), (1679, False), (None, False)]
)
def test_recordings_of_one_title_and_length(seconds: int | None, certain: bool) -> None:
    """Two minutes more or less are the same."""
    other = Enclosure(url="https://cdn.example/x.mp3", media_type="audio/mpeg")
    copy = episode(feed_id="network", url="https://n.example/1", enclosure=other, duration_seconds=seconds)
    found = pair([episode(duration_seconds=1800), copy])
    assert (len(found.pairs), len(found.uncertain)) == ((1, 0) if certain else (0, 1))


def test_of_equal_evidence_the_nearest_wins() -> None:
    """An earlier episode with the same guest stays alone if one is nearer."""
    casts = [
        episode(guid=title, title=title, url="", guest="Nell Tarrant", published_at=TUESDAY + days * DAY)
        for title, days in (("Fish", -3), ("Peat", 1))
    ]
    (found,) = pair([post(title="Fire"), *casts]).pairs
    assert found.second.title == "Peat"


def test_lesser_entries_wait_for_better_ones() -> None:
    """A transcript, or what the feed calls a trailer or bonus, takes a partner only if nobody else wants it."""
    transcript = post(guid="t", title="Transcript: Cooking by the tides", published_at=episode().published_at)
    similar = post(title="Cookinng by the tides")
    (found,) = pair([transcript, similar, episode()]).pairs
    assert found.first == similar
    assert len(pair([transcript, episode()]).pairs) == 1
    for kind in ("trailer", "bonus"):
        lesser = episode(guid="t", title="Cooking by the tides", episode_type=kind, published_at=TUESDAY)
        (found,) = pair([post(), lesser, episode(title="Cookinng by the tides")]).pairs
        assert found.second.title == "Cookinng by the tides"


@pytest.mark.parametrize(("gap", "paired"), [(timedelta(hours=3), True), (timedelta(hours=3, seconds=1), False)])
def test_a_repost_is_not_a_series(gap: timedelta, paired: bool) -> None:
    """Two posts of one title within three hours; later ones leave less time for an episode of that title."""
    again = [post(guid=str(n), title="Supper", guest="", published_at=TUESDAY + n * gap) for n in range(2)]
    late = episode(title="Supper", published_at=TUESDAY + 2 * DAY)
    assert bool(pair([*again, late]).pairs) is paired


@pytest.mark.parametrize(
    ("sites", "paired"), [("ab", True), ("abc", False), ("aab", True), ("aabc", False), ("aaabc", True)]
)
def test_feeds_of_links(sites: str, paired: bool) -> None:
    """A feed whose posts lead to many sites, none of them to more than half: a title alone pairs none of them."""
    titles = ["Cooking by the tides", *(f"Number {n} of many" for n in range(1, 9))]
    links = [
        post(feed_id="links", guid=str(n), title=title, url=f"https://{site}.example/{n}", guest="", label="")
        for n, (title, site) in enumerate(zip(titles, sites, strict=False))
    ]
    found = pair([*links, episode(guest="")])
    assert bool(found.pairs) is paired
    assert found.uncertain == ()


def test_stories_and_the_ends_of_their_decisions() -> None:
    """Pairs that share an entry are one story, in the order of the entries; a doubt is noted at both."""
    copy = post(feed_id="magazine", url="https://magazine.example/7", label="", body_html=NOTES)
    own = post(guid="own", label="Guest Blog", title="How to prune", url="https://h.example/prune", guest="Ada Lund")
    doubt = episode(
        guid="d", title="Ada Lund: a soup for weddings", url="", enclosure=Enclosure(url="https://c.example/d.mp3")
    )
    entries = [own, episode(), copy, doubt, post(body_html=NOTES)]
    joined = join_stories([stored(one, number) for number, one in enumerate(entries, 1)])
    assert [[one.entry_id for one in story] for story in joined.stories] == [[1], [2, 3, 5], [4]]
    paired = "paired: same title apart from its prefix, one day apart"
    assert joined.notes == {
        1: "may be one story with “Ada Lund: a soup for weddings”, not paired: same guest, but different text, "
        "one day apart",
        4: "may be one story with “How to prune”, not paired: same guest, but different text, one day apart",
        2: paired,
        3: "paired: same title and similar text, the same day",
        5: "paired: same title and similar text, the same day",
    }


@pytest.mark.parametrize(
    ("changes", "paired"),
    [
        ({"url": "https://podcasts.harbourtable.example/"}, False),
        ({"url": "https://podcasts.harbourtable.example"}, False),
        ({"url": "https://podcasts.harbourtable.example/?p=14"}, True),
        ({"url": "https://podcasts.harbourtable.example/14"}, True),
    ],
)
def test_a_home_page_identifies_nothing(changes: dict[str, str], paired: bool) -> None:
    """A page has a path or a query."""
    one, other = post(title="Fire", guest="", label="", **changes), episode(title="Fish", **changes)
    assert bool(pair([one, other]).pairs) is paired


@pytest.mark.parametrize(
    ("persons", "guest"),
    [
        ((Person(name="Nell Tarrant", role="Guest"),), True),
        ((Person(name="Nell Tarrant", role="host"),), False),
        ((Person(name="Nell", role="guest"), Person(name="Tarrant", role="guest")), True),
    ],
)
def test_guests_of_an_episode(persons: tuple[Person, ...], guest: bool) -> None:
    """Those that it names as guests (podcast:person); titles of people are no names."""
    for name in ("Nell Tarrant", "Dr Nell Tarrant", "Nell and Tarrant"):
        assert bool(pair([post(title="Fire", guest=name), episode(title="Fish", persons=persons)]).pairs) is guest
    assert not pair([post(title="Fire", guest="Dr Nell"), episode(title="Fish", persons=persons)]).pairs


# ── Properties ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_order_of_input_does_not_matter() -> None:
    """Shuffled entries give the same pairs in the same order."""
    entries = [entry for name in SETS for case in load(name) for entry in case.entries.values()]
    expected = pair(entries)
    for seed in range(3):
        shuffled = random.Random(seed).sample(entries, len(entries))
        assert pair(shuffled) == expected


def test_one_partner_per_feed() -> None:
    """A daily show of one title in two feeds is paired one to one, day by day."""
    days = [timedelta(days=day) for day in range(30)]
    posts = [post(guid=f"p{day.days}", url="", title="Bulletin", published_at=TUESDAY + day) for day in days]
    casts = [
        replace(episode(title="Bulletin"), guid=f"e{day.days}", enclosure=None, published_at=TUESDAY + day)
        for day in days
    ]
    heard = [replace(one, enclosure=Enclosure(url=f"https://cdn.example/{one.guid}.mp3")) for one in casts]
    pairs = pair([*posts, *heard]).pairs
    assert [(found.first.guid[1:], found.second.guid[1:]) for found in pairs] == [(str(n), str(n)) for n in range(30)]


def test_time_grows_linearly() -> None:
    """Sixteen times as many entries do not take forty times as long."""
    entries = [
        make(guid=str(n), title=f"Bulletin {n % 40}", url=f"https://x.example/{n}", published_at=TUESDAY + n * DAY)
        for n in range(1_000)
        for make in (post, episode)
    ]
    assert_linear(lambda count: pair(entries[: 2 * count]), 15)


# ── Titles ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "title",
    [
        "Salt, Smoke & Patience",
        "14. Salt, smoke and patience",
        "#14 – Salt, smoke and patience",
        "Ep. 14: “Salt, smoke and patience”",
        "Episode 14 | Salt, smoke and patience",
        "S2E3: Salt, smoke and patience",
        "Season 2, Episode 3: Salt, smoke and patience",
        "Folge 14: Salt, smoke and patience",
        "Salt, smoke and patience (Ep. 14)",
        "Podcast: Salt, smoke and patience",
        "Show notes – Salt, smoke and patience",
        "Re-run: Salt, smoke and patience",
        "Transcript: 14. Salt, smoke and patience",
    ],
)
def test_decoration_of_titles_is_removed(title: str) -> None:
    """Episode numbers, labels, quotes and case are ignored."""
    assert parse_title(title).text == "salt smoke and patience"


@pytest.mark.parametrize(
    ("title", "whole"),
    [
        ("7 habits of a tidy galley", "7 habits of a tidy galley"),
        ("Episode 31", "episode 31"),
        ("The Extra Mile", "the extra mile"),
        ("Bonus", "bonus"),
        ("", ""),
    ],
)
def test_a_title_is_never_emptied(title: str, whole: str) -> None:
    """A number that belongs to the title stays."""
    assert parse_title(title).text == whole


@pytest.mark.parametrize("title", ["Kilns, part two", "Kilns (Part 2)", "Kilns – part II", "Öfen, Teil zwei"])
def test_part_is_read_in_words_and_figures(title: str) -> None:
    """However it is written, it is part 2."""
    assert parse_title(title).parts == {"2"}
