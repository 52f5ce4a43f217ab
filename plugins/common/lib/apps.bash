#!/usr/bin/env bash
# Apps: which there are, whom they show themselves to, what of them runs.

: "${DOKKU_ROOT:=/home/dokku}" "${DOKKU_LIB_ROOT:=/var/lib/dokku}" "${PLUGIN_PATH:=$DOKKU_LIB_ROOT/plugins}"

_dokku_slurp() {
  # FILE: all of it, in REPLY; no fork, no program
  REPLY=''
  [[ -r "$1" && -f "$1" ]] || return 1
  IFS= read -r -d '' REPLY <"$1" || true
}

fn-plugn-trigger-exists() {
  # TRIGGER: does a plugin other than the event logger have it?
  local file owner REPLY
  for file in "$PLUGIN_PATH/enabled"/*/"$1"; do
    [[ ! -f "$file" || "$file" == */20_events/"$1" ]] || return 0
  done
  _dokku_slurp "$PLUGIN_PATH/.index" || return 1 # programs that serve it are only there, marked with a `!`
  [[ "$REPLY" == *$'\nT\t'"$1"$'\t'* && "$REPLY" =~ $'\nT\t'"$1"$'\t'([^$'\n']*) ]] || return 1
  for owner in ${BASH_REMATCH[1]}; do
    [[ "$owner" != *'!' || "$owner" == '20_events!' ]] || return 0
  done
  return 1
}

is_valid_app_name() { [[ "${1:-}" =~ ^[a-z0-9][a-z0-9._-]*$ ]]; }

verify_app_name() {
  local app="${1:-}"
  is_valid_app_name "$app" && [[ -d "$DOKKU_ROOT/$app" && "$app" == "$(_dokku_allowed "$app")" ]] && return 0
  DOKKU_FAIL_EXIT_CODE=20 dokku_log_fail "App $app does not exist"
}

_dokku_allowed() {
  # APP...: those that the caller may see, a line each
  if ! fn-plugn-trigger-exists user-auth-app; then
    printf '%s\n' "$@"
    return 0
  fi
  local app answer
  answer="$(plugn trigger user-auth-app "${SSH_USER:-$USER}" "${SSH_NAME:-default}" "$@" </dev/null || true)"
  for app in "$@"; do
    [[ $'\n'"$answer"$'\n' != *$'\n'"$app"$'\n'* ]] || printf '%s\n' "$app"
  done
}

dokku_apps() {
  # [FILTER]: a line each; FILTER false: also those the caller may not see
  local path found=()
  for path in "$DOKKU_ROOT"/*/; do
    path="${path%/}"
    ! is_valid_app_name "${path##*/}" || [[ ! -d "$path" ]] || found+=("${path##*/}")
  done
  [[ "${1:-}" == false || "${#found[@]}" -eq 0 ]] || mapfile -t found < <(_dokku_allowed "${found[@]}")
  [[ "${#found[@]}" -gt 0 ]] || dokku_log_fail "You haven't deployed any applications yet"
  printf '%s\n' "${found[@]}"
}

get_app_scheduler() {
  # APP or --global
  local scheduler
  scheduler="$(plugn trigger scheduler-detect "${1:---global}" </dev/null)"
  printf '%s\n' "${scheduler:-docker-local}"
}

is_deployed() {
  # APP: as its property says; found out, and remembered, when it says nothing
  local REPLY='' file="$DOKKU_LIB_ROOT/config/common/$1/deployed"
  _dokku_slurp "$file" || true
  if [[ -z "$REPLY" ]]; then
    REPLY=false
    ! plugn trigger scheduler-is-deployed "$(get_app_scheduler "$1")" "$1" </dev/null || REPLY=true
    # shellcheck source=plugins/common/property-functions
    source "$_DOKKU_COMMON/property-functions"
    fn-plugin-property-write common "$1" deployed "$REPLY"
  fi
  [[ "$REPLY" == true ]]
}

get_app_container_ids() {
  # APP [TYPE]: ids separated by blanks; TYPE may be a process type or one process as in web.1
  local file REPLY found=()
  for file in "$DOKKU_ROOT/$1"/CONTAINER "$DOKKU_ROOT/$1"/CONTAINER.*; do
    [[ -z "${2:-}" || "$file" == */CONTAINER."$2" || "$file" == */CONTAINER."$2".* ]] || continue
    ! _dokku_slurp "$file" || found+=("${REPLY%$'\n'}")
  done
  [[ "${#found[@]}" -eq 0 ]] || _dokku_join ' ' "${found[@]}"
}

get_app_running_container_ids() {
  # APP [TYPE]
  local id running=()
  is_deployed "$1" || dokku_log_fail "App $1 has not been deployed"
  for id in $(get_app_container_ids "$@"); do
    ! is_container_status "$id" Running || running+=("$id")
  done
  _dokku_join ' ' "${running[@]}"
}

get_app_running_container_types() {
  # APP: its process types, a line each
  local file type seen=()
  is_deployed "$1" || dokku_log_fail "App $1 has not been deployed"
  for file in "$DOKKU_ROOT/$1"/CONTAINER.*; do
    type="${file##*/CONTAINER.}"
    type="${type%.*}"
    [[ ! -f "$file" ]] || fn-in-array "$type" "${seen[@]}" || seen+=("$type")
  done
  [[ "${#seen[@]}" -eq 0 ]] || printf '%s\n' "${seen[@]}"
}

get_available_port() { plugn trigger ports-get-available "$@" </dev/null; }

release_and_deploy() {
  # APP [TAG]
  plugn trigger release-and-deploy "$1" "${2:-}"
}

docker_cleanup() { dokku cleanup "$@"; }

fn-migrate-config-to-property() {
  # PLUGIN KEY VARIABLE [APP]: a variable of the app, or of every app, becomes a property
  local app value
  # shellcheck source=plugins/common/property-functions
  source "$_DOKKU_COMMON/property-functions"
  # shellcheck source=plugins/config/functions
  source "${_DOKKU_COMMON%/*}/config/functions"
  for app in ${4:-$(dokku_apps false 2>/dev/null || true)}; do
    value="$(config_get "$app" "$3" || true)"
    if [[ -n "$value" ]]; then
      fn-plugin-property-write "$1" "$app" "$2" "$value"
      DOKKU_QUIET_OUTPUT=1 config_unset --no-restart "$app" "$3" >/dev/null
    fi
  done
}
