"""Text of others inside Markdown: shown as it is, never as a heading, a link or HTML."""

from __future__ import annotations

import re

_MEANT = re.compile(r"([\\`*_{}\[\]()#+!|~$:@])")


def inline(text: object) -> str:
    r"""Any text as one line of Markdown that shows exactly its characters.

    White space is collapsed; everything that Markdown, its tables, or HTML would act upon is escaped.

    >>> inline("a *red* <b>bird</b> | [here](http://x)")
    'a \\*red\\* &lt;b&gt;bird&lt;/b&gt; \\| \\[here\\]\\(http\\://x\\)'
    """
    line = " ".join(str(text).split())
    line = _MEANT.sub(r"\\\1", line).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return line.replace("www.", "www\\.")


def fenced(text: str, language: str = "") -> str:
    """Any text as a block of code, with a fence that the text cannot close.

    >>> print(fenced("seed: 0", "yaml"))
    ```yaml
    seed: 0
    ```
    """
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
