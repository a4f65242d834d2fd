"""Rows of results, and how they are printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

MILLISECONDS = 1000


@dataclass(frozen=True)
class Row:
    """Ours against the floor, in seconds, one pair a round."""

    what: str
    clock: str
    ours: Sequence[float]
    floor: Sequence[float]
    target: float | None = None

    @property
    def ratio(self) -> float:
        """The median of the rounds' own ratios: the two sides of a round met the same weather."""
        return median(ours / floor for ours, floor in zip(self.ours, self.floor, strict=True))

    @property
    def best_ratio(self) -> float:
        return min(self.ours) / min(self.floor)


def show(rows: Sequence[Row]) -> None:
    """Medians in milliseconds, their ratio, the ratio of the minima beside it, and what we promise."""
    print(f"{'':34}{'clock':>6}{'ours ms':>10}{'floor ms':>10}{'ratio':>8}{'of minima':>11}{'target':>9}")
    for row in rows:
        target = f"{row.target:.2f}" if row.target is not None else ""
        print(f"{row.what:34}{row.clock:>6}{median(row.ours) * MILLISECONDS:10.3f}{median(row.floor) * MILLISECONDS:10.3f}{row.ratio:8.3f}{row.best_ratio:11.3f}{target:>9}")
