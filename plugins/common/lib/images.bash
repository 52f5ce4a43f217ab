#!/usr/bin/env bash
# Images and containers of apps.

_dokku_asked() {
  # TRIGGER ARGS...: the answer on one line; nothing, and no start of Python, when no plugin has it
  fn-plugn-trigger-exists "$1" || return 0
  plugn trigger "$@" </dev/null || true
}

_dokku_docker() { "${DOCKER_BIN:-docker}" "$@"; }

get_app_image_repo() {
  # APP [REPO]
  local repo
  repo="$(_dokku_asked deployed-app-image-repo "$1")"
  printf '%s\n' "${repo:-${2:-dokku/$1}}"
}

get_app_image_name() {
  # APP [TAG] [REPO]: with a TAG the image must be there
  local image
  image="${3:-$(get_app_image_repo "$1")}:${2:-latest}"
  [[ -z "${2:-}" ]] || _dokku_image_must_exist "$image" "$(_dokku_asked deployed-app-repository "$1")"
  printf '%s\n' "$image"
}

get_deploying_app_image_name() {
  # APP TAG [REPO]: with the registry's name in front
  local registry repo tag
  registry="$(_dokku_asked deployed-app-repository "$1")"
  repo="$(get_app_image_repo "$1" "${3:-}")"
  tag="$(get_running_image_tag "$1" "${2:-}")"
  _dokku_image_must_exist "$registry$repo:$tag" "$registry"
  printf '%s\n' "$registry$repo:$tag"
}

get_running_image_tag() {
  # APP [TAG]
  local tag
  tag="$(_dokku_asked deployed-app-image-tag "$1")"
  printf '%s\n' "${tag:-${2:-latest}}"
}

_dokku_image_must_exist() {
  # IMAGE REGISTRY: asked for there when it is not here
  verify_image "$1" && return 0
  [[ -z "$2" ]] || ! _dokku_docker pull --quiet -- "$1" >&2 || return 0
  dokku_log_fail "App image ($1) not found"
}

verify_image() { _dokku_docker image inspect "$1" >/dev/null 2>&1; }

is_container_status() {
  # CID FIELD: is .State.FIELD true?
  [[ "$(_dokku_docker container inspect --format "{{.State.$2}}" "$1" 2>/dev/null || true)" == true ]]
}

is_image_cnb_based() {
  # IMAGE
  local labels='{{with .Config.Labels}}{{index . "io.buildpacks.stack.id"}}{{index . "io.buildpacks.lifecycle.metadata"}}{{end}}'
  [[ -n "$(_dokku_docker image inspect --format "$labels" "$1" 2>/dev/null || true)" ]]
}

is_image_herokuish_based() {
  # IMAGE [APP]
  local variables
  is_image_cnb_based "$1" && return 0
  variables="$(_dokku_docker image inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$1" 2>/dev/null || true)"
  [[ $'\n'"$variables"$'\n' == *$'\n'"USER=${DOKKU_APP_USER:-herokuishuser}"$'\n'* ]]
}

copy_from_image() {
  # IMAGE SOURCE TARGET: a path without leading / is below the image's working directory
  local id status=0 source="$2"
  [[ "$source" == /* ]] || source="$(_dokku_docker image inspect --format '{{.Config.WorkingDir}}' "$1")/$source"
  # shellcheck disable=SC2086 # a list of words by contract
  id="$(_dokku_docker container create ${DOKKU_GLOBAL_RUN_ARGS:-} "$1" true)" || return 1
  _dokku_docker container cp "$id:$source" "$3" >/dev/null || status=$?
  _dokku_docker container rm --force --volumes "$id" >/dev/null || true
  return "$status"
}

copy_dir_from_image() { copy_from_image "$@"; }

get_container_ports() {
  # CID: HOSTPORT->PORT/PROTOCOL, a line each
  local line
  _dokku_docker container port "$1" | while IFS= read -r line; do
    printf '%s->%s\n' "${line##*:}" "${line%% *}"
  done
}
