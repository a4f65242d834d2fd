#!/bin/sh
# Makes .venv and installs a requirements file into it; $3 is the stamp that says it is done. Plain sh, because it runs before anything is installed.
set -eu
python=$1 requirements=$2 stamp=$3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
  echo "Standpipe needs Python 3.11 or later, and '$python' is not. Install one and name it: make run PYTHON=python3.12" >&2
  exit 1
}
echo "installing $requirements into .venv (once)"
[ -x .venv/bin/python ] || "$python" -m venv .venv || {
  echo "Making .venv failed. On Debian and Ubuntu the package python3-venv is needed." >&2
  exit 1
}
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-warn-conflicts -r "$requirements" || {
  echo "Installing $requirements failed; pip's own words are above. It needs a network and a package index." >&2
  exit 1
}
touch "$stamp"
