"""Lists the repositories of a user's connected GitHub account: WorkOS's own client pointed at Standpipe, and the token it gives.

python list_repositories.py user_ana        (reads STANDPIPE_URL and STANDPIPE_API_KEY)

Exit codes: 0 listed, 2 the user has to connect first, 3 the user has to reconnect.
"""

import os
import sys

import requests
from workos import WorkOSClient

user = sys.argv[1] if len(sys.argv) > 1 else "user_ana"
standpipe = os.environ.get("STANDPIPE_URL", "http://localhost:8000")
api_key = os.environ.get("STANDPIPE_API_KEY") or sys.exit("STANDPIPE_API_KEY is not set; make run writes it to .local/standpipe.env")
workos = WorkOSClient(api_key=api_key, client_id="standpipe", base_url=standpipe)
# In a sandbox "GitHub" is the simulator; with real credentials this is https://api.github.com.
github_api = os.environ.get("GITHUB_API_URL", f"{standpipe}/simulator/github")


def connect_link() -> str:
    return workos.pipes.authorize_data_integration("github", user_id=user).url


def live_token() -> str:
    answer = workos.pipes.get_access_token("github", user_id=user)
    if answer.active and answer.access_token:
        return answer.access_token.access_token
    if answer.error == "not_installed":
        print(f"GitHub is not connected for {user}. Connect it here:\n{connect_link()}")
        sys.exit(2)
    account = workos.pipes.get_user_connected_account(user, "github")
    print(f"GitHub has to be connected again ({account.state_reason}). Reconnect here:\n{connect_link()}")
    sys.exit(3)


def report_rejected(token: str) -> None:
    answer = workos.request_raw("POST", ("data-integrations", "github", "token"), body={"user_id": user})
    if answer["active"] and answer["access_token"]["access_token"] == token:
        generation = answer["access_token"]["generation"]
        workos.request_raw("POST", ("data-integrations", "github", "token", "rejected"), body={"user_id": user, "generation": generation})


def repositories(token: str) -> requests.Response:
    return requests.get(f"{github_api}/user/repos", headers={"Authorization": f"Bearer {token}"}, timeout=30)


found = repositories(token := live_token())
if found.status_code == 401:
    # The token looked alive and GitHub refused it: the user revoked it there. Standpipe asks GitHub and says what is true now.
    report_rejected(token)
    found = repositories(live_token())
found.raise_for_status()
for repository in found.json():
    print(f"{repository['full_name']}  {'private' if repository['private'] else 'public'}")
