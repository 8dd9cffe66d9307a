"""What must be true of the tree itself."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout  # noqa: S607
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_package_index() -> None:
    index = re.compile(
        r'"resolved":\s*"https?:|--(extra-)?index-url(?! )|files\.python' + r"hosted|registry\.npm" + "js"
    )
    named = [path for path in tracked() if path.suffix != ".png" and index.search(path.read_text(errors="ignore"))]
    assert not named


def test_every_recipe_that_the_docs_name_exists() -> None:
    recipes = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set()
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        named |= set(re.findall(r"`make ([a-z-]+)|^\$ make ([a-z-]+)", path.read_text(), re.MULTILINE))
    assert {name for pair in named for name in pair if name} <= recipes


def test_every_link_between_documents_leads_somewhere() -> None:
    for path in tracked():
        if path.suffix == ".md":
            for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text()):
                assert (path.parent / link).exists(), (path.relative_to(ROOT), link)
