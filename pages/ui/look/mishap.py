"""What a visitor reads when a page of ours fails: a sentence, and two ways on. The log has the traceback."""

from html import escape
from urllib.parse import urlencode

import streamlit as st


def say(_: Exception) -> bool:
    """Say it in the place where the page ended. For `st.App`, which has told the log by then.

    Nothing of ours is asked for help here, style sheet included: it may be what failed. Both links are relative, so they
    lead back from any page, and under any path of a proxy.

    Returns:
        True: Streamlit need not show the exception.
    """
    embedded = [("embed", "true")] if st.context.is_embedded else []
    shown = [(name, text) for name in st.query_params for text in st.query_params.get_all(name)]
    anew, train = (escape("?" + urlencode(query), quote=True) for query in (shown + embedded, embedded))
    st.html(
        '<div role="alert" style="max-width: 40rem; padding: 0.75rem 1rem; border: 1px solid; border-radius: 0.4rem">'
        "<strong>Something went wrong here. The mistake is ours, not yours.</strong><br>"
        "The settings of this page are in its address: "
        f'<a href="{anew}" style="color: inherit">open it again</a>. If that fails too, '
        f'<a href="./{train}" style="color: inherit">begin at Train</a>.</div>'
    )
    return True
