#!/usr/bin/env python3
"""How often 95 % intervals cover the truth when people, not pairs, are the sample.

python tests/benchmarks/interval_coverage.py [--samples 1000] [--people 105] [--draws 300] ...

Prints, for each population, figure, and method: coverage, mean width, and how often the truth lies
below and above the interval, in percent.
"""

import argparse

import numpy as np
from interval_figures import (
    Reals,
    Sample,
    counts,
    macro,
    pair_figures,
    person_areas,
    reweighted,
    sample,
    search_figures,
)
from interval_methods import Drawn, bootstrap_methods, dyadic_method, jackknife_methods, pairwise
from interval_populations import POPULATIONS, Population, sessions

FMR = 0.01  # where the fixed threshold lies


def truths(population: Population, chunks: int, seed: int) -> tuple[float, dict[str, float]]:
    """The fixed threshold, and figures from pairs that share nobody."""
    mated, nonmated = map(np.concatenate, zip(*population.independent(chunks, seed), strict=True))
    threshold = float(np.quantile(nonmated, 1 - FMR))
    edges = np.linspace(min(mated.min(), nonmated.min()), max(mated.max(), nonmated.max()), 200001)
    rows = [np.histogram(scores, edges)[0][None] for scores in (mated, nonmated)]
    figures = pair_figures(rows[0], rows[1], edges, (threshold, threshold))
    found = {name: float(values[0]) for name, values in figures.items()}
    found["auc-macro"] = float(np.mean(mated > nonmated))  # of one person each
    if not population.embeddings:
        found["auc-macro"] = found["auc"]
    return threshold, found


def measure(
    population: Population, drawn: Sample, threshold: float
) -> dict[str, tuple[Reals, int]]:
    """Each figure with everybody (first) and without each person, and the people behind it."""
    mated, nonmated = counts(drawn)
    figures = pair_figures(mated, nonmated, drawn.edges, (threshold, threshold))
    many = int((np.bincount(drawn.person) > 1).sum())
    found = {name: (v, drawn.people if name == "fmr" else many) for name, v in figures.items()}
    found["auc-macro"] = macro(person_areas(drawn))
    if population.embeddings:
        found |= search_figures(drawn)
    return found


def draw_figures(
    drawn: Sample, threshold: float, draws: int, generator: np.random.Generator
) -> dict[str, Reals]:
    """Figures with people drawn with replacement, shape (draws,) each."""
    chance = np.full(drawn.people, 1 / drawn.people)
    weight = generator.multinomial(drawn.people, chance, size=draws).astype(np.float64)
    mated, nonmated = reweighted(drawn, weight)
    found = pair_figures(mated, nonmated, drawn.edges, (threshold, threshold))
    areas = person_areas(drawn)
    known = np.isfinite(areas)
    found["auc-macro"] = weight[:, known] @ areas[known] / weight[:, known].sum(axis=1)
    return found | {"weight": weight}


def cell(population: Population, people: int, options: argparse.Namespace, *, equal: bool) -> None:
    """Draw the samples of one population and print what the methods make of them."""
    threshold, truth = truths(population, options.chunks, options.seed)
    person = sessions(people, equal=equal)
    table: dict[str, list[Drawn]] = {}
    for number in range(options.samples):
        generator = np.random.default_rng([options.seed, people, equal, number])
        drawn = sample(person, population.scores(person, generator))
        found = measure(population, drawn, threshold)
        draws = number < options.bootstrapped
        redrawn = draw_figures(drawn, threshold, options.draws, generator) if draws else {}
        for name, (values, behind) in found.items():
            extra = dyadic_method(drawn, threshold, values, name)
            extra |= pairwise(drawn, values[0], name)
            if name in redrawn:
                extra |= bootstrap_methods(
                    drawn, threshold, values, redrawn[name], redrawn["weight"], name
                )
            table.setdefault(name, []).append(Drawn(values, behind, extra))
    kind = "equal" if equal else "unequal"
    print(f"\n{population.name}, {people} people, {kind} sessions, {options.samples} samples")
    for name, samples in table.items():
        right = truth.get(name, float(np.mean([s.values[0] for s in samples])))
        report(name, right, samples)


def report(name: str, truth: float, samples: list[Drawn]) -> None:
    """Print a row a method."""
    edge = np.mean([s.values[0] in (0.0, 1.0) for s in samples])
    print(f"  {name}: truth {truth:.5f}, exactly 0 or 1 in {100 * edge:.1f} %")
    limits = jackknife_methods(samples)
    for method in samples[0].extra:
        limits[method] = np.array([s.extra[method] for s in samples if method in s.extra]).T
    for method, (low, high) in limits.items():
        above, below = np.mean(truth > high), np.mean(truth < low)
        print(
            f"    {method:20} {100 * (1 - above - below):5.1f}  width {np.mean(high - low):.4f}"
            f"  below {100 * below:4.1f}  above {100 * above:4.1f}  (n {len(low)})"
        )


def main() -> None:
    """Read the options and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--populations", nargs="+", default=list(POPULATIONS))
    parser.add_argument("--people", nargs="+", type=int, default=[105])
    parser.add_argument("--sessions", nargs="+", default=["equal", "unequal"])
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--bootstrapped", type=int, default=0, help="samples with a bootstrap")
    parser.add_argument("--draws", type=int, default=300, help="of each bootstrap")
    parser.add_argument("--chunks", type=int, default=20, help="of 100,000 pairs for the truth")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name in options.populations:
        for people in options.people:
            for kind in options.sessions:
                cell(POPULATIONS[name], people, options, equal=kind == "equal")


if __name__ == "__main__":
    main()
