"""Health endpoints: texts of apiserver `server/healthz/healthz.go`."""

from __future__ import annotations

from tiphys.base.http import Request
from tiphys.server.health import Health


def broken() -> bool:
    raise RuntimeError("disk on fire")


HEALTH = Health(live={"log": lambda: True}, ready={"etcd": lambda: False, "boot": broken})


async def get(path: str, query: str = "", health: Health = HEALTH) -> tuple[int, str]:
    response = await health.respond(Request("GET", path, query))
    assert response is not None and isinstance(response.body, bytes)
    assert response.content_type == "text/plain; charset=utf-8"
    return response.status, response.body.decode()


async def test_all_well_is_ok():
    assert await get("/healthz") == (200, "ok")
    assert await get("/livez") == (200, "ok")


async def test_verbose_lists_the_checks():
    assert await get("/livez", "verbose") == (200, "[+]ping ok\n[+]log ok\nlivez check passed\n")


async def test_a_failure_is_listed_and_its_reason_withheld():
    lines = ["[+]ping ok", "[+]log ok", "[-]etcd failed: reason withheld", "[-]boot failed: reason withheld"]
    text = "\n".join([*lines, "readyz check failed", ""])
    assert await get("/readyz") == (500, text)


async def test_checks_can_be_excluded():
    text = "[+]ping ok\n[+]log ok\n[+]etcd excluded: ok\n[+]boot excluded: ok\nreadyz check passed\n"
    assert await get("/readyz", "verbose&exclude=etcd&exclude=boot") == (200, text)
    assert await get("/readyz", "exclude=etcd&exclude=boot") == (200, "ok")


async def test_excluding_what_is_not_there_is_told():
    warning = 'warn: some health checks cannot be excluded: no matches for "a","b"\n'
    text = f"[+]ping ok\n[+]log ok\n{warning}livez check passed\n"
    assert await get("/livez", "verbose=1&exclude=b&exclude=a") == (200, text)


async def test_one_check_alone():
    assert await get("/readyz/ping") == (200, "ok")
    assert await get("/readyz/boot") == (500, "internal server error: disk on fire\n")
    assert await get("/livez/etcd") == (404, "404 page not found\n")


async def test_other_paths_are_not_its_own():
    assert await HEALTH.respond(Request("GET", "/healthzz")) is None
    assert await HEALTH.respond(Request("GET", "/")) is None
