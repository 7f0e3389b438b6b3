"""In which number format the backbone computes; heads and criteria are float32 always."""

import torch

from fr3d.errors import UnavailableError, UsageError


def resolve_precision(name: str, device: str, *, vectors: bool = False) -> str:
    """Turn `auto` into "bf16" or "float32".

    Args:
        name: auto, bf16 or float32; `auto` takes bfloat16 where the hardware multiplies it.
        device: cpu, cuda or cuda:N.
        vectors: count processors that multiply it in vectors only (AVX-512), which pays for
            networks that are all convolutions of few channels: the hourglass learns 1.7 times
            as fast with it.

    Raises:
        UsageError: another name.
        UnavailableError: bf16 was asked for and the device has none.
    """
    if name == "auto":
        return "bf16" if _multiplies_bf16(device, vectors) else "float32"
    if name not in ("bf16", "float32"):
        raise UsageError(f"precision {name!r}, expected auto, bf16 or float32")
    if name == "bf16" and device.startswith("cuda") and not torch.cuda.is_bf16_supported():
        raise UnavailableError(f"{device} has no bfloat16", "use --precision float32")
    return name


def _multiplies_bf16(device: str, vectors: bool) -> bool:
    """Tell whether bfloat16 is faster here: CUDA since Ampere, processors with AMX, or vectors."""
    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # Older torch cannot tell; float32 is never wrong.
    probe = getattr(torch.cpu, "get_capabilities", None)
    if probe is None:
        return False
    able = probe()
    return bool(able.get("amx_bf16", False) or (vectors and able.get("avx512_bf16", False)))
