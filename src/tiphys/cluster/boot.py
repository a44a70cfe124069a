"""Boot: the list of steps that make a cluster, from an empty process to `/readyz` ok.

Each step puts what it made on the Cluster and leaves its undoing on the stack, which unwinds in reverse.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from tiphys.admission.chain import Chain
from tiphys.api.admission import Environment
from tiphys.api.catalog import Catalog
from tiphys.api.discovery import Discovery
from tiphys.api.service import Api
from tiphys.auth import last_used
from tiphys.auth.contract import AnyOf
from tiphys.auth.masters import Masters
from tiphys.auth.node.authorizer import NodeAuthorizer
from tiphys.auth.openid_metadata import OpenIdMetadata
from tiphys.auth.rbac.authorizer import RBAC
from tiphys.auth.rbac.bootstrap import Bootstrap
from tiphys.auth.rbac.escalation import EscalationCheck
from tiphys.base.clock import Clock, SystemClock
from tiphys.base.discovery import discover
from tiphys.base.http import Handler
from tiphys.base.names import Ids, RandomIds
from tiphys.base.user import AUTHENTICATED, MASTERS, User
from tiphys.client.client import Client
from tiphys.client.in_process import InProcessTransport
from tiphys.client.informers import Informers
from tiphys.cluster import auditing, authentication, feature_gates, kubeconfig_entry, system_objects
from tiphys.cluster.directory import ClusterDirectory
from tiphys.cluster.failure import ClusterFailure, UsageFailure
from tiphys.cluster.progress import Report
from tiphys.cluster.settings import Settings
from tiphys.controllers.runner import run_controllers
from tiphys.node.simulated.simulation import Simulation
from tiphys.pki import cluster_certificates, service_account_key
from tiphys.pki.service_account_token import ISSUER, TokenSigner
from tiphys.scheduler import configuration
from tiphys.scheduler.profile import Profile
from tiphys.scheduler.scheduler import Scheduler
from tiphys.schema.definitions import Definitions
from tiphys.server.app import App
from tiphys.server.listener import Server
from tiphys.server.pipeline import build_pipeline
from tiphys.server.tls_files import TlsFiles
from tiphys.store.compaction import Compaction
from tiphys.store.contract import Store, StoreFailure
from tiphys.store.open import open_store

PREFERRED_PORT = 6443


@dataclass(eq=False)
class Cluster:
    """A cluster as far as it has been booted. Parts are set by the steps, in their order."""

    directory: ClusterDirectory
    settings: Settings
    stack: AsyncExitStack
    clock: Clock = field(default_factory=SystemClock)
    ids: Ids = field(default_factory=RandomIds)
    keys: asyncio.Future[service_account_key.ServiceAccountKeys] = field(init=False)
    store: Store = field(init=False)
    catalog: Catalog = field(init=False)
    certificates: cluster_certificates.ClusterCertificates = field(init=False)
    handler: Handler = field(init=False)
    informers: Informers = field(init=False)
    ready: bool = False

    def client(self, component: str, *, privileged: bool = True) -> Client:
        """An in-process client for a component of the control plane; one that is not privileged may do what the
        default policy lets it."""
        user = User(f"system:{component}", (MASTERS, AUTHENTICATED) if privileged else (AUTHENTICATED,))
        return Client(InProcessTransport(self.handler, user, component))

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Run a task until the cluster goes down."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.stack.push_async_callback(_cancelled, task)


Step = Callable[[Cluster], Awaitable[None]]


async def lock_directory(cluster: Cluster) -> None:
    cluster.directory.make()
    cluster.directory.lock()


async def begin_keys(cluster: Cluster) -> None:
    """In a thread, while the next steps do their work: a new key takes some 50 ms."""
    loop = asyncio.get_running_loop()
    cluster.keys = loop.run_in_executor(None, service_account_key.ensure, cluster.directory.pki)
    cluster.stack.push_async_callback(_settled, cluster.keys)


async def open_the_store(cluster: Cluster) -> None:
    url = cluster.settings.store or f"sqlite://{cluster.directory.store}"
    try:
        store = open_store(url)
        await store.open()
    except ValueError as error:
        raise UsageFailure(f"--store: {error}") from None
    except StoreFailure as error:
        raise ClusterFailure(str(error)) from None
    cluster.store = store
    cluster.stack.push_async_callback(store.close)
    kept = cluster.settings.history_seconds
    compaction = Compaction(seconds=kept, every=min(kept, Compaction().every))
    cluster.spawn(compaction.run(store, cluster.clock), "compaction")


async def load_the_schema(cluster: Cluster) -> None:
    definitions = Definitions.load(cluster.settings.minor)
    kinds = discover("tiphys.kinds", "KIND")
    cluster.catalog = Catalog(definitions, kinds, cluster.settings.runtime_config)


async def make_certificates(cluster: Cluster) -> None:
    settings = cluster.settings
    service_ip = str(next(IPv4Network(settings.service_subnet).hosts()))
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
    hosts = ["127.0.0.1", "localhost", settings.address, service_ip, *names]
    try:
        cluster.certificates = cluster_certificates.ensure(
            cluster.directory.pki, settings.name, list(dict.fromkeys(hosts)), cluster.clock.now()
        )
    except (OSError, ValueError) as error:
        raise ClusterFailure(
            f"certificates in {cluster.directory.pki}: {error}; remove them to have new ones"
        ) from None


async def compose_the_api(cluster: Cluster) -> None:
    settings = cluster.settings
    options = {"service-subnet": settings.service_subnet}
    api = Api(cluster.store, cluster.catalog, None, cluster.clock, cluster.ids, options)
    minor = settings.minor
    rbac = RBAC(cluster.store)
    api.authorizer = authorizer = AnyOf([Masters(), NodeAuthorizer(api.reader, minor), rbac])
    environment = Environment(api.reader, api.writer, cluster.clock, cluster.ids, minor, authorizer=authorizer)
    api.admission = EscalationCheck(Chain(environment), authorizer, rbac)
    try:
        keys = await cluster.keys
    except (OSError, ValueError) as error:
        raise ClusterFailure(f"service account keys in {cluster.directory.pki}: {error}") from None
    uses = last_used.LastUsed(cluster.clock)
    auditor = auditing.compose(settings, cluster.catalog.definitions, cluster.clock, cluster.ids)
    if auditor is not None:
        cluster.stack.push_async_callback(auditor.log.close)
    cluster.handler = build_pipeline(
        api,
        Discovery(cluster.catalog, f"{settings.address}:{settings.port}"),
        authentication.compose(api, keys, settings.token_file, uses if _tracks_tokens(settings) else None),
        authorizer,
        checks={"boot": lambda: cluster.ready},
        more=[OpenIdMetadata(ISSUER, keys, lambda: f"{cluster.settings.address}:{cluster.settings.port}")],
        auditor=auditor,
    )
    cluster.spawn(uses.run(cluster.client("apiserver")), "last use of tokens")


async def listen(cluster: Cluster) -> None:
    certificates = cluster.certificates
    certificate, key = certificates.server_files
    bundles = [str(certificates.ca_file), *filter(None, [cluster.settings.client_ca_file])]
    files = TlsFiles(str(certificate), str(key), tuple(bundles))
    try:
        tls = files.context()
    except (OSError, ValueError) as error:
        raise ClusterFailure(f"cannot use {', '.join(files.paths)}: {error}") from None
    server = Server(App(cluster.handler, ids=cluster.ids), tls=tls, clock=cluster.clock)
    listening = _socket(cluster.settings.address, cluster.settings.port)
    port = await server.listen(sock=listening)
    cluster.stack.push_async_callback(server.shutdown)
    cluster.spawn(files.follow(server.renew, cluster.clock), "certificate files")
    cluster.settings = cluster.settings.with_overrides(port=port)
    cluster.directory.save(cluster.settings.document())


async def make_system_objects(cluster: Cluster) -> None:
    settings = cluster.settings
    client = cluster.client("apiserver")
    await system_objects.ensure(client, settings.service_subnet, settings.address, settings.port)


async def make_default_policy(cluster: Cluster) -> None:
    await Bootstrap(cluster.store, cluster.catalog, cluster.clock, cluster.ids).run()


async def start_informers(cluster: Cluster) -> None:
    cluster.informers = Informers(cluster.client("kube-controller-manager", privileged=False), cluster.clock)
    await cluster.stack.enter_async_context(cluster.informers)


async def start_controllers(cluster: Cluster) -> None:
    generate = not _tokens_by_hand(cluster.settings)
    options = {
        "root-ca": cluster.certificates.ca.decode(),
        "cluster-signing-cert-file": str(cluster.certificates.ca_file),
        "cluster-signing-key-file": str(cluster.certificates.ca_key_file),
        "service-account-token-signer": TokenSigner(cluster.keys.result()),
        "service-account-token-generation": generate,
    }
    work = run_controllers(
        cluster.client("controller-manager"),
        cluster.clock,
        cluster.ids,
        minor=cluster.settings.minor,
        options=options,
        informers=cluster.informers,
    )
    cluster.spawn(work, "controllers")


async def start_scheduler(cluster: Cluster) -> None:
    client = cluster.client("kube-scheduler", privileged=False)
    settings = cluster.settings
    profiles = _profiles(Path(settings.scheduler_config)) if settings.scheduler_config else ()
    scheduler = Scheduler(client, cluster.informers, cluster.clock, settings.minor, profiles=profiles)
    cluster.stack.push_async_callback(scheduler.close)
    scheduler.listen()
    cluster.spawn(scheduler.run(), "scheduler")


def _profiles(path: Path) -> tuple[Profile, ...]:
    try:
        return configuration.load(path)
    except ValueError as error:
        raise UsageFailure(f"tiphys.schedulerConfig: {error}") from None


async def start_nodes(cluster: Cluster) -> None:
    settings = cluster.settings
    if not settings.nodes:
        return
    simulation = Simulation(
        cluster.client("nodes"),
        cluster.informers,
        cluster.clock,
        settings.nodes,
        network=IPv4Network(settings.pod_network()),
        version=cluster.catalog.definitions.git_version,
    )
    try:
        await simulation.register()
    except ValueError as error:
        raise UsageFailure(str(error)) from None
    cluster.spawn(simulation.run(), "simulated nodes")
    await system_objects.nodes_ready(cluster.informers, [node.name for node in settings.nodes])


async def merge_kubeconfig(cluster: Cluster) -> None:
    kubeconfig_entry.add(cluster.directory, cluster.settings)


STEPS: tuple[tuple[str, Step], ...] = (
    ("state directory", lock_directory),
    ("signing keys", begin_keys),
    ("store", open_the_store),
    ("schema", load_the_schema),
    ("certificates", make_certificates),
    ("API", compose_the_api),
    ("port", listen),
    ("system objects", make_system_objects),
    ("default policy", make_default_policy),
    ("informers", start_informers),
    ("controllers", start_controllers),
    ("scheduler", start_scheduler),
    ("nodes", start_nodes),
    ("kubeconfig", merge_kubeconfig),
)


@asynccontextmanager
async def boot(directory: ClusterDirectory, settings: Settings, report: Report) -> AsyncIterator[Cluster]:
    """A booted cluster, for as long as the block lasts. Raises ClusterFailure, UsageFailure."""
    async with AsyncExitStack() as stack:
        cluster = Cluster(directory, settings, stack)
        for name, step in STEPS:
            report("begin", name)
            await step(cluster)
            report("done", name)
        cluster.ready = True
        yield cluster


def _tokens_by_hand(settings: Settings) -> bool:
    return feature_gates.is_on(settings.feature_gates, feature_gates.LEGACY_TOKENS_BY_HAND)


def _tracks_tokens(settings: Settings) -> bool:
    """A cluster that is to be as before 1.24 leaves its secrets as they were then."""
    return settings.minor >= last_used.SINCE and _tokens_by_hand(settings)


def _socket(address: str, port: int) -> socket.socket:
    """A listening socket; without a port, 6443 if it is free, else any. Raises ClusterFailure for a taken port."""
    choices = [port] if port else [PREFERRED_PORT, 0]
    for choice in choices:
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((address, choice))
            made.listen(1024)
        except OSError as error:
            made.close()
            if error.errno != errno.EADDRINUSE or choice == choices[-1]:
                raise ClusterFailure(
                    f"cannot listen on {address}:{choice}: {error.strerror}; choose another with --port, "
                    f"or see who has it with: ss -ltnp 'sport = :{choice}'"
                ) from None
            continue
        made.setblocking(False)
        return made
    raise AssertionError("unreachable")


async def _cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass


async def _settled(future: asyncio.Future[Any]) -> None:
    """Wait for what was begun, whatever came of it: a boot that fails early has not asked for it."""
    await asyncio.wait([future])
    future.exception()
