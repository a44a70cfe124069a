"""The server process: `python -m tiphys.cluster.daemon ROOT NAME PIPE`, settings as JSON on standard input."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tiphys.cluster.directory import ClusterDirectory
from tiphys.cluster.progress import pipe_report
from tiphys.cluster.serve import run
from tiphys.cluster.settings import from_document


def main() -> int:
    root, name, pipe = sys.argv[1:]
    settings = from_document(json.load(sys.stdin))
    return run(ClusterDirectory(Path(root), name), settings, pipe_report(int(pipe)))


if __name__ == "__main__":
    sys.exit(main())
