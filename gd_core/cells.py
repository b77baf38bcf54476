"""Cells of the files that we write, made harmless: a spreadsheet must not take a name for a formula."""

import re

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def safe_cell(text: str) -> str:
    """Text that a spreadsheet will not run when it opens a CSV file or workbook.

    What begins with =, +, -, @, a tab or a line end is a formula to Excel, LibreOffice and Google Sheets; an
    apostrophe before it makes it text. Numbers are left as they are.

    Source:
        OWASP, "CSV Injection".
    """
    if (
        text.lstrip(" ")[:1] in ("=", "+", "-", "@", "\t", "\r", "\n")
        and text.strip()
        and not _PLAIN.fullmatch(text)
    ):
        return f"'{text}"
    return text
