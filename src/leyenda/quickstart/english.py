"""What English grammar asks of a caption."""

from __future__ import annotations


def with_article(words: str) -> str:
    """The words after their article.

    >>> with_article("umbrella"), with_article("happy monster")
    ('an umbrella', 'a happy monster')
    """
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
