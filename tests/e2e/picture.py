"""Makes the README's picture from a running `make run`: the real pages, and the real example's output. `python -m tests.e2e.picture`"""

import os
import shutil
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import requests
from playwright.sync_api import sync_playwright

from ops.local.sandbox import ROOT, read_environ
from tests.run import CHROMIUM

OUT = ROOT / "docs" / "pictures"
NODE = ROOT / "tests" / "node"
SHEET = """<!doctype html><meta charset="utf-8"><style>
body{{margin:0;padding:28px;width:1180px;background:#e9ebef;font:15px/1.5 system-ui,sans-serif;color:#17191c;display:grid;grid-template-columns:1fr 1fr;gap:22px}}
figure{{margin:0}}figcaption{{font-weight:600;margin:0 0 8px}}img{{width:100%;display:block;border-radius:12px;border:1px solid #d5d8de}}
.wide{{grid-column:1/3}}pre{{margin:0;background:#15181d;color:#e6e9ee;border-radius:12px;padding:18px 22px;font:14px/1.6 ui-monospace,Menlo,Consolas,monospace;white-space:pre-wrap}}
</style><figure><figcaption>1. Your user opens the link</figcaption><img src="data:image/png;base64,{confirm}"></figure>
<figure><figcaption>2. and allows it (here at the sandbox's simulated GitHub)</figcaption><img src="data:image/png;base64,{consent}"></figure>
<figure class="wide"><figcaption>3. Your backend asks for a token, and always gets a live one</figcaption><pre>$ node list-repositories.mjs user_ana
{listed}</pre></figure>"""


def main() -> int:
    environ = read_environ(ROOT / ".local")
    if not environ:
        print("Start the sandbox first: make run", file=sys.stderr)
        return 1
    url, headers = environ["STANDPIPE_URL"], {"Authorization": f"Bearer {environ['STANDPIPE_API_KEY']}"}
    requests.delete(f"{url}/user_management/users/user_ana/connected_accounts/github", headers=headers, timeout=60)
    link = requests.post(f"{url}/data-integrations/github/authorize", json={"user_id": "user_ana"}, headers=headers, timeout=60).json()["url"]
    chromium = next(path for name in CHROMIUM if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        page = browser.new_page(viewport={"width": 640, "height": 720}, device_scale_factor=1.5)
        page.goto(link)
        confirm = page.screenshot()
        page.get_by_role("button", name="Continue to GitHub").click()
        page.get_by_role("button", name="Allow").wait_for()
        consent = page.screenshot()
        page.get_by_role("button", name="Allow").click()
        page.get_by_role("heading", name="GitHub is connected").wait_for()
        example = NODE / "list-repositories.mjs"  # beside the packages, where Node looks for them
        shutil.copy2(ROOT / "examples" / "node" / "list-repositories.mjs", example)
        try:
            listed = subprocess.run(["node", str(example), "user_ana"], env={**os.environ, **environ}, capture_output=True, text=True, check=True).stdout
        finally:
            example.unlink()
        sheet = browser.new_page(viewport={"width": 1236, "height": 900})
        sheet.set_content(SHEET.format(confirm=b64encode(confirm).decode(), consent=b64encode(consent).decode(), listed=listed))
        OUT.mkdir(parents=True, exist_ok=True)
        sheet.screenshot(path=str(OUT / "connect.png"), full_page=True)
        browser.close()
    print(f"wrote {(OUT / 'connect.png').relative_to(Path.cwd())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
