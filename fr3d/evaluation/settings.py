"""What a benchmark is asked for."""

from dataclasses import dataclass

from fr3d.errors import UsageError

FMR = (0.1, 0.01, 0.001, 0.0001)
FPIR = (0.1, 0.03, 0.01, 0.003, 0.001)
RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Settings:
    """Rates and resampling of a benchmark.

    Attributes:
        fmr: false-match rates at which to measure the true-positive rate.
        fpir: false-positive identification rates at which to measure TPIR.
        ranks: ranks of the closed-set search.
        bootstrap: draws for the intervals; none for no intervals.
        max_pairs: beyond so many pairs the non-mated ones are sampled.
        bootstrap_pairs: so many mated and so many non-mated pairs at most carry the intervals.
        seed: of draws and samples.
    """

    fmr: tuple[float, ...] = FMR
    fpir: tuple[float, ...] = FPIR
    ranks: tuple[int, ...] = RANKS
    bootstrap: int = 1000
    max_pairs: int = 20_000_000
    bootstrap_pairs: int = 500_000
    seed: int = 0


def parse_rates(text: str, option: str) -> tuple[float, ...]:
    """Read rates between 0 and 1, highest first.

    Args:
        text: numbers by commas.
        option: its name, for the message.

    Raises:
        UsageError: not such a list.
    """
    try:
        rates = {float(part) for part in text.split(",")}
    except ValueError:
        rates = set()
    if not rates or not all(0 < rate < 1 for rate in rates):
        raise UsageError(f"{option} '{text}': expected rates between 0 and 1", "e.g. 0.1,0.01")
    return tuple(sorted(rates, reverse=True))


def parse_ranks(text: str) -> tuple[int, ...]:
    """Read ranks, lowest first.

    Args:
        text: whole numbers by commas.

    Raises:
        UsageError: not such a list.
    """
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"--ranks '{text}': expected whole numbers from 1 on", "e.g. 1,5,10")
    return tuple(sorted({int(part) for part in parts}))
