"""Who may join what: the named cluster only, with its token, with the same software."""

import os
import stat
import subprocess
import sys

import msgspec
import pytest

from modelmuster import plugins
from modelmuster.contracts import Probe
from modelmuster.errors import UsageError
from modelmuster.records import Package
from modelmuster.runs import environment
from modelmuster.runs.executors.cluster import declared, joining, starting, token
from modelmuster.runs.executors.cluster.executor import RayExecutor


@pytest.fixture
def here():
    return environment.capture()


def muster(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", "modelmuster", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
        timeout=120,
    )


def test_without_an_address_no_cluster_is_joined(home):
    done = muster("run", "bert", "--executor", "ray", MUSTER_HOME=str(home.root))
    assert done.returncode == 2
    assert "--address HOST:PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_token_the_message_says_where_it_comes_from(home, tmp_path):
    missing = tmp_path / "nowhere"
    done = muster(
        *("run", "bert", "--executor", "ray", "--address", "127.0.0.1:9"),
        MUSTER_HOME=str(home.root),
        RAY_AUTH_TOKEN_PATH=str(missing),
    )
    assert done.returncode == 2
    assert str(missing) in done.stderr
    assert "muster worker --head" in done.stderr


def test_the_local_executor_takes_no_address(home):
    done = muster("run", "bert", "--address", "127.0.0.1:9", MUSTER_HOME=str(home.root))
    assert done.returncode == 2
    assert "takes no address" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["--head", "--address", "127.0.0.1:9"], ["--address", "nonsense"]])
def test_a_worker_is_the_head_or_joins_a_readable_address(arguments):
    done = muster("worker", *arguments)
    assert done.returncode == 2
    assert "HOST:PORT" in done.stderr


def test_the_token_is_for_this_user_only_and_stays_when_it_exists(tmp_path):
    path = tmp_path / "deep" / "token"
    token.create(path)
    first = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first) == 64
    token.create(path)
    assert path.read_text() == first


def test_an_empty_token_is_none(tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    path = tmp_path / "token"
    path.write_text("\n")
    with pytest.raises(UsageError, match="is empty"):
        token.environment(path)


def test_machines_with_other_versions_are_refused_and_the_difference_is_named(here):
    other = msgspec.structs.replace(
        here, packages=tuple(replace_version(entry) if entry.name == "numpy" else entry for entry in here.packages)
    )
    joining.refuse_mixed({"a": here, "b": here})
    with pytest.raises(UsageError, match=r"a and b differ: numpy .* → 0\.1") as raised:
        joining.refuse_mixed({"a": here, "b": other})
    assert "--allow-mixed" in raised.value.hint
    assert declared.software_hash(here) != declared.software_hash(other)


def replace_version(entry):
    return Package(name=entry.name, version="0.1")


def test_a_machine_declares_what_was_found_and_a_cell_asks_for_it(here):
    cpu, cuda = plugins.targets().get("torch:cpu"), plugins.targets().get("torch:cuda")
    found = {
        "torch:cpu": Probe(available=True, reason="a processor"),
        "torch:cuda": Probe(available=True, reason="a card"),
        "torch:mps": Probe(available=False, reason="none"),
    }
    offered = declared.resources(found, plugins.targets().all(), here)
    assert declared.targets_of(offered) == ("torch:cpu", "torch:cuda")
    software = declared.software_hash(here)
    for target in (cpu, cuda):
        wanted = declared.demand(target, 4, software)
        assert all(offered[name] >= amount for name, amount in wanted.items())
    assert declared.demand(cuda, 4, software)["cuda"] == 0.25
    assert f"software:{software}" not in declared.demand(cpu, 1, None)


def test_the_start_command_binds_to_loopback_and_carries_no_secret(tmp_path):
    made = starting.start(
        address=None, bind="127.0.0.1", port=7001, token_file=tmp_path / "t", slots=3, only=("toy:cpu",)
    )
    line = " ".join(made.command)
    assert "--node-ip-address=127.0.0.1" in line
    assert "--num-cpus=3" in line
    assert "target:toy:cpu" in line
    assert (tmp_path / "t").read_text() not in line
    assert made.variables["RAY_AUTH_MODE"] == "token"


def test_nobody_at_the_address_is_an_infrastructure_failure(tmp_path, monkeypatch):
    path = tmp_path / "token"
    token.create(path)
    done = muster("run", "bert", "--executor", "ray", "--address", "127.0.0.1:9", RAY_AUTH_TOKEN_PATH=str(path))
    assert done.returncode == 3
    assert "cannot join the cluster at 127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_cluster_s_token_is_refused(machines, tmp_path):
    path = tmp_path / "token"
    token.create(path)
    done = muster("run", "bert", "--executor", "ray", "--address", machines.address, RAY_AUTH_TOKEN_PATH=str(path))
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_cells_without_a_machine_are_left_to_a_resumption_after_a_while(joined, job):
    joined.patience_s = 1.0
    told = list(joined.run([job("ok"), job("ok", model_type="far", target="toy:absent")]))
    lost = [record for record in told if record.lost]
    assert [record.cell.model_type for record in lost] == ["far"]
    assert "no machine with toy:absent" in lost[0].results[0].message
    assert [record.cell.model_type for record in told if not record.lost] == ["toy"]


def test_an_executor_can_be_closed_before_it_joined():
    RayExecutor().close()
