"""The fields of an experiment, by kind; and one more choice in one of them, for a test."""

from dataclasses import replace

from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.fields import Choice, Number
from gd_core.settings.table_fields import TABLE_FIELDS

BOUNDS = {
    name: field
    for name, field in FIELDS.items()
    if isinstance(field, Number) and name not in TABLE_FIELDS  # those hang on the table
}
CHOICES = {
    name: tuple(field.choices)
    for name, field in FIELDS.items()
    if isinstance(field, Choice) and name not in TABLE_FIELDS
}


def offer(monkeypatch, name, *keys):
    """Have a field offer more choices than it does."""
    field = FIELDS[name]
    assert isinstance(field, Choice)
    monkeypatch.setitem(FIELDS, name, replace(field, choices={**field.choices, **{key: key for key in keys}}))
