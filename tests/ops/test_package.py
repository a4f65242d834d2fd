"""Packaging for the local cloud: the pinned versions and nothing else, and a sentence when this environment has others."""

from importlib import metadata
from pathlib import Path

import pytest

from ops.errors import StepFailed
from ops.local import package


def project(directory: Path, requirements: str) -> Path:
    (directory / "requirements.txt").write_text(requirements)
    return directory


def test_a_requirement_is_copied_from_this_environment(tmp_path: Path) -> None:
    version = metadata.version("idna")
    package.vendor(project(tmp_path, f"# a comment\nidna=={version}  # via requests\nboto3==1.0\n"))
    assert (tmp_path / "vendor" / "idna" / "__init__.py").is_file()
    assert (tmp_path / "vendor" / f"idna-{version}.dist-info").is_dir()
    assert not (tmp_path / "vendor" / "boto3").exists()
    assert package.pins(tmp_path / "requirements.txt") == {}


@pytest.mark.parametrize("pin", ["idna==0.1", "no-such-distribution==1.0"])
def test_another_version_here_is_a_failure_with_a_remedy(tmp_path: Path, pin: str) -> None:
    with pytest.raises(StepFailed, match="delete .venv"):
        package.vendor(project(tmp_path, pin))


def test_the_runtime_has_what_lambda_has(tmp_path: Path) -> None:
    package.runtime(tmp_path / "runtime")
    package.runtime(tmp_path / "runtime")
    assert {"boto3", "botocore", "six.py", "urllib3"} <= {entry.name for entry in (tmp_path / "runtime").iterdir()}
    assert not (tmp_path / "runtime" / "chalice").exists()


def test_every_requirement_of_the_runtime_is_pinned() -> None:
    """A requirement of a requirement that is not listed would be missing in the local package and unpinned in AWS."""
    pinned = {name.lower().replace("_", "-") for name in package.pins(Path(__file__).resolve().parents[2] / "requirements.txt")}
    for name in pinned:
        for requirement in metadata.requires(name) or []:
            if "extra ==" not in requirement and "platform" not in requirement and "python_version" not in requirement and "implementation_name" not in requirement:
                wanted = requirement.split(";")[0].split("[")[0].strip()
                bare = "".join(c if c.isalnum() or c in "-_." else " " for c in wanted).split()[0]
                assert bare.lower().replace("_", "-") in pinned, f"{name} needs {bare}"
