"""Rows: one path, what it was compared with, and whether the target is met."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess

BENCHES = pathlib.Path(__file__).resolve().parent
ROOT = BENCHES.parent
RELEASE = ROOT / "target" / "release"
OUT = ROOT / "target" / "benches"
# What every part signs with: a session token of 1 KB.
SESSION_TOKEN = "IQoJb3JpZ2luX2VjEPn/" * 51 + "abcd"
HOSTNAME = "mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com"
KEYS = {
    "AWS_ACCESS_KEY_ID": "ASIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": SESSION_TOKEN,
}


@dataclasses.dataclass(frozen=True)
class Settings:
    quick: bool
    """Fewer repetitions, for a look."""


@dataclasses.dataclass(frozen=True)
class Row:
    path: str
    ours: float
    unit: str
    against: str
    peer: float | None
    ratio: float | None
    target: str
    met: bool


@dataclasses.dataclass(frozen=True)
class Measured:
    """What we have measured of ours; its methods hold it against something."""

    path: str
    ours: float
    unit: str

    def at_most_times(self, limit: float, against: str, peer: float) -> Row:
        """Ours takes at most `limit` times what the other takes."""
        ratio = self.ours / peer
        target = f"<= {limit:g}x"
        return Row(self.path, self.ours, self.unit, against, peer, ratio, target, ratio <= limit)

    def faster(self, times: float, against: str, peer: float) -> Row:
        """The other takes at least `times` times what ours takes."""
        ratio = peer / self.ours
        target = f">= {times:g}x faster"
        return Row(self.path, self.ours, self.unit, against, peer, ratio, target, ratio >= times)

    def at_most(self, limit: float) -> Row:
        target, met = f"<= {limit:g} {self.unit}", self.ours <= limit
        return Row(self.path, self.ours, self.unit, "", None, None, target, met)


def number(value: float | None) -> str:
    if value is None:
        return ""
    digits = 0 if value >= 1000 else 1 if value >= 100 else 2
    return f"{value:,.{digits}f}"


def as_text(rows: list[Row]) -> str:
    head = ("path", "ours", "", "against", "peer", "ratio", "target", "met")
    cells = [
        (
            row.path,
            number(row.ours),
            row.unit,
            row.against,
            number(row.peer),
            number(row.ratio),
            row.target,
            "yes" if row.met else "NO",
        )
        for row in rows
    ]
    widths = [max(len(line[i]) for line in [head, *cells]) for i in range(len(head))]
    lines = [head, tuple("-" * width for width in widths), *cells]
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |"
        for line in lines
    )


def compiled(source: str) -> pathlib.Path:
    """A C program of `c/`, linked with the library as `make build` left it."""
    program = OUT / pathlib.Path(source).stem
    OUT.mkdir(parents=True, exist_ok=True)
    ours = (f"-I{ROOT / 'include'}", f"-L{RELEASE}", f"-Wl,-rpath,{RELEASE}")
    command = ("cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", BENCHES / "c" / source)
    subprocess.run([*command, "-o", program, *ours, "-lrdstoken", "-pthread"], check=True)
    return program
