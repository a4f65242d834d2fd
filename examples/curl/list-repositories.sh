#!/bin/sh
# Lists the repositories of a user's connected GitHub account with nothing but curl.
#
#   sh list-repositories.sh user_ana        (reads STANDPIPE_URL and STANDPIPE_API_KEY)
#
# Exit codes: 0 listed, 2 the user has to connect first, 3 the user has to reconnect.
set -eu
user=${1:-user_ana}
standpipe=${STANDPIPE_URL:-http://localhost:8000}
# In a sandbox "GitHub" is the simulator; with real credentials this is https://api.github.com.
github_api=${GITHUB_API_URL:-$standpipe/simulator/github}

ask() { # path, JSON body: the key comes from a file descriptor, so that it is not in the process list
  printf 'header = "Authorization: Bearer %s"\n' "$STANDPIPE_API_KEY" |
    curl --silent --show-error --config - --header 'Content-Type: application/json' --data "$2" "$standpipe$1"
}
field() { # the value of a field, one level is enough for these answers
  sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p"
}
repositories() { # access token
  printf 'header = "Authorization: Bearer %s"\n' "$1" | curl --silent --fail --config - "$github_api/user/repos"
}
connect_link() {
  ask /data-integrations/github/authorize "{\"user_id\":\"$user\"}" | field url
}

answer=$(ask /data-integrations/github/token "{\"user_id\":\"$user\"}")
token=$(printf '%s' "$answer" | sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')
generation=$(printf '%s' "$answer" | field generation)

if [ -n "$token" ] && found=$(repositories "$token"); then
  printf '%s\n' "$found" | grep -o '"full_name": *"[^"]*"' | sed 's/.*: *"\(.*\)"/\1/'
  exit 0
fi
if [ -n "$token" ]; then # GitHub answered 401: the user revoked it there. Standpipe checks with GitHub and says what is true now.
  answer=$(ask /data-integrations/github/token/rejected "{\"user_id\":\"$user\",\"generation\":$generation}")
fi
case $(printf '%s' "$answer" | field error) in
  not_installed) printf 'GitHub is not connected for %s. Connect it here:\n%s\n' "$user" "$(connect_link)"; exit 2 ;;
  needs_reauthorization) printf 'GitHub has to be connected again (%s). Reconnect here:\n%s\n' "$(printf '%s' "$answer" | field reason)" "$(connect_link)"; exit 3 ;;
  *) printf 'Standpipe answered: %s\n' "$answer" >&2; exit 1 ;;
esac
