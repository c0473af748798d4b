"""The server of a page gives its own files to who knows the token, and nothing to anybody else."""

import urllib.error
import urllib.request

import pytest

from modelmuster.targets.browser.server import ISOLATED, Server


@pytest.fixture
def server(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"a graph")
    (tmp_path / "secret").write_bytes(b"not served")
    served = Server({"model.onnx": tmp_path / "model.onnx", "gone": tmp_path / "gone"})
    yield served
    served.close()


def status(address):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(address)
    caught.value.close()
    return caught.value.code


def test_a_file_comes_with_the_headers_that_isolate_a_page(server):
    with urllib.request.urlopen(server.address("model.onnx")) as answer:
        assert answer.read() == b"a graph"
        assert all(answer.headers[name] == value for name, value in ISOLATED.items())


def test_it_is_reached_over_the_loopback_only(server):
    assert server.origin.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("path", ["model.onnx", "/", "wrong-token/model.onnx", "/model.onnx"])
def test_without_the_token_there_is_nothing(server, path):
    assert status(f"{server.origin}/{path}") == 404


@pytest.mark.parametrize("name", ["secret", "../secret", "%2e%2e/secret", "gone", ""])
def test_other_files_are_not_served(server, name):
    assert status(server.address(name)) == 404


def test_two_servers_have_two_tokens(server, tmp_path):
    other = Server({})
    assert other.address("x").split("/")[3] != server.address("x").split("/")[3]
    other.close()
