"""The widgets' packages, installed once from the lockfile, and the customer's page bundled from them.

Rule: nothing is fetched unless the lockfile's packages are missing or differ, and then by `npm ci` alone.
"""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
WIDGETS = HERE / "node_modules" / "@workos-inc" / "widgets"
INSTALL_SECONDS = 480


def ensure_packages() -> Path:
    """Run `npm ci` here if the packages are not those of the lockfile; return the folder they are in."""
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    stamp = HERE / "node_modules" / ".lockfile-sha256"
    # Test workers start together; the first installs, the others wait here and then find the stamp.
    with (HERE / ".npm-ci.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            npm = shutil.which("npm")
            if npm is None:
                raise RuntimeError("tests/widgets needs its packages: install Node with npm, then run `npm ci` in tests/widgets")
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
            if done.returncode:
                raise RuntimeError(f"`npm ci` in tests/widgets failed ({done.returncode}):\n{done.stderr[-3000:]}")
            stamp.write_text(wanted)
    return HERE / "node_modules"


def bundle(into: Path) -> None:
    """`product.js` and `product.css`, as a customer's build would make them."""
    esbuild = ensure_packages() / ".bin" / "esbuild"
    command = [esbuild, "product.jsx", "--bundle", "--jsx=automatic", '--define:process.env.NODE_ENV="production"', "--log-level=warning", f"--outdir={into}"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"esbuild failed ({done.returncode}):\n{done.stderr[-3000:]}")
