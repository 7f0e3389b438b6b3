"""How captures are reconstructed: every choice that a run makes, once for all of them."""

from dataclasses import dataclass
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from fr3d.artifacts.provenance import sha256_file
from fr3d.errors import UsageError
from fr3d.photometric.exposure import AS_STORED, ReadOptions
from fr3d.photometric.face_prior import LandmarkFinder
from fr3d.photometric.integration.integrate import DEFAULT
from fr3d.photometric.integration.settings import RECTANGLE, Settings
from fr3d.photometric.transfer import LINEAR, Transfer
from fr3d.photometric.transfer_choice import TransferChoice

PriorName = Literal["auto", "face", "none"]
Camera = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Recipe:
    """How captures are reconstructed.

    Attributes:
        solver: name in `solvers.solve.SOLVERS`, `shadow`, or `auto`.
        prior: `face` draws normals to those of a mean face where light is scarce; `auto` does so
            when no solver was asked for and the lights stand far aside or are estimated.
        transfer: how stored values become light.
        transfer_choice: how the transfer function was chosen; None when it was given.
        reading: how photographs and lights are read, but for the transfer function.
        register: whether movement between the flashes is undone.
        max_residual: reject captures whose registration misses by more, px; None rejects none.
        integration: how normals become depth.
        camera: intrinsic matrix in pixels of the photograph; None for a distant camera.
        mm_per_pixel: length that a pixel of the photographs covers at the face; None when unknown.
            With it, lights whose positions are known are taken as near.
        depth_prior: maps with the depth that is known beforehand, of the same sessions.
        size: crop the face to a square of this size; None keeps the whole photograph.
        keep_raw: whether rows carry the photographs.
        attributes: whether rows carry attributes.
        find_landmarks: finds the face where a capture has no landmarks of its own; None leaves it.
        device: `cpu` for NumPy, else a device of PyTorch such as `cuda:0`.
    """

    solver: str = "auto"
    prior: PriorName = "auto"
    transfer: Transfer = LINEAR
    transfer_choice: TransferChoice | None = None
    reading: ReadOptions = AS_STORED
    register: bool = True
    max_residual: float | None = None
    integration: Settings = DEFAULT
    camera: Camera | None = None
    mm_per_pixel: float | None = None
    depth_prior: Path | None = None
    size: int | None = None
    keep_raw: bool = False
    attributes: bool = True
    find_landmarks: LandmarkFinder | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name, value in self.parameters.items():
            if isinstance(value, float) and not isfinite(value):
                raise UsageError(f"{name}: found {value}, expected a number")
        if self.depth_prior is not None and self.integration.method in RECTANGLE:
            raise UsageError(
                f"integration by {self.integration.method} follows no known depth",
                "choose poisson or robust",
            )

    @property
    def parameters(self) -> dict[str, Any]:
        """As history and model contracts record it."""
        return {
            "solver": self.solver,
            "prior": self.prior,
            "transfer": self.transfer.name,
            **self.reading.parameters,
            "lights": "estimated" if self.reading.estimate_lights else "given",
            "register": self.register,
            "max_residual": self.max_residual,
            "integrator": self.integration.method,
            "min_nz": self.integration.min_nz,
            "edge_power": self.integration.edge_power,
            "detrend": self.integration.detrend,
            "prior_weight": self.integration.prior_weight if self.depth_prior else None,
            "camera": None if self.camera is None else [list(row) for row in self.camera],
            "mm_per_pixel": self.mm_per_pixel,
            "depth_prior": self.depth_prior is not None,
            "size": self.size,
            "keep_raw": self.keep_raw,
            "weights": {name: _asset_sha256(name) for name in self._assets},
        }

    @property
    def _assets(self) -> list[str]:
        """Trained weights and means that may take part."""
        used = {
            "shadow.onnx": self.solver in ("auto", "shadow"),
            "mean_face.npz": self.prior != "none" or self.reading.estimate_lights,
            "light_network.npz": self.reading.estimate_lights,
        }
        return [name for name, is_used in used.items() if is_used]

    @property
    def notes(self) -> dict[str, Any]:
        """As history records it beside the parameters: why these were chosen."""
        choice = self.transfer_choice
        return {} if choice is None else {"transfer_choice": choice.notes}


@cache
def _asset_sha256(name: str) -> str:
    return sha256_file(Path(__file__).parent / "assets" / name)
