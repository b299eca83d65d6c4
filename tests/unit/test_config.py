"""Errors in config.toml name the file, the key, the value and what is allowed."""

import re
import tomllib
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from pipeline.config import load_config, parse_config, reference
from pipeline.model.errors import ConfigError
from pipeline.model.schedule import Every

ROOT = Path(__file__).parent.parent.parent
IMAP = {"imap_host": "imap.x.example", "imap_username": "b", "imap_password_env": "IMAP_PASSWORD"}
PUBLICATION = {"name": "N", "url": "https://example.org/", "sender": "N <n@example.org>"}
BLOCK = {"text": "Salt", "kind": "notice"}
DAYS = {"from": date(2026, 3, 2), "until": date(2026, 3, 1)}
FEED = {"id": "blog", "url": "https://example.org/feed/", "kind": "blog"}


def config(**sections):
    return parse_config({"publication": PUBLICATION, "feeds": [FEED]} | sections, Path("config.toml"))


def refusal(**sections):
    with pytest.raises(ConfigError) as refused:
        config(**sections)
    assert refused.value.exit_code == 2
    return str(refused.value)


def test_missing_settings_have_their_default():
    """Three settings of the publication and one feed are enough."""
    loaded = config()
    assert loaded.publication.timezone == "UTC"
    assert loaded.fetch.timeout_seconds == 20
    assert loaded.digest.week_closes == "mon 00:00"
    assert isinstance(loaded.schedule.fetch, Every)


def test_the_demo_config_names_every_setting():
    """The config.toml at the top level contains all settings, and its commented-out settings are valid."""
    text = (ROOT / "config.toml").read_text()
    assert [
        setting.key for setting in reference() if not re.search(rf"^(# )?{setting.key} = ", text, re.MULTILINE)
    ] == []
    text, editors = text.split("# [[editors]]\n")
    examples = re.findall(r"^# (\w+ = .*)$", text, re.MULTILINE)
    editor = re.findall(r"^# (\w+ = .*)$", editors.partition("\n\n")[0], re.MULTILINE)
    assert config(editors=[tomllib.loads("\n".join(editor))]).editors[0].may_approve
    token = next(line for line in examples if line.startswith("token_env"))
    for lines in ([token], [line for line in examples if line != token]):
        config(feeds=[FEED | tomllib.loads("\n".join(lines))])
    load_config(ROOT / "config.toml")


def test_the_demo_config_shows_the_defaults():
    """The demo config shows the default of a setting unless it needs another value."""
    text = (ROOT / "config.toml").read_text()
    shown = [setting for setting in reference() if setting.section in ("fetch", "digest", "store", "schedule")]
    differing = [setting.key for setting in shown if f"\n{setting.key} = {setting.default}" not in text]
    assert differing == ["fixtures"]


def test_a_block_has_days_and_several_lines():
    """TOML has dates of its own; one in quotes is the same, and an empty one is none."""
    text = "[[blocks]]\ntext = '''\nSalt.\n\n- one\n'''\nkind = \"notice\"\nfrom = 2026-03-02\nuntil = \"2026-03-02\"\n"
    (block,) = config(**tomllib.loads(text)).blocks
    assert (block.text, block.first_day, block.last_day) == ("Salt.\n\n- one", date(2026, 3, 2), date(2026, 3, 2))
    (block,) = config(blocks=[BLOCK | {"from": ""}]).blocks
    assert (block.first_day, block.last_day, block.position) == (None, None, "end")


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"fetch": {"timout_seconds": 3}}, "[fetch] timout_seconds is not a setting: did you mean timeout_seconds?"),
        ({"digets": {}}, "digets is not a section: did you mean digest?"),
        ({"fetch": {"timeout_seconds": "20"}}, '[fetch] timeout_seconds = "20" is not allowed: give a number from 0.1'),
        ({"fetch": {"concurrency": 0}}, "[fetch] concurrency = 0 is not allowed: give a whole number from 1 to 500."),
        ({"fetch": {"concurrency": True}}, "[fetch] concurrency = true is not allowed"),
        ({"fetch": {"allow_private_networks": 1}}, "= 1 is not allowed: give true or false."),
        ({"digest": {"week_closes": "1 00:00"}}, '"1 00:00" is not allowed: give a weekday and a time'),
        ({"digest": {"theme": "../../etc"}}, "the name of a folder in templates/"),
        ({"store": {"url": "pipeline.db"}}, "[store] url is not allowed: give a database URL"),
        (
            {"schedule": {"draft": "0 7 * * 1"}},
            '[schedule] draft = "0 7 * * 1" is not allowed: give a schedule such as',
        ),
        ({"schedule": "mon 06:00"}, '[schedule] is "mon 06:00": make it a table: [schedule].'),
        ({"feeds": {"id": "blog"}}, "give [[feeds]] tables with id, url and kind."),
        ({"blocks": {"text": "Salt"}}, "give [[blocks]] tables with text and kind."),
        ({"blocks": [BLOCK, "Salt"]}, '[[blocks]] number 2 is "Salt": make it [[blocks]] tables.'),
        ({"blocks": [{"kind": "notice"}]}, "[[blocks]] number 1 text is missing: give Markdown"),
        ({"blocks": [BLOCK | {"text": " \n"}]}, "[[blocks]] number 1 text = "),
        ({"blocks": [BLOCK | {"kind": "advert"}]}, 'kind = "advert" is not allowed: give one of "notice", "sponsor"'),
        ({"blocks": [BLOCK | {"position": "top"}]}, 'position = "top" is not allowed: give one of "after-lead"'),
        ({"blocks": [BLOCK | {"from": "2 March"}]}, 'from = "2 March" is not allowed: give a date such as 2026-03-02'),
        (
            {"blocks": [BLOCK | {"until": datetime(2026, 3, 2, tzinfo=UTC)}]},
            "until = 2026-03-02 00:00:00+00:00 is not allowed: give a date",
        ),
        (
            {"blocks": [BLOCK | {"form": date(2026, 3, 2)}]},
            "[[blocks]] number 1 form is not a setting: did you mean from?",
        ),
        ({"blocks": [BLOCK, BLOCK | DAYS]}, "number 2 until = 2026-03-01 is before from = 2026-03-02: correct one"),
        ({"feeds": ["https://example.org/feed"]}, '[[feeds]] number 1 is "https://example.org/feed"'),
        ({"feeds": [FEED, FEED]}, '[[feeds]] id = "blog" is used twice'),
        ({"feeds": [FEED, FEED | {"id": "Blog"}]}, '[[feeds]] id = "Blog" is used twice'),
        ({"feeds": [FEED | {"kind": "newsletter"}]}, 'kind = "newsletter" is not allowed: give one of "blog"'),
        ({"feeds": [FEED | {"url": "file:///etc/passwd"}]}, "give a URL that starts with http:// or https://."),
        ({"feeds": [{"id": "blog", "kind": "blog"}]}, "[[feeds]] number 1 url is missing: give a URL"),
        ({"feeds": [FEED | {"listen": {"Apple": "nowhere"}}]}, "give names and URLs such as"),
        ({"publication": PUBLICATION | {"timezone": "London"}}, '"London" is not allowed: give a time zone'),
        ({"publication": PUBLICATION | {"timezone": "/etc/localtime"}}, "give a time zone"),
        ({"publication": PUBLICATION | {"timezone": 1}}, "timezone = 1 is not allowed: give a time zone"),
        ({"publication": PUBLICATION | {"language": "English!"}}, 'give a language tag such as "en-GB".'),
        ({"publication": PUBLICATION | {"sender": "nobody"}}, '"nobody" is not allowed: give an address such as'),
        ({"publication": PUBLICATION | {"sender": "A <a@b.example>\r\nBcc: c@d.example"}}, "is not allowed"),
        ({"publication": PUBLICATION | {"sender": "A\x1b <a@b.example>"}}, "remove the control character U+001B."),
        ({"publication": PUBLICATION | {"name": "Harbour\0"}}, "remove the control character U+0000."),
        ({"publication": PUBLICATION | {"postal_address": "1 Quay\x85"}}, "remove the control character U+0085."),
        ({"feeds": [FEED | {"url": "https://example.org/\x07"}]}, "remove the control character U+0007."),
        ({"publication": PUBLICATION | {"name": "  "}}, "give text that is not empty."),
        ({"bounces": {"address": "B <b@x.example>"}}, 'give an address such as "bounces@example.org", without "+"'),
        ({"bounces": {"address": "b+c@x.example"}}, 'with at most 30 characters before its "@"'),
        ({"bounces": {"address": f"{'b' * 31}@x.example"}}, 'with at most 30 characters before its "@"'),
        ({"bounces": {"address": "b@x.example\r\n"}}, "is not allowed"),
        ({"bounces": {"imap_folder": 'IN"BOX'}}, "give the name of a folder in ASCII"),
        ({"bounces": {"imap_host": "imap.x.example"}}, "imap_host needs a login: set imap_username"),
        ({"bounces": {"imap_username": "b"}}, "has a login but no server: set imap_host"),
        ({"bounces": IMAP | {"maildir": "box"}}, "has both maildir and imap_host"),
        ({"bounces": IMAP | {"imap_security": "none"}}, "would send the password unencrypted"),
        ({"bounces": IMAP | {"imap_password_env": "pa55word"}}, "imap_password_env is not allowed"),
        ({"delivery": {"backend": "smtp"}}, 'backend = "smtp" needs a mail server: set smtp_host.'),
        ({"delivery": {"backend": "maildir"}}, 'backend = "maildir" needs pages on which subscribers can unsubscribe'),
        ({"delivery": {"backend": "resend"}}, 'backend = "resend" needs a key: set api_key_env'),
        ({"delivery": {"api_url": "http://api.example.org"}}, 'give a URL such as "https://api.example.org"'),
        ({"delivery": {"api_region": "Ireland"}}, 'give a region such as "eu-west-1"'),
        ({"delivery": {"hours": "20:00-08:00"}}, 'give hours of a day such as "08:00-20:00"'),
        ({"delivery": {"hours": "8-20"}}, 'give hours of a day such as "08:00-20:00"'),
        ({"delivery": {"warm_up": [50, 0]}}, "give a list of at most 60 numbers"),
        ({"delivery": {"warm_up": [True]}}, "give a list of at most 60 numbers"),
        ({"delivery": {"warm_up": 50}}, "give a list of at most 60 numbers"),
    ],
)
def test_errors_name_the_key_and_what_is_allowed(sections, words):
    """An error names the file, the key, the value and what is allowed."""
    message = refusal(**sections)
    assert message.startswith("config.toml: ")
    assert words in message
    assert message.endswith((".", "?"))


MISTAKES = """\
colour = "red"

[publication]
name = "N"
timezone = "Europe/Lodon"
sender = "n@example.org"
tagline = \'\'\'first
timezone = "UTC"\'\'\'

[[feeds]]
id = "blog"
url = "ftp://example.org/"
kind = "blog"
[feeds.listen]
Apple = "nowhere"

[[feeds]]
id = "BLOG"
url = "https://example.org/feed/"
username = "ada"

[[blocks]]
text = '''Salt
[[blocks]]'''
kind = "notice"
until = "never"

[delivery]
smtp_host = "smtp.example.org"
smtp_security = "none"
"smtp_prot" = 25
"""


def test_all_mistakes_are_reported_at_once(tmp_path):
    """Each with the file, its line, the key and what is allowed, in the order of the file."""
    path = tmp_path / "config.toml"
    path.write_text(MISTAKES)
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    located = [
        (1, "colour is not a section: there are publication, feeds"),
        (3, "[publication] url is missing: give a URL"),
        (5, '[publication] timezone = "Europe/Lodon" is not allowed: give a time zone'),
        (7, r'[publication] tagline = "first\ntimezone = "UTC"" is not allowed: give text.'),
        (12, '[[feeds]] number 1 url = "ftp://example.org/" is not allowed'),
        (14, "[[feeds]] number 1 listen = "),
        (17, "[[feeds]] number 2 kind is missing"),
        (18, '[[feeds]] id = "BLOG" is used twice'),
        (20, '[[feeds]] id = "BLOG" has one of username and password_env'),
        (26, '[[blocks]] number 1 until = "never" is not allowed: give a date'),
        (30, '[delivery] smtp_security = "none" would send'),
        (31, "[delivery] smtp_prot is not a setting: did you mean smtp_port?"),
    ]
    assert str(refused.value) == "\n".join(refused.value.problems)
    assert len(refused.value.problems) == len(located)
    for problem, (line, words) in zip(refused.value.problems, located, strict=True):
        assert problem.startswith(f"{path}: line {line}: {words}")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('publication = { name = "N", url = "nowhere" }\n', {1}),
        ('publication.name = "N"\npublication.url = "nowhere"\npublication.sender = "n@n.example"\n', {2}),
        ('# [publication]\n[ publication ]\n  name = "N"\r\n  url = "nowhere"\n  sender = "n@n.example"\n', {4}),
        ('[publication]\nname = "N"\nurl = "https://n.example/"\nsender = "n@n.example"\n[feeds]\nid = "a"\n', {5}),
        ('[publication]\nname = "N"\nurl = "https://n.example/"\nsender = "n@n.example"\n[fetch.more]\nx = 1\n', {5}),
    ],
)
def test_mistakes_are_located_however_the_file_is_written(text, lines, tmp_path):
    """Inline tables, dotted keys, spaces, comments, and line breaks of Windows."""
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode())
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    located = {int(re.search(r": line (\d+): ", problem)[1]) for problem in refused.value.problems}
    assert located == lines


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Europe/Lodon", "Europe/London"),
        ("london", "Europe/London"),
        ("Berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("America/NewYork", "America/New_York"),
        ("europe/paris", "Europe/Paris"),
        ("Asia/Tokio", "Asia/Tokyo"),
    ],
)
def test_a_time_zone_is_suggested(written, meant):
    """The zone of a city, or one that is spelled similarly."""
    message = refusal(publication=PUBLICATION | {"timezone": written})
    assert message.endswith(f'database such as "Europe/London"; did you mean "{meant}"?')


def test_a_time_zone_like_no_other_has_no_suggestion():
    """Then the kind of value is all there is to say."""
    assert "did you mean" not in refusal(publication=PUBLICATION | {"timezone": "Xyzzy/Plugh"})


def test_errors_do_not_contain_passwords_of_urls():
    """An error never shows a password that is part of a URL."""
    assert "hunter2" not in refusal(store={"url": "mysql://root:hunter2@host/db"})


def test_a_missing_file_is_an_error_with_a_hint(tmp_path):
    """Without a config.toml the error mentions `pipeline init` and --config."""
    with pytest.raises(ConfigError, match=r"no such file; run `pipeline init`"):
        load_config(tmp_path / "config.toml")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"a = ", "is not valid TOML"), (b"\xff\xfe", "UTF-8"), (b"", "name is missing")],
)
def test_unreadable_files_are_refused(tmp_path, content, words):
    """Invalid TOML, another encoding and an empty file are errors of one sentence."""
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load_config(path)


def test_a_byte_order_mark_is_ignored(tmp_path):
    """Notepad writes one; the file is read all the same."""
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf" + (ROOT / "config.toml").read_bytes())
    assert load_config(path).publication.name == "Harbour & Hearth"


@pytest.mark.parametrize("value", [[1], "127.0.0.1", 7, [["10.0.0.0/8"]], ["10.0.0.1/8"], {"a": 1}])
@pytest.mark.parametrize("key", ["proxies", "embed_on"])
def test_a_list_of_addresses_has_texts_only(key, value):
    """A number is no address, nor is a text a list of them."""
    message = refusal(public={key: value})
    assert f"[public] {key}" in message
    assert "give a list of" in message


@pytest.mark.parametrize("value", [7, "7", "", ["7 days"], "7 days or so"])
def test_a_duration_has_a_number_and_a_unit(value):
    """Of whole hours, days or weeks."""
    assert 'such as "7 days"' in refusal(signup={"keep_unconfirmed": value})


def test_hours_and_daily_limits_are_read():
    """The dash may be a hyphen or an en dash."""
    settings = config(delivery={"hours": "08:00 – 20:30", "warm_up": [50, 100], "spread": "2 hours"}).delivery
    assert settings.hours == (time(8), time(20, 30))
    assert (settings.warm_up, settings.spread) == ((50, 100), timedelta(hours=2))
    assert config(delivery={"hours": ""}).delivery.hours is None
