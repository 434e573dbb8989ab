"""A page: a template filled in, in the look of the report, with nothing that is not in the file."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any


def page(
    template: str, *, filters: Mapping[str, Callable[..., Any]] | None = None, **fields: Any
) -> str:
    """Return a template of `report/assets` with everything filled in and escaped.

    Parameters
    ----------
    template
        Name of its file.
    filters
        Filters that it uses beside `glued`.
    **fields
        What its places are filled with; `style` and `style_hash` are there already.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("palate.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"glued": _glued, **(filters or {})}
    style = asset("report.css")
    return environment.get_template(template).render(
        style=style, style_hash=hash_of(style), **fields
    )


@cache
def asset(name: str) -> str:
    """Return a file of `report/assets` as text.

    Parameters
    ----------
    name
        Its path below `assets`.
    """
    return files("palate.report").joinpath("assets", *name.split("/")).read_text(encoding="utf-8")


def hash_of(text: str) -> str:
    """Return the hash by which a page's policy allows a style or script.

    Parameters
    ----------
    text
        The style or script.
    """
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _glued(text: str) -> str:
    """Return a text whose numbers stay on one line with their per cent sign."""
    return re.sub(r"(\d) %", "\\1\u00a0%", text)
