"""Where a reward model lies, whether it may be loaded, and what tells it from every other one.

Weights are read from safetensors only: a pickle file may run code when it is opened, and so may the
code that a repository brings along; neither is ever done.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from palate.errors import FileFormatError, InputError, MissingExtraError

_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_SMALL = 64 * 2**20  # configuration and tokenizer are hashed whole, weights are not
HEAD = "ForSequenceClassification"


def folder_of(name: str, *, revision: str | None = None) -> Path:
    """Return the folder of a model: one on this machine, or a download from the hub.

    Parameters
    ----------
    name
        The folder, or organisation/name.
    revision
        Branch, tag or commit on the hub; None for its main branch.

    Raises
    ------
    InputError
        If there is no such folder and no such model.
    MissingExtraError
        If the hub is needed and huggingface_hub is not installed.
    """
    path = Path(name)
    if path.is_dir():
        if revision is not None:
            raise InputError(f"--revision: found one for the folder {name}; expected a hub name.")
        return path
    if path.exists():
        raise InputError(f"{name}: found a file; expected the folder of a model.")
    if not _NAME.fullmatch(name) or name.startswith("."):
        raise InputError(
            f"{name}: there is no such folder; expected the folder of a reward model, or its name "
            "on the hub, organisation/name."
        )
    try:
        import huggingface_hub as hub
    except ImportError as error:
        raise MissingExtraError("A model of the hub", "reward") from error
    own: Any = (
        hub.errors.HfHubHTTPError
    )  # descends from the error of the HTTP library of its release
    network: tuple[type[Exception], ...] = tuple(
        base for base in own.__mro__ if base.__name__ == "HTTPError"
    )
    try:
        found = hub.snapshot_download(
            name, revision=revision, allow_patterns=list(_WANTED), ignore_patterns=["*/*"]
        )
    except (OSError, ValueError, own, hub.errors.HFValidationError, *network) as error:
        first = str(error).strip().split("\n")[0].removeprefix("Got: ")
        reason = first[:200] or type(error).__name__
        raise InputError(
            f"{name}: there is no such folder, and the model cannot be fetched from the hub "
            f"({reason}); expected the folder of a reward model, a public model, or one that "
            "`hf auth login` opens, and a connection."
        ) from error
    return Path(found)


def check_files(folder: Path, name: str) -> None:
    """Refuse a folder that holds no reward model of the kind that can be scored with.

    Parameters
    ----------
    folder
        The folder.
    name
        What the user called it.

    Raises
    ------
    FileFormatError
        If the configuration or safe weights are missing, or it is a model of another kind.
    """
    held = {path.name for path in folder.iterdir()}
    if "adapter_config.json" in held and "config.json" not in held:
        raise FileFormatError(
            f"{name}: found an adapter; expected a whole model (merge the adapter into its base)."
        )
    try:
        config: Any = json.loads((folder / "config.json").read_bytes())
    except FileNotFoundError:
        raise FileFormatError(f"{name}: found no config.json; expected a reward model.") from None
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{name}: config.json cannot be read ({error}).") from None
    kinds = config.get("architectures") if isinstance(config, dict) else None
    if not isinstance(config, dict) or not (kinds is None or isinstance(kinds, list)):
        raise FileFormatError(f"{name}: config.json is not the configuration of a model.")
    if kinds and not any(HEAD in str(kind) for kind in kinds):
        raise FileFormatError(
            f"{name}: found {', '.join(map(str, kinds))[:100]}; expected a reward model, that is "
            f"one of the kind ...{HEAD} (a model that writes text can be asked with --llm)."
        )
    if not any(path.endswith(".safetensors") for path in held):
        pickled = sorted(p.name for end in _PICKLED for p in folder.glob(end))
        found = f"found {pickled[0]}, which may run code when opened" if pickled else "found none"
        raise FileFormatError(f"{name}: weights: {found}; expected *.safetensors.")


def fingerprint(folder: Path) -> str:
    """Return a hash that changes when the model does.

    Small files count with what they hold, weights with their header, size and time of writing.

    Parameters
    ----------
    folder
        The folder of the model.
    """
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.suffix not in {end[1:] for end in _WANTED}:
            continue
        about = path.stat()
        weights = path.suffix == ".safetensors" or about.st_size > _SMALL
        with path.open("rb") as file:
            held = file.read(2**16) if weights else file.read()
        for part in (path.name.encode(), held, str(about.st_size).encode()):
            digest.update(len(part).to_bytes(8, "big") + part)
        if weights:
            digest.update(str(about.st_mtime_ns).encode())
    return digest.hexdigest()
