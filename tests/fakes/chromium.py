"""A real browser that opens one page and says what went on in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


@dataclass
class Visit:
    """An open page, and what the browser reported while it was open.

    Args:
        page: the page, as Playwright has it.
        console: every message of the page's console, and every error.
        requests: every address that was asked for, the page's own included.
    """

    page: Any
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


class Chromium:
    """The system's Chromium, without a window.

    Args:
        browser: as Playwright has it.
    """

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    @contextmanager
    def visit(self, path: Path, size: dict[str, int], strict: bool = True) -> Iterator[Visit]:
        """Open a file.

        Args:
            path: of the file.
            size: of the window.
            strict: whether the page's own security policy holds; without it axe can be put into the page.
        """
        context = self._browser.new_context(viewport=size, color_scheme="light", bypass_csp=not strict)
        visit = Visit(context.new_page())
        visit.page.on("console", lambda message: visit.console.append(message.text))
        visit.page.on("pageerror", lambda error: visit.console.append(str(error)))
        visit.page.on("request", lambda request: visit.requests.append(request.url))
        visit.page.on("dialog", lambda dialog: visit.console.append(f"dialog: {dialog.message}"))
        visit.page.goto(path.as_uri())
        try:
            yield visit
        finally:
            context.close()


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Start the system's Chromium; skip where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium (on Debian: sudo apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Without a sandbox, which no container allows to root; the pages are our own.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield Chromium(browser)
        finally:
            browser.close()
