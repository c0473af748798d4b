"""A pack that is not what was recorded is refused."""

import hashlib
import json
import subprocess

import pytest

from modelmuster import catalog
from modelmuster.errors import UsageError
from modelmuster.recipes import ignore
from modelmuster.recipes.golden import pack
from modelmuster.recipes.golden.opening import open_golden
from modelmuster.records import GoldenPack


def verified(root):
    opened = pack.open_pack(root)
    opened.verify(opened.folders())
    return opened


def test_an_intact_pack_is_verified_also_by_others_tools(root):
    assert list(verified(root).manifest.models) == ["bert/BertForMaskedLM"]
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=root, check=True)


@pytest.mark.parametrize("name", ["model.safetensors", "inputs.safetensors", "outputs.safetensors", "entry.json"])
def test_a_truncated_file_is_named(root, name):
    path = root / "bert" / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UsageError, match=f"bert/{name} is not what was recorded"):
        verified(root)


def test_one_flipped_bit_is_found(root):
    path = root / "bert" / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is not what was recorded"):
        verified(root)


def test_a_missing_and_an_added_file_are_named(root):
    config = root / "bert" / "config.json"
    content = config.read_bytes()
    config.unlink()
    with pytest.raises(UsageError, match=r"bert/config.json is missing"):
        verified(root)
    config.write_bytes(content)
    (root / "bert" / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(UsageError, match=r"index.json does not belong to it"):
        verified(root)


def test_a_changed_manifest_is_refused(root):
    path = root / pack.MANIFEST
    path.write_text(path.read_text().replace("5.0.0", "4.9.9"))
    with pytest.raises(UsageError, match=r"manifest.json is not what was recorded"):
        pack.open_pack(root)


@pytest.mark.parametrize("place", ["../elsewhere", "/etc", "bert/../.."])
def test_a_manifest_that_leads_out_of_its_pack_is_refused(root, place):
    manifest = json.loads((root / pack.MANIFEST).read_text())
    changed = json.dumps(manifest | {"models": {"bert/BertForMaskedLM": place}}).encode()
    (root / pack.MANIFEST).write_bytes(changed)
    (root / pack.SUMS).write_text(f"{hashlib.sha256(changed).hexdigest()}  {pack.MANIFEST}\n")
    with pytest.raises(UsageError, match="leads out of it"):
        pack.open_pack(root)


@pytest.mark.parametrize("broken", [b"", b"nonsense\n", b"\xff\xfe"])
def test_a_list_of_hashes_that_is_none_is_refused(root, broken):
    (root / pack.SUMS).write_bytes(broken)
    with pytest.raises(UsageError, match="refused"):
        pack.open_pack(root)


def test_a_folder_that_is_no_pack_says_how_to_make_one(tmp_path):
    with pytest.raises(UsageError, match="muster golden record"):
        pack.open_pack(tmp_path)


def test_a_pack_of_a_newer_format_is_refused(root):
    manifest = json.loads((root / pack.MANIFEST).read_text())
    pack.seal(root, pack.Manifest(**(manifest | {"format": pack.FORMAT + 1})))
    with pytest.raises(UsageError, match="newer version"):
        pack.open_pack(root)


def test_a_model_that_the_pack_lacks_is_named(root):
    with pytest.raises(UsageError, match="holds no GPT2Model of gpt2"):
        pack.open_pack(root).folder("gpt2", "GPT2Model")


def test_a_pack_that_was_exchanged_since_the_plan_is_refused(root):
    place = GoldenPack(path=str(root), digest="0" * 64)
    with pytest.raises(UsageError, match="changed since this run began"):
        open_golden(catalog.load().get("bert"), "BertForMaskedLM", place, ignore)
