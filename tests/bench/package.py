"""The size of what `chalice package` builds: Lambda takes 50 MB of zip directly and 250 MB unzipped, and a cold container unpacks all of it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from zipfile import ZipFile

from ops.deploy import write_config
from tests.cloud import CREDENTIALS, ROOT

STAGE = "local"
SHIPPED = ("app.py", "requirements.txt", "chalicelib", ".chalice/config.json")
ANY_ROLE = "arn:aws:iam::123456789012:role/standpipe"  # the stack's, in a deployment; nothing is deployed here
SHOWN = 8
MEGABYTE = 1_000_000


def show() -> None:
    """Builds the package and prints its size and its biggest parts."""
    with tempfile.TemporaryDirectory() as folder:
        archive = _build(Path(folder))
        print(f"\npackage: {archive.stat().st_size / MEGABYTE:.1f} MB zipped, {sum(_sizes(archive).values()) / MEGABYTE:.1f} MB unzipped")
        for part, size in _sizes(archive).most_common(SHOWN):
            print(f"{part:>28}{size / MEGABYTE:10.1f} MB")


def _build(folder: Path) -> Path:
    """In a copy, because Chalice keeps what it builds beside the sources."""
    project = folder / "project"
    for name in SHIPPED:
        source, target = ROOT / name, project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    write_config(project, STAGE, {}, ANY_ROLE, {})
    chalice = Path(sys.executable).with_name("chalice")
    done = subprocess.run([chalice, "package", "--stage", STAGE, str(folder / "out")], cwd=project, env={**os.environ, **CREDENTIALS}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"chalice package failed:\n{done.stdout}")
    return folder / "out" / "deployment.zip"


def _sizes(archive: Path) -> Counter[str]:
    """Unzipped bytes of each top-level package, botocore's service descriptions apart from its code."""
    sizes: Counter[str] = Counter()
    with ZipFile(archive) as opened:
        for entry in opened.infolist():
            top, *rest = entry.filename.split("/")
            sizes[f"{top}/data" if top == "botocore" and rest[:1] == ["data"] else top] += entry.file_size
    return sizes
