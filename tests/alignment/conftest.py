"""A maps file of analytic faces whose pose in the frame is known."""

from pathlib import Path

import pytest
from posed_faces import posed, poses, write_maps


@pytest.fixture(scope="session")
def maps_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty sessions with known poses."""
    path = tmp_path_factory.mktemp("align") / "maps.h5"
    return write_maps(path, [posed(m) for m in poses(40)])
