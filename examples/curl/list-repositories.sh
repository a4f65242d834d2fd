#!/bin/sh
# Lists the repositories of a user's connected GitHub account with nothing but curl.
#
#   sh list-repositories.sh user_ana        (reads STANDPIPE_URL and STANDPIPE_API_KEY)
#
# Exit codes: 0 listed, 2 the user has to connect first, 3 the user has to reconnect.
set -eu
user=${1:-user_ana}
standpipe=${STANDPIPE_URL:-http://localhost:8000}
: "${STANDPIPE_API_KEY:?is not set; make run writes it to .local/standpipe.env}"
# In a sandbox "GitHub" is the simulator; with real credentials this is https://api.github.com.
github_api=${GITHUB_API_URL:-$standpipe/simulator/github}

ask() { # path, JSON body. The key is given on standard input, so that it is not in the process list.
  printf 'header = "Authorization: Bearer %s"\n' "$STANDPIPE_API_KEY" |
    curl --silent --show-error --config - --header 'Content-Type: application/json' --data "$2" "$standpipe$1"
}
field() { # name, answer: the value of a text or number; enough for these answers, jq is better where you have it
  printf '%s' "$2" | sed -n -e "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" -e "s/.*\"$1\": *\([0-9][0-9]*\).*/\1/p"
}
list() { # answer with a token: prints the repositories, or fails if there is no token or GitHub refuses it
  token=$(field access_token "$1")
  [ -n "$token" ] || return 1
  found=$(printf 'header = "Authorization: Bearer %s"\n' "$token" | curl --silent --fail --config - "$github_api/user/repos") || return 1
  printf '%s\n' "$found" | grep -o '"full_name": *"[^"]*"' | sed 's/.*: *"\(.*\)"/\1/'
}
connect_link() {
  field url "$(ask /data-integrations/github/authorize "{\"user_id\":\"$user\"}")"
}

answer=$(ask /data-integrations/github/token "{\"user_id\":\"$user\"}")
if list "$answer"; then exit 0; fi

generation=$(field generation "$answer")
if [ -n "$generation" ]; then
  # The token looked alive and GitHub refused it: the user revoked it there. Standpipe asks GitHub and says what is true now.
  answer=$(ask /data-integrations/github/token/rejected "{\"user_id\":\"$user\",\"generation\":$generation}")
  if list "$answer"; then exit 0; fi
fi

case $(field error "$answer") in
  not_installed)
    printf 'GitHub is not connected for %s. Connect it here:\n%s\n' "$user" "$(connect_link)"
    exit 2 ;;
  needs_reauthorization)
    printf 'GitHub has to be connected again (%s). Reconnect here:\n%s\n' "$(field reason "$answer")" "$(connect_link)"
    exit 3 ;;
  *)
    printf 'Nothing was listed. %s\n' "$(field message "$answer")" >&2
    exit 1 ;;
esac
