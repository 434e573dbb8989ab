"""Prompts are files; texts of strangers stand in fences that they cannot close.

A prompt file is Markdown with a section per message:

    # system
    You compare two responses ... {{definitions}}

    # user
    {{material:request}}
    {{material:response_a}}

`{{name}}` takes a text of ours. `{{material:name}}` takes a text of strangers, which is put
between two lines that hold a code:

    <response_a 3f9c2a>
    ...
    </response_a 3f9c2a>

The code is a hash of all the material of the request, taken again until it occurs in none of it,
so that no material can contain the line that ends it, however short the code; the same material has
the same code, so a request that is asked again is the same request. `read_fences` is the inverse.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

from palate.errors import InputError
from palate.llm.request import Message, Role

CODE_LENGTH = 6
_SECTION = re.compile(r"^# (\w+)[ \t]*$", re.MULTILINE)
_FIELD = re.compile(r"\{\{(material:)?(\w+)\}\}")
_FENCE = re.compile(r"^<(\w+) ([0-9a-f]{6,64})>\n(.*?)\n</\1 \2>$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Prompt:
    """A prompt file.

    Parameters
    ----------
    name
        Name of the file without its ending.
    text
        The file as it is.
    """

    name: str
    text: str

    @property
    def hash(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the file."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    @property
    def sections(self) -> tuple[tuple[Role, str], ...]:
        """The messages before anything is filled in.

        Raises
        ------
        InputError
            If the file has no section, or one for an unknown role.
        """
        pieces = _SECTION.split(self.text)
        roles, bodies = pieces[1::2], pieces[2::2]
        if not roles or any(role not in get_args(Role) for role in roles):
            raise InputError(
                f"Prompt {self.name!r}: found sections {roles}; expected '# system' and '# user'."
            )
        return tuple((role, body.strip("\n")) for role, body in zip(roles, bodies, strict=True))  # type: ignore[misc]

    def messages(
        self, fields: Mapping[str, str] | None = None, material: Mapping[str, str] | None = None
    ) -> tuple[Message, ...]:
        """Return the messages with everything filled in.

        Parameters
        ----------
        fields
            Texts of ours, by the name of their place.
        material
            Texts of strangers, by the name of their place.

        Raises
        ------
        InputError
            If a place has no text, or a text no place.
        """
        fields, material = dict(fields or {}), dict(material or {})
        code = fence_code(material)
        used: set[str] = set()

        def fill(match: re.Match[str]) -> str:
            name = match[2]
            source = material if match[1] else fields
            if name not in source:
                raise InputError(f"Prompt {self.name!r}: nothing is given for {match[0]}.")
            used.add(match[0])
            return fence(name, source[name], code) if match[1] else source[name]

        filled = tuple(Message(role, _FIELD.sub(fill, body)) for role, body in self.sections)
        given = {f"{{{{{name}}}}}" for name in fields} | {
            f"{{{{material:{name}}}}}" for name in material
        }
        if given != used:
            raise InputError(f"Prompt {self.name!r}: no place for {sorted(given - used)}.")
        return filled


def load_prompt(package: str, name: str) -> Prompt:
    """Return a prompt that ships with a package.

    Parameters
    ----------
    package
        The package whose folder `prompts` holds it, for instance "palate.concepts.annotation".
    name
        Name of the file without `.md`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    file = importlib.resources.files(package).joinpath("prompts", f"{name}.md")
    return Prompt(name=name, text=file.read_text(encoding="utf-8"))


def fence_code(material: Mapping[str, str]) -> str:
    """Return a code of 6 hexadecimal digits, more if need be, that occurs in none of the texts.

    Parameters
    ----------
    material
        Texts by name.
    """
    digest = hashlib.sha256()
    for name, text in material.items():
        for part in (name, text):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
    length = CODE_LENGTH
    while True:
        code = digest.hexdigest()[:length]
        if not any(code in text for text in material.values()):
            return code
        digest.update(b"again")
        length = min(length + 1, 64)  # no material holds all codes of every length


def fence(name: str, text: str, code: str) -> str:
    """Return a text between the lines that mark it as material.

    Parameters
    ----------
    name
        What it is: letters, digits and underscores.
    text
        The text.
    code
        From `fence_code`.
    """
    return f"<{name} {code}>\n{text}\n</{name} {code}>"


def read_fences(text: str) -> dict[str, str]:
    """Return the material of a message by name: what `fence` put there.

    The code of the first fence counts; fences with another code are part of some material.

    Parameters
    ----------
    text
        A message.
    """
    found: dict[str, str] = {}
    code: str | None = None
    for match in _FENCE.finditer(text):
        code = code or match[2]
        if match[2] == code:
            found[match[1]] = match[3]
    return found


@lru_cache(maxsize=4096)  # the same definitions stand in every question
def one_line(text: str) -> str:
    """Return a text on one line, without control, format and surrogate characters.

    Parameters
    ----------
    text
        Any text.
    """
    kept = (" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in text)
    return " ".join("".join(kept).split())
