"""Themes: folders of templates, found and compiled.

A theme ``journal`` is the folder ``journal/``. Its ``theme.toml`` sets colours and fonts, and the theme that it
``extends``: a file that it lacks is taken from there. ``digest.html.j2`` and ``digest.txt.j2`` are rendered. Where
several folders have a theme, each file is taken from the first that has it: a publisher can replace one part and keep
the rest. ``classic/parts/story.html.j2`` always means that theme's own file.
"""

from __future__ import annotations

import re
import tomllib
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, is_dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from pipeline.digest.render.style import DEFAULT_STYLE, ThemeStyle, parse_style
from pipeline.model.errors import TemplateError
from pipeline.text.headlines import display_width
from pipeline.text.no_break import keep_phrase_together
from pipeline.text.wrap import labelled, wrap, wrap_parts

if TYPE_CHECKING:
    from types import CodeType

    from jinja2 import BytecodeCache, Environment, StrictUndefined, Template

_DIGEST = "digest"
_DEFAULT_THEME = "classic"
_ENDINGS = (".html.j2", ".txt.j2")
_THEME_FILES = ("*/digest.html.j2", "*/theme.toml")
"""Files of which every theme has one."""
_RENDERED = tuple(_DIGEST + ending for ending in _ENDINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A compiled theme."""

    name: str
    html: Template
    text: Template
    style: ThemeStyle = DEFAULT_STYLE


def load_theme(folders: Sequence[Path], name: str, template: str = _DIGEST) -> Theme:
    """Return a compiled theme; of each file, the first folder that has it wins.

    ``template`` is what is rendered instead of the newsletter, for example ``mail/guide``; the parts of a theme that
    extends none are then those of ``classic`` where it lacks them. Raise TemplateError if the theme or a file is
    missing, or does not compile (with its file and line).
    """
    names = _with_parents(folders, name)
    style = DEFAULT_STYLE
    for parent in reversed(names):
        file, settings = _read_settings(folders, parent)
        style = parse_style(settings, style, file)
    searched = names if template == _DIGEST else [*names, _DEFAULT_THEME]
    environment = _environment([*_theme_folders(folders, searched), *folders])
    html, text = (_compile(environment, template + ending) for ending in _ENDINGS)
    return Theme(name=name, html=html, text=text, style=style)


def theme_names(folders: Sequence[Path]) -> tuple[str, ...]:
    """Return the names of all themes in some folders, in alphabetical order."""
    files = (file for folder in folders for pattern in _THEME_FILES for file in folder.glob(pattern))
    return tuple(sorted({file.parent.name for file in files}))


def compile_theme(folders: Sequence[Path], name: str) -> int:
    """Compile every template that a theme has or inherits, and return their number; raise as ``load_theme``.

    ``load_theme`` compiles only the two that are rendered; their parts are compiled when first used. Those in
    ``mail/``, which all themes share, are compiled as well and not counted.
    """
    own = _theme_folders(folders, _with_parents(folders, name))
    environment = _environment([*own, *folders])
    files = {file.relative_to(folder).as_posix() for folder in own for file in folder.rglob("*.j2")}
    shared = {file.relative_to(folder).as_posix() for folder in folders for file in folder.glob("mail/*.j2")}
    for file in sorted({*files, *shared, *_RENDERED}):
        _compile(environment, file)
    return len(files)


def load_templates(folders: Sequence[Path], *names: str) -> tuple[Template, ...]:
    """Return compiled templates that belong to no theme; raise as ``load_theme``."""
    environment = _environment(folders)
    return tuple(_compile(environment, name) for name in names)


def render_template(template: Template, **values: Any) -> str:
    """Return a rendered template; raise TemplateError, with file and line, if it uses an unknown name."""
    try:
        return template.render(values)
    except Exception as error:
        # jinja2 writes the lines of templates into the traceback.
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
        if not frames:
            raise
        file, line = frames[-1].filename, frames[-1].lineno or 0
        given = f" (a template gets {', '.join(values)})" if str(error).endswith("is undefined") else ""
        raise TemplateError(f"Fix {file}, line {line}: {error}{given}.", file=file, line=line) from error


def _theme_folders(folders: Sequence[Path], names: Sequence[str]) -> list[Path]:
    return [folder / name for name in names for folder in folders if (folder / name).is_dir()]


def _with_parents(folders: Sequence[Path], name: str) -> list[str]:
    """Return the names of a theme and of those it extends, itself first."""
    names, named_by = [name], "[digest] theme in config.toml"
    while True:
        file, settings = _read_settings(folders, names[-1], named_by)
        parent, named_by = settings.get("extends"), f"extends in {file}"
        if not parent:
            return names
        if not isinstance(parent, str):
            message = f'Write extends in {file} as the name of a theme such as "classic", not {parent!r}.'
            raise TemplateError(message, file=file)
        if parent in names:
            raise TemplateError(f"Remove extends from {file}: the theme extends itself.", file=file)
        names.append(parent)


def _read_settings(folders: Sequence[Path], name: str, named_by: str = "") -> tuple[str, Mapping[str, Any]]:
    """Return the path and content of a theme's ``theme.toml``; empty ones if it has none.

    Raise TemplateError if there is no such theme; ``named_by`` is the setting that names it.
    """
    own = _theme_folders(folders, [name])
    if not own:
        choice = ", ".join(theme_names(folders)) or "(none found)"
        raise TemplateError(f'There is no theme "{name}"; choose one of: {choice}, for {named_by}.')
    file = next((folder / "theme.toml" for folder in own if (folder / "theme.toml").is_file()), None)
    if file is None:
        return "", {}
    try:
        return str(file), tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TemplateError(f"Fix {file}: {error}.", file=str(file)) from error


def _environment(folders: Sequence[Path]) -> Environment:
    from jinja2 import Environment, FileSystemLoader, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(folders),
        bytecode_cache=_bytecode_cache(),
        autoescape=select_autoescape(disabled_extensions=("txt.j2",), default=True, default_for_string=True),
        undefined=_undefined_type(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(wrap=wrap, wrap_parts=wrap_parts, labelled=labelled)
    environment.filters.update(underline=_underline, tight=_tight, bullet=_bullet, unbroken=keep_phrase_together)
    return environment


@cache
def _undefined_type() -> type[StrictUndefined]:
    """Return jinja2's type of unknown names, with an error that lists the names there are."""
    from jinja2 import StrictUndefined

    class UnknownName(StrictUndefined):
        @property
        def _undefined_message(self) -> str:
            known = _public_names(self._undefined_obj)
            similar = get_close_matches(str(self._undefined_name), known, n=1)
            hint = f", did you mean {similar[0]}" if similar else ""
            names = f"; its names are {', '.join(known)}" if known else ""
            return f"{super()._undefined_message}{hint}{names}"

    return UnknownName


def _public_names(value: Any) -> list[str]:
    """Return what a template can read of a record or a mapping; nothing of other values."""
    names = dir(value) if is_dataclass(value) else map(str, value) if isinstance(value, Mapping) else ()
    return [name for name in names if not name.startswith("_")]


@cache
def _bytecode_cache() -> BytecodeCache:
    """Return a cache of compiled templates, by file and content: in memory and on disk, since themes load often.

    It is on disk only where jinja2 finds a folder that belongs to the user alone. Compiling costs a tenth of a digest.
    """
    from jinja2 import BytecodeCache, FileSystemBytecodeCache
    from jinja2 import __version__ as version
    from jinja2.bccache import Bucket

    class TwoLevelCache(BytecodeCache):
        def __init__(self) -> None:
            self._memory: dict[str, tuple[str, CodeType | None]] = {}
            self._disk: BytecodeCache | None = None
            with suppress(OSError, RuntimeError):  # without a safe folder each process compiles
                self._disk = FileSystemBytecodeCache(pattern=f"__pipeline_{version}_%s.cache")

        def load_bytecode(self, bucket: Bucket) -> None:
            checksum, code = self._memory.get(bucket.key, ("", None))
            if checksum == bucket.checksum:
                bucket.code = code
            elif self._disk:
                with suppress(OSError, EOFError, ValueError, UnpicklingError):  # a damaged file is written again
                    self._disk.load_bytecode(bucket)
                self._memory[bucket.key] = bucket.checksum, bucket.code

        def dump_bytecode(self, bucket: Bucket) -> None:
            self._memory[bucket.key] = bucket.checksum, bucket.code
            if self._disk:
                with suppress(OSError):
                    self._disk.dump_bytecode(bucket)

    return TwoLevelCache()


def _compile(environment: Environment, name: str) -> Template:
    from jinja2 import TemplateNotFound, TemplateSyntaxError

    try:
        return environment.get_template(name)
    except TemplateNotFound as error:
        raise TemplateError(f'The theme has no "{error.name}": restore that file.', file=str(error.name)) from error
    except TemplateSyntaxError as error:
        file = error.filename or name
        raise TemplateError(
            f"Fix {file}, line {error.lineno}: {error.message}.", file=file, line=error.lineno
        ) from error


def _underline(text: str, character: str) -> str:
    """Return a heading of the text part, underlined as far as its longest line; wide characters count twice.

    >>> print(_underline("To read", "-"))
    To read
    -------
    >>> _underline("港と炉", "-").count("-")
    6
    """
    lines = wrap(text)
    return lines + "\n" + character * min(72, max(map(display_width, lines.split("\n"))))


def _bullet(text: str) -> str:
    """Return text as a list item, its lines indented.

    >>> _bullet("Salt")
    '- Salt'
    """
    return "- " + wrap(text, 70).replace("\n", "\n  ")


def _tight(text: str) -> str:
    """Return text without blank lines at its ends, and at most one between its lines.

    >>> _tight("\\nA\\n\\n\\n\\nB\\n")
    'A\\n\\nB'
    """
    return re.sub(r"\n{3,}", "\n\n", text.strip())
