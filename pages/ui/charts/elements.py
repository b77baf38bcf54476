"""Pieces of a specification that all charts share: axes whose ends are data, trails, heads, the look."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import altair as alt
from altair.utils import schemapi

from gd_core.settings.catalog import model_info
from gd_core.settings.experiment_fields import MAX_UPDATES
from gd_core.words import YEARS, names_years
from pages.ui.look.palette import Palette

schemapi.disable_debug_mode()  # each piece would be checked as it is made: the tests hold what is made of all

FRAME = "data('frame')[0]"
AT = f"epoch >= {FRAME}.last ? length(data('run')) - 1 : floor(epoch / {FRAME}.stride)"
NOW = f"data('run')[min({AT}, length(data('run')) - 1)]"
FIRST = "data('run')[0]"
ANSWER = "seen >= " + FRAME + ".answer_from"  # whether the optimum is drawn: see `model.NEVER`
# of a parameter, which may be of any size
NUMBER_LABEL = (
    "datum.value == 0 ? '0' : abs(datum.value) >= 1e6 || abs(datum.value) < 1e-4 "
    "? replace(format(datum.value, '.3~e'), 'e+', 'e') : datum.label"
)
# of a number that stands beside a picture without axes
PLACE_LABEL = NUMBER_LABEL.replace("datum.value", "datum.number").replace(
    "datum.label", "format(datum.number, '.3~g')"
)
# of a calendar year, which has no comma
YEAR_LABEL = (
    f"datum.value >= {YEARS[0]} && datum.value < {YEARS[1]} ? format(datum.value, '~f') : datum.label"
)
EPOCH_LABEL = "format(datum.value, datum.value >= 1e5 ? '~s' : ',d')"


class Rows(alt.Chart):
    """A chart whose channels, given as a text or a value, are made at once.

    Altair looks for the class of each among all of its hundreds, whose digests it works out anew every time: 4 ms for one.
    """

    def encode(self, *channels: Any, **named: Any) -> Self:
        """The same as Altair's."""
        return super().encode(*channels, **{name: _channel(name, given) for name, given in named.items()})


def _channel(name: str, given: Any) -> Any:
    title = name[0].upper() + name[1:]
    if isinstance(given, str):
        return getattr(alt, title)(given)
    if isinstance(given, dict) and given.keys() == {"value"}:
        return getattr(alt, f"{title}Value")(given["value"])
    return given


def rows_from(table: str) -> Rows:
    return Rows(alt.NamedData(table))


def span(steps: int) -> Rows:
    """Rows with u from 0 to 1 in equal steps, made in the chart."""
    # half a step more, because the end itself is left out
    made = alt.SequenceParams(start=0, stop=1 + 0.5 / steps, step=1 / steps, **{"as": "u"})
    return Rows(alt.SequenceGenerator(sequence=made))


def one_row() -> Rows:
    """A single row, made in the chart."""
    return Rows(alt.SequenceGenerator(sequence=alt.SequenceParams(start=0, stop=1, step=1)))


def prediction(model: str, theta: str, weights: int = 1, yes_no: bool = False) -> str:
    """ŷ over one feature as a Vega expression, with the parameters in the object `theta` and the feature in `datum.x`.

    Those of a centred model belong to the feature minus `mean`, over `deviation`, both in `frame`: see
    `model.curve_parameters`.

    Args:
        model: Key of `catalog.MODEL_INFO`.
        theta: Name of the object.
        weights: Of a line or polynomial, how many weights stand before the intercept.
        yes_no: Whether that is a logit, and ŷ its probability.
    """
    info = model_info(model)
    x = f"((datum.x - {FRAME}.mean) / {FRAME}.deviation)" if info.centred else "datum.x"
    curve = info.curve(theta, x, weights)
    return f"1 / (1 + exp(-({curve})))" if yes_no else curve


def kept(table: str) -> alt.Chart:
    """A layer that draws nothing and keeps a table in the chart, for expressions to read."""
    return rows_from(table).transform_filter("false").mark_point()


def expression(name: str, expression: str) -> alt.Parameter:
    return alt.param(name=name, expr=expression)


def answered() -> alt.Parameter:
    """Whether the optimum is drawn by now. A parameter changes once in a run, and so do the layers that ask for it."""
    return expression("answered", ANSWER)


def _ends(axis: str) -> list[Any]:
    """An axis' domain, read from the table `frame`."""
    return [alt.ExprRef(f"{axis}0"), alt.ExprRef(f"{axis}1")]


def _axis(title: str, **axis: Any) -> alt.Axis:
    years: dict[str, Any] = {"labelExpr": YEAR_LABEL} if names_years(title) else {}
    return alt.Axis(title=title, **(years | axis))


def x_axis_of(title: str, **axis: Any) -> alt.X:
    return alt.X("x:Q", scale=alt.Scale(domain=_ends("x"), nice=False), axis=_axis(title, **axis))


def count_axis(title: str = "epoch", **axis: Any) -> alt.X:
    """An axis of whole numbers: epochs, updates, rows seen."""
    return x_axis_of(title, labelExpr=EPOCH_LABEL, tickMinStep=1, **axis)


def y_axis_of(title: str, scale: Mapping[str, Any] | None = None, **axis: Any) -> alt.Y:
    ends = alt.Scale(domain=_ends("y"), nice=False, **(scale or {}))
    return alt.Y("y:Q", scale=ends, axis=_axis(title, **axis))


def log_axis(title: str) -> alt.Y:
    scale = alt.Scale(type="log", domain=_ends("y"), nice=False)
    # only 1, 2 and 5 times a power of ten are labelled, as many as fit
    label = "indexof('125', slice(format(datum.value, '.0e'), 0, 1)) < 0 ? '' : replace(format(datum.value, datum.value < 1e-3 ? '.0e' : '~g'), 'e+', 'e')"
    axis = alt.Axis(title=title, labelExpr=label, labelOverlap="greedy", labelSeparation=3)
    return alt.Y("y:Q", scale=scale, axis=axis)


def level(
    column: str, colour: str, dash: list[int], label: str, when: str = "", paper: str = ""
) -> list[alt.Chart]:
    """A horizontal line across the chart at a value of `frame`, with its name on it; `when` is a further condition.

    With the colour of the paper the name has a halo, where other lines may pass behind it.
    """
    base = rows_from("frame").transform_filter(f"isValid(datum.{column})" + (f" && ({when})" if when else ""))
    rule = base.mark_rule(color=colour, strokeDash=dash, strokeWidth=2).encode(y=alt.Y(f"{column}:Q"))
    texts = haloed(
        base.transform_calculate(label=label),
        {"x": alt.value("width"), "y": alt.Y(f"{column}:Q"), "text": "label:N"},
        {"align": "right", "dx": -4, "dy": 9, "fontWeight": 600},
        colour,
        paper,
    )
    return [rule, *texts]


def haloed(
    base: alt.Chart, place: Mapping[str, Any], style: Mapping[str, Any], colour: str, paper: str
) -> list[alt.Chart]:
    """A text, and if the colour of the paper is given, a halo behind it."""
    halo = [base.mark_text(**style, stroke=paper, strokeWidth=3).encode(**place)] if paper else []
    return [*halo, base.mark_text(**style, color=colour).encode(**place)]


def floor_rule(colours: Palette, when: str = "", *, halo: bool = False) -> list[alt.Chart]:
    """The lowest RMSE that there is as a dashed line, from `floor` and `floor_label` of `frame`."""
    paper = colours.paper if halo else ""
    return level("floor", colours.optimum, [7, 4], "datum.floor_label", when, paper)


def trail(
    base: alt.Chart,
    encoding: Mapping[str, Any],
    *,
    width: float = 2.5,
    colour: str | None = None,
    points: bool = False,
) -> list[alt.Chart]:
    """A line up to this epoch, strong, and where it was seen before, faint. The rows hold their `epoch`."""
    paint: dict[str, Any] = {"color": colour} if colour else {}
    dots = alt.OverlayMarkDef(size=25, **paint) if points else alt.Undefined
    return [
        base.transform_filter("datum.epoch <= seen")
        .mark_line(clip=True, opacity=0.3, **paint)
        .encode(**encoding),
        base.transform_filter("datum.epoch <= epoch")
        .mark_line(clip=True, strokeWidth=width, point=dots, **paint)
        .encode(**encoding),
    ]


def contours(x_title: str, y_title: str, colours: Palette) -> alt.Chart:
    """Level lines of a loss from the table `lines`, coloured by their level, with the map's axes."""
    return (
        rows_from("lines")
        .mark_line(clip=True, strokeWidth=1.2)
        .encode(
            x=x_axis_of(x_title),
            y=y_axis_of(y_title),
            detail="line:N",
            order="i:Q",
            color=alt.Color("level:Q", scale=alt.Scale(range=[colours.line, colours.line_high]), legend=None),
        )
    )


def dot(x: str, y: str, when: str = "", **style: Any) -> alt.Chart:
    """One mark at a place given by two expressions; `when` is a condition."""
    row = one_row()
    return (
        (row.transform_filter(when) if when else row)
        .transform_calculate(x=x, y=y)
        .mark_point(clip=True, opacity=1, **style)
        .encode(x="x:Q", y="y:Q")
    )


def held_out(encoding: Mapping[str, Any], colours: Palette, size: float, **calculated: str) -> alt.Chart:
    """The rows kept from training, as hollow diamonds."""
    rows = rows_from("held_out")
    rows = rows.transform_calculate(**calculated) if calculated else rows
    mark = rows.mark_point(
        shape="diamond", size=size, color=colours.ink, strokeWidth=1.5, opacity=1, clip=True
    )
    return mark.encode(**encoding)


def head_at(x: str, y: str, colours: Palette) -> alt.Chart:
    """Where the run is at this epoch."""
    return dot(x, y, shape="circle", size=110, filled=True, color=colours.run, stroke=colours.paper)


def named(
    names: Mapping[str, tuple[str, list[int]]], shown: Sequence[str] | None = None, label: str | None = None
) -> dict[str, Any]:
    """Colour, dash and legend of lines that carry their name in the field `name`.

    Args:
        names: Colour and dash by name.
        shown: Those in the legend, if not all.
        label: What stands in the legend for `datum.label`, as an expression.
    """
    colours, dashes = zip(*names.values(), strict=True)
    # Four entries do not fit in one row on a phone. By the room of the whole chart, where it has one: its plot is as wide as that
    # at first and narrower with axes, and a second row that comes then lies over the title.
    legend = alt.Legend(
        symbolType="stroke",
        symbolSize=260,
        symbolOpacity=1,  # of a line that is faint where the run has not come yet
        columns=alt.ExprRef("(width && containerSize()[0] || width + 56) < 386 ? 2 : 0"),
        values=alt.Undefined if shown is None else list(shown),
        labelExpr=label or alt.Undefined,
    )
    return {
        "color": alt.Color("name:N", scale=alt.Scale(domain=list(names), range=list(colours)), legend=legend),
        "strokeDash": alt.StrokeDash(
            "name:N",
            scale=alt.Scale(domain=list(names), range=[list(dash) for dash in dashes]),
            legend=legend,
        ),
    }


def off_mark(colours: Palette, what: str) -> alt.Chart:
    """Where a curve is that has left the chart, from `off` of this epoch: see `model.off_chart`."""
    amount = "(abs(now.off) < 1e5 ? format(abs(now.off), ',.3~r') : replace(format(abs(now.off), '.2~e'), 'e+', 'e'))"
    return (
        one_row()
        .transform_filter("abs(now.off) > 0")
        .transform_calculate(
            label=f"(now.off > 0 ? '↑' : '↓') + ' {what} off by ' + {amount} + ' on average'"
        )
        .mark_text(
            baseline=alt.expr("now.off > 0 ? 'top' : 'bottom'"),
            color=colours.run,
            fontWeight=600,
            fontSize=13,
        )
        .encode(
            x=alt.value(alt.expr("width / 2")),
            y=alt.value(alt.expr("now.off > 0 ? 6 : height - 6")),
            text="label:N",
        )
    )


def finish(
    layers: Sequence[Any],
    height: int,
    parameters: Sequence[alt.Parameter] = (),
    ends: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Layers as one chart that the player can move.

    Args:
        layers: From below.
        height: Of the plot, in pixels.
        parameters: More of them.
        ends: Expressions of the axes' ends x0, x1, y0 and y1, where they are not simply what `frame` says.
    """
    moved = [
        alt.param(name=name, value=0, bind=alt.binding_range(min=0, max=MAX_UPDATES, step=1, name=name))
        for name in ("epoch", "seen")
    ]
    at = {name: f"{FRAME}.{name}" for name in ("x0", "x1", "y0", "y1")} | dict(ends or {})
    spec = alt.layer(kept("frame"), *layers).to_dict(validate=False)
    # by the chart's own methods each would copy all layers
    every = (*moved, *(expression(*end) for end in at.items()), *parameters)
    params = [one.param.to_dict() for one in every if isinstance(one.param, alt.SchemaBase)]
    return spec | {"height": height, "params": params, "config": _config()}


def _config() -> dict[str, Any]:
    """The look that all charts share, on top of Streamlit's theme, which knows light from dark."""
    return {
        "axis": {
            "titleFontWeight": "normal",
            "titlePadding": 6,
            "labelFlush": True,
            "tickCount": 6,
            "gridOpacity": 0.6,
        },
        "axisY": {"minExtent": 36},
        "legend": {"orient": "top", "title": None, "offset": 4, "symbolStrokeWidth": 2.5, "padding": 0},
        "view": {"strokeOpacity": 0},
        # a sentence for each of a thousand marks costs a third of the frames; the chart's own text says it once
        "mark": {"aria": False},
    }
