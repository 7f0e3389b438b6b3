import glob
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_licence_goes_into_the_wheel() -> None:
    """By the patterns as hatchling reads them, which knows no folders of any depth."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    patterns = project["license-files"]
    taken = {p for one in patterns for p in glob.glob(one, root_dir=ROOT)}  # noqa: PTH207
    there = {str(p.relative_to(ROOT)) for p in (ROOT / "fr3d").rglob("LICENSE*")}
    assert len(there) >= 5
    assert taken == {"LICENSE"} | there
