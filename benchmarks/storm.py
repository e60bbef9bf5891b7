"""
Jobs run once and in time while workers, children, dispatchers and servers are killed at random.

    python -P benchmarks/storm.py [--seed N] [--duration SECONDS] [--jobs N] [--healthy SECONDS]
                                  [--json FILE]

It starts servers of its own, prints each fault as it does it, and checks at the end: every effect
is there exactly once, every job is in its right state, each killed job was started again within
15 seconds, no channel ever had more jobs than seats, and a healthy job that takes ten times longer
than every limit was never declared dead.  The same seed gives the same faults in the same order at
the same moments; whom they meet depends on the machine.  Exit status 1 when something is wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

# Python puts the folder of a script first, where `queue` would be found for the library's.
sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.storm_faults import Faults  # noqa: E402
from benchmarks.storm_field import DATABASE, SEATS, WORKERS, Field, delay, field  # noqa: E402
from benchmarks.storm_watch import Watch  # noqa: E402
from connector.core import sql  # noqa: E402
from connector.core.exceptions import CoreError  # noqa: E402
from connector.session import ConnectorSessionHandler  # noqa: E402

#: Promise 2: a killed job is started again within this time.
TAKEN_UP_SECONDS = 15.0
#: Least and most time between two faults.
PAUSE_SECONDS = (0.5, 3.0)
#: After the last fault, so long may it take until no job is left, and longer with more of them.
CALM_SECONDS = 60.0
CALM_SECONDS_PER_JOB = 0.05
#: Lines about what is wrong; the file of `--json` has all.
MOST_LINES = 20
#: Jobs of each kind among a hundred; the rest are `insert`.
SHARES = {"think": 25, "query": 15, "quick": 15, "after": 10, "keyed": 5, "again": 5, "refuse": 4}
SLOW = ("think", "query")
HANGING = 5
#: Jobs that are delayed together, spread over the storm.
HANDFUL = 25
STATES = {"refuse": "failed"}

_LEFT = "SELECT count(*) FROM queue_job WHERE state NOT IN ('done', 'failed')"
_TOO_EARLY = """
SELECT child.args->>1
  FROM queue_job_dependency AS edge JOIN queue_job AS child ON child.id = edge.child_id
  JOIN queue_job AS parent ON parent.id = edge.parent_id
 WHERE child.date_started < parent.date_done
"""


class Storm:
    """One storm over one field: its jobs, its faults, and what is to be said of it."""

    def __init__(self, place: Field, options: argparse.Namespace) -> None:
        self._field = place
        self._options = options
        self._chance = random.Random(options.seed)
        self._faults = Faults(place, self._chance, self._delay_some)
        self._watch = Watch(place)
        self._began = time.monotonic()
        self._labels: dict[str, str] = {}
        self._waiting = self._calls()
        self._told: list[str] = []
        self._wrong: list[str] = []

    def run(self) -> dict[str, Any]:
        """Rage, wait until all is done, and answer the figures; `wrong` lists what is not right."""
        producer = threading.Thread(target=self._delay_all, name="producer")
        try:
            self._field.wait_for_workers()
            producer.start()
            self._rage()
            producer.join()
            self._wait_until_done()
            self._check()
            if self._options.healthy:
                self._check_a_healthy_job()
        finally:
            self._watch.end()
        times = sorted(self._watch.taken_up.values())
        return {
            "seed": self._options.seed,
            "jobs": len(self._labels),
            "faults": dict(Counter(self._told)),
            "killed jobs": len(times),
            "taken up after, slowest s": round(times[-1], 2) if times else None,
            "taken up after, median s": round(times[len(times) // 2], 2) if times else None,
            "taken up after, slowest s by fault": self._watch.slowest(),
            "seconds": round(time.monotonic() - self._began, 1),
            "wrong": self._wrong,
        }

    # -- jobs ---------------------------------------------------------------

    def _calls(self) -> list[tuple[str, tuple[Any, ...]]]:
        """All jobs of the storm, mixed by chance."""
        jobs = self._options.jobs
        kinds = [kind for kind, share in SHARES.items() for _ in range(jobs * share // 100)]
        kinds += ["hang"] * HANGING
        kinds += ["insert"] * (jobs - len(kinds))
        self._chance.shuffle(kinds)
        slow = sum(kind in SLOW for kind in kinds)
        # Together they keep a third of the workers busy for as long as the storm lasts.
        seconds = min(1.0, 0.6 * WORKERS * self._options.duration / max(1, slow))
        return [(kind, self._call(kind, seconds)) for kind in kinds]

    def _call(self, kind: str, seconds: float = 0) -> tuple[Any, ...]:
        label = f"{kind} {len(self._labels)}"
        self._labels[label] = kind
        return (label, round(self._chance.uniform(0, seconds), 3)) if kind in SLOW else (label,)

    def _delay_all(self) -> None:
        """Delay the jobs, handful by handful, while the storm rages."""
        handfuls = [
            self._waiting[at : at + HANDFUL] for at in range(0, len(self._waiting), HANDFUL)
        ]
        for handful in handfuls:
            self._delay(handful)
            time.sleep(0.8 * self._options.duration / len(handfuls))

    def _delay(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        """Delay them in one transaction, and one more that is rolled back."""
        end = time.monotonic() + CALM_SECONDS
        while not self._is_stored(calls[0][1][0]):  # asked: the outcome of a lost commit is unknown
            session_of = ConnectorSessionHandler(DATABASE, 1).session()
            with suppress(CoreError, sql.errors.Error), session_of as session:
                delay(session, [("insert", ("rolled back",))])
                session.rollback()
                delay(session, calls)
            if time.monotonic() > end:
                raise TimeoutError(f"No job could be delayed for {CALM_SECONDS:g} seconds.")

    def _is_stored(self, label: str) -> bool:
        query = "SELECT EXISTS (SELECT FROM queue_job WHERE args->>1 = %s)"
        return bool(self._field.ask(query, label)[0][0])

    def _delay_some(self) -> None:
        """Delay a few jobs while Redis is away."""
        self._delay([("insert", self._call("insert")) for _ in range(5)])

    # -- faults -------------------------------------------------------------

    def _rage(self) -> None:
        end = time.monotonic() + self._options.duration
        for number, (name, pause) in enumerate(self._sequence()):
            # Each once in any case.
            if number >= len(self._faults.by_name) and time.monotonic() + pause > end:
                break
            time.sleep(pause)
            self._field.keep_supervisors()
            self._hit(name)

    def _sequence(self) -> Iterator[tuple[str, float]]:
        """Every fault once in each round, in an order of its own; seed and round decide alone."""
        chance = random.Random(self._options.seed)
        while True:
            names = sorted(self._faults.by_name)
            chance.shuffle(names)
            for name in names:
                yield name, chance.uniform(*PAUSE_SECONDS)

    def _hit(self, name: str) -> None:
        victims = self._faults.by_name[name]()
        self._watch.expect(victims, name)
        self._told.append(name)
        print(f"{time.monotonic() - self._began:7.1f} s  {name}: {len(victims)} jobs", flush=True)

    def _wait_until_done(self) -> None:
        patience = CALM_SECONDS + CALM_SECONDS_PER_JOB * len(self._labels)
        end = time.monotonic() + patience
        while self._field.ask(_LEFT) != [(0,)]:
            self._field.keep_supervisors()
            if self._faults.hanging():  # its turn came after the last fault
                self._hit("kill a job in its statement")
            if time.monotonic() > end:
                self._wrong.append(f"Not done after {patience:.0f} s")
                return
            time.sleep(0.3)

    # -- what must be true --------------------------------------------------

    def _check(self) -> None:
        self._say(
            "effect",
            Counter(label for (label,) in self._field.ask("SELECT label FROM storm_effect")),
            Counter(label for label, kind in self._labels.items() if kind != "refuse"),
        )
        self._say(
            "state",
            Counter(self._field.ask("SELECT args->>1, state FROM queue_job")),
            Counter((label, STATES.get(kind, "done")) for label, kind in self._labels.items()),
        )
        for (label,) in self._field.ask(_TOO_EARLY):
            self._wrong.append(f"{label} did not wait for the job before it")
        for victim, seconds in {**self._watch.taken_up, **self._watch.left}.items():
            if seconds > TAKEN_UP_SECONDS:
                self._wrong.append(f"{victim} was taken up after {seconds:.1f} s")
        for channel, most in self._watch.most_seated.items():
            if most > SEATS[channel]:
                self._wrong.append(f"{channel} had {most} jobs in {SEATS[channel]} seats")

    def _say(self, what: str, found: Counter[Any], right: Counter[Any]) -> None:
        for each, number in ((found - right) + (right - found)).items():
            self._wrong.append(f"{what} {each!r}: {found[each]}, not {right[each]} ({number} off)")

    def _check_a_healthy_job(self) -> None:
        """Two long jobs, in Python and in a statement, while all is hit that does not run them."""
        seconds = self._options.healthy
        labels = [f"healthy {kind}" for kind in SLOW]
        self._delay([(kind, (label, seconds)) for kind, label in zip(SLOW, labels, strict=True)])
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(min(10.0, seconds / 5))
            for name in ("flush Redis", "kill Redis and start it", "kill the dispatchers"):
                self._hit(name)
        self._wait_until_done()
        rows = self._field.ask(
            "SELECT args->>1, state, attempt FROM queue_job WHERE args->>1 = ANY(%s)", labels
        )
        self._wrong += [f"{row} was declared dead" for row in rows if row[1:] != ("done", 1)]


def main() -> int:
    options = _options()
    print(f"seed {options.seed}, {options.jobs} jobs, {options.duration:g} s of faults")
    with field() as place:
        results = Storm(place, options).run()
    for name, figure in results.items():
        if isinstance(figure, int | float):
            print(f"{name:<28}{figure!s:>10}")
    for fault, seconds in results["taken up after, slowest s by fault"].items():
        print(f"    {fault:<30}{seconds:>6.2f}")
    for wrong in results["wrong"][:MOST_LINES]:
        print(f"WRONG: {wrong}")
    if len(results["wrong"]) > MOST_LINES:
        print(f"WRONG: {len(results['wrong'])} in all")
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=2))
    return 1 if results["wrong"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--duration", type=float, default=120, help="Seconds of faults.")
    parser.add_argument("--jobs", type=int, default=5000)
    parser.add_argument(
        "--healthy", type=float, default=300, help="Seconds of the healthy jobs; 0 leaves them out."
    )
    parser.add_argument("--json", help="File for the figures.")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
