"""The index of words on PostgreSQL, too: what SQLite has had since step 3, by the same rules.

Words are cut apart at whatever is no letter or digit, lose accents and case, and are cut to their stems by the same
algorithm, Porter's; none is left out for being frequent, whatever the server's language.
"""

from __future__ import annotations

from sqlalchemy import Connection

STEPS = (
    "CREATE TEXT SEARCH DICTIONARY pipeline_stem (TEMPLATE = snowball, LANGUAGE = porter)",
    "CREATE TEXT SEARCH CONFIGURATION pipeline_words (PARSER = default)",
    """ALTER TEXT SEARCH CONFIGURATION pipeline_words
ADD MAPPING FOR asciiword, word, numword, uint, int, float, sfloat, version WITH pipeline_stem""",
    # The parser would keep addresses, paths and compounds whole. A word is short, and so is all that is indexed.
    r"""CREATE FUNCTION pipeline_plain(said text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT regexp_replace(regexp_replace(normalize(left(said, 100000), NFKD), '[\u0300-\u036f]+', '', 'g'),
'[\u0021-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007e]+', ' ', 'g') $$""",
    """CREATE FUNCTION pipeline_sentences(title text, facts json) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
SELECT to_tsvector('pipeline_words', pipeline_plain(title || ' ' || coalesce(facts ->> 'excerpt_text', '') || ' ' ||
coalesce(facts ->> 'categories', '') || ' ' || coalesce(facts ->> 'guest', ''))) $$""",
    """CREATE TABLE entry_words AS SELECT entry_id, pipeline_sentences(title, facts) AS words
FROM content JOIN entry USING (entry_id)""",
    "ALTER TABLE entry_words ADD PRIMARY KEY (entry_id)",
    "CREATE INDEX entry_words_words ON entry_words USING gin (words)",
    """CREATE FUNCTION entry_words_fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
INSERT INTO entry_words SELECT entry_id, pipeline_sentences(title, NEW.facts) FROM entry WHERE entry_id = NEW.entry_id
ON CONFLICT DO NOTHING; RETURN NULL; END $$""",
    """CREATE TRIGGER entry_words_fill AFTER INSERT ON content
FOR EACH ROW EXECUTE FUNCTION entry_words_fill()""",
)


def upgrade(connection: Connection) -> None:
    """Create it, with what is stored already."""
    if connection.dialect.name == "postgresql":
        for step in STEPS:
            connection.exec_driver_sql(step)
