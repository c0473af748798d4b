"""Where checkpoints come from: a real client of the hub against a server on this machine."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from modelmuster.errors import UsageError
from modelmuster.recipes.checkpoint.places import absolute, located

COMMIT = "0" * 40


class Hub(BaseHTTPRequestHandler):
    """What the client asks: what a repository is and holds, and its files."""

    folder = None
    fetched = None
    broken = None

    def do_GET(self):
        name = self.path.partition("/resolve/")[2].partition("/")[2]
        if self.path.startswith("/api/models/team/tiny/tree/"):
            entries = [
                {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": path.name}
                for path in sorted(self.folder.iterdir())
            ]
            self.answer(200, json.dumps(entries).encode())
        elif self.path.startswith("/api/models/team/tiny"):
            files = [{"rfilename": path.name} for path in sorted(self.folder.iterdir())]
            body = {"id": "team/tiny", "modelId": "team/tiny", "sha": COMMIT, "siblings": files, "private": False}
            self.answer(200, json.dumps(body).encode())
        elif self.path.startswith("/team/tiny/resolve/") and (self.folder / name).is_file() and name != self.broken:
            self.fetched.add(name)
            self.answer(200, (self.folder / name).read_bytes(), ETag=f'"{name}"')
        else:
            self.answer(404, b"{}", **{"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET  # noqa: N815 - the name that the server looks for

    def answer(self, code, body, **headers):
        self.send_response(code)
        for name, value in {"X-Repo-Commit": COMMIT, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(folder):
    """The small checkpoint, with a pickled copy of its weights and some code beside it, as `team/tiny`."""
    (folder / "pytorch_model.bin").write_bytes(b"pickled")
    (folder / "modeling_own.py").write_text("raise RuntimeError")
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Hub,), {"folder": folder, "fetched": set()}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(home, endpoint, *names, offline="0"):
    """Fetch and locate checkpoints in a process with a cache of its own."""
    script = (
        "import sys\n"
        "from modelmuster.errors import MusterError\n"
        "from modelmuster.recipes.checkpoint.places import fetched, located\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        assert fetched(name) == located(name)\n"
        "        print(*sorted(path.name for path in located(name).iterdir()))\n"
        "    except MusterError as error:\n"
        "        print(error.exit_code, error)\n"
    )
    environment = {**os.environ, "HF_HOME": str(home), "HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": offline}
    command = [sys.executable, "-c", script, *names]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, env=environment, timeout=60, check=True)
    return done.stdout


def test_a_repository_is_fetched_once_without_pickles_and_code_and_used_offline(hub, tmp_path):
    endpoint = f"http://127.0.0.1:{hub.server_port}"
    expected = "config.json model.safetensors\n"
    assert fetch(tmp_path, endpoint, "team/tiny") == expected
    assert hub.RequestHandlerClass.fetched == {"config.json", "model.safetensors"}
    assert fetch(tmp_path, endpoint, "team/tiny", offline="1") == expected
    assert fetch(tmp_path, "http://127.0.0.1:9", "team/tiny") == expected


def test_a_download_that_breaks_off_is_said(hub, tmp_path):
    hub.RequestHandlerClass.broken = "model.safetensors"
    said = fetch(tmp_path, f"http://127.0.0.1:{hub.server_port}", "team/tiny")
    assert said.startswith("3 team/tiny cannot be downloaded")


def test_a_repository_that_does_not_exist_is_the_users_error(hub, tmp_path):
    said = fetch(tmp_path, f"http://127.0.0.1:{hub.server_port}", "team/none")
    assert said.startswith("2 there is no folder team/none, and the hub has no repository team/none")


@pytest.mark.parametrize("offline", ["0", "1"])
def test_without_a_network_it_is_said_at_once(offline, tmp_path):
    said = fetch(tmp_path, "http://127.0.0.1:9", "team/tiny", offline=offline)
    assert said.startswith("3 there is no folder team/tiny, no downloaded copy of team/tiny, and the hub cannot be as")
    assert "hf download team/tiny" in said


def test_what_looks_like_a_path_is_never_asked_of_the_hub():
    for spec in ("/no/such/folder", "./none", "a/b/c", "../up", "with space"):
        with pytest.raises(UsageError, match="there is no folder"):
            located(spec)


def test_folders_are_kept_by_their_full_path(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert absolute("checkpoint") == str(folder)
    assert located("checkpoint") == folder
    assert absolute("team/tiny") == "team/tiny"
