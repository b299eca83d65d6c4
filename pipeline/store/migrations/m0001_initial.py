"""Create the schema of the first release."""

from __future__ import annotations

from sqlalchemy import Connection

_TYPES = {
    "sqlite": {"id": "INTEGER", "ref": "INTEGER", "instant": "DATETIME", "blob": "BLOB", "false": "0"},
    "postgresql": {
        "id": "BIGSERIAL",
        "ref": "BIGINT",
        "instant": "TIMESTAMP WITH TIME ZONE",
        "blob": "BYTEA",
        "false": "false",
    },
}
_TABLES = (
    """CREATE TABLE commit_counter (counter_id INTEGER NOT NULL PRIMARY KEY, commits BIGINT NOT NULL)""",
    "INSERT INTO commit_counter VALUES (1, 0)",
    """CREATE TABLE feed (
feed_id TEXT NOT NULL PRIMARY KEY, url TEXT NOT NULL, etag TEXT NOT NULL, last_modified TEXT NOT NULL,
body_sha256 TEXT NOT NULL, channel JSON NOT NULL, first_read_at {instant}, checked_at {instant}, read_at {instant},
due_at {instant}, failures INTEGER NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL, advice TEXT NOT NULL,
current_url TEXT NOT NULL, moved_to TEXT NOT NULL, moved_first_at {instant}, moved_count INTEGER NOT NULL,
document_at {instant}, new_content_at {instant}, retry_at {instant}, retry_host TEXT NOT NULL, gone_at {instant},
failing_since {instant})""",
    """CREATE TABLE entry (
entry_id {id} NOT NULL PRIMARY KEY, feed_id TEXT NOT NULL REFERENCES feed (feed_id), guid TEXT NOT NULL,
guid_sha256 VARCHAR(64) NOT NULL, url_key TEXT NOT NULL, enclosure_key TEXT NOT NULL, media_type TEXT NOT NULL,
fingerprint TEXT NOT NULL, title TEXT NOT NULL, duration_seconds BIGINT, published_at {instant} NOT NULL,
dated_by TEXT NOT NULL, raw_hash TEXT NOT NULL, first_seen_at {instant} NOT NULL, changed_at {instant} NOT NULL,
vanished_at {instant}, withdrawn_at {instant}, quarantined_at {instant}, deleted_at {instant},
archived BOOLEAN NOT NULL, assigned_week TEXT, released_from TEXT)""",
    "CREATE UNIQUE INDEX entry_guid ON entry (feed_id, guid_sha256)",
    "CREATE INDEX entry_published ON entry (feed_id, published_at, deleted_at)",
    "CREATE INDEX entry_week ON entry (assigned_week) WHERE assigned_week IS NOT NULL",
    "CREATE INDEX entry_unassigned ON entry (feed_id, published_at)"
    " WHERE assigned_week IS NULL AND (archived IS {false} OR released_from IS NOT NULL)",
    "CREATE INDEX entry_released ON entry (released_from) WHERE released_from IS NOT NULL",
    "CREATE INDEX entry_present ON entry (feed_id, raw_hash) WHERE vanished_at IS NULL",
    "CREATE INDEX entry_page ON entry (substr(url_key, 1, 200), feed_id)",
    "CREATE INDEX entry_media ON entry (substr(enclosure_key, 1, 200), feed_id) WHERE enclosure_key != ''",
    "CREATE INDEX entry_quarantined ON entry (feed_id) WHERE quarantined_at IS NOT NULL",
    """CREATE TABLE content (
entry_id {ref} NOT NULL PRIMARY KEY REFERENCES entry (entry_id), details JSON NOT NULL, body_html TEXT NOT NULL)""",
    """CREATE TABLE entry_revision (
entry_id {ref} NOT NULL REFERENCES entry (entry_id), fingerprint TEXT NOT NULL, title TEXT NOT NULL,
details JSON NOT NULL, body_html TEXT NOT NULL, replaced_at {instant} NOT NULL, PRIMARY KEY (entry_id, fingerprint))""",
    """CREATE TABLE archive_position (
feed_id TEXT NOT NULL PRIMARY KEY, next_url TEXT NOT NULL, page_hashes JSON NOT NULL, entry_count INTEGER NOT NULL,
done BOOLEAN NOT NULL, read_at {instant} NOT NULL)""",
    """CREATE TABLE episode_detail (
url TEXT NOT NULL PRIMARY KEY, lines JSON NOT NULL, fetched_at {instant} NOT NULL)""",
    """CREATE TABLE image_size (
url TEXT NOT NULL PRIMARY KEY, width BIGINT, height BIGINT, length_bytes BIGINT, fetched_at {instant} NOT NULL)""",
    """CREATE TABLE closed_week (week TEXT NOT NULL PRIMARY KEY, closed_at {instant} NOT NULL)""",
    """CREATE TABLE edition (
week TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, number INTEGER UNIQUE, revision INTEGER NOT NULL, version INTEGER,
changed_at {instant}, changed_by TEXT NOT NULL, note TEXT NOT NULL)""",
    """CREATE TABLE sealed_edition (
week TEXT NOT NULL REFERENCES edition (week), version INTEGER NOT NULL, sealed_at {instant} NOT NULL,
sealed_by TEXT NOT NULL, content_hash TEXT NOT NULL, subject TEXT NOT NULL, preheader TEXT NOT NULL,
html {blob} NOT NULL, text {blob} NOT NULL, eml {blob} NOT NULL, manifest {blob} NOT NULL, stories JSON NOT NULL,
overrides JSON NOT NULL, PRIMARY KEY (week, version))""",
    """CREATE TABLE edition_entry (
entry_id {ref} NOT NULL PRIMARY KEY, week TEXT NOT NULL, late_counterpart BOOLEAN NOT NULL,
FOREIGN KEY(entry_id) REFERENCES entry (entry_id), FOREIGN KEY(week) REFERENCES edition (week))""",
    "CREATE INDEX edition_entry_week ON edition_entry (week)",
    """CREATE TABLE published_text (
key BIGINT NOT NULL, entry_id {ref} NOT NULL REFERENCES entry (entry_id), PRIMARY KEY (key, entry_id))""",
    """CREATE TABLE link_check (
content_hash TEXT NOT NULL PRIMARY KEY, checked_at {instant} NOT NULL, results JSON NOT NULL)""",
    """CREATE TABLE excerpt (key TEXT NOT NULL PRIMARY KEY, markdown TEXT NOT NULL, created_at {instant} NOT NULL)""",
    """CREATE TABLE proof (
week TEXT NOT NULL, content_hash TEXT NOT NULL, sequence INTEGER NOT NULL, claimed_at {instant} NOT NULL,
sent_at {instant}, manifest {blob} NOT NULL, PRIMARY KEY (week, content_hash, sequence))""",
    """CREATE TABLE used_token (token_key TEXT NOT NULL PRIMARY KEY, used_at {instant} NOT NULL)""",
    """CREATE TABLE run (
task_id TEXT NOT NULL, period_key TEXT NOT NULL, claimed_at {instant} NOT NULL, claimed_by TEXT NOT NULL,
attempts INTEGER NOT NULL, status TEXT NOT NULL, message TEXT NOT NULL, finished_at {instant}, retry_at {instant},
PRIMARY KEY (task_id, period_key))""",
    """CREATE TABLE newest_run (task_id TEXT NOT NULL PRIMARY KEY, period_key TEXT NOT NULL)""",
    """CREATE TABLE alert (
alert_id {id} NOT NULL PRIMARY KEY, key TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, level TEXT NOT NULL,
raised_at {instant} NOT NULL, closed_at {instant})""",
    'CREATE UNIQUE INDEX alert_open ON alert ("key") WHERE closed_at IS NULL',
    """CREATE TABLE alert_delivery (
alert_id {ref} NOT NULL REFERENCES alert (alert_id), channel TEXT NOT NULL, attempts INTEGER NOT NULL,
due_at {instant}, sent_at {instant}, error TEXT NOT NULL, PRIMARY KEY (alert_id, channel))""",
    "CREATE INDEX alert_delivery_due ON alert_delivery (due_at) WHERE due_at IS NOT NULL",
    """CREATE TABLE owner (owner_id INTEGER NOT NULL PRIMARY KEY, publication TEXT NOT NULL, config TEXT NOT NULL)""",
    """CREATE TABLE signing_key (purpose TEXT NOT NULL PRIMARY KEY, secret TEXT NOT NULL)""",
)
# The full-text index follows the same rules in both databases: words are split at whatever is no letter or digit, lose
# accents and case and are reduced to their stems by Porter's algorithm; no word is left out for being frequent.
_WORDS = {
    "sqlite": (
        """CREATE VIRTUAL TABLE entry_words
USING fts5(title, text, content='', columnsize=0, tokenize='porter unicode61 remove_diacritics 2')""",
        """CREATE TRIGGER entry_words_fill AFTER INSERT ON content BEGIN
INSERT INTO entry_words (rowid, title, text)
SELECT entry.entry_id, entry.title, coalesce(json_extract(details, '$.excerpt_text'), '') || ' ' ||
coalesce(json_extract(details, '$.categories'), '') || ' ' || coalesce(json_extract(details, '$.guest'), '')
FROM content JOIN entry ON entry.entry_id = content.entry_id WHERE content.entry_id = new.entry_id; END""",
    ),
    "postgresql": (
        "CREATE TEXT SEARCH DICTIONARY pipeline_stem (TEMPLATE = snowball, LANGUAGE = porter)",
        "CREATE TEXT SEARCH CONFIGURATION pipeline_words (PARSER = default)",
        """ALTER TEXT SEARCH CONFIGURATION pipeline_words
ADD MAPPING FOR asciiword, word, numword, uint, int, float, sfloat, version WITH pipeline_stem""",
        # The parser would keep URLs, paths and compounds whole, so punctuation becomes blanks before it runs.
        r"""CREATE FUNCTION pipeline_plain(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT regexp_replace(regexp_replace(normalize(left(value, 100000), NFKD), '[\u0300-\u036f]+', '', 'g'),
'[\u0021-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007e]+', ' ', 'g') $$""",
        """CREATE FUNCTION pipeline_vector(title text, details json) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
SELECT to_tsvector('pipeline_words', pipeline_plain(title || ' ' || coalesce(details ->> 'excerpt_text', '') || ' ' ||
coalesce(details ->> 'categories', '') || ' ' || coalesce(details ->> 'guest', ''))) $$""",
        "CREATE TABLE entry_words (entry_id BIGINT PRIMARY KEY, words tsvector)",
        "CREATE INDEX entry_words_words ON entry_words USING gin (words)",
        """CREATE FUNCTION entry_words_fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
INSERT INTO entry_words SELECT entry_id, pipeline_vector(title, NEW.details) FROM entry WHERE entry_id = NEW.entry_id
ON CONFLICT DO NOTHING; RETURN NULL; END $$""",
        """CREATE TRIGGER entry_words_fill AFTER INSERT ON content
FOR EACH ROW EXECUTE FUNCTION entry_words_fill()""",
    ),
}


def upgrade(connection: Connection) -> None:
    """Create the tables, their indexes and the full-text index."""
    dialect = connection.dialect.name
    for statement in _TABLES:
        connection.exec_driver_sql(statement.format(**_TYPES[dialect]))
    for statement in _WORDS[dialect]:
        connection.exec_driver_sql(statement)
