"""The error that every rate leaves, with the four on it."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np
from torch import Tensor

from gd_core.lessons.learning_rate.four_rates import WITHOUT_A_LIMIT
from gd_core.lessons.learning_rate.sweep import TRIED
from gd_core.theory import AT_FIRST, Forecast
from gd_core.words import counted, short, some
from pages.ui.charts.elements import (
    _ends,
    finish,
    level,
    log_axis,
    rows_from,
)
from pages.ui.charts.learning_rate.four_rates import numbered, tight
from pages.ui.charts.model import (
    View,
    log_zero,
    table,
)
from pages.ui.look.palette import Palette

BELOW, ABOVE = 4e-3, 2.5  # how far the sweep reaches, as shares of the limit
AROUND_THE_LIMIT = 300  # rates that are drawn, about: more of them near a limit; in words, so that the chart is not drawn anew
ROOM = 1.25  # beyond a rate that lies outside of that
LETTER = 6.4  # pixels, the mean width of one in the name of a zone
LABEL = 90  # pixels, the width of the longest label beside a mark


def reach(forecast: Forecast, rates: Sequence[float]) -> tuple[float, float]:
    """The lowest and the highest rate of the sweep: around the limit, and wide enough for the four."""
    limit = forecast.stability_limit
    low, high = WITHOUT_A_LIMIT if limit is None else (BELOW * limit, ABOVE * limit)
    return min(low, min(rates) / ROOM), max(high, max(rates) * ROOM)


def rate_at(share: float, ends: tuple[float, float]) -> float:
    """The rate at a share of the sweep's width, to three digits."""
    return float(f"{ends[0] ** (1 - share) * ends[1] ** share:.3g}")


@lru_cache(16)
def _sweep_spec(height: int, colours: Palette, of_a_class: bool) -> dict[str, Any]:
    axis = log_axis("learning rate η")["axis"]
    axis["labelSeparation"] = 6  # side by side labels need more room
    rate_axis = alt.X("x:Q", scale=alt.Scale(type="log", domain=_ends("x"), nice=False), axis=axis)
    carrier = (
        rows_from("frame")
        .transform_filter("false")
        .transform_calculate(x="0", y="1")
        .mark_point()
        .encode(x=rate_axis, y=log_axis("RMSE at the end"))
    )
    shades = {
        "slow": colours.line,
        "steady": colours.run,
        "settles": colours.run,
        "zigzags": colours.data,
        AT_FIRST: colours.several[3],
        "diverges": colours.several[3],
    }
    zones = rows_from("zones")
    bands = zones.mark_rect(opacity=0.13, clip=True).encode(
        x="x:Q",
        x2="x2:Q",
        color=alt.Color("zone:N", scale=alt.Scale(domain=[*shades], range=[*shades.values()]), legend=None),
    )
    names = (  # where there is room for one: `zones_note` has all
        zones.transform_filter(f"datum.share * width > {LETTER} * length(datum.zone)")
        .transform_calculate(x="datum.middle")
        .mark_text(color=colours.ink, fontSize=11, dy=-7, clip=True)
        .encode(x="x:Q", y=alt.value("height"), text="zone:N")
    )
    curve = (
        rows_from("curve")
        .mark_line(color=colours.ink, strokeWidth=1.8, clip=True)
        .encode(x="x:Q", y="y:Q", detail="piece:N", order="x:Q")
    )
    gone = (
        rows_from("gone")
        .mark_text(text="×", color=colours.several[3], fontSize=13, fontWeight=600, dy=8, baseline="middle")
        .encode(x="x:Q", y=alt.value(0))
    )
    gone_name = (
        rows_from("frame")
        .transform_filter("isValid(datum.gone)")
        .transform_calculate(x=_inside("gone"))
        .mark_text(
            text="diverged ",
            color=colours.several[3],
            align="right",
            dx=-6,
            dy=8,
            fontWeight=600,
            baseline="middle",
        )
        .encode(x="x:Q", y=alt.value(0))
    )
    limit_base = (
        rows_from("frame").transform_filter("isValid(datum.limit)").transform_calculate(x="datum.limit")
    )
    limit = limit_base.mark_rule(color=colours.ink, strokeDash=[3, 3], strokeWidth=1.5).encode(x="x:Q")
    limit_name = (
        limit_base.transform_calculate(x=_inside("limit"), label="'limit ' + datum.limit_label")
        .mark_text(color=colours.ink, align="right", dx=-5, dy=28, baseline="middle")
        .encode(x="x:Q", y=alt.value(0), text="label:N")
    )
    best_base = (
        rows_from("frame")
        .transform_filter("isValid(datum.best_rmse)")
        .transform_calculate(x="datum.best", y="datum.best_rmse")
    )
    best = best_base.mark_point(
        shape="diamond", size=330, filled=False, stroke=colours.optimum, strokeWidth=2, opacity=1, clip=True
    ).encode(x="x:Q", y="y:Q")
    # above its mark, or below where the two at the top are near
    best_text = best_base.transform_calculate(
        x=_inside("best"),
        y="datum.best_rmse * pow(datum.y1 / datum.y0, (pow(datum.best_rmse, 2) > datum.y0 * datum.y1 ? -16 : 16) / height)",
        label="'best ' + datum.best_label",
    )
    paints: list[dict[str, Any]] = [{"stroke": colours.paper, "strokeWidth": 4}, {"color": colours.optimum}]
    best_name = [  # the first is a halo, since the curve may pass behind it
        best_text.mark_text(align="right", dx=-4, fontWeight=600, baseline="middle", **paint).encode(
            x="x:Q", y="y:Q", text="label:N"
        )
        for paint in paints
    ]
    layers: list[Any] = [
        carrier, bands, names, limit, *level("floor", colours.optimum, [7, 4], "''"),
        *level("zero", colours.start, [2, 3], "''"), limit_name,
        curve, gone, gone_name, best, *best_name,
        *(_rings if of_a_class else numbered)(rows_from("marks"), colours),
    ]  # fmt: skip
    spec = finish(layers, height)
    # nothing in here hangs on the epoch: without these the player leaves the chart alone
    spec["params"] = [one for one in spec["params"] if one["name"] not in ("epoch", "seen")]
    return {**spec, "resolve": {"scale": {"color": "independent"}}}


def _inside(rate: str) -> str:
    """Where a label that ends at a rate of the frame stands, so that it begins inside the chart."""
    return f"max(datum.{rate}, datum.x0 * pow(datum.x1 / datum.x0, {LABEL} / width))"


def zones_note(forecast: Forecast) -> str:
    """The zones in words, as they are shaded; "" where there are none."""
    return "" if forecast.stability_limit is None else f"shaded: {', '.join(forecast.zones)}, diverges"


def rate_sweep(
    forecast: Forecast,
    rates: Sequence[float],
    first_rmse: float,
    swept: tuple[Tensor, Tensor] | None,
    ends_at: Sequence[float],
    colours: Palette,
    height: int,
    *,
    of_a_class: Sequence[tuple[str, str]] | None = None,
) -> View:
    """RMSE after these epochs over the learning rate, both axes logarithmic, with the zones and the limit.

    Args:
        known: The zones, the limit and the floor.
        rates: The four.
        first_rmse: RMSE of the start, where the four wait until the run may be seen.
        swept: Rates and the RMSE that each leaves, ∞ for one that has diverged, [K] and [K]; None while it is hidden, and zones,
            limit and best rate with it.
        ends_at: RMSE that each of the four leaves, ∞ for one that has diverged.
        colours: The theme's colours.
        height: In pixels.
        of_a_class: Whose each rate is and what opens its run, where they are any number that a class has handed in, in place of the
            four. These have been run: where they end is seen though the sweep is hidden.
    """
    x0, x1 = reach(forecast, rates)
    every, rmse = (one.numpy() for one in swept) if swept else (np.zeros(0), np.zeros(0))
    zero = log_zero(first_rmse)
    first_rmse = max(first_rmse, zero)
    fine = np.isfinite(rmse)
    curve = np.maximum(rmse[fine], zero)
    waits = not swept and of_a_class is None
    at_end = np.full(len(rates), np.inf) if waits else np.array(ends_at)
    seen = curve if swept else np.maximum(at_end[np.isfinite(at_end)], zero)
    low = min(seen.min(initial=first_rmse), first_rmse)
    floor = forecast.floor_rmse
    shows_floor = bool(swept) and zero < floor and floor >= low / 100
    low = min(low, floor) if shows_floor else low
    high = max(seen.max(initial=first_rmse), first_rmse)
    if of_a_class is not None:
        low = min(low, high / 10)  # below a decade its axis may have one number
    y0, y1 = low / (high / low * 2) ** 0.22, high * (high / low * 2) ** 0.2
    best = best_of(every, rmse, forecast.best_for_epochs) if fine.any() else None
    best_rate = np.nan if best is None else float(every[best])
    # before the answer neither limit nor zones: they would tell it
    limit = (forecast.stability_limit if swept else None) or np.nan
    # The upper edge: a disc clear of the crosses, a ring above all that end.
    below = 0.17 if of_a_class is None else 0.1
    gone = every[~fine] if swept or waits else np.sort(np.array(rates)[np.isinf(at_end)])
    edges = (
        [x0, *(forecast.stability_limit * share for share in forecast.zones.values()), x1]
        if forecast.stability_limit and swept
        else []
    )
    bounds = [(max(a, x0), min(b, x1)) for a, b in pairwise(edges)]
    zones = [
        (name, a, b) for name, (a, b) in zip([*forecast.zones, "diverges"], bounds, strict=False) if b > a
    ]
    whole = np.log(x1 / x0)
    tables = {
        "curve": table({"x": every[fine], "y": curve, "piece": np.cumsum(~fine)[fine].astype(np.int16)}),
        "gone": table({"x": gone[_apart(np.log(gone / x0) / whole)] if len(gone) else gone}),
        "zones": table(
            {
                "zone": np.array([name for name, _, _ in zones], dtype=object).astype(str),
                "x": np.array([a for _, a, _ in zones]),
                "x2": np.array([b for _, _, b in zones]),
                "middle": np.array([(a * b) ** 0.5 for _, a, b in zones]),
                "share": np.array([np.log(b / a) / whole for _, a, b in zones]),
            }
        ),
        "marks": table(
            {
                "run": np.arange(1, len(rates) + 1, dtype=np.int16),
                **_named(of_a_class, rates),
                "x": np.array(rates),
                "y": np.where(
                    np.isfinite(at_end), np.maximum(at_end, zero), first_rmse if waits else y1 / (y1 / y0) ** below
                ),
            }
        ),
        "frame": table(
            {
                name: [value]
                for name, value in {
                    "x0": x0, "x1": x1, "y0": y0, "y1": y1, "limit": limit, "limit_label": short(limit),
                    "floor": floor if shows_floor else np.nan,
                    "zero": zero if low <= zero else np.nan,
                    "gone": gone.min() if len(gone) else np.nan,
                    "best": best_rate, "best_label": short(best_rate),
                    "best_rmse": np.nan if best is None else max(rmse[best], zero),
                }.items()
            }
        ),
    }  # fmt: skip
    marks = (
        f"Rings: the {counted(len(rates), 'run')} that a class has handed in; a click, or Enter, opens one."
        if of_a_class is not None
        else "Discs 1 to 4: the four runs."
    )
    axes = "RMSE at the end of the run over the learning rate, both logarithmic."
    text = (
        f"{axes} Shaded: the zones of the rate. Dashed "
        f"upright: the limit. {marks} Diamond: the best of {some(TRIED if forecast.stability_limit is None else AROUND_THE_LIMIT, 'rate')} drawn. "
        "Crosses at the top: rates that have "
        f"diverged.{'' if of_a_class is not None else ' A click sets the rate of one run.'}"
    )
    if of_a_class is not None and not swept:
        text = f"{axes} {marks} Crosses at the top: those that have diverged."
    return View(tight(_sweep_spec(height, colours, of_a_class is not None)), tables, text)


def _named(of_a_class: Sequence[tuple[str, str]] | None, rates: Sequence[float]) -> dict[str, np.ndarray]:
    """Of each ring whose it is, where its run opens, and both in a sentence."""
    if of_a_class is None:
        return {}
    names = [
        f"Open the run of {who}, η = {short(rate)}" for (who, _), rate in zip(of_a_class, rates, strict=True)
    ]
    who, links = ([one[k] for one in of_a_class] for k in (0, 1))
    return {key: np.array(one, dtype=str) for key, one in (("who", who), ("link", links), ("name", names))}


def _rings(base: alt.Chart, colours: Palette) -> list[alt.Chart]:
    """Rings at x and y, each a link: where many lie on one another, each is still seen. `keys.js` has Enter open one."""
    ring = base.mark_point(
        shape="circle",
        size=130,
        filled=False,
        opacity=1,
        stroke=colours.run,
        strokeWidth=2.5,
        cursor="pointer",
        aria=True,
    )
    told = [alt.Tooltip("who:N"), alt.Tooltip("x:Q", title="η"), alt.Tooltip("y:Q", title="RMSE")]
    return [ring.encode(x="x:Q", y="y:Q", tooltip=told, href="link:N", description="name:N")]


def best_of(rates: np.ndarray, rmse: np.ndarray, forecast: float | None) -> int:
    """The rate with the smallest error of those drawn, above the limit too: theory's, if it is among them and none is better by more than rounding."""
    lowest = int(np.argmin(rmse))
    (same,) = np.nonzero(rates == forecast)
    return int(same[0]) if len(same) and rmse[same[0]] <= rmse[lowest] * (1 + 1e-9) else lowest


def _apart(places: np.ndarray) -> list[int]:
    """Which crosses are drawn: those that do not lie on one another."""
    keep: list[int] = []
    for i, place in enumerate(places):
        if not keep or place - places[keep[-1]] > 0.02:
            keep.append(i)
    return keep
