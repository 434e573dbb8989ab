"""Commands run in this process, with what they print caught, in fixtures of any scope."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest

from palate.cli import main
from tests.cli.session import Done


def attempt(*arguments: object) -> Done:
    """Run a command, whatever comes of it."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
        main([str(a) for a in arguments])
    code = left.value.code or 0
    return Done(code if isinstance(code, int) else 1, out.getvalue(), err.getvalue())


def run(*arguments: object) -> Done:
    """Run a command, which must succeed and say nothing on standard error."""
    done = attempt(*arguments)
    assert done.code == 0, done
    assert not done.errors, done.err
    return done
