"""``python -m benchmarks.registry_faults``: writers to a registry are killed at random, and its disk is full.

After each kill nothing of a case may be missing that was promised, and nothing may be there by half. Keeps
the figures for the validation page and prints one line of JSON; exit status 1 where anything was lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from benchmarks.table import Row, Table, commit, write_page
from benchmarks.table import store as keep
from thecal.errors import InputError
from thecal.registry.case import Case, Deficit, Fracture, Imaging, Leak, Outcome, Patient, Procedure
from thecal.registry.store import Store, init_store, open_store
from thecal.registry.store.backup import back_up, restore
from thecal.registry.store.check import problems
from thecal.registry.store.hashes import content_hash

NAME: Final = "registry_faults"
KILLS: Final = 200
QUICK_KILLS: Final = 12
SEED: Final = 1
BATCH: Final = 30
"""Cases of one import; each import is one promise."""
BATCHES: Final = 8
ATTACHED: Final = 40
"""Cases that get a report, each by itself."""
SERVER_SPAN_S: Final = 0.5
"""About how long the imports take on PostgreSQL, seconds."""
FULL_BYTES: Final = 1 << 20
"""Size of the disk that runs full."""


def case(number: int) -> Case:
    """A case with every part that an import fills."""
    return Case(
        patient=Patient(pseudonym=f"P{number:05d}", age_years=70.0, sex="F"),
        fractures=(Fracture(level="T12"),),
        procedures=(Procedure(kind="VP", level="T12", volume_ml=4.0, notes=f"case {number}"),),
        leaks=(Leak(compartment="epidural", level="T12"), Leak(compartment="intradiscal")),
        deficit=Deficit(present="no"),
        outcomes=tuple(Outcome(scale="vas", as_written=str(n), value=float(n), days=n) for n in range(5)),
    )


def batch(number: int) -> list[Case]:
    """The cases of one import."""
    return [case(number * BATCH + index) for index in range(BATCH)]


def import_all(store: Store, told: Callable[[], None]) -> None:
    """One import after another."""
    for number in range(BATCHES):
        store.add_many(batch(number), who="fault")
        told()


def report(number: int) -> bytes:
    """What stands for a report; large enough to need several pages."""
    return random.Random(number).randbytes(20_000)


def attach_one(store: Store, number: int) -> None:
    """Keep a report with a case, as attach does, without an assessment to read."""
    content = report(number)
    digest = sha256(content).hexdigest()

    def edit(before: Case) -> Case:
        image = Imaging(modality="CT", series_uid=f"1.2.{number}", report_sha256=digest)
        return before.model_copy(update={"imaging": (*before.imaging, image)})

    files = [(digest, zlib.compress(content))]
    store.change(case(number).patient.pseudonym, edit, who="fault", what="attach", files=files)


def attach_all(store: Store, told: Callable[[], None]) -> None:
    """A report to one case after another."""
    for number in range(ATTACHED):
        attach_one(store, number)
        told()


def imports_kept(store: Store) -> int:
    """How many whole imports are there.

    Raises
    ------
    AssertionError
        Where one is there by half.
    """
    kept = list(store.cases())
    assert len(kept) % BATCH == 0, f"{len(kept)} cases are no whole imports"
    many = len(kept) // BATCH
    assert kept == [each for number in range(many) for each in batch(number)], "a case is not what was given"
    return many


def attachments_kept(store: Store) -> int:
    """How many reports are attached; a case without its file, or a file without its case, is an error."""
    from thecal.registry.store.tables import report_files

    named = [each.imaging[0].report_sha256 for each in store.cases() if each.imaging]
    with store.reading() as connection:
        files = {row.sha256 for row in connection.execute(report_files.select())}
    assert set(named) == files, "a report is there by half"
    return len(named)


WORK: Final = {"import": (import_all, imports_kept), "attach": (attach_all, attachments_kept)}


def killed_once(where: str, what: str, delay_s: float) -> tuple[int, int]:
    """Kill a writer so long after it began; the promises it made, and those that were kept."""
    work, count = WORK[what]
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            with open_store(where) as store:
                os.write(write, b"!")
                work(store, lambda: os.write(write, b"."))  # type: ignore[arg-type]
        finally:
            os._exit(0)
    os.close(write)
    os.read(read, 1)
    time.sleep(delay_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    promised = 0
    while said := os.read(read, 4096):
        promised += len(said)
    os.close(read)
    with open_store(where) as store:
        found = problems(store)
        assert not found, found
        kept = count(store)
    assert promised <= kept <= promised + 1, f"{promised} were promised, {kept} are there"
    return promised, kept


def kills(many: int, folder: Path, seed: int) -> dict[str, object]:
    """Kill writers on SQLite; how many, and how often between the first and the last promise."""
    draw = random.Random(seed)
    templates = {}
    spans = {}
    for what, (work, _) in WORK.items():
        templates[what] = folder / f"{what}.sqlite"
        with init_store(templates[what]) as store:
            if what == "attach":
                store.add_many([case(number) for number in range(ATTACHED)], who="fault")
        shutil.copy(templates[what], folder / "timed.sqlite")
        with open_store(folder / "timed.sqlite") as store:
            begin = time.perf_counter()
            work(store, lambda: None)
            spans[what] = time.perf_counter() - begin
        (folder / "timed.sqlite").unlink()
    inside, unpromised = 0, 0
    for turn in range(many):
        what = ("import", "attach")[turn % 2]
        path = folder / f"killed-{turn}.sqlite"
        shutil.copy(templates[what], path)
        promised, kept = killed_once(str(path), what, draw.uniform(0.0, spans[what]))
        inside += 0 < kept < (BATCHES if what == "import" else ATTACHED)
        unpromised += kept > promised
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
    return {"kills": many, "amid_the_work": inside, "kept_though_not_yet_promised": unpromised}


def kills_on_server(urls: list[str], seed: int) -> dict[str, object]:
    """Kill a writer to each of these empty PostgreSQL databases; how many, and how often amid the work."""
    draw = random.Random(seed)
    inside = 0
    for url in urls:
        init_store(url).close()
        _, kept = killed_once(url, "import", draw.uniform(0.0, SERVER_SPAN_S))
        inside += 0 < kept < BATCHES
    return {"server_kills": len(urls), "server_amid_the_work": inside}


def full_disk(folder: Path) -> dict[str, object]:
    """Fill the disk while importing: one sentence, every promise kept, nothing by half, and room mends it."""
    disk = folder / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={FULL_BYTES}", "tmpfs", str(disk)]
    mounted = os.geteuid() == 0 and subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        path = disk / "full.sqlite"
        init_store(path).close()
        promised, said = _fill(path, limited=not mounted)
        with open_store(path) as store:
            found = problems(store)
            assert not found, found
            kept = imports_kept(store)
            assert kept == promised, f"{promised} were promised, {kept} are there"
            before = back_up(store, folder / "rescued.sqlite")
        assert restore(folder / "rescued.sqlite", folder / "mended.sqlite") == before
        with open_store(folder / "mended.sqlite") as store:
            store.add_many(batch(promised), who="fault")
            assert imports_kept(store) == promised + 1
            assert content_hash(store) != before
    finally:
        if mounted:
            subprocess.run(["umount", str(disk)], check=False)
    by = "a tmpfs of 1 MiB" if mounted else "a limit on the size of files (RLIMIT_FSIZE)"
    return {"full_disk": by, "imports_kept": promised, "said": said}


def _fill(path: Path, *, limited: bool) -> tuple[int, str]:
    """Import until there is no room, in a process of its own; the imports promised, and what it said."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        if limited:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, FULL_BYTES))
        try:
            with open_store(path) as store:
                for number in range(10_000):
                    store.add_many(batch(number), who="fault")
                    os.write(write, b".")
        except InputError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    told = b""
    while said := os.read(read, 4096):
        told += said
    os.waitpid(child, 0)
    os.close(read)
    promised = len(told) - len(told.lstrip(b"."))
    return promised, told[promised:].decode()


def cases(*, quick: bool) -> list[int]:
    """How many kills on SQLite."""
    return [QUICK_KILLS if quick else KILLS]


def one_case(job: int, seed: int = SEED, servers: list[str] | None = None) -> dict[str, Any]:
    """Kill writers and fill a disk; ``lost`` says what was lost, and is None where nothing was."""
    result: dict[str, Any] = {"case": f"{job} kills", "seed": seed, "kills": job, "lost": None}
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        try:
            if servers:
                result |= kills_on_server(servers, seed)
            if job:
                result |= kills(job, Path(name), seed)
                result |= full_disk(Path(name))
        except AssertionError as error:
            result["lost"] = str(error)
    return result


def table(results: Iterable[dict[str, Any]], *, quick: bool) -> Table:
    """The rows and the caption."""
    done = list(results)
    rows = []
    for result in done:
        whole = result["lost"] is None
        amid = f"{result.get('amid_the_work', 0)} of {result['kills']} amid the work"
        found = "none" if whole else f"stopped at the first: {result['lost']}"
        on = "SQLite, a writer killed (kill -9)"
        for measure in (
            "half cases, half imports, reports without their case",
            "commits that were promised and are gone",
            "findings of `thecal registry check` after a kill",
        ):
            rows.append(Row(on, measure, "none", f"{found} ({amid})", whole))
        if "server_kills" in result:
            amid = f"{result['server_amid_the_work']} of {result['server_kills']} amid the work"
            rows.append(Row("PostgreSQL, the same", "all of these", "none", f"{found} ({amid})", whole))
        if "full_disk" in result:
            rows.append(
                Row(
                    f"SQLite, the disk full by {result['full_disk']}",
                    "imports promised that are gone, or there by half",
                    "none",
                    f"none of {result['imports_kept']}; said: {result['said']}",
                    True,
                )
            )
    caption = (
        f"Kill -9 at random moments of imports of {BATCH} cases and of attaching reports, in turn; after "
        "each the registry is opened, checked and compared with what was promised. A run stops at the first "
        "loss. Kills before the first or after the last promise are not amid the work. The full disk's "
        "registry is backed up, restored to the same hash and written to again."
    )
    return Table(NAME, "The registry under faults", caption, rows, done, quick)


def main() -> int:
    """Run both, say what was found, and keep it for the validation page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.registry_faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help="on SQLite; 0 leaves SQLite out")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--server", nargs="*", default=[], help="empty PostgreSQL databases, one a kill")
    parser.add_argument("--no-store", action="store_true", help="leave the results and the page as they are")
    chosen = parser.parse_args()
    busy, state = os.getloadavg()[0], commit()
    result = one_case(chosen.kills, chosen.seed, chosen.server)
    if not chosen.no_store:
        from benchmarks.__main__ import MODULES, PAGE

        keep(table([result], quick=chosen.kills < KILLS), busy, state)
        write_page(PAGE, list(MODULES))
    print(json.dumps(result))
    return 0 if result["lost"] is None else 1


if __name__ == "__main__":
    sys.exit(main())
