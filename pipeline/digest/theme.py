"""Themes: a folder of templates, found and compiled.

In: folders that may hold the theme and its name. Out: a Theme ready to render. Reads template files, nothing else.

A theme ``classic`` is the folder ``classic/`` with ``digest.html.j2`` and ``digest.txt.j2``; both may include further
files of the folder. Where several folders have it, each file is taken from the first that has that file: a publisher
can replace one part and keep the rest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.model.errors import TemplateError
from pipeline.text.markdown import labelled, wrap

if TYPE_CHECKING:
    from jinja2 import Environment, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A compiled theme."""

    name: str
    html: Template
    text: Template


def load_theme(folders: Sequence[Path], name: str) -> Theme:
    """Find and compile a theme; the first folder that has a file wins.

    TemplateError: no folder has the theme, a file is missing, or one does not compile (with its file and line).
    """
    found = [folder / name for folder in folders if (folder / name).is_dir()]
    if not found:
        known = sorted({path.parent.name for folder in folders for path in folder.glob("*/digest.html.j2")})
        raise TemplateError(f'There is no theme "{name}"; choose one of: {", ".join(known) or "(none found)"}.')
    environment = _environment(found)
    return Theme(name=name, html=_compiled(environment, "digest.html.j2"), text=_compiled(environment, "digest.txt.j2"))


def _environment(folders: Sequence[Path]) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=select_autoescape(disabled_extensions=("txt.j2",), default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(wrap=wrap, labelled=labelled, underline=_underline, tight=_tight)
    return environment


def _underline(text: str, mark: str) -> str:
    """Underline a heading for the text part, as long as its longest line but no wider than the text.

    >>> print(_underline("To read", "-"))
    To read
    -------
    """
    lines = wrap(text)
    return lines + "\n" + mark * min(72, max(map(len, lines.split("\n"))))


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
        raise TemplateError(f'The theme has no "{error}": restore that file.', file=str(error)) from error
    except TemplateSyntaxError as error:
        where = error.filename or name
        raise TemplateError(
            f"Mend {where}, line {error.lineno}: {error.message}.", file=where, line=error.lineno
        ) from error
