"""`tiphys pki check`: when the certificates of a cluster end."""

from __future__ import annotations

import time

import click

from tiphys.cli import options
from tiphys.cli.output import show, table
from tiphys.cluster.failure import ClusterFailure
from tiphys.pki.expiry import Expiry, of_directory, shown


@click.command()
@options.name
@options.state_dir
@click.option("--days", type=click.FloatRange(min=0), default=30, show_default=True, help="How soon is too soon.")
@options.output
def check(name: str, state_dir: str | None, days: float, output: str) -> None:
    """List a cluster's certificates by their end; exit 1 if one ends within --days, or is not valid yet."""
    directory = options.existing(state_dir, name).pki
    try:
        found = of_directory(directory)
    except OSError as error:
        raise ClusterFailure(f"cannot read {directory}: {error.strerror}") from None
    now = time.time()
    if output == "json":
        show([_document(each, now, days) for each in found])
    else:
        header = ("CERTIFICATE", "SUBJECT", "EXPIRES", "RESIDUAL TIME", "STATUS")
        table(header, [_row(each, now, days) for each in found])
    if any(each.needs_care(now, days) for each in found):
        raise SystemExit(1)


def _row(each: Expiry, now: float, days: float) -> tuple[str, ...]:
    if each.problem:
        return each.path.name, "", "", "", each.problem
    return (
        each.path.name,
        each.subject,
        shown(each.not_after),
        f"{each.days_left(now)}d",
        _status(each, now, days),
    )


def _status(each: Expiry, now: float, days: float) -> str:
    if each.problem:
        return each.problem
    if each.not_before > now:
        return "not valid yet"
    if each.not_after <= now:
        return "expired"
    return "expires soon" if each.needs_care(now, days) else "ok"


def _document(each: Expiry, now: float, days: float) -> dict[str, object]:
    return {
        "file": str(each.path),
        "subject": each.subject,
        "notAfter": shown(each.not_after) if not each.problem else None,
        "daysLeft": each.days_left(now) if not each.problem else None,
        "status": _status(each, now, days),
    }


COMMAND = check
