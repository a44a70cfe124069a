"""`tiphys kubeconfig`: a kubeconfig, printed: the administrator's, or one for a user or service account."""

from __future__ import annotations

import asyncio
import re

import click

from tiphys.base.clock import SystemClock
from tiphys.base.document import Document
from tiphys.cli import options
from tiphys.cli.output import show
from tiphys.cluster import kubeconfig_entry, user_kubeconfig
from tiphys.cluster.failure import UsageFailure
from tiphys.cluster.settings import from_document
from tiphys.cluster.user_kubeconfig import Wanted
from tiphys.pki.kubeconfig import dump

_DURATION = re.compile(r"(\d+)([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@click.command()
@options.name
@click.option("--user", metavar="NAME", help="A certificate for this user, issued by the cluster's CA.")
@click.option("--group", "groups", metavar="GROUP", multiple=True, help="A group of the user; may be repeated.")
@click.option("--namespace", metavar="NS", help="The namespace of the context.")
@click.option("--token", is_flag=True, help="With --user: add the token of service account NAME in namespace NS.")
@click.option("--service-account", metavar="NS/NAME", help="The token of this service account instead.")
@click.option("--duration", default="24h", show_default=True, help="How long the token is good: 30m, 24h.")
@options.state_dir
@options.output
def kubeconfig(
    name: str,
    user: str | None,
    groups: tuple[str, ...],
    namespace: str | None,
    token: bool,
    service_account: str | None,
    duration: str,
    state_dir: str | None,
    output: str,
) -> None:
    """Print a kubeconfig for a cluster: the administrator's, unless told whose."""
    wanted = _wanted(user, groups, namespace or "", token, service_account, _seconds(duration))
    directory = options.existing(state_dir, name)
    settings = from_document(directory.saved())
    config: Document
    if wanted is None:
        config = kubeconfig_entry.admin(directory, settings)
    else:
        config = asyncio.run(user_kubeconfig.make(directory, settings, wanted, SystemClock()))
    if output == "json":
        show(config)
        return
    click.echo(dump(config), nl=False)


def _wanted(
    user: str | None, groups: tuple[str, ...], namespace: str, token: bool, account: str | None, seconds: int
) -> Wanted | None:
    """What the options ask for, None for the administrator's. Raises UsageFailure for options that do not fit."""
    if account is not None:
        where, _, name = account.partition("/")
        if not where or not name or "/" in name:
            raise UsageFailure(f"--service-account: {account!r} is not of the form NAMESPACE/NAME")
        if groups and user is None:
            raise UsageFailure("--group: needs --user; a service account is in the groups of its namespace")
        return Wanted(user or name, user is not None, groups, namespace or where, (where, name), seconds)
    if user is None:
        if groups or namespace or token:
            raise UsageFailure("--group, --namespace and --token need --user or --service-account")
        return None
    if not user:
        raise UsageFailure("--user: must not be empty")
    if token and not namespace:
        raise UsageFailure("--token: needs the --namespace of the service account, or --service-account NS/NAME")
    return Wanted(user, True, groups, namespace, (namespace, user) if token else None, seconds)


def _seconds(text: str) -> int:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageFailure(f"--duration: {text!r} is not a duration like 90s, 30m or 24h")
    return int(match[1]) * _SECONDS[match[2]]


COMMAND = kubeconfig
