"""Options and fixtures of the whole suite."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[1].parent / "shared"
SAMPLE = Path(__file__).parents[1] / "sample_data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--runslow", action="store_true", help="run tests that take minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--runslow"):
        return
    skip = pytest.mark.skip(reason="takes minutes: --runslow")
    for item in items:
        if item.get_closest_marker("slow") or item.get_closest_marker("benchmark"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data for measuring, where it is at hand."""
    if not (SHARED / "data").is_dir():
        pytest.skip("needs the real data folder beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def sample_raw() -> Path:
    """The synthetic captures of sample_data/."""
    return SAMPLE / "raw"
