"""What a function of the local cloud is packaged with: the pinned requirements as they are installed here, and boto3 beside them as in AWS.

For AWS, Chalice downloads Linux wheels, again after every change of a line. A local function runs on this machine's own Python instead, so
it gets this machine's builds, from this virtual environment, without a network.
"""

import re
import shutil
from importlib import metadata
from pathlib import Path

from ops.errors import StepFailed

STEP = "Packaging the requirements"
REINSTALL = "Install the pinned versions: delete .venv and run 'make run' again."
# Lambda's Python runtime brings these itself.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;#]+)")


def pins(requirements: Path) -> dict[str, str]:
    """Name -> version of every requirement. All of them are pinned, also those of requirements."""
    found = (_PIN.match(line.strip()) for line in requirements.read_text().splitlines())
    return {pin[1]: pin[2] for pin in found if pin}


def vendor(project: Path) -> None:
    """Puts the project's requirements into its `vendor/`, which Chalice adds to the package, and empties its requirements.txt."""
    requirements = project / "requirements.txt"
    for name, version in pins(requirements).items():
        if name not in RUNTIME:
            _copy(name, version, project / "vendor")
    requirements.write_text("# Packaged from vendor/ in the local cloud.\n")


def runtime(directory: Path) -> None:
    """A folder with what the Lambda runtime has of its own, linked from this virtual environment."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name in RUNTIME:
        installed = _distribution(name)
        for top in {file.parts[0] for file in installed.files or [] if file.parts[0] not in ("..", "__pycache__")}:
            (directory / top).symlink_to(Path(str(installed.locate_file(top))).resolve())


def _distribution(name: str) -> metadata.Distribution:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise StepFailed(STEP, f"{name} is not installed", REINSTALL) from None


def _copy(name: str, version: str, into: Path) -> None:
    installed = _distribution(name)
    if installed.version != version:
        raise StepFailed(STEP, f"{name} {installed.version} is installed, requirements.txt says {version}", REINSTALL)
    for file in installed.files or []:
        if file.parts[0] == ".." or "__pycache__" in file.parts:
            continue  # scripts, and bytecode of this very interpreter
        target = into.joinpath(*file.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(str(installed.locate_file(file))), target)
