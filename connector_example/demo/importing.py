"""The import as the demo runs it: enqueue, watch, strike if asked to, and count."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console

from connector.embedded import Services
from connector_example.demo.database import handler
from connector_example.demo.kill import Killer
from connector_example.demo.progress import Display, display
from connector_example.demo.report import Run
from connector_example.demo.run import JobRun
from connector_example.demo.shop_process import ShopProcess
from connector_example.demo.workers import Workers


@dataclass
class Import:
    """Everything that one run of the import needs."""

    console: Console
    services: Services
    database: str
    shop: ShopProcess
    workers: Workers
    backend_id: int
    totals: Mapping[str, int]  #: how many records of each table the shop has
    kill: bool = False

    def run(self) -> Run:
        """
        Import everything the shop has, and tell what happened.

        Raises:
            ConnectorException: the shop or the workers have ended, or nothing moves any more.
        """
        before = self.shop.traffic()  # the witness has read
        jobs = JobRun(self.database)
        with display(self.console, self.totals) as progress:
            killer = self._killer(progress) if self.kill else None
            with handler(self.database).session() as session:
                if cancelled := jobs.begin(session, self.backend_id):
                    progress.tell(f"{cancelled} jobs of an interrupted run are cancelled")
            for snapshot in jobs.watch():
                self.workers.check()
                self.shop.check()
                progress.show(snapshot.done(self.totals))
                if killer:
                    killer.strike(snapshot.share_done(self.totals))
        return Run(
            counts=snapshot.counts,
            failures=snapshot.failures,
            traffic=self.shop.traffic() - before,
            witness=before,
            seconds=jobs.seconds,
            held_up=snapshot.waiting,
            kills=killer.told_in_the_end() if killer else (),
            missed_kills=killer.missed if killer else 0,
        )

    def _killer(self, progress: Display) -> Killer:
        return Killer(self.database, self.services, self.workers, progress.tell)
