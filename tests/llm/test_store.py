"""The store: what is kept comes back, is shared, and is refused where it is something else."""

from __future__ import annotations

import gc
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from palate.errors import FileFormatError, OutputError
from palate.llm.client import Client
from palate.llm.outcome import Answer, Usage
from palate.llm.store import Store, default_path
from palate.llm.store_file import open_file
from palate.llm.store_keeping import DAY, Which, export, prune, summarise

from .plain import Here, question, values

ROOT = Path(__file__).resolve().parents[2]
SENT = {"model": "m"}


def keep(store: Store, numbers: range, *, model: str = "m") -> list[bytes]:
    """Keep answers about these numbers, and return their keys."""
    keys = []
    for i in numbers:
        keys.append(question(i).key(SENT))
        answer = Answer({"n": i, "word": "ä\u2028"}, Usage(10, 2, 5), 0.25)
        store.put(keys[-1], question(i), model, answer)
    store.flush()
    return keys


class TestKeeping:
    """What goes in comes out."""

    def test_answers_come_back_as_they_were(self, tmp_path: Path) -> None:
        with Store(tmp_path / "deep" / "er" / "s.sqlite") as store:
            keys = keep(store, range(1200))
            found = store.get_many([*keys, b"x" * 16])
        assert list(found) == keys or set(found) == set(keys)
        assert found[keys[7]] == Answer(
            {"n": 7, "word": "ä\u2028"}, Usage(10, 2, 5), 0.25, stored=True
        )

    def test_what_was_flushed_is_there_for_others(self, tmp_path: Path) -> None:
        with Store(tmp_path / "s.sqlite") as store:
            keys = keep(store, range(3))
            with Store(tmp_path / "s.sqlite") as other:
                assert set(other.get_many(keys)) == set(keys)

    def test_answers_are_committed_soon_without_a_flush(self, tmp_path: Path) -> None:
        with Store(tmp_path / "s.sqlite") as store:
            key = question(1).key(SENT)
            store.put(key, question(1), "m", Answer({"n": 1}))
            until = time.monotonic() + 5
            while not store.get_many([key]) and time.monotonic() < until:
                time.sleep(0.01)
            assert store.get_many([key])

    def test_the_first_answer_stays(self, tmp_path: Path) -> None:
        with Store(tmp_path / "s.sqlite") as store:
            (key,) = keep(store, range(1))
            store.put(key, question(0), "m", Answer({"n": 99}))
            store.flush()
            assert store.get_many([key])[key].value["n"] == 0

    def test_a_closed_store_opens_again_when_it_is_used(self, tmp_path: Path) -> None:
        store = Store(tmp_path / "s.sqlite")
        keys = keep(store, range(2))
        store.close()
        store.close()
        assert set(store.get_many(keys)) == set(keys)
        store.close()

    def test_a_forgotten_store_is_committed_and_closed(self, tmp_path: Path) -> None:
        store = Store(tmp_path / "s.sqlite")
        store.put(b"k" * 16, question(1), "m", Answer({"n": 1}))
        del store
        gc.collect()
        with Store(tmp_path / "s.sqlite") as again:
            assert again.get_many([b"k" * 16])

    def test_prompts_are_kept_only_on_request(self, tmp_path: Path) -> None:
        for keeps in (False, True):
            path = tmp_path / f"{keeps}.sqlite"
            with Store(path, keep_prompts=keeps) as store:
                keep(store, range(1))
            (row,) = export(path)
            assert ("messages" in row) is keeps
            if keeps:
                assert row["messages"][-1] == ["user", "Number 0"]
                assert row["schema"] == dict(question(0).schema)

    def test_the_place_follows_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        monkeypatch.delenv("PALATE_STORE", raising=False)
        assert default_path() == tmp_path / "palate" / "answers.sqlite"
        monkeypatch.setenv("PALATE_STORE", str(tmp_path / "mine"))
        assert default_path() == tmp_path / "mine"
        monkeypatch.delenv("PALATE_STORE")
        monkeypatch.delenv("XDG_DATA_HOME")
        assert default_path() == Path.home() / ".local" / "share" / "palate" / "answers.sqlite"


class TestRefusals:
    """What is no store, or not usable, gives one sentence."""

    def test_a_text_is_no_store(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("Dear diary, " * 200)
        with pytest.raises(FileFormatError, match=r"notes\.txt: found no store"):
            Store(path)
        assert path.read_text().startswith("Dear diary")

    def test_another_database_is_no_store(self, tmp_path: Path) -> None:
        path = tmp_path / "other.db"
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE answers (x)")
            other.commit()
        before = path.read_bytes()
        with pytest.raises(FileFormatError, match="another program"):
            Store(path)
        assert path.read_bytes() == before

    def test_a_newer_store_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "s.sqlite"
        Store(path).close()
        with closing(sqlite3.connect(path)) as newer:
            newer.execute("PRAGMA user_version = 7")
            newer.commit()
        with pytest.raises(FileFormatError, match=r"version 7; expected at most 1.*newer Palate"):
            Store(path)

    def test_places_that_cannot_be(self, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="found a directory"):
            Store(tmp_path)
        (tmp_path / "file").write_text("x")
        with pytest.raises(OutputError, match="its folder cannot be made"):
            Store(tmp_path / "file" / "s.sqlite")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_without_permission(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        with pytest.raises(OutputError, match="cannot be opened"):
            Store(tmp_path / "s.sqlite")
        tmp_path.chmod(0o700)

    def test_a_full_disk_stops_the_run_and_keeps_what_fitted(self, tmp_path: Path) -> None:
        path = tmp_path / "s.sqlite"
        backend = Here()
        store = Store(path)
        _, writer = store._open()
        with writer._change:  # SQLite's own limit gives what a full disk gives
            writer._connection.execute("PRAGMA max_page_count = 40")
        with Client(backend, store=store, concurrency=4) as client:
            with pytest.raises(OutputError, match=r"s\.sqlite: the store cannot be written"):
                client.ask([question(i, about="x" * 500) for i in range(4000)])
            assert len(backend.asked) < 2000
        with Store(path) as again:  # the disk has room again
            keys = [question(i).key(backend.sent) for i in range(4000)]
            assert len(again.get_many(keys)) <= len(backend.asked)
            (sound,) = again._open()[0].execute("PRAGMA integrity_check").fetchone()
            assert sound == "ok"


class TestSharing:
    """Several threads and processes at one file."""

    def test_two_processes_ask_through_one_store(self, tmp_path: Path) -> None:
        code = (
            "import sys; from pathlib import Path\n"
            "from palate.llm.client import Client; from palate.llm.store import Store\n"
            "from tests.llm.plain import Here, question, values\n"
            "low, high = map(int, sys.argv[2:])\n"
            "with Client(Here(), store=Store(Path(sys.argv[1])), concurrency=8) as client:\n"
            "    assert values(client.ask([question(i) for i in range(low, high)])) "
            "== list(range(low, high))\n"
        )
        path = tmp_path / "s.sqlite"
        running = [
            subprocess.Popen(
                [sys.executable, "-W", "error", "-c", code, path, str(low), str(low + 400)],
                cwd=ROOT,
                stderr=subprocess.PIPE,
            )
            for low in (0, 200, 400)
        ]
        for process in running:
            _, err = process.communicate(timeout=60)
            assert process.returncode == 0, err.decode()
        last = Here()
        with Client(last, store=Store(path)) as client:
            assert values(client.ask([question(i) for i in range(800)])) == list(range(800))
        assert not last.asked

    def test_what_another_process_answers_meanwhile_is_not_asked(self, tmp_path: Path) -> None:
        backend = Here()
        with Store(tmp_path / "s.sqlite") as other:

            def progress(done: int, *_: object) -> None:
                if done >= 1 and not other.get_many([question(900).key(backend.sent)]):
                    for i in range(600, 1000):
                        answer = Answer({"n": i, "word": "other"})
                        other.put(question(i).key(backend.sent), question(i), "m", answer)
                    other.flush()

            backend._answer = None
            with Client(
                backend, store=Store(tmp_path / "s.sqlite"), concurrency=2, progress=progress
            ) as client:
                assert values(client.ask([question(i) for i in range(1000)])) == list(range(1000))
                assert client.spent.stored + client.spent.calls == 1000
        assert 900 not in backend.asked

    def test_a_reader_does_not_wait_for_a_writer(self, tmp_path: Path) -> None:
        path = tmp_path / "s.sqlite"
        with Store(path) as store:
            keys = keep(store, range(5))
            with closing(open_file(path)) as writer:
                writer.execute("BEGIN IMMEDIATE")
                writer.execute("DELETE FROM answers")
                started = time.monotonic()
                assert len(store.get_many(keys)) == 5
                assert time.monotonic() - started < 5
                writer.execute("ROLLBACK")

    def test_a_writer_waits_for_another(self, tmp_path: Path) -> None:
        path = tmp_path / "s.sqlite"
        with Store(path) as store, closing(open_file(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            threading.Timer(0.3, other.execute, ("COMMIT",)).start()
            keys = keep(store, range(3))
            assert len(store.get_many(keys)) == 3

    def test_many_open_a_new_file_at_once(self, tmp_path: Path) -> None:
        errors: list[BaseException] = []

        def use(i: int) -> None:
            try:
                with Store(tmp_path / "s.sqlite") as store:
                    keep(store, range(i, i + 1))
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=use, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors
        assert sum(row.answers for row in summarise(tmp_path / "s.sqlite")) == 8


class TestHousekeeping:
    """What lies in a store is counted, exported, pruned."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """A store of two models, one of them 40 days old."""
        path = tmp_path / "s.sqlite"
        with Store(path) as store:
            keep(store, range(30), model="old")
            keep(store, range(30, 50), model="new")
        with closing(sqlite3.connect(path)) as direct:
            past = int(time.time() - 40 * DAY)
            direct.execute("UPDATE answers SET created = ? WHERE model = 'old'", [past])
            direct.commit()
        return path

    def test_sums_per_model(self, path: Path) -> None:
        new, old = summarise(path)
        assert (new.model, new.name, new.answers) == ("new", "count", 20)
        assert (old.input_tokens, old.output_tokens, old.cost) == (300, 60, 7.5)
        assert new.first - old.first >= 39 * DAY

    def test_an_export_holds_everything(self, path: Path) -> None:
        rows = list(export(path, Which(model="new")))
        assert len(rows) == 20
        row = rows[0]
        assert row["key"] == question(30).key(SENT).hex()
        assert row["value"] == {"n": 30, "word": "ä\u2028"}
        assert row["about"] == "number 30"
        assert json.loads(json.dumps(row)) == row

    def test_pruning_counts_first_and_makes_the_file_smaller(self, path: Path) -> None:
        which = Which(older_than=30 * DAY)
        before = path.stat().st_size
        assert prune(path, which, dry_run=True) == 30
        assert prune(path, which) == 30
        assert prune(path, which) == 0
        assert [row.model for row in summarise(path)] == ["new"]
        assert path.stat().st_size < before

    def test_nothing_is_made_by_looking(self, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="no such file"):
            summarise(tmp_path / "absent.sqlite")
        assert not list(tmp_path.iterdir())
