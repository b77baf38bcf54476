"""Try hostile inputs for some minutes: every module of this folder that has `run(seed, count)`.

The same seed tries the same inputs. The first failure ends it, with the input that failed.
"""

import argparse
import importlib
import logging
import random
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]


def subjects() -> list[str]:
    """The names of the modules that try something."""
    files = (path for path in sorted(HERE.glob("*.py")) if not path.stem.startswith(("_", "test_")))
    return [path.stem for path in files if "\ndef run(" in path.read_text(encoding="utf-8")]


def main() -> int:
    """Read the command line, try, say what was tried."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument(
        "subject", nargs="*", choices=[*subjects(), []], help="what to try; everything if none is named"
    )
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="of the inputs; another one each time"
    )
    parser.add_argument("--count", type=int, default=2000, help="inputs for each subject")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # Streamlit's, of a page that is run without a browser
    for name in options.subject or subjects():
        module, begun = importlib.import_module(name), time.monotonic()
        print(f"{name}, seed {options.seed}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        try:
            module.run(options.seed, options.count)
        except Exception as error:
            print(
                f"{error}\nAgain: make fuzz ARGS={name} SEED={options.seed} COUNT={options.count}", flush=True
            )
            return 1
        print(
            f"  {options.count:,} tried in {time.monotonic() - begun:.0f} s, and nothing fell out.",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
