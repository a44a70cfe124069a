"""`tiphys up`: a running cluster, and a kubeconfig context that leads to it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from tiphys.cli import options
from tiphys.cli.output import Progress, show
from tiphys.cluster import kubeconfig_entry, launch
from tiphys.cluster.directory import ClusterDirectory, already_running
from tiphys.cluster.failure import UsageFailure
from tiphys.cluster.feature_gates import parse as parse_gates
from tiphys.cluster.settings import Settings, from_document, simulated_workers


@click.command()
@options.name
@click.option("--config", metavar="FILE", help="Cluster configuration (kind.x-k8s.io/v1alpha4, and our fields).")
@click.option("--simulate", type=click.IntRange(0, 5000), metavar="N", help="Number of simulated nodes.")
@click.option("--kubernetes-version", metavar="1.NN", help="1.25 to 1.37; the default is the newest.")
@click.option(
    "--store", metavar="URL", help="memory:// or sqlite:///PATH; the default is SQLite in the state directory."
)
@options.state_dir
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port of the API server; the default is 6443 if it is free."
)
@click.option(
    "--kubeconfig", metavar="FILE", help="kubeconfig to merge into; the default is where kubectl would write."
)
@click.option("--token-file", metavar="FILE", help='Static tokens, upstream\'s CSV: token,user,uid,"group1,group2".')
@click.option("--client-ca-file", metavar="FILE", help="Further authorities of clients' certificates.")
@click.option("--audit-policy-file", metavar="FILE", help="What to audit: upstream's audit.k8s.io/v1 Policy.")
@click.option("--audit-log-path", metavar="FILE", help="Where to write audit events, one JSON object a line.")
@click.option(
    "--feature-gates", metavar="NAME=true|false,…", help="Upstream's feature gates; those that move something here."
)
@click.option("--foreground", is_flag=True, help="Stay, serve until interrupted.")
@options.output
def up(
    name: str,
    config: str | None,
    simulate: int | None,
    kubernetes_version: str | None,
    store: str | None,
    state_dir: str | None,
    port: int | None,
    kubeconfig: str | None,
    token_file: str | None,
    client_ca_file: str | None,
    audit_policy_file: str | None,
    audit_log_path: str | None,
    feature_gates: str | None,
    foreground: bool,
    output: str,
) -> None:
    """Start a cluster; return when it is ready."""
    began = time.monotonic()
    given = _from_file(name, config)
    directory = options.directory(state_dir, given.name if given else name)
    directory.make()
    pid = directory.running()
    if pid is not None:
        raise already_running(directory.name, pid)
    settings = (given or _saved(directory)).with_overrides(
        minor=_minor(kubernetes_version),
        store=store,
        port=port,
        nodes=None if simulate is None else simulated_workers(simulate),
        kubeconfig=_path(kubeconfig),
        token_file=_path(token_file),
        client_ca_file=_path(client_ca_file),
        audit_policy_file=_path(audit_policy_file),
        audit_log_path=audit_log_path if audit_log_path == "-" else _path(audit_log_path),
        feature_gates=_gates(feature_gates),
    )
    settings = kubeconfig_entry.choose_file(settings, os.environ)
    progress = Progress(output)
    if foreground:
        from tiphys.cluster import serve  # the whole server, which its own process imports otherwise

        raise SystemExit(serve.run_foreground(directory, settings, progress))
    launch.start(directory, settings, progress)
    _tell(directory, time.monotonic() - began, output)


def _from_file(name: str, config: str | None) -> Settings | None:
    if config is None:
        return None
    from tiphys.cluster import config_file

    settings = Settings(name=name)
    return config_file.read(Path(config), settings)


def _path(given: str | None) -> str | None:
    return str(Path(given).expanduser().absolute()) if given else None


def _saved(directory: ClusterDirectory) -> Settings:
    saved = directory.saved()
    return from_document(saved) if saved else Settings(name=directory.name, nodes=simulated_workers(1))


def _minor(text: str | None) -> int | None:
    if text is None:
        return None
    from tiphys.cluster.config_file import parse_version
    from tiphys.schema.definitions import SUPPORTED_MINORS

    try:
        minor = parse_version(text)
    except ValueError as error:
        raise UsageFailure(f"--kubernetes-version: {error}") from None
    if minor not in SUPPORTED_MINORS:
        low, high = min(SUPPORTED_MINORS), max(SUPPORTED_MINORS)
        raise UsageFailure(f"--kubernetes-version: 1.{minor} is not one of 1.{low} to 1.{high}")
    return minor


def _gates(text: str | None) -> dict[str, bool] | None:
    if text is None:
        return None
    try:
        return parse_gates(text)
    except ValueError as error:
        raise UsageFailure(f"--feature-gates: {error}") from None


def _tell(directory: ClusterDirectory, seconds: float, output: str) -> None:
    settings = from_document(directory.saved())
    entry = kubeconfig_entry.describe(settings)
    if output == "json":
        show({"name": directory.name, "stateDir": str(directory.path), "readySeconds": round(seconds, 3), **entry})
        return
    click.echo(f"Cluster {directory.name} is ready in {seconds:.2f} s at {entry['server']}")
    click.echo(f"kubectl context {entry['context']} is current in {entry['kubeconfig']}")


COMMAND = up
