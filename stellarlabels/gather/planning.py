"""What a run will ask of the archives, before it does."""

from dataclasses import dataclass

from stellarlabels.archive import queries
from stellarlabels.archive.services import get
from stellarlabels.gather import supply as supplies
from stellarlabels.gather.run import ANY, PART
from stellarlabels.gather.steps import is_query
from stellarlabels.gather.supply import Archives

#: Bytes that an archive sends in a second, about: what a slow connection has.
_RATE = 1e6


@dataclass(frozen=True)
class Plan:
    """What is asked for: stars, requests by what they are for, bytes that travel, seconds at 1 MB/s."""

    stars: int
    requests: dict
    bytes: int
    seconds: float

    def __str__(self):
        asked = "; ".join(f"{count:,} of {name}" for name, count in self.requests.items())
        size = f"{self.bytes / 1e6:,.1f} MB" if self.bytes < 1e9 else f"{self.bytes / 1e9:,.1f} GB"
        limits = ((120, 1, "s"), (7200, 60, "min"), (float("inf"), 3600, "h"))
        time = next(f"{self.seconds / unit:.0f} {name}" for most, unit, name in limits if self.seconds < most)
        return f"{self.stars:,} stars\nrequests: {asked}\nabout {size}, {time} at 1 MB/s, to fetch"


def plan(system, stars, *, archives=None):
    """Say what fetching the inputs of stars will take (`Plan`); the archive is asked for their number only."""
    archives, supply = Archives() if archives is None else archives, supplies.of(system)
    release = system.release or ANY
    count = stars.count(supply, archives, release)
    parts = -(-count // PART)
    requests, seconds = {}, 0.0
    if stars.bound(supply, release) is not None:
        requests["the list of stars"] = 1
    for step in supply.steps:
        if is_query(step):
            service = get(queries.get(step).services[0])
            requests[step] = parts * -(-min(PART, max(count, 1)) // service.chunk_rows)
            seconds += requests[step] * service.interval
        elif step != "ebv":
            requests[step] = parts
    return Plan(count, requests, count * supply.size, seconds + count * supply.size / _RATE)
