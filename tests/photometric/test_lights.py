from pathlib import Path

import numpy as np
import pytest
from lit_sphere import AZIMUTH, ZENITH, light_source

from fr3d.errors import MalformedInputError
from fr3d.geometry.lights import direction
from fr3d.photometric.lights import (
    check_lights,
    parse_light_source,
    parse_light_table,
    read_lights,
)


def test_photoface_angles() -> None:
    lights = parse_light_source(light_source(), "LightSource.m")
    np.testing.assert_allclose(lights.directions, direction(ZENITH, AZIMUTH), atol=1e-12)
    # a light above and at image right has positive x and y
    assert (lights.directions[1] > 0).all()


def test_zenith_beyond_the_side() -> None:
    text = "L = [90-130 360-90; 90-0 360-0; 90-45 360-200]"
    assert parse_light_source(text, "f").directions[0, 2] < 0


def test_named_scalars() -> None:
    lines = [
        f"zenith{i} = {z};\nazimuth{i} = {a};"
        for i, (z, a) in enumerate(zip(ZENITH, AZIMUTH, strict=True))
    ]
    lights = parse_light_source("\n".join(lines), "f")
    np.testing.assert_allclose(lights.directions, direction(ZENITH, AZIMUTH), atol=1e-12)


def test_a_matrix_a_light() -> None:
    lines = [
        f"l{i} = [90-{z} 360-{a}];" for i, (z, a) in enumerate(zip(ZENITH, AZIMUTH, strict=True))
    ]
    lights = parse_light_source("\n".join(lines), "f")
    np.testing.assert_allclose(lights.directions, direction(ZENITH, AZIMUTH), atol=1e-12)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("L = [36 134; 42 47; 40 313; 36 233]", "plain numbers"),
        ("L = [90-36 360-134 1]", r"rows of \[3\] values, expected 2"),
        ("L = [90-36; 360-134]", r"rows of \[1, 1\] values"),
        ("", "no light angles"),
        ("% only a comment", "no light angles"),
        ("L = [90-200 360-1]", "zenith of 200"),
        ("zenith1 = 36;", "1 zeniths and 0 azimuths"),
        ("zenith1 = 90-36; azimuth1 = 1", "'zenith1' is not one plain number"),
    ],
)
def test_refusals(text: str, reason: str) -> None:
    with pytest.raises(MalformedInputError, match=reason):
        parse_light_source(text, "LightSource.m")


def test_number_and_spread_are_checked() -> None:
    lights = parse_light_source(light_source(), "LightSource.m")
    with pytest.raises(MalformedInputError, match="found 4 lights, expected 3"):
        check_lights(lights, 3, "LightSource.m")
    plane = parse_light_table("x,y,z\n1,0,1\n0,0,1\n-1,0,1\n2,0,1\n", "lights.csv")
    with pytest.raises(MalformedInputError, match="in one plane"):
        check_lights(plane, 4, "lights.csv")
    two = parse_light_table("x,y,z\n1,0,1\n0,0,1\n", "lights.csv")
    with pytest.raises(MalformedInputError, match="at least 3"):
        check_lights(two, 2, "lights.csv")


def test_table_of_vectors_and_of_angles() -> None:
    vectors = parse_light_table("File, X,Y,Z,intensity\nb.png,0,0,2,0.5\na.png,3,0,4,1\n", "l.csv")
    np.testing.assert_allclose(vectors.directions, [[0, 0, 1], [0.6, 0, 0.8]])
    assert vectors.files == ("b.png", "a.png")
    assert vectors.intensity.tolist() == [0.5, 1]
    angles = parse_light_table("zenith,azimuth\n90,90\n", "l.csv")
    np.testing.assert_allclose(angles.directions, [[1, 0, 0]], atol=1e-12)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1,2\n", "found columns a,b, expected"),
        ("", "found columns none"),
        ("x,y,z\n", "holds no lights"),
        ("x,y,z\n1,2,x\n", "line 2: z is 'x'"),
        ("x,y,z\n1,2\n", "line 2: z is ''"),
        ("x,y,z\n1,2,nan\n", "line 2: z is 'nan'"),
        ("x,y,z\n0,0,0\n", "length 0"),
        ("x,y,z,intensity\n0,0,1,0\n", "intensity of 0"),
    ],
)
def test_table_refusals(text: str, reason: str) -> None:
    with pytest.raises(MalformedInputError, match=reason):
        parse_light_table(text, "lights.csv")


def test_files_that_are_not_text(tmp_path: Path) -> None:
    path = tmp_path / "LightSource.m"
    path.write_bytes(b"\xff\xfe\x00garbage")
    with pytest.raises(MalformedInputError, match=r"LightSource\.m: not UTF-8"):
        read_lights(path)
    path.write_bytes(b"\xef\xbb\xbf" + light_source().replace("\n", "\r\n").encode())
    assert len(read_lights(path).directions) == 4
