"""A server that says on request how many objects of ours are alive in it: for each line that it reads, a line of JSON.

Start it as `python tests/benchmarks/counted.py APP --server.port …`, with the flags of `streamlit run`.
"""

import gc
import json
import os
import sys
import threading
import traceback
from collections import Counter

from streamlit.web import cli

OURS = ("gd_core.", "pages.")
OF_A_SESSION = ("AppSession", "ScriptRunner", "SessionState")  # Streamlit's own, one a session


def answer() -> None:
    """Until nobody asks any more; a mistake in here ends the server, so that whoever asks does not wait for ever."""
    try:
        for _ in sys.stdin:
            print(json.dumps(alive()), flush=True)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def alive() -> dict[str, int]:
    """Class ↦ how many objects of it."""
    gc.unfreeze()  # `live_runs.settle` hides what was there before the first visitor
    gc.collect()
    found: Counter[str] = Counter()
    for one in gc.get_objects():
        module, name = str(getattr(type(one), "__module__", "")), type(one).__name__
        if module.startswith(OURS) or name in OF_A_SESSION:
            found[f"{module}.{name}"] += 1
    return found


if __name__ == "__main__":
    threading.Thread(target=answer, daemon=True).start()
    sys.argv = ["streamlit", "run", *sys.argv[1:]]
    cli.main()
