"""What the documentation quotes stands in the code."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(ROOT.glob("docs/**/*.md"))
QUOTE = re.compile(r"`([\w/]+\.py)`:\n\n```python\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)\)")


@pytest.mark.parametrize(
    ("page", "path", "quote"),
    [(page.name, *found) for page in PAGES for found in QUOTE.findall(page.read_text())],
)
def test_what_a_page_quotes_is_in_the_file(page: str, path: str, quote: str) -> None:
    """
    A block below the name of a file is in that file, to the letter.
    """
    assert quote in (ROOT / path).read_text()


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """
    Every relative link names a file that is there.
    """
    missing = [
        target for target in LINK.findall(page.read_text()) if not (page.parent / target).exists()
    ]

    assert not missing
