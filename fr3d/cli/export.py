"""fr3d export: a trained run as one ONNX file."""

from pathlib import Path
from typing import Annotated

import typer

from fr3d.cli.options import DryRun, Force, Output, Quiet, Runs, Verbose


def export(
    *,
    run: Annotated[
        Path | None,
        typer.Argument(help="A run folder.", show_default="the newest finished run"),
    ] = None,
    output: Output = Path("model.onnx"),
    runs: Runs = Path("runs"),
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write a trained network as an ONNX file.

    The file has one input per modality, any batch size, and the outputs
    embedding and magnitude. It is put in place only when it computes what
    the network does, at batch sizes 1, 2 and 7.

    Examples:
      fr3d export
      fr3d export runs/concat3 -o concat3.onnx
    """
    from fr3d.artifacts.atomic import check_output, write_bytes
    from fr3d.cli.console import detail, say
    from fr3d.inference.model import find_run

    check_output(output, force or dry_run)
    folder = find_run(run, runs)
    from fr3d.inference.export import PARITY_BATCHES, export_onnx
    from fr3d.inference.torch_model import TorchModel

    model = TorchModel(folder)
    contract = model.contract
    text = f"{', '.join(contract.modalities)} to {contract.embedding_size} numbers"
    if dry_run:
        say(f"would export {folder} ({text}) -> {output}")
        return
    data, parity = export_onnx(model.network, contract, model.training_subjects)
    write_bytes(output, data, force)
    say(
        f"exported {folder} ({text}) -> {output}, {len(data) / 1e6:.1f} MB; within "
        f"{max(parity.difference, parity.magnitude):.1g} of torch at batch "
        f"{', '.join(map(str, PARITY_BATCHES))}"
    )
    detail(f"model contract {contract.sha256}")
