"""Maps in MATLAB files: `px`, `py`, `pz` of normals, `z` of depth, `a` of albedo."""

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from fr3d.errors import MalformedInputError
from fr3d.geometry.normals import unit

_NAMES = {"normal": ("px", "py", "pz"), "depth": ("z",), "albedo": ("a",)}
_MOST = 8192
_LEVELS = 255.0


def read_matlab(path: Path, modality: str) -> npt.NDArray[np.float32]:
    """Read one map.

    Args:
        path: a MAT file of version 5 or 7.3.
        modality: "normal", "depth" or "albedo".

    Returns:
        (H, W, 3) unit normals px, py, pz; (H, W) depth in pixels; or (H, W) albedo, of which 1 is
        the largest 8-bit level.

    Raises:
        MalformedInputError: damaged, of too large planes, or without these variables.
    """
    planes = [_plane(path, name) for name in _NAMES[modality]]
    if len({plane.shape for plane in planes}) > 1 or planes[0].ndim != 2:
        raise MalformedInputError(f"{path.name}: found planes of different shapes")
    if max(planes[0].shape) > _MOST:
        raise MalformedInputError(f"{path.name}: found a plane of {planes[0].shape}")
    if modality != "normal":
        return planes[0] / np.float32(_LEVELS if modality == "albedo" else 1.0)
    normal = np.stack(planes, axis=-1)
    sound = np.asarray(np.isfinite(normal).all(axis=2))
    return unit(np.where(sound[..., None], normal, 0.0)).astype(np.float32)


def _plane(path: Path, name: str) -> npt.NDArray[np.float32]:
    try:
        if h5py.is_hdf5(path):
            with h5py.File(path) as file:
                # MATLAB writes columns first
                return np.asarray(file[name][()], np.float32).T
        from scipy.io import loadmat

        return np.asarray(loadmat(path, variable_names=[name])[name], np.float32)
    except KeyError as error:
        raise MalformedInputError(
            f"{path.name}: no variable '{name}'",
            "expected px, py, pz in sn.mat, z in z.mat and a in albedo.mat",
        ) from error
    except Exception as error:  # damaged files raise whatever is found first
        raise MalformedInputError(f"{path.name}: not a MAT file that can be read") from error
