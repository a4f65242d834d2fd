"""The customer's page, bundled from the widgets' packages."""

import subprocess
from pathlib import Path

from tests.peers.node import ensure_node_packages

HERE = Path(__file__).resolve().parent
WIDGETS = HERE / "node_modules" / "@workos-inc" / "widgets"


def ensure_packages() -> Path:
    """The folder the widgets' packages are in."""
    return ensure_node_packages(HERE) / "node_modules"


def bundle(into: Path) -> None:
    """`product.js` and `product.css`, as a customer's build would make them."""
    esbuild = ensure_packages() / ".bin" / "esbuild"
    command = [esbuild, "product.jsx", "--bundle", "--jsx=automatic", '--define:process.env.NODE_ENV="production"', "--log-level=warning", f"--outdir={into}"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"esbuild failed ({done.returncode}):\n{done.stderr[-3000:]}")
