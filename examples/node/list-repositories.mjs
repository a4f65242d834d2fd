// Lists the repositories of a user's connected GitHub account: WorkOS's own client pointed at Standpipe, and Octokit with the token it gives.
//
//   node list-repositories.mjs user_ana        (reads STANDPIPE_URL and STANDPIPE_API_KEY)
//
// Exit codes: 0 listed, 2 the user has to connect first, 3 the user has to reconnect.
import { WorkOS } from "@workos-inc/node";
import { Octokit } from "@octokit/rest";

const user = process.argv[2] ?? "user_ana";
const standpipe = new URL(process.env.STANDPIPE_URL ?? "http://localhost:8000");
if (!process.env.STANDPIPE_API_KEY) {
  console.error("STANDPIPE_API_KEY is not set; make run writes it to .local/standpipe.env");
  process.exit(1);
}
const workos = new WorkOS(process.env.STANDPIPE_API_KEY, {
  apiHostname: standpipe.hostname,
  port: Number(standpipe.port) || undefined,
  https: standpipe.protocol === "https:",
});
// In a sandbox "GitHub" is the simulator; with real credentials this is https://api.github.com.
const githubApi = process.env.GITHUB_API_URL ?? `${standpipe.origin}/simulator/github`;

async function connectLink() {
  const { url } = await workos.pipes.authorizeDataIntegration({ slug: "github", userId: user });
  return url;
}

async function liveToken() {
  const answer = await workos.pipes.getAccessToken({ provider: "github", userId: user });
  if (answer.active) return answer.accessToken.accessToken;
  if (answer.error === "not_installed") {
    console.log(`GitHub is not connected for ${user}. Connect it here:\n${await connectLink()}`);
    process.exit(2);
  }
  // Standpipe says why as well; WorkOS's types have no place for that, so it is read as it came.
  const { data: account } = await workos.get(`/user_management/users/${encodeURIComponent(user)}/connected_accounts/github`);
  console.log(`GitHub has to be connected again (${account.state_reason}). Reconnect here:\n${await connectLink()}`);
  process.exit(3);
}

async function reportRejected(token) {
  const { data: answer } = await workos.post("/data-integrations/github/token", { user_id: user });
  if (answer.active && answer.access_token.access_token === token) {
    await workos.post("/data-integrations/github/token/rejected", { user_id: user, generation: answer.access_token.generation });
  }
}

async function repositories(token) {
  const octokit = new Octokit({ auth: token, baseUrl: githubApi });
  const { data } = await octokit.rest.repos.listForAuthenticatedUser();
  return data;
}

let token = await liveToken();
let found;
try {
  found = await repositories(token);
} catch (error) {
  if (error.status !== 401) throw error;
  // The token looked alive and GitHub refused it: the user revoked it there. Standpipe asks GitHub and says what is true now.
  await reportRejected(token);
  token = await liveToken();
  found = await repositories(token);
}
for (const repository of found) console.log(`${repository.full_name}  ${repository.private ? "private" : "public"}`);
