"""Scans of people, where they are at hand."""

from pathlib import Path

import numpy as np
import pytest

from fr3d.alignment import yunet
from fr3d.alignment.sources.nose import nose_tip
from fr3d.alignment.sources.scans import read_scan
from fr3d.errors import MalformedInputError


def test_faces_are_found_and_noses_protrude(shared: Path):
    paths = sorted((shared / "data" / "york_3d").glob("*-08-*.obj"))[::20]
    assert len(paths) == 6
    for path in paths:
        scan = read_scan(path)
        found = yunet.detect(scan.maps.image)
        assert found is not None, path.stem
        tip = nose_tip(scan.maps, found.landmarks[2], scan.scale_mm)
        column, row = tip.astype(int)
        place = scan.frame.to_millimetres(np.array([*tip, scan.maps.depth[row, column]]))
        # Hair may protrude more: the truth is the foremost vertex within 50 mm of the middle.
        middle = scan.frame.to_millimetres(np.array([*found.landmarks.mean(axis=0), 0.0]))
        near = np.linalg.norm((scan.vertices - middle)[:, :2], axis=1) < 50
        top = scan.vertices[near][np.argmax(scan.vertices[near, 2])]
        assert np.linalg.norm(place - top) < 6.0, path.stem


def test_a_shred_is_refused(shared: Path):
    path = next((shared / "data" / "york_3d").glob("00025-08-*.obj"))
    with pytest.raises(MalformedInputError, match=r"mm wide, expected 80"):
        read_scan(path)
