"""Adding and removing feeds in config.toml leaves every other byte unchanged."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.history import remove_feed
from pipeline.config.toml_edit import add_feeds, delete_feed, format_feed, insert_feeds, rewrite_config
from pipeline.model.errors import ConfigError, RefusedError

HEAD = '# Mine.\n[publication]\nname = "N"   # a name\nurl = "https://h.example/"\nsender = "N <n@h.example>"\n\n'
BLOG = '[[feeds]]\nid = "blog"\nurl = "https://h.example/feed"\nkind = "blog"\n'
NEW = {"id": "new", "url": "https://n.example/", "kind": "blog"}
TABLE = format_feed(NEW)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (BLOG, BLOG + "\n" + TABLE, "at the end"),
        (BLOG.rstrip("\n"), BLOG + "\n" + TABLE, "at the end of a file without a last line break"),
        (BLOG + "# language = 'en'\n", BLOG + "# language = 'en'\n\n" + TABLE, "after spare lines of the last feed"),
        (
            BLOG + "\n\n# Fetching\n[fetch]\n",
            BLOG + "\n" + TABLE + "\n\n# Fetching\n[fetch]\n",
            "before others' comments",
        ),
        (
            BLOG + "# Fetching\n[fetch]\n",
            BLOG + "\n" + TABLE + "\n# Fetching\n[fetch]\n",
            "even where nothing is between",
        ),
        (BLOG + "[fetch]\n", BLOG + "\n" + TABLE + "\n[fetch]\n", "right before a header"),
        (BLOG + "[feeds.listen]\nA = 'https://a.example/'\n\n[fetch]\n",) * 2 + ("after what continues the last feed",),
        ("[fetch]\n\n" + BLOG + "\n[digest]\n", "[fetch]\n\n" + BLOG + "\n" + TABLE + "\n[digest]\n", "between others"),
        ("[fetch]\n", "[fetch]\n\n" + TABLE, "where there was no feed"),
        ("", TABLE, "where there was nothing"),
    ],
)
def test_a_new_table_follows_the_last_feed(before: str, after: str, why: str):
    """It is inserted after the last feed and its comments, and before the comments of the next section."""
    if before == after:
        after = before.replace("\n\n[fetch]", "\n\n" + TABLE + "\n[fetch]")
    assert insert_feeds(before, [NEW]) == after


@pytest.mark.parametrize(
    "odd",
    [
        'x = """\n[[feeds]]\n# not a comment\n"""\n',
        "x = '''\n[fetch]\n\n# text'''\n",
        'x = [\n["feeds"],\n  ["a"]\n]\n',
        "x = 1 # [[feeds]]\n",
        '"a b" = 1\n\n[ "quo.ted" ]   # odd\n[feeds_too]\n[[more]]\n[[more]]\n',
    ],
)
def test_multiline_values_are_not_headers(odd: str):
    """Strings and lists over several lines may contain lines that look like headers or comments."""
    last = BLOG + odd
    assert insert_feeds(HEAD + last, [NEW]).startswith(HEAD + BLOG)
    assert tomllib.loads(insert_feeds(HEAD + last, [NEW]))["feeds"][-1] == NEW
    assert delete_feed(insert_feeds(HEAD + last, [NEW]), 1) == HEAD + last
    assert TABLE in delete_feed(HEAD + last + "\n" + TABLE, 0)


def test_crlf_line_ends_are_kept():
    """A table added to a file with CRLF has CRLF."""
    text = (HEAD + BLOG).replace("\n", "\r\n")
    assert insert_feeds(text, [NEW]) == text + ("\n" + TABLE).replace("\n", "\r\n")


def test_removing_keeps_comments_of_other_tables():
    """Comments above a table and below a blank line stay; those in it and right below its settings are removed."""
    text = HEAD + "# The blog.\n" + BLOG + "# spare\n\n# The other.\n" + TABLE + "\n# Fetching.\n[fetch]\n"
    assert delete_feed(text, 0) == HEAD + "# The blog.\n# The other.\n" + TABLE + "\n# Fetching.\n[fetch]\n"
    assert delete_feed(text, 1) == (HEAD + "# The blog.\n" + BLOG + "# spare\n\n# The other.\n# Fetching.\n[fetch]\n")


def test_removing_includes_subtables():
    """[feeds.listen] below a feed is part of it."""
    listen = '\n[feeds.listen]\n"A" = "https://a.example/"\n'
    assert delete_feed(HEAD + BLOG + listen + "\n" + TABLE, 0) == HEAD + TABLE


LISTEN = '[feeds.listen]\n"A" = "https://a.example/"\n'


@pytest.mark.parametrize(
    ("text", "nth"),
    [
        ('feeds = [{ id = "blog" }]\n[fetch]\n', 0),
        (f"{BLOG}[fetch]\n{LISTEN}{TABLE}", 0),
        (f"{TABLE}{BLOG}[fetch]\n{LISTEN}", 1),
    ],
    ids=["an inline list", "what remains is no TOML", "what remains says something else"],
)
def test_tables_that_cannot_be_removed_safely_are_refused(text: str, nth: int):
    """Nothing is guessed; the error says what to do by hand."""
    with pytest.raises(RefusedError, match='remove the table of "blog" yourself'):
        delete_feed(text, nth)


def test_an_inline_list_of_feeds_is_refused():
    """The error contains the table to add by hand."""
    with pytest.raises(RefusedError, match=r'add this to it:\n\n\[\[feeds\]\]\nid = "new"'):
        insert_feeds('feeds = [{ id = "blog" }]\n[fetch]\n', [NEW])


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=20)
GAPS = st.sampled_from(["", "\n", "\n\n", "# a comment\n", "\n# one\n\n# two\n"])
TABLES = st.lists(st.tuples(GAPS, st.sampled_from(["[[feeds]]\n", "[a]\n", "[b]\n"]), WORDS, GAPS), max_size=6)


def written(tables: list[tuple[str, str, str, str]]) -> str:
    """Return a config file with the tables [a] and [b] at most once."""
    seen: set[str] = set()
    parts = []
    for above, header, word, below in tables:
        if header == "[[feeds]]\n" or header not in seen:
            seen.add(header)
            parts.append(above + header + format_feed({"id": word}).removeprefix("[[feeds]]\n") + below)
    return "".join(parts)


def is_part_of(part: str, whole: str) -> bool:
    """Check whether every line of a text is in another, unchanged and in order."""
    remaining = iter(whole.split("\n"))
    return all(line in remaining for line in part.split("\n"))


@settings(max_examples=25)
@given(TABLES, WORDS)
def test_adding_and_removing_restores_the_file(tables: list[tuple[str, str, str, str]], word: str):
    """The old lines stay in order, only the table and blank lines are added, and removing the table undoes it."""
    before = written(tables)
    after = insert_feeds(before, [{"id": word, "section": word}])
    added = len(after) - len(before) - len(format_feed({"id": word, "section": word}))
    assert 0 <= added <= 3  # blank lines around it
    assert is_part_of(before, after)
    again = delete_feed(after, len(tomllib.loads(after)["feeds"]) - 1)
    assert [line for line in again.split("\n") if line] == [line for line in before.split("\n") if line]


@settings(max_examples=25)
@given(TABLES, st.integers(0, 5))
def test_removing_keeps_every_other_line(tables: list[tuple[str, str, str, str]], nth: int):
    """The remaining lines are unchanged and in order, and so are the settings of the other feeds."""
    before = written(tables)
    feeds = tomllib.loads(before).get("feeds", [])
    if nth >= len(feeds):
        return
    after = delete_feed(before, nth)
    assert tomllib.loads(after).get("feeds", []) == feeds[:nth] + feeds[nth + 1 :]
    assert is_part_of(after, before)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes((HEAD + BLOG).encode())
    return path


def test_a_file_keeps_its_mode_and_its_byte_order_mark(config):
    """The file is replaced in one step, no temporary file is left, and its permissions stay."""
    config.write_bytes(b"\xef\xbb\xbf" + config.read_bytes())
    config.chmod(0o600)
    add_feeds(config, [NEW])
    assert config.read_bytes() == b"\xef\xbb\xbf" + f"{HEAD}{BLOG}\n{TABLE}".encode()
    assert config.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in config.parent.iterdir()] == ["config.toml"]
    remove_feed(config, "new")
    assert config.read_bytes() == b"\xef\xbb\xbf" + (HEAD + BLOG).encode()


def test_an_invalid_result_is_not_written(config):
    """The result is validated as at start; after an error the file and the folder are unchanged."""
    with pytest.raises(ConfigError, match=r'kind = "newspaper" is not allowed'):
        add_feeds(config, [NEW | {"kind": "newspaper"}])
    assert config.read_text() == HEAD + BLOG
    assert [path.name for path in config.parent.iterdir()] == ["config.toml"]


def test_an_unwritable_folder_is_an_error(config):
    """If no file can be created in the folder, nothing is changed."""
    (config.parent / ".config.toml.new").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        add_feeds(config, [NEW])
    assert config.read_text() == HEAD + BLOG


def test_a_concurrent_change_is_not_overwritten(config):
    """If the file was saved in the meantime, that text stays, and the error says to try again."""

    def slow_edit(text: str) -> str:
        config.write_text(HEAD + BLOG + "# theirs\n")
        return text + "# ours\n"

    with pytest.raises(RefusedError, match="changed by another process"):
        rewrite_config(config, slow_edit)
    assert config.read_text() == HEAD + BLOG + "# theirs\n"
