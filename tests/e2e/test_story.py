"""The seed story by clicks: link, confirm, allow, land, fetch, list; revoke, be told, reconnect, fetch again."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import requests
from playwright.sync_api import BrowserContext, Page, expect

from tests.deployed import Landing
from tests.e2e.conftest import Api

Picture = Callable[[Page, str], None]


def connect(page: Page, url: str, provider: str = "GitHub") -> None:
    page.goto(url)
    page.get_by_role("button", name=f"Continue to {provider}").click()
    page.get_by_role("button", name="Allow").click()


def test_a_person_connects_github_and_a_backend_lists_their_repositories(api: Api, page: Page, landing: Landing, picture: Picture) -> None:
    begun = api.authorize("github", "user_story", return_to=landing.url)
    page.goto(begun["url"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Connect your GitHub account to Acme as user_story?")
    expect(page.locator(".owner")).to_have_text("user_story")
    picture(page, "confirm")
    page.get_by_role("button", name="Continue to GitHub").click()
    page.wait_for_url("**/simulator/github/login/oauth/authorize**")
    picture(page, "consent")
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"{landing.url}**")

    arrived = parse_qs(urlsplit(page.url).query)
    assert arrived["status"] == ["connected"]
    assert arrived["provider"] == ["github"]
    answer = api.token("github", "user_story")
    assert answer["active"] is True
    token = answer["access_token"]
    assert token["connected_account_id"] == arrived["connected_account_id"][0]
    listed = requests.get(f"{api.sandbox.url}/simulator/github/user/repos", headers={"Authorization": f"Bearer {token['access_token']}"}, timeout=30)
    assert listed.status_code == 200
    assert listed.json()[0]["full_name"]

    api.knob("github", action="revoke_grant", account="octocat")
    refused = requests.get(f"{api.sandbox.url}/simulator/github/user/repos", headers={"Authorization": f"Bearer {token['access_token']}"}, timeout=30)
    assert refused.status_code == 401
    ended = api.rejected("github", "user_story", token["generation"])
    assert (ended["active"], ended["error"], ended["reason"]) == (False, "needs_reauthorization", "refused")
    assert "GitHub" in ended["message"]
    account = api.call("GET", "/user_management/users/user_story/connected_accounts/github").json()
    assert (account["state"], account["state_reason"]) == ("needs_reauthorization", "refused")

    connect(page, api.authorize("github", "user_story", return_to=landing.url)["url"])
    page.wait_for_url(f"{landing.url}**")
    again = api.token("github", "user_story")
    assert again["active"] is True
    assert again["access_token"]["connected_account_id"] == token["connected_account_id"]
    assert again["access_token"]["generation"] > token["generation"]


def test_without_a_return_url_the_person_sees_that_it_is_done(api: Api, page: Page, picture: Picture) -> None:
    connect(page, api.authorize("slack", "user_done")["url"], "Slack")
    expect(page.get_by_role("heading", level=1)).to_have_text("Slack is connected")
    assert "code=" not in page.url
    picture(page, "done")


def test_declining_connects_nothing_and_says_so(api: Api, page: Page, picture: Picture) -> None:
    page.goto(api.authorize("github", "user_no")["url"])
    page.get_by_role("button", name="Continue to GitHub").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You declined")
    picture(page, "declined")
    assert api.token("github", "user_no")["error"] == "not_installed"


def test_a_link_works_in_one_browser_only(api: Api, page: Page, person: BrowserContext, browser: object, picture: Picture) -> None:
    url = api.authorize("github", "user_two")["url"]
    page.goto(url)
    page.reload()
    expect(page.get_by_role("button", name="Continue to GitHub")).to_be_visible()
    other = browser.new_context()  # type: ignore[attr-defined]
    stranger = other.new_page()
    stranger.goto(url)
    expect(stranger.get_by_role("heading", level=1)).to_have_text("This link was already used")
    picture(stranger, "used")
    other.close()


def test_somebody_elses_browser_cannot_finish(api: Api, page: Page, person: BrowserContext, browser: object, picture: Picture) -> None:
    """The redirect back opened in another browser connects nothing (security rule R3)."""
    page.goto(api.authorize("github", "user_victim")["url"])
    page.get_by_role("button", name="Continue to GitHub").click()
    # Sent without following, so that the answer can be carried to another browser, as an attacker would.
    fields = {field.get_attribute("name") or "": field.get_attribute("value") or "" for field in page.locator("form input[type=hidden]").all()}
    allowed = person.request.post(page.url, form={**fields, "account": "octocat", "decision": "allow"}, headers={"Origin": api.sandbox.url}, max_redirects=0)
    back = allowed.headers["location"]
    assert "/callback/" in back
    other = browser.new_context()  # type: ignore[attr-defined]
    stranger = other.new_page()
    stranger.goto(back)
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Please stay in one browser")
    picture(stranger, "wrong-browser")
    assert api.token("github", "user_victim")["error"] == "not_installed"
    other.close()
