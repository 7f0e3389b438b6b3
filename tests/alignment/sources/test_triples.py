from pathlib import Path

import h5py
import numpy as np
import OpenEXR
import pytest
from scipy.io import savemat
from surfaces import angular_error, face

from fr3d.alignment.sources.listing import Item
from fr3d.alignment.sources.normal_codes import CODES, as_vectors, decode
from fr3d.alignment.sources.triples import TripleReader, list_triples
from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.photometric.sources import SourceFiles

INSIDE = face().mask


def save_exr(path: Path, values: np.ndarray) -> None:
    """As the ancestors' files: colours by name, or one channel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    planes = (
        {"Y": values}
        if values.ndim == 2
        else dict(zip("RGB", np.moveaxis(values, -1, 0), strict=True))
    )
    channels = {name: np.ascontiguousarray(plane, np.float32) for name, plane in planes.items()}
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, channels).write(str(path))


def coded(normal: np.ndarray) -> np.ndarray:
    """(pz, -px, py) blue first, then (n + 1) / 2: red, green, blue are py, -px, pz."""
    x, y, z = np.moveaxis(normal, -1, 0)
    return (np.stack([y, -x, z], axis=-1) + 1) / 2


def read(files: dict[str, Path], code="auto"):
    item = Item("1001", "s", files, "x")
    return TripleReader(code).read(item, {}, SourceFiles()).maps


def hold_against_truth(maps) -> None:
    truth = face()
    assert angular_error(maps.normal, truth.normal)[INSIDE].max() < 0.1
    np.testing.assert_allclose(maps.albedo[INSIDE], truth.albedo[INSIDE], atol=1e-3)
    np.testing.assert_allclose(maps.depth[INSIDE], truth.depth[INSIDE], atol=1e-2)
    assert not maps.mask[~INSIDE].any()
    assert np.isnan(maps.depth[~INSIDE]).all()


def background(values: np.ndarray) -> np.ndarray:
    return np.where(INSIDE if values.ndim == 2 else INSIDE[..., None], values, 0.0)


def test_exr_triples_of_the_ancestors(tmp_path: Path):
    truth = face()
    for split, person in (("train", "1001"), ("gallery", "1002")):
        for folder, values in (
            ("Normal_Map", background(coded(truth.normal))),
            ("Albedo", background(truth.albedo)),
            ("Depth_Map", background(np.nan_to_num(truth.depth) / 255)),
        ):
            save_exr(tmp_path / folder / split / person / "2007-12-17_13-58-49.exr", values)
    listing = list_triples(tmp_path)
    assert [(i.subject_id, i.session_id) for i in listing.items] == [
        ("1001", "2007-12-17_13-58-49"),
        ("1002", "2007-12-17_13-58-49"),
    ]
    assert sorted(listing.items[0].files) == ["albedo", "depth", "normal"]
    hold_against_truth(read(dict(listing.items[0].files)))


@pytest.mark.parametrize("planes_first", [False, True])
def test_npy_triples_come_blue_first(tmp_path: Path, planes_first: bool):
    truth = face()
    folder = tmp_path / "1001" / "2007-12-17_13-58-49"
    folder.mkdir(parents=True)
    normal = background(coded(truth.normal))[..., ::-1].astype(np.float32)
    values = {
        "normal": np.moveaxis(normal, -1, 0) if planes_first else normal,
        "albedo": background(truth.albedo),
        "depth": background(np.nan_to_num(truth.depth) / 255),
    }
    for name, array in values.items():
        np.save(folder / f"{name}_map_new_crop.exr.npy", array)
    (item,) = list_triples(tmp_path).items
    assert (item.subject_id, item.session_id) == ("1001", "2007-12-17_13-58-49")
    hold_against_truth(read(dict(item.files)))


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_matlab_files(tmp_path: Path, version: str):
    truth = face()
    folder = tmp_path / "1001" / "s1"
    folder.mkdir(parents=True)
    x, y, z = np.moveaxis(truth.normal.astype(np.float64), -1, 0)
    content = {
        "sn.mat": {"px": x, "py": y, "pz": z},
        "z.mat": {"z": truth.depth.astype(np.float64)},
        "albedo.mat": {"a": truth.albedo * 255.0},
    }
    for name, variables in content.items():
        if version == "5":
            savemat(folder / name, variables)
        else:
            with h5py.File(folder / name, "w", userblock_size=512) as file:
                for key, values in variables.items():
                    file[key] = values.T
    (item,) = list_triples(tmp_path).items
    assert (item.subject_id, item.session_id) == ("1001", "s1")
    hold_against_truth(read(dict(item.files)))


def stored_as(code: str, vectors: bool) -> np.ndarray:
    x, y, z = np.moveaxis(face().normal, -1, 0)
    planes = {"rgb": (x, y, z), "rgb-y-down": (x, -y, z), "opencv-exr": (y, -x, z)}[code]
    values = np.stack(planes, axis=-1)
    return background(values if vectors else (values + 1) / 2).astype(np.float32)


@pytest.mark.parametrize("factor", [1.0, 255.0])
@pytest.mark.parametrize("blue_first", [False, True])
@pytest.mark.parametrize("vectors", [False, True])
@pytest.mark.parametrize("code", list(CODES))
def test_the_code_is_told_from_the_depth(code, vectors, blue_first, factor):
    stored = stored_as(code, vectors)
    found = decode(
        as_vectors(stored[..., ::-1] if blue_first else stored, "n.npy"),
        background(np.nan_to_num(face().depth) / factor).astype(np.float32),
        "auto",
        "n.npy",
    )
    assert (found.code, found.factor) == (code, factor)
    assert angular_error(found.normal, face().normal)[INSIDE].max() < 0.1
    np.testing.assert_allclose(found.depth[INSIDE], face().depth[INSIDE], atol=1e-2)
    assert found.angle < 1.0


@pytest.mark.parametrize("code", list(CODES))
def test_without_depth_the_code_is_told_from_the_curl(code):
    found = decode(as_vectors(stored_as(code, vectors=False), "n.exr"), None, "auto", "n.exr")
    assert found.code == code
    assert np.isnan(found.angle)


def test_a_code_that_is_given_is_taken():
    vectors = as_vectors(stored_as("rgb", vectors=True), "n.npy")
    wrong = decode(vectors, face().depth, "opencv-exr", "n.npy")
    assert wrong.code == "opencv-exr"
    assert wrong.angle > 10


def test_normals_of_another_surface_are_refused():
    vectors = as_vectors(stored_as("rgb", vectors=True), "n.npy")
    rows, columns = np.mgrid[0:96, 0:96]
    depth = (4.0 * columns + 3.0 * rows).astype(np.float32)
    with pytest.raises(MalformedInputError, match="in no known code"):
        decode(vectors, depth, "auto", "n.npy")


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        (np.zeros((8, 8), np.float32), "found shape"),
        (np.full((8, 8, 3), 0.5, np.float32), "neither its first nor its last"),
        (np.tile(np.float32([0.5, 1.0, 0.5]), (8, 8, 1)), "neither its first nor its last"),
    ],
)
def test_what_codes_no_normals_is_refused(stored: np.ndarray, says: str):
    with pytest.raises(MalformedInputError, match=says):
        as_vectors(stored, "n.exr")


def test_depth_alone_gives_normals(tmp_path: Path):
    truth = face()
    np.save(tmp_path / "depth.npy", truth.depth.astype(np.float32))
    maps = read({"depth": tmp_path / "depth.npy"})
    assert np.median(angular_error(maps.normal, truth.normal)[INSIDE]) < 0.5


def test_bad_files(tmp_path: Path):
    np.save(tmp_path / "normal.npy", np.full((8, 8, 3), 0.9, np.float32))
    np.save(tmp_path / "albedo.npy", np.ones((9, 8), np.float32))
    with pytest.raises(MalformedInputError, match="different sizes: albedo 8x9, normal 8x8"):
        read({n: tmp_path / f"{n}.npy" for n in ("normal", "albedo")})
    for name in ("sn.mat", "z.mat", "albedo.npy", "normal.exr"):
        (tmp_path / name).write_bytes(b"not a file of its kind" * 30)
        modality = {"sn.mat": "normal", "z.mat": "depth"}.get(name, name.split(".")[0])
        with pytest.raises(MalformedInputError, match=name):
            read({modality: tmp_path / name})
    savemat(tmp_path / "z.mat", {"q": np.ones((4, 4))})
    with pytest.raises(MalformedInputError, match="no variable 'z'"):
        read({"depth": tmp_path / "z.mat"})
    with pytest.raises(MissingInputError, match="no normal, albedo or depth"):
        list_triples(Path(__file__).parent)
