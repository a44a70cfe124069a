"""The SQLite file: its lock, its format, and a disk that refuses. Ours, but for SQLite's own error texts."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tiphys.store import sqlite
from tiphys.store.contract import Record, StoreFailure
from tiphys.store.journal import Row
from tiphys.store.sqlite import SqliteJournal, SqliteStore

SOURCE = Path(__file__).parents[3] / "src"
PODS = "/registry/pods/"


def value(size: int = 0) -> bytes:
    return b'{"metadata":{"resourceVersion":""},"data":"%b"}' % (b"x" * size)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


async def fill(path: Path, count: int, size: int = 0) -> None:
    store = SqliteStore(path)
    await store.open()
    await asyncio.gather(*(store.create(f"{PODS}a/{n:04}", value(size)) for n in range(count)))
    await store.close()


async def refusal(path: Path) -> str:
    with pytest.raises(StoreFailure) as caught:
        await SqliteStore(path).open()
    return str(caught.value)


async def complaint(script: str, *arguments: str) -> str:
    """What a StoreFailure in another process says."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *arguments, env=environment, stderr=subprocess.PIPE
    )
    said = (await process.communicate())[1].decode()
    assert process.returncode == 1 and "StoreFailure" in said, said
    return said


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """The kernel refuses to let any file of this process grow beyond `size` bytes (Python ignores SIGXFSZ)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_it_is_durable_by_its_settings(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    sql = journal._sql
    assert sql.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert sql.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
    await journal.close()


async def test_a_second_server_is_kept_out(path: Path) -> None:
    first = SqliteStore(path)
    await first.open()
    assert "in use by another server" in await refusal(path)
    await first.create(PODS + "a/x", value())
    await first.close()
    second = SqliteStore(path)
    await second.open()
    assert second.revision == 1
    await second.close()


async def test_another_process_is_kept_out(path: Path) -> None:
    first = SqliteStore(path)
    await first.open()
    script = (
        f"import asyncio; from tiphys.store.open import open_store as o; asyncio.run(o('sqlite://{path}').open())"
    )
    assert "in use by another server" in await complaint(script)
    await first.close()


async def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    said = await refusal(tmp_path / "none" / "store.db")
    assert "its directory must exist" in said and f"ls -ld {tmp_path}/none" in said


async def test_a_directory_in_place_of_the_file(tmp_path: Path) -> None:
    assert "cannot open" in await refusal(tmp_path)


_AS_NOBODY = """
import asyncio, os, sys
from tiphys.store.open import open_store
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
asyncio.run(open_store(sys.argv[1]).open())
"""


@pytest.mark.parametrize(("mode", "words"), [(0o555, "its directory must exist"), (0o755, "cannot be written")])
async def test_a_file_or_directory_that_may_only_be_read(mode: int, words: str) -> None:
    """In a process without root's rights, which would make light of the modes."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        path = Path(name) / "store.db"
        if mode == 0o755:
            await fill(path, 3)
            path.chmod(0o444)
        os.chmod(name, 0o555)
        said = await complaint(_AS_NOBODY, f"sqlite://{path}")
        os.chmod(name, 0o755)
    assert words in said


async def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"apiVersion: v1\n" * 1000)
    said = await refusal(path)
    assert "damaged or is no store" in said and f"mv {path}" in said
    assert path.read_bytes().startswith(b"apiVersion"), "left as it was"


async def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    change(path, "CREATE TABLE theirs (x)")
    before = path.read_bytes()
    assert "some other program" in await refusal(path)
    assert path.read_bytes() == before


async def test_a_store_of_a_later_version(path: Path) -> None:
    await fill(path, 1)
    change(path, "UPDATE meta SET value = 99 WHERE name = 'format'")
    assert "its format is 99" in await refusal(path)


async def test_a_store_without_its_numbers(path: Path) -> None:
    await fill(path, 1)
    change(path, "DELETE FROM meta WHERE name = 'compacted'")
    assert "damaged" in await refusal(path)


async def test_a_file_with_a_hole(path: Path) -> None:
    await fill(path, 200, size=2_000)
    content = bytearray(path.read_bytes())
    content[8192 * 3 : 8192 * 20] = bytes(8192 * 17)
    path.write_bytes(content)
    assert "damaged" in await refusal(path)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE log SET value = CAST('{}' AS BLOB) WHERE revision = 2", "does not carry its own revision"),
        ("UPDATE log SET value = NULL WHERE revision = 2", "has no value"),
        ("UPDATE log SET value = 'text' WHERE revision = 2", "of a wrong type"),
        ("UPDATE log SET key = x'ff' WHERE revision = 2", "of a wrong type"),
        ("UPDATE log SET deleted = 1 WHERE revision = 2", "deletes what is not there"),
    ],
)
async def test_rows_that_tell_no_possible_story(path: Path, statement: str, words: str) -> None:
    await fill(path, 3)
    change(path, statement)
    said = await refusal(path)
    assert "revision 2 of" in said and words in said
    change(path, "DELETE FROM log WHERE revision = 2")  # refused, it let go of the file
    await fill(path, 0)


async def test_a_full_disk_fails_the_writes_and_writes_go_on_when_there_is_room(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.create(PODS + "a/before", value())
    watch = store.watch(PODS, after=1)
    with files_up_to(64 * 1024):
        results = await asyncio.gather(
            *(store.create(f"{PODS}a/{n}", value(30_000)) for n in range(20)), return_exceptions=True
        )
    done = [result for result in results if isinstance(result, Record)]
    refused = [result for result in results if isinstance(result, StoreFailure)]
    assert len(refused) >= 10 and len(done) + len(refused) == 20
    assert store.revision == 1 + len(done) == await store.count(PODS)
    after = await asyncio.gather(*(store.create(f"{PODS}b/{n}", value()) for n in range(5)))
    assert [record.revision for record in after] == list(range(store.revision - 4, store.revision + 1))
    assert len(await anext(watch)) == len(done) + 5
    wanted = [(r.key, r.revision, r.value) for r in (await store.list(PODS)).records]
    await store.close()
    again = SqliteStore(path)
    await again.open()
    assert [(r.key, r.revision, r.value) for r in (await again.list(PODS)).records] == wanted
    await again.close()


async def test_a_disk_that_refuses_compaction_leaves_history(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    record = await store.create(PODS + "a/x", value(9_000))
    for _ in range(30):
        record = await store.update(record.key, value(9_000), expected=record.revision)
    with files_up_to(4096), pytest.raises(StoreFailure):
        await store.compact(20)
    assert store.compacted == 0
    assert len(await anext(store.watch(PODS, after=0))) == 31
    await store.compact(20)
    assert store.compacted == 20
    await store.close()


async def test_compaction_drops_the_rows_that_nothing_needs(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.create(PODS + "a/kept", value())  # 1
    await store.create(PODS + "a/x", value())  # 2
    await store.update(PODS + "a/x", value(), expected=2)  # 3
    await store.delete(PODS + "a/x", expected=3)  # 4
    await store.update(PODS + "a/kept", value(), expected=1)  # 5
    await store.compact(4)
    await store.close()
    assert rows(path) == [1, 5]


def rows(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [revision for (revision,) in connection.execute("SELECT revision FROM log ORDER BY revision")]


@pytest.mark.parametrize("cut", range(5))
async def test_a_compaction_cut_short_raises_no_dead_and_is_finished_by_the_next(
    path: Path, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each transaction of a compaction may be the last before a crash."""
    monkeypatch.setattr(sqlite, "OBSOLETE_AT_ONCE", 1)
    store = SqliteStore(path)
    await store.open()
    await store.create(PODS + "a/dead", value())  # 1
    await store.update(PODS + "a/dead", value(), expected=1)  # 2
    await store.delete(PODS + "a/dead", expected=2)  # 3
    await store.create(PODS + "a/live", value())  # 4
    await store.update(PODS + "a/live", value(), expected=4)  # 5
    journal = store._journal
    assert isinstance(journal, SqliteJournal)
    for revision in [1, 2, 3, 4][: cut + 1]:
        await journal._do(journal._forget, 5, [revision])
    await store.close()
    again = SqliteStore(path)
    await again.open()
    assert (again.compacted, again.revision) == (5, 5)
    assert [(r.key, r.revision) for r in (await again.list(PODS)).records] == [(PODS + "a/live", 5)]
    await again.create(PODS + "a/dead", value())
    await again.compact(6)
    await again.close()
    assert rows(path) == [5, 6]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 64, 65, 256])
async def test_a_batch_of_any_length_is_one_statement(path: Path, count: int) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    batch = [Row(n, f"/k/{n}", n % 2, None if n % 2 else b"v") for n in range(1, count + 1)]
    await journal.append(batch)
    await journal.close()
    assert list((await journal.open()).rows) == batch
    await journal.close()


async def test_what_a_failed_commit_may_have_left_is_removed(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    await journal.append([Row(1, "/k/1", 0, b"v")])
    with pytest.raises(StoreFailure):
        await journal.append([Row(2, "/k/2", 0, b"v"), Row(1, "/k/1", 0, b"twice")])
    journal._sql.execute("INSERT INTO log VALUES (2, '/k/2', 0, x'')")  # as if it had landed all the same
    await journal.append([Row(2, "/k/other", 0, b"v")])
    await journal.close()
    assert list((await journal.open()).rows) == [Row(1, "/k/1", 0, b"v"), Row(2, "/k/other", 0, b"v")]
    await journal.close()
