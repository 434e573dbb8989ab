"""`python -m palate.llm.scripted demo --port 8123`: a scripted server for other programs."""

from __future__ import annotations

import argparse
import sys
import threading

from palate.errors import PalateError
from palate.llm.scripted.scripts import load_script
from palate.llm.scripted.server import serve


def main(arguments: list[str] | None = None) -> int:
    """Serve a script until interrupted and return the exit code.

    Parameters
    ----------
    arguments
        Those of the command line; None for the ones of the process.
    """
    parser = argparse.ArgumentParser(prog="python -m palate.llm.scripted", description=__doc__)
    parser.add_argument("script", help="'demo', or a file that save_script wrote")
    parser.add_argument("--port", type=int, default=0, help="port; any free one by default")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME=PROBABILITY",
        help="a fault to show, for instance 429=0.05; may be given several times",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the faults")
    given = parser.parse_args(arguments)
    try:
        chaos = {n: float(p) for n, _, p in (fault.rpartition("=") for fault in given.fault)}
    except ValueError:
        parser.error("--fault needs NAME=PROBABILITY")
    try:
        script = load_script(given.script)
        with serve(
            script, latency=given.latency, port=given.port, chaos=chaos, seed=given.seed
        ) as server:
            print(server.base_url, flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        return 130
    except (PalateError, OSError) as problem:
        print(f"Error: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
