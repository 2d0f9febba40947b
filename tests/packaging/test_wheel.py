"""What is shipped: five packages with their data, one command, nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every file of the wheel, those of its metadata with their text."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name).decode() if ".dist-info/" in name else "" for name in archive.namelist()}


def test_only_the_five_packages_are_shipped(names: dict[str, str]) -> None:
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"audit", "ingest", "detectors", "api", "dashboards"}


def test_data_files_are_shipped(names: dict[str, str]) -> None:
    for wanted in (
        "audit/store/migrations/0001_events.sql",
        "dashboards/static/app.css",
        "dashboards/templates/alert.html",
        "ingest/sources/catalogue/resident-register.toml",
        *(f"{package}/py.typed" for package in ("audit", "ingest", "detectors", "api", "dashboards")),
    ):
        assert wanted in names


def test_one_command_and_a_light_base(names: dict[str, str]) -> None:
    (entry_points,) = (text for name, text in names.items() if name.endswith("entry_points.txt"))
    assert "mimamori = api.cli:main" in entry_points
    (metadata,) = (text for name, text in names.items() if name.endswith("METADATA"))
    base = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert [line.split()[1].split(">")[0] for line in base] == ["cryptography"]


def test_events_need_nothing_but_the_standard_library() -> None:
    """An outsider recomputes canonical bytes without installing anything."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from audit.events import canonical_bytes\n"
        "print(canonical_bytes('s', {'event_id': 'e'}).decode())"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(ROOT)], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "6:source,1:s,8:event_id,1:e,\n"
