"""The shipped network of the shadow solver, run by ONNX Runtime on one thread."""

from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import onnxruntime

FloatArray = npt.NDArray[np.float32]

WEIGHTS = "shadow.onnx"


def ask(evidence: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Run the network on one session.

    Args:
        evidence: (L, C, h, w), as `shadow_evidence.evidence` lays it out.

    Returns:
        (L, 2, h, w), offset and slope of the weight of each observation; and (7, h, w): direction
        of the normal (3), logarithms of ridge, albedo, ridge of albedo, and expected error.
    """
    each, shared = _session().run(None, {"evidence": evidence})
    return each, shared[0]


@cache
def _session() -> onnxruntime.InferenceSession:
    """Load the network once a process; one thread, so that results never depend on how many."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    data = files("fr3d.photometric").joinpath("assets", WEIGHTS).read_bytes()
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
