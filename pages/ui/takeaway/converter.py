"""Charts as files, made in a process of its own. A script: `workshop.py` starts it, and it knows nothing of this app.

The engine is V8, by way of vl-convert: it takes 80 MB or more, and holds Python's lock for as long as a picture takes.
In here neither is felt by those who watch a run.

A request is one line of JSON, {"make": …, "spec": …}. The answer is a letter, "+" or "-", a length of eight bytes,
and so many bytes: what was asked for, or a sentence about what went wrong. Before the answer about a moving picture comes a
"=" for each picture that is drawn, with its number in place of the length.
"""

import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import Any, BinaryIO

import vl_convert
from PIL import Image

IDLE = 300.0  # seconds without a request, after which the process ends and gives its memory back
SCALE = 2.0  # pixels of a PNG for each pixel of its chart
# vl-convert brings Liberation Sans along, so that a server without fonts can write; these it does not have.
SUBSCRIPTS = {chr(0x2080 + digit): str(digit) for digit in range(10)} | {"ᵢ": "i"}
ALIKE = str.maketrans({"◂": "◄"})
_TEXT = re.compile(r"(?<=>)[^<>]++(?=<)")  # a drawing writes &gt; for what is no tag
_LOWERED = re.compile(f"[{''.join(SUBSCRIPTS)}]+")
_NAMED = re.compile(r'( id="|url\(#)')
NEARLY = 8  # of 256 shades
COLOURS = 255  # of a GIF; one more is for what stays from the picture before


def answer(make: str, spec: dict[str, Any], told: Callable[[int], None]) -> bytes:
    """What was asked for.

    Args:
        make: "svg" or "png" of a Vega-Lite specification, "film" of what `frames.film` describes, or "runtime": the
            JavaScript that draws a specification in a browser.
        spec: Has its data in it; for the runtime there is none.
        told: Hears of each picture of a film.
    """
    if make == "runtime":
        return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").encode()
    if make == "film":
        return film(spec, told)
    svg = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    return svg.encode() if make == "svg" else vl_convert.svg_to_png(with_plain_letters(svg), scale=SCALE)


def film(spec: dict[str, Any], told: Callable[[int], None]) -> bytes:
    """A moving picture, as a GIF: charts at the places of `frames`, under what all frames share and what each has of its own."""
    if hasattr(os, "nice"):
        os.nice(10)  # it takes seconds: those who wait for less go first
    charts = [MovingChart(number, one) for number, one in enumerate(spec["charts"])]

    def drawn(frame: dict[str, Any]) -> Image.Image:
        inside = "".join(chart.at(frame["signals"]) for chart in charts)
        svg = spec["open"] + inside + frame["svg"] + "</svg>"
        png = vl_convert.svg_to_png(with_plain_letters(svg), scale=spec["scale"])
        return Image.open(BytesIO(png)).convert("RGB")

    def pictures() -> Iterator[Image.Image]:
        for number, frame in enumerate(spec["frames"], 1):
            yield drawn(frame)
            told(number)

    frames, out = spec["frames"], BytesIO()
    # one palette for all, or colours would flicker and every picture be kept whole
    palette = palette_of([drawn(frames[place]) for place in (0, len(frames) // 2, -1)])
    first, *rest = (one.quantize(palette=palette, dither=Image.Dither.NONE) for one in pictures())
    duration = [frame["ms"] for frame in frames]
    again = {"loop": 0} if spec["again"] else {}  # 0 is for ever; where nothing is said it plays once
    first.save(out, "GIF", save_all=True, append_images=rest, duration=duration, **again)
    return out.getvalue()


def palette_of(samples: Sequence[Image.Image]) -> Image.Image:
    """The colours that stand for all of some pictures of the same size."""
    width, height = samples[0].size
    together = Image.new("RGB", (width, height * len(samples)))
    for number, one in enumerate(samples):
        together.paste(one, (0, number * height))
    counted: list[Any] = together.getcolors(together.width * together.height) or []
    often = [colour for _, colour in sorted(counted, reverse=True)[: COLOURS // 2]]
    left = COLOURS - len(often)
    rest = together.quantize(left, method=Image.Quantize.MEDIANCUT).getpalette() or []
    colours = [*often, *zip(*[iter(rest[: 3 * left])] * 3, strict=True)]
    # What is nearly the paper is the paper: a white that is none would show on a slide, as a box.
    paper = often[0]
    near = [max(abs(a - b) for a, b in zip(paper, one, strict=True)) < NEARLY for one in colours]
    palette = Image.new("P", (1, 1))
    palette.putpalette(
        [part for one, is_paper in zip(colours, near, strict=True) for part in (paper if is_paper else one)]
    )
    return palette


class MovingChart:
    """A chart of a film, compiled once."""

    def __init__(self, number: int, chart: dict[str, Any]) -> None:
        self._vega = vl_convert.vegalite_to_vega(chart["spec"])
        self._number = number
        self._place = f'<g transform="translate({chart["x"]},{chart["y"]})">'
        self._drawn = ""

    def at(self, signals: dict[str, int]) -> str:
        """Its drawing with these signals, to stand in a larger one. One that has none of them is drawn once."""
        mine = [one for one in self._vega["signals"] if one["name"] in signals]
        for one in mine:
            one["value"] = signals[one["name"]]
        if mine or not self._drawn:
            svg = vl_convert.vega_to_svg(self._vega, allowed_base_urls=[])
            # as a group: a drawing within a drawing would be painted on a canvas of its own, which takes longer
            inside = svg[svg.index(">") + 1 : svg.rindex("</svg>")]
            self._drawn = self._place + _NAMED.sub(rf"\g<1>chart{self._number}_", inside) + "</g>"
        return self._drawn


def with_plain_letters(svg: str) -> str:
    """A drawing whose subscripts are lowered digits, for a font that has no such letters."""

    def lowered(found: re.Match[str]) -> str:
        digits = "".join(SUBSCRIPTS[letter] for letter in found[0])
        # the next letter goes up again by as much; at the end there is none, and an empty one moves nothing
        return f'<tspan dy="0.25em" font-size="0.7em">{digits}</tspan><tspan dy="-0.175em">\u200b</tspan>'

    return _TEXT.sub(lambda found: _LOWERED.sub(lowered, found[0].translate(ALIKE)), svg)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until nobody asks any more."""

    def told(drawn: int) -> None:
        answers.write(b"=" + drawn.to_bytes(8, "big"))
        answers.flush()

    while True:
        end = threading.Timer(IDLE, os._exit, (0,))
        end.daemon = True
        end.start()
        line = requests.readline()
        end.cancel()
        if not line:
            return
        try:
            mark, made = b"+", answer(**json.loads(line), told=told)
        except BaseException as error:  # a panic inside vl-convert is not an Exception
            mark, made = b"-", str(error).encode()
        answers.write(mark + len(made).to_bytes(8, "big") + made)
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
