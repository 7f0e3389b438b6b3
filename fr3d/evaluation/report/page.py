"""The report as one HTML page that needs no other file and no network."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from fr3d.evaluation.report import charts
from fr3d.evaluation.report.plots import Chart, draw

Report = Mapping[str, Any]
DASH = "\N{EN DASH}"

_STYLE = """
:root{color-scheme:light}
body{font:16px/1.5 system-ui,sans-serif;color:#222831;background:#fff;margin:0 auto;
max-width:1000px;padding:24px 20px 60px}
h1{font-size:1.6em;margin:0}h2{font-size:1.2em;margin:2em 0 .4em;border-bottom:1px solid #d9dde3}
p{margin:.5em 0}.quiet,caption{color:#5b6470;font-size:.88em}
table{border-collapse:collapse;margin:.6em 0;font-size:.92em}
caption{text-align:left;padding:.2em 0}
th,td{padding:.25em .9em .25em 0;text-align:left;vertical-align:top;border-bottom:1px solid #eceff2}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.cards{display:flex;flex-wrap:wrap;gap:12px;margin:1.2em 0}
.card{border:1px solid #d9dde3;border-radius:8px;padding:10px 16px;min-width:130px}
.card b{display:block;font-size:1.5em}.card span{color:#5b6470;font-size:.85em}
.charts{display:flex;flex-wrap:wrap;gap:20px}figure{margin:0;flex:1 1 420px;max-width:480px}
figcaption{font-size:.88em;color:#5b6470}svg{width:100%;height:auto;font:12px system-ui,sans-serif}
.warn{background:#fdf1e7;border-left:4px solid #d0662a;padding:.5em .9em;margin:.8em 0}
code{font-size:.88em;overflow-wrap:anywhere}
@media print{body{max-width:none}figure{break-inside:avoid}}
"""


def render_page(report: Report) -> str:
    """The page of a report.

    Args:
        report: the JSON document.
    """
    title = f"Face recognition benchmark: partition {report['partition']}"
    body = [
        f"<h1>{escape(title)}</h1>",
        _origin(report),
        *(_warning(f"Leak allowed: {leak}") for leak in report["leaks_allowed"]),
        *(_warning(note) for note in report["notes"]),
        _cards(report),
        _verification(report),
        _closed_set(report),
        _open_set(report),
        _all_figures(report),
        _provenance(report),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body></html>\n"
    )


def number(value: float | None) -> str:
    """A figure for reading: four decimals, a dash where there is none."""
    return DASH if value is None else f"{value:.4f}"


def percent(value: float | None) -> str:
    """A rate in percent, a dash where there is none."""
    return DASH if value is None else f"{100 * value:.1f} %"


def _origin(report: Report) -> str:
    model = report["model_contract"]
    name = f"model {model[:12]}" if model else "model not named"
    text = f"{report['generated_by']}, {name}, seed {report['seed']}. {report['intervals']}."
    return f'<p class="quiet">{escape(text)}</p>'


def _warning(text: str) -> str:
    return f'<p class="warn">{escape(text)}</p>'


def _limits(figure: Mapping[str, Any], spell: Any) -> str:
    low, high = figure["low"], figure["high"]
    return "" if low is None else f"{spell(low)} to {spell(high)}"


def _cards(report: Report) -> str:
    rows = {row["metric"]: row for row in report["headline"]}
    chosen = [("auc", "AUC", number), ("eer", "equal error rate", percent)]
    chosen += [("rank-1", "rank-1, closed set", percent)]
    chosen += [
        (m, m.replace("tpir@fpir=", "TPIR at FPIR "), percent) for m in rows if m[:5] == "tpir@"
    ]
    cards = []
    for metric, label, spell in chosen:
        row = rows.get(metric)
        if row and row["value"] is not None:
            limits = _limits(row, spell) or "&nbsp;"
            cards.append(
                f'<div class="card"><span>{escape(label)}</span><b>{spell(row["value"])}</b>'
                f"<span>{limits}</span></div>"
            )
    return f'<div class="cards">{"".join(cards)}</div>'


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], text: int = 1) -> str:
    """An HTML table.

    Args:
        caption: what it shows.
        head: column names.
        rows: cells as plain text.
        text: so many leading columns are text; the others are numbers, set to the right.
    """
    kind = ["" if i < text else ' class="n"' for i in range(len(head))]
    lines = "".join(
        "<tr>"
        + "".join(f"<td{k}>{escape(c)}</td>" for k, c in zip(kind, row, strict=True))
        + "</tr>"
        for row in rows
    )
    names = "".join(f"<th{k}>{escape(h)}</th>" for k, h in zip(kind, head, strict=True))
    return f"<table><caption>{escape(caption)}</caption><tr>{names}</tr>{lines}</table>"


def _figures(*pairs: tuple[Chart, str]) -> str:
    items = (f"<figure>{draw(c)}<figcaption>{escape(t)}</figcaption></figure>" for c, t in pairs)
    return f'<div class="charts">{"".join(items)}</div>'


def _points(caption: str, rate: str, points: Sequence[Mapping[str, Any]], found: str) -> str:
    rows = []
    for point in points:
        target = f"{point['target']:g}"
        if not point["resolvable"]:
            bound = f"not resolvable (below {point['smallest']:.2g})"
            rows.append((target, bound, DASH, DASH, ""))
            continue
        hit = point["true_positive"]
        measured = percent(point["false_positive"]["value"])
        limits = _limits(hit, percent)
        rows.append((target, number(point["threshold"]), measured, percent(hit["value"]), limits))
    return table(caption, (rate, "threshold", f"{rate} there", found, "95 % interval"), rows)


def _verification(report: Report) -> str:
    part = report["verification"]
    sampled = " (a sample)" if part["sampled"] else ""
    text = (
        f"All sessions of {part['people']} people compared with each other: {part['mated']} pairs "
        f"of one person, {part['nonmated']} of two people{sampled}. Equal error rate "
        f"{percent(part['eer']['value'])}, AUC {number(part['auc']['value'])} over pairs and "
        f"{number(part['auc_macro']['value'])} over people, d' {number(part['d_prime']['value'])}."
    )
    shown = _figures(
        (charts.score_chart(report), "How alike two photographs look to the model."),
        (charts.roc_chart(report), "ROC; the shaded rates are below what so few people can show."),
        (charts.det_chart(report), "DET; the same errors, both small where the curve is low."),
    )
    points = _points("Verification at fixed false-match rates", "FMR", part["points"], "TPR")
    return f"<h2>Verification: the same person or not?</h2><p>{escape(text)}</p>{points}{shown}"


def _closed_set(report: Report) -> str:
    part = report["closed_set"]
    if part is None:
        return ""
    text = (
        f"{part['probes']} probes of people who are enrolled, searched among "
        f"{part['gallery_people']} people; {part['failed']} of them gave no usable capture and "
        "count as not found."
    )
    rows = [
        (f"rank {k}", percent(figure["value"]), _limits(figure, percent))
        for k, figure in part["rank"].items()
    ]
    ranks = table("Found within the first people of the list", ("", "found", "95 % interval"), rows)
    shown = _figures(
        (charts.cmc_chart(report), "Share of probes whose person is found by each rank.")
    )
    return f"<h2>Closed set: who of these is it?</h2><p>{escape(text)}</p>{ranks}{shown}"


def _open_set(report: Report) -> str:
    part = report["open_set"]
    if part is None:
        return ""
    text = (
        f"{part['known']} searches of enrolled people and {part['unknown']} of "
        f"{part['unknown_people']} people who are not enrolled, among {part['gallery_people']}. A "
        "known person counts when ranked first at or above the threshold; a stranger with any such "
        "candidate is a false alarm."
    )
    best = "Threshold chosen on the tested strangers themselves"
    points = _points(best, "FPIR", part["points"], "TPIR")
    fixed = ""
    if part["calibrated"]:
        title = f"Threshold set beforehand with {part['calibration_people']} other strangers"
        fixed = _points(f"{title}, as a gallery stores it", "FPIR", part["calibrated"], "TPIR")
    shown = _figures(
        (charts.open_set_chart(report), "Identified people against alarms by strangers.")
    )
    return f"<h2>Open set: is it anybody we know?</h2><p>{escape(text)}</p>{points}{fixed}{shown}"


def _all_figures(report: Report) -> str:
    rows = [
        (r["metric"], number(r["value"]), _limits(r, number), r["note"]) for r in report["headline"]
    ]
    every = table("The figures of the headline table", ("metric", "value", "95 %", "note"), rows, 4)
    part = report["verification"]
    worst = [
        ("two people, most alike", part["closest_strangers"]),
        ("one person, least alike", part["farthest_mates"]),
    ]
    pairs = "".join(
        table(
            title,
            ("session", "session", "score"),
            [(p["one"], p["other"], number(p["score"])) for p in found],
            2,
        )
        for title, found in worst
    )
    counts = [(k.replace("_", " "), f"{v:.4g}") for k, v in report["counts"].items()]
    counted = table("Counts", ("", ""), counts)
    return f"<h2>All figures</h2>{every}{counted}<h2>Hardest pairs</h2>{pairs}"


def _provenance(report: Report) -> str:
    inputs = [(name, digest) for name, digest in report["inputs"].items()]
    files = table("Inputs", ("file", "SHA-256"), inputs, 2)
    steps = [
        (s["command"], ", ".join(f"{k} {v}" for k, v in sorted(s["arguments"].items())))
        for s in report["history"]
    ]
    done = table("Steps that made the embeddings", ("command", "options"), steps, 2)
    return f"<h2>Where this comes from</h2>{files}{done}"
