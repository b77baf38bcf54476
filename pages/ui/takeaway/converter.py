"""Charts as files, made in a process of its own. A script: `workshop.py` starts it, and it knows nothing of this app.

The engine is V8, by way of vl-convert: it takes 80 MB or more, and holds Python's lock for as long as a picture takes.
In here neither is felt by those who watch a run.

A request is one line of JSON, {"make": …, "spec": …}. The answer is a letter, "+" or "-", a length of eight bytes,
and so many bytes: what was asked for, or a sentence about what went wrong.
"""

import json
import os
import re
import sys
import threading
from typing import Any, BinaryIO

import vl_convert

IDLE = 300.0  # seconds without a request, after which the process ends and gives its memory back
SCALE = 2.0  # pixels of a PNG for each pixel of its chart
# vl-convert brings Liberation Sans along, so that a server without fonts can write; these it does not have.
SUBSCRIPTS = {chr(0x2080 + digit): str(digit) for digit in range(10)} | {"ᵢ": "i"}
ALIKE = str.maketrans({"◂": "◄"})
_TEXT = re.compile(r"(?<=>)[^<>]++(?=<)")  # a drawing writes &gt; for what is no tag
_LOWERED = re.compile(f"[{''.join(SUBSCRIPTS)}]+")


def answer(make: str, spec: dict[str, Any]) -> bytes:
    """What was asked for.

    Args:
        make: "svg" or "png" of a Vega-Lite specification, or "runtime": the JavaScript that draws one in a browser.
        spec: Has its data in it; for the runtime there is none.
    """
    if make == "runtime":
        return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").encode()
    svg = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    return svg.encode() if make == "svg" else vl_convert.svg_to_png(with_plain_letters(svg), scale=SCALE)


def with_plain_letters(svg: str) -> str:
    """A drawing whose subscripts are lowered digits, for a font that has no such letters."""

    def lowered(found: re.Match[str]) -> str:
        digits = "".join(SUBSCRIPTS[letter] for letter in found[0])
        # the next letter goes up again by as much; at the end there is none, and an empty one moves nothing
        return f'<tspan dy="0.25em" font-size="0.7em">{digits}</tspan><tspan dy="-0.175em">\u200b</tspan>'

    return _TEXT.sub(lambda found: _LOWERED.sub(lowered, found[0].translate(ALIKE)), svg)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until nobody asks any more."""
    while True:
        end = threading.Timer(IDLE, os._exit, (0,))
        end.daemon = True
        end.start()
        line = requests.readline()
        end.cancel()
        if not line:
            return
        try:
            mark, made = b"+", answer(**json.loads(line))
        except BaseException as error:  # a panic inside vl-convert is not an Exception
            mark, made = b"-", str(error).encode()
        answers.write(mark + len(made).to_bytes(8, "big") + made)
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
