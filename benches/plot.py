"""Draws `docs/scale-*.svg` from what `scale` printed.

cargo run --release --bin scale > scale.json && plot.py scale.json
"""

from __future__ import annotations

import json
import math
import pathlib
import sys
from typing import TYPE_CHECKING

from table import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 64, 150, 44, 52
COLOURS = ("#0b6e4f", "#c8553d", "#3a5a9b", "#8a6d00")


def decades(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def short(value: float) -> str:
    if value >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:g}"


def svg(
    title: str, x_name: str, y_name: str, xs: Sequence[float], series: dict[str, list[float]]
) -> str:
    """Both axes by powers of ten, one line for each series, named at its end."""
    ys = [value for values in series.values() for value in values]
    x_marks, y_marks = list(xs), decades(min(ys), max(ys))
    x_low, x_high = math.log(min(xs)), math.log(max(xs))
    y_low, y_high = math.log(y_marks[0]), math.log(y_marks[-1])
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x_of(value: float) -> float:
        return LEFT + (math.log(value) - x_low) / (x_high - x_low) * (right - LEFT)

    def y_of(value: float) -> float:
        return bottom - (math.log(value) - y_low) / (y_high - y_low) * (bottom - TOP)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        "<style>text { font: 12px sans-serif } .title { font: bold 15px sans-serif }</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" class="title">{title}</text>',
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{x_name}</text>',
        f'<g transform="translate(16 {(TOP + bottom) / 2}) rotate(-90)">',
        f'<text text-anchor="middle">{y_name}</text></g>',
    ]
    for mark in y_marks:
        y = y_of(mark)
        lines.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        lines.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{short(mark)}</text>')
    for mark in x_marks:
        x = x_of(mark)
        lines.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#eee"/>')
        lines.append(
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{short(mark)}</text>'
        )
    ends: list[float] = []
    for colour, (name, values) in zip(COLOURS, series.items(), strict=False):
        points = [(x_of(x), y_of(y)) for x, y in zip(xs, values, strict=True)]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        lines.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines.extend(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points
        )
        end = points[-1][1]
        while any(abs(end - other) < 14 for other in ends):
            end -= 14
        ends.append(end)
        lines.append(f'<text x="{right + 8}" y="{end + 4:.1f}" fill="{colour}">{name}</text>')
    return "\n".join([*lines, "</svg>", ""])


def column(rows: list[dict[str, float]], name: str) -> list[float]:
    return [row[name] for row in rows]


def main() -> None:
    measured = json.loads(pathlib.Path(sys.argv[1]).read_text())
    signers, threads, lengths = measured["signers"], measured["threads"], measured["lengths"]
    plots = {
        "signers": svg(
            "A call against the number of signers",
            "signers, called in turn",
            "ns for a call",
            column(signers, "signers"),
            {"signing": column(signers, "cold_ns"), "hit": column(signers, "hit_ns")},
        ),
        "memory": svg(
            "Memory of a signer beside its token",
            "signers",
            "bytes for each",
            column(signers, "signers"),
            {"bytes": column(signers, "bytes_beside_token")},
        ),
        "threads": svg(
            "A hit against the number of threads",
            "threads that share one signer",
            "ns for a call",
            column(threads, "threads"),
            {"hit": column(threads, "hit_ns")},
        ),
        "length": svg(
            "Signing against the length of the token",
            "bytes of the token",
            "ns for a call",
            column(lengths, "token_bytes"),
            {
                "aws-sdk-rds": column(lengths, "aws_sdk_rds_ns"),
                "signing": column(lengths, "cold_ns"),
                "SHA-256 alone": column(lengths, "sha256_ns"),
                "hit": column(lengths, "hit_ns"),
            },
        ),
    }
    for name, text in plots.items():
        (ROOT / "docs" / f"scale-{name}.svg").write_text(text)


if __name__ == "__main__":
    main()
