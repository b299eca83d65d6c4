"""Themes: a folder of templates, found and compiled.

In: folders that may hold the theme and its name. Out: a Theme ready to render. Reads a theme's files, and what it
compiled before from a folder of the user's own among the temporary ones.

A theme ``journal`` is the folder ``journal/``. Its ``theme.toml`` says its colours and fonts, and which theme it
``extends``: a file it does not have is that theme's. ``digest.html.j2`` and ``digest.txt.j2`` are the two that are
printed. Where several folders have a theme, each file is taken from the first that has that file: a publisher can
replace one part and keep the rest. ``classic/parts/story.html.j2`` is that theme's own file, whoever has replaced it.
"""

from __future__ import annotations

import re
import tomllib
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from pipeline.digest.render.style import DEFAULT_STYLE, ThemeStyle, parse_style
from pipeline.model.errors import TemplateError
from pipeline.text.markdown import labelled, wrap

if TYPE_CHECKING:
    from types import CodeType

    from jinja2 import BytecodeCache, Environment, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A compiled theme."""

    name: str
    html: Template
    text: Template
    style: ThemeStyle = DEFAULT_STYLE


def load_theme(folders: Sequence[Path], name: str) -> Theme:
    """Find and compile a theme; the first folder that has a file wins.

    TemplateError: no folder has the theme, a file is missing, or one does not compile (with its file and line).
    """
    lineage = _lineage(folders, name)
    look = _look(folders, lineage)
    environment = _environment([*_own(folders, lineage), *folders])
    html, text = (_compiled(environment, each) for each in ("digest.html.j2", "digest.txt.j2"))
    return Theme(name=name, html=html, text=text, style=look)


def compile_theme(folders: Sequence[Path], name: str) -> int:
    """Compile every template that a theme has or inherits, and count them; TemplateError as above.

    Loading compiles the two that are printed; a part waits until something is told with it.
    """
    lineage = _lineage(folders, name)
    own = _own(folders, lineage)
    environment = _environment([*own, *folders])
    parts = {file.relative_to(folder).as_posix() for folder in own for file in folder.rglob("*.j2")}
    for part in sorted(parts | {"digest.html.j2", "digest.txt.j2"}):
        _compiled(environment, part)
    return len(parts)


def load_templates(folders: Sequence[Path], *names: str) -> tuple[Template, ...]:
    """Compile templates that belong to no theme; TemplateError as above."""
    environment = _environment(folders)
    return tuple(_compiled(environment, name) for name in names)


def render_template(template: Template, **told: Any) -> str:
    """Fill a template in; TemplateError when it asks for something that does not exist, with its file and line."""
    try:
        return template.render(told)
    except Exception as error:
        file, line = _whereabouts(error)
        if not file:
            raise
        raise TemplateError(f"Mend {file}, line {line}: {error}.", file=file, line=line) from error


def _whereabouts(error: Exception) -> tuple[str, int]:
    """Find the template line an error came from: jinja2 writes template lines into the traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
    return (frames[-1].filename, frames[-1].lineno or 0) if frames else ("", 0)


def _own(folders: Sequence[Path], lineage: Sequence[str]) -> list[Path]:
    return [folder / each for each in lineage for folder in folders if (folder / each).is_dir()]


def _lineage(folders: Sequence[Path], name: str) -> list[str]:
    """Name the theme and those it extends, itself first."""
    lineage = [name]
    while True:
        file, said = _theme_toml(folders, lineage[-1])
        extended = said.get("extends")
        if not extended:
            return lineage
        if extended in lineage:
            raise TemplateError(f"Take extends out of {file}: the theme comes back to itself.", file=file)
        lineage.append(extended)


def _look(folders: Sequence[Path], lineage: Sequence[str]) -> ThemeStyle:
    """Read a theme's look; what it does not say is as in the theme it extends."""
    look = DEFAULT_STYLE
    for name in reversed(lineage):
        file, said = _theme_toml(folders, name)
        look = parse_style(said, look, file)
    return look


def _theme_toml(folders: Sequence[Path], name: str) -> tuple[str, Mapping[str, Any]]:
    """Read what a theme says about itself; nothing where it says nothing."""
    found = [folder / name for folder in folders if (folder / name).is_dir()]
    if not found:
        raise TemplateError(
            f'There is no theme "{name}"; choose one of: {", ".join(_known(folders)) or "(none found)"}.'
        )
    file = next((folder / "theme.toml" for folder in found if (folder / "theme.toml").is_file()), None)
    if file is None:
        return "", {}
    try:
        return str(file), tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TemplateError(f"Mend {file}: {error}.", file=str(file)) from error


def _known(folders: Sequence[Path]) -> list[str]:
    marks = ("*/digest.html.j2", "*/theme.toml")
    return sorted({path.parent.name for folder in folders for mark in marks for path in folder.glob(mark)})


def _environment(folders: Sequence[Path]) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(folders),
        bytecode_cache=_compiled_before(),
        autoescape=select_autoescape(disabled_extensions=("txt.j2",), default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(wrap=wrap, labelled=labelled, underline=_underline, tight=_tight, bullet=_bullet)
    return environment


@cache
def _compiled_before() -> BytecodeCache:
    """Give what keeps compiled templates, by file and content: as long as the process lives, for the desk loads often.

    And longer where jinja2 finds a folder that is the user's alone, for compiling is a tenth of what a digest costs.
    """
    from jinja2 import BytecodeCache, FileSystemBytecodeCache
    from jinja2 import __version__ as version
    from jinja2.bccache import Bucket

    class Compiled(BytecodeCache):
        def __init__(self) -> None:
            self._kept: dict[str, tuple[str, CodeType | None]] = {}
            self._longer: BytecodeCache | None = None
            with suppress(OSError, RuntimeError):  # no folder that is safe: then it is compiled again the next time
                self._longer = FileSystemBytecodeCache(pattern=f"__pipeline_{version}_%s.cache")

        def load_bytecode(self, bucket: Bucket) -> None:
            checksum, code = self._kept.get(bucket.key, ("", None))
            if checksum == bucket.checksum:
                bucket.code = code
            elif self._longer:
                with suppress(OSError, EOFError, ValueError, UnpicklingError):  # a damaged one is written anew
                    self._longer.load_bytecode(bucket)
                self._kept[bucket.key] = bucket.checksum, bucket.code

        def dump_bytecode(self, bucket: Bucket) -> None:
            self._kept[bucket.key] = bucket.checksum, bucket.code
            if self._longer:
                with suppress(OSError):
                    self._longer.dump_bytecode(bucket)

    return Compiled()


def _underline(text: str, mark: str) -> str:
    """Underline a heading for the text part, as long as its longest line but no wider than the text.

    >>> print(_underline("To read", "-"))
    To read
    -------
    """
    lines = wrap(text)
    return lines + "\n" + mark * min(72, max(map(len, lines.split("\n"))))


def _bullet(text: str) -> str:
    """Write an item of a list, its lines set in.

    >>> _bullet("Salt")
    '- Salt'
    """
    return "- " + wrap(text, 70).replace("\n", "\n  ")


def _tight(text: str) -> str:
    """Leave no blank line at the ends and one at most between.

    >>> _tight("\\nA\\n\\n\\n\\nB\\n")
    'A\\n\\nB'
    """
    return re.sub(r"\n{3,}", "\n\n", text.strip())


def _compiled(environment: Environment, name: str) -> Template:
    from jinja2 import TemplateNotFound, TemplateSyntaxError

    try:
        return environment.get_template(name)
    except TemplateNotFound as error:
        raise TemplateError(f'The theme has no "{error.name}": restore that file.', file=str(error.name)) from error
    except TemplateSyntaxError as error:
        where = error.filename or name
        raise TemplateError(
            f"Mend {where}, line {error.lineno}: {error.message}.", file=where, line=error.lineno
        ) from error
