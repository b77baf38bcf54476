"""The script of a run as a Jupyter notebook: a section a cell, its comment as text above it.

Plain JSON in nbformat 4.5; the tests check it with nbformat and run it with nbclient.
"""

import json

from gd_core.export import script
from gd_core.settings.experiment import Experiment

ABOUT = (
    "A run of Gradient Descent Lab, for PyTorch alone. It prints the lab's numbers, with all their digits."
)
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebook(experiment: Experiment, flavour: str = "by-hand") -> str:
    """The run as an .ipynb file.

    Args:
        experiment: What is trained.
        flavour: A key of `script.FLAVOURS`.

    Raises:
        ValueError: If there is no such flavour, or it cannot take these steps; in a sentence.
    """
    parts = script.parts(experiment, flavour)
    heading = f"# {_markdown(script.title(experiment))}\n\n{script.FLAVOURS[flavour]}. {ABOUT}"
    cells = [_cell("markdown", heading)]
    for part in parts:
        if part.words:
            cells.append(_cell("markdown", _markdown(part.words)))
        cells.append(_cell("code", part.code))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    book = {
        "cells": cells,
        "metadata": {"kernelspec": KERNEL, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, ensure_ascii=False, indent=1) + "\n"


def _cell(kind: str, source: str) -> dict[str, object]:
    cell: dict[str, object] = {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True)}
    return cell | {"execution_count": None, "outputs": []} if kind == "code" else cell


def _markdown(words: str) -> str:
    """Words in which nothing is a mark-up, a link or a formula, whatever a table's headers hold."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-!|<>$~" else "&amp;" if c == "&" else c for c in words)
