import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lit_sphere import AZIMUTH, ZENITH

from fr3d.errors import Fr3dError, MalformedInputError, UsageError
from fr3d.geometry.lights import direction
from fr3d.photometric.light_files.model import Lights
from fr3d.photometric.lights import check_lights, flipped, read_lights

DIRECTIONS = direction(ZENITH, AZIMUTH)


def lines(values: np.ndarray = DIRECTIONS, length: float = 1.0) -> str:
    return "\n".join(" ".join(f"{v * length:.9f}" for v in row) for row in values) + "\n"


def document(**more: object) -> str:
    entries = [{"direction": d} for d in DIRECTIONS.tolist()]
    return json.dumps({"format": "fr3d.lights", "version": 1, "lights": entries} | more)


def with_entry(**more: object) -> str:
    entries = [{"direction": d} | more for d in DIRECTIONS.tolist()]
    return document(lights=entries)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lights.txt", lines()),
        ("lights.txt", "# x, y, z\n" + lines(length=7).replace(" ", ", ")),
        ("lights.txt", lines(DIRECTIONS.T)),
        ("light_directions.txt", lines()),
        ("a.csv", "x,y,z\n" + lines().replace(" ", ",")),
        ("a.lp", "4\n" + "".join(f"a b {i}.png {x}\n" for i, x in enumerate(lines().splitlines()))),
        ("a.json", document()),
        ("a.json", document(calibrated_by={"method": "chrome"}, more=[1])),
    ],
)
def test_all_kinds_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    lights = read_lights(tmp_path / name)
    np.testing.assert_allclose(lights.directions, DIRECTIONS, atol=1e-8)
    assert lights.intensity.tolist() == [1] * 4
    if name == "a.lp":
        assert lights.files[2] == "a b 2.png"


@pytest.mark.parametrize("dtype", ["f8", ">f4", "f2"])
@pytest.mark.parametrize("turned", [False, True])
def test_arrays(tmp_path: Path, dtype: str, turned: bool) -> None:
    table = DIRECTIONS.T if turned else DIRECTIONS
    np.save(tmp_path / "lights.npy", table.astype(dtype))
    tolerance = 1e-3 if dtype == "f2" else 1e-6
    np.testing.assert_allclose(
        read_lights(tmp_path / "lights.npy").directions, DIRECTIONS, atol=tolerance
    )


def test_three_lights_are_rows(tmp_path: Path) -> None:
    np.save(tmp_path / "l.npy", DIRECTIONS[:3])
    np.testing.assert_allclose(read_lights(tmp_path / "l.npy").directions, DIRECTIONS[:3])


def test_intensities(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y,z,red,green,blue\n0,0,1,1,2,3\n1,0,1,4,5,6\n0,1,1,7,8,9\n")
    lights = read_lights(tmp_path / "a.csv")
    np.testing.assert_array_equal(lights.intensity, np.arange(1, 10).reshape(3, 3))
    assert lights.grey_intensity.tolist() == [2, 5, 8]
    (tmp_path / "a.json").write_text(with_entry(intensity=[1, 2, 4], position_mm=[0, 3, 4]))
    lights = read_lights(tmp_path / "a.json")
    assert lights.intensity.shape == (4, 3)
    assert lights.positions_mm is not None
    assert lights.positions_mm[3].tolist() == [0, 3, 4]


def test_a_position_alone_gives_the_direction(tmp_path: Path) -> None:
    entries = [{"position_mm": [0, 30, 40], "file": f"{i}.png"} for i in range(3)]
    (tmp_path / "a.json").write_text(document(lights=entries))
    lights = read_lights(tmp_path / "a.json")
    np.testing.assert_allclose(lights.directions, [[0, 0.6, 0.8]] * 3)
    assert lights.files == ("0.png", "1.png", "2.png")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.txt", "0 0 1\n0 1\n", r"a\.txt: line 2: found 2 numbers, expected 3"),
        ("a.txt", "0 0 1\n0 x 1\n", r"line 2: found 'x', expected a number"),
        ("a.txt", "0 0 1\n0 nan 1\n", "line 2: found 'nan'"),
        ("a.txt", "0 0 1\n0 0 0\n1 0 1\n", "length 0, light 2 of 3"),
        ("a.txt", "1 2\n3 4\n", "found 2 x 2 numbers, expected 3 a light"),
        ("a.txt", "\n# nothing\n", "holds no numbers"),
        ("a.lp", "3\na.png 0 0 1\n", "found 1 lights, expected 3 as its first line"),
        ("a.lp", "a.png 0 0 1\n", "line 1: found 'a.png 0 0 1', expected the number"),
        ("a.lp", "1\na.png 0 1\n", "line 2: found 3 words"),
        ("a.lp", "1\na.png 0 one 1\n", "line 2: found 'one'"),
        ("a.lp", "", "expected the number of lights"),
        ("a.csv", "x,y,z,red,green,blue\n0,0,1,1,0,1\n", "intensity of 0 or less, light 1 of 1"),
        ("a.json", "{", r"a\.json: line 1: not JSON"),
        ("a.json", "[" * 9999, "not JSON"),
        ("a.json", "{}", "expected format 'fr3d.lights'"),
        ("a.json", document(version=2), "found version 2, expected 1"),
        ("a.json", document(lights=[]), "holds no lights"),
        ("a.json", document(lights=[1]), "light 1: expected an object"),
        ("a.json", document(lights=[{}]), "light 1: no direction"),
        ("a.json", with_entry(direction=[1, 2]), r"light 1: direction is \[1, 2\], expected 3"),
        ("a.json", with_entry(direction=[1, 2, "3"]), "expected 3 finite numbers"),
        ("a.json", with_entry(intensity=[1, 2]), "expected 1 or 3 finite numbers"),
        ("a.json", with_entry(intensity=0), "intensity of 0 or less"),
        ("a.json", with_entry(direction=[0, 0, 0]), "length 0, light 1 of 4"),
        ("a.yml", "", "not a light file by its name"),
        ("a.npy", "PK", "not an NPY file"),
    ],
)
def test_faults_are_named(tmp_path: Path, name: str, text: str, reason: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(MalformedInputError, match=reason):
        read_lights(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("l.csv", "x,y,z,intensity\n0,0,1,0\n", "a number above 0"),
        ("l.csv", "x,y,z\n0,0,0\n", "a light table has columns"),
        ("l.json", with_entry(direction=[0, 0, 0]), "fr3d.lights"),
        ("l.lp", "1\na.png 0 0 x\n", "an .lp file holds"),
        ("l.lp", "1\na.png 0 0 0\n", "an .lp file holds"),
        ("l.txt", "0 0 0\n", "write x y z of one light a line"),
        ("l.m", "L = [95-200 360-1; 90-1 360-1];", "rows `90-<zenith>"),
    ],
)
def test_each_kind_has_its_hint(tmp_path: Path, name: str, text: str, hint: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(MalformedInputError) as caught:
        read_lights(tmp_path / name)
    assert hint in caught.value.hint
    np.savetxt(tmp_path / "light_directions.txt", DIRECTIONS)
    (tmp_path / "light_intensities.txt").write_text("1\nx\n")
    with pytest.raises(MalformedInputError) as caught:
        read_lights(tmp_path / "light_directions.txt")
    assert caught.value.hint.startswith("write one number, or red, green and blue")


def test_arrays_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "l.npy", np.array([[object()] * 3] * 3), allow_pickle=True)
    with pytest.raises(MalformedInputError, match="not an NPY file of numbers"):
        read_lights(tmp_path / "l.npy")
    np.save(tmp_path / "l.npy", np.full((3, 3), np.nan))
    with pytest.raises(MalformedInputError, match="not finite"):
        read_lights(tmp_path / "l.npy")


def test_lights_that_determine_nothing() -> None:
    def check(directions: np.ndarray) -> None:
        check_lights(Lights(directions, np.ones(len(directions))), len(directions), "f")

    with pytest.raises(MalformedInputError, match=r"in one plane \(1, 2 and 3; condition"):
        check(direction([0, 20, 40], [90, 90, 270]))
    with pytest.raises(MalformedInputError, match=r"in one plane \(all 6, 1 to 6"):
        check(direction(np.full(6, 90), np.arange(6) * 60))
    with pytest.raises(MalformedInputError, match="all 4 lights stand behind") as caught:
        check(DIRECTIONS * [1, 1, -1])
    assert "(--flip-lights z," in caught.value.message
    check(direction([120, 42, 40, 36], AZIMUTH))  # one behind the face is used
    check(direction([120, 95, 130, 98], AZIMUTH))  # two graze it
    with pytest.raises(MalformedInputError, match="all 4 lights stand behind"):
        check(direction([120, 99, 130, 100], AZIMUTH))


def test_flips() -> None:
    lights = Lights(DIRECTIONS, np.ones(4), positions_mm=DIRECTIONS * 500)
    turned = flipped(lights, "yz")
    np.testing.assert_array_equal(turned.directions, DIRECTIONS * [1, -1, -1])
    assert turned.positions_mm is not None
    np.testing.assert_array_equal(turned.positions_mm, DIRECTIONS * [500, -500, -500])
    assert flipped(lights, "") is lights
    for axes in ("w", "yy", "-z"):
        with pytest.raises(UsageError, match="no such axes"):
            flipped(lights, axes)


@given(st.sampled_from(["csv", "json", "lp", "txt", "m"]), st.text(max_size=60))
def test_any_text_ends_in_lights_or_our_error(suffix: str, text: str) -> None:
    from fr3d.photometric import lights

    with contextlib.suppress(Fr3dError):
        found = lights._TEXTS[f".{suffix}"](text, "f")
        np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1)
