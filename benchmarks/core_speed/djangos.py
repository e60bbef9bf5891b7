"""Django's models, without a project."""

from __future__ import annotations

from datetime import datetime

import django
from django.conf import settings
from django.db import connection, models, transaction

from benchmarks.core_speed.tables import Data

__all__ = ["Django"]


def _declare() -> tuple[type[models.Model], type[models.Model]]:
    class Logged(models.Model):
        create_uid = models.IntegerField(default=1)
        create_date = models.DateTimeField(default=datetime.now)
        write_uid = models.IntegerField(default=1)
        write_date = models.DateTimeField(default=datetime.now)

        class Meta:
            abstract = True

    class Partner(Logged):
        id = models.AutoField(primary_key=True)
        name = models.CharField(max_length=200)
        ref = models.CharField(max_length=200)
        email = models.CharField(max_length=200)
        active = models.BooleanField(default=True)
        credit = models.FloatField()
        country_id = models.IntegerField()

        class Meta:
            app_label, db_table, managed = "bench", "bench_partner", False

    class Binding(Logged):
        id = models.AutoField(primary_key=True)
        partner_id = models.IntegerField()
        backend_id = models.IntegerField()
        external_id = models.CharField(max_length=200)
        sync_date = models.DateTimeField()

        class Meta:
            app_label, db_table, managed = "bench", "bench_binding", False

    return Partner, Binding


class Django:
    """The operations in one transaction each; links are plain numbers, which suits Django."""

    def __init__(self, dsn: dict[str, str], data: Data) -> None:
        database = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": dsn["dbname"],
            "USER": dsn.get("user", ""),
            "PASSWORD": dsn.get("password", ""),
            "HOST": dsn.get("host", ""),
            "PORT": dsn.get("port", ""),
        }
        settings.configure(DATABASES={"default": database}, USE_TZ=False, INSTALLED_APPS=[])
        django.setup()
        self.partner, self.binding = _declare()
        self.data = data

    def close(self) -> None:
        connection.close()

    def create_many(self) -> None:
        with transaction.atomic():
            self.partner.objects.bulk_create([self.partner(**vals) for vals in self.data.vals])

    def create_each(self) -> None:
        with transaction.atomic():
            for vals in self.data.vals:
                self.partner(**vals).save()

    def read(self) -> None:
        for record in self.partner.objects.all():
            record.name, record.email, record.credit  # noqa: B018 - reading is measured

    def find(self) -> None:
        with transaction.atomic():
            for external_id in self.data.external_ids:
                list(self.binding.objects.filter(backend_id=1, external_id=external_id))

    def write_many(self) -> None:
        with transaction.atomic():
            now = datetime.now()
            changed = [
                self.partner(
                    id=id_, credit=number * 4.5 + self.data.turn, write_uid=1, write_date=now
                )
                for number, id_ in enumerate(self.data.ids)
            ]
            fields = ["credit", "write_uid", "write_date"]
            self.partner.objects.bulk_update(changed, fields)
