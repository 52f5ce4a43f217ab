#!/usr/bin/env bash
# Small questions about values, and lists in one string (the delimiter is a comma unless given).

fn-in-array() {
  # VALUE ITEM...
  local item
  for item in "${@:2}"; do
    [[ "$item" != "$1" ]] || return 0
  done
  return 1
}

is_number() { [[ "${1:-}" =~ ^[0-9]+$ ]]; }
is_abs_path() { [[ "${1:-}" == /* ]]; }

_dokku_split() {
  # LIST DELIMITER: the items, in _ITEMS
  _ITEMS=()
  [[ -z "$1" ]] || IFS="$2" read -r -d '' -a _ITEMS < <(printf '%s\0' "$1")
}

_dokku_join() {
  # DELIMITER ITEM...
  local IFS="$1"
  shift
  printf '%s\n' "$*"
}

is_val_in_list() {
  # VALUE LIST [DELIMITER]
  local _ITEMS
  _dokku_split "$2" "${3:-,}"
  fn-in-array "$1" "${_ITEMS[@]}"
}

add_val_to_list() {
  # VALUE LIST [DELIMITER]: the list, with the value in it once
  local _ITEMS
  _dokku_split "$2" "${3:-,}"
  fn-in-array "$1" "${_ITEMS[@]}" || _ITEMS+=("$1")
  _dokku_join "${3:-,}" "${_ITEMS[@]}"
}

remove_val_from_list() {
  # VALUE LIST [DELIMITER]
  local _ITEMS item kept=()
  _dokku_split "$2" "${3:-,}"
  for item in "${_ITEMS[@]}"; do
    [[ "$item" == "$1" ]] || kept+=("$item")
  done
  _dokku_join "${3:-,}" "${kept[@]}"
}

merge_dedupe_list() {
  # LIST [DELIMITER]: each item once, in the order of first appearance; blanks delimit as well
  local _ITEMS item seen=()
  _dokku_split "${1// /${2:-,}}" "${2:-,}"
  for item in "${_ITEMS[@]}"; do
    [[ -z "$item" ]] || fn-in-array "$item" "${seen[@]}" || seen+=("$item")
  done
  _dokku_join "${2:-,}" "${seen[@]}"
}

get_phases() {
  # a comma list as words
  local IFS=', '
  # shellcheck disable=SC2086 # splitting is the point; options hold no globs
  printf '%s\n' $1 | paste -sd ' '
}

strip_inline_comments() {
  # LINE: without what follows a blank and a #
  printf '%s\n' "${1%%[[:space:]]#*}"
}

get_json_value() {
  # PATH, JSON on stdin: the value as text, nothing when it is not there
  jq --raw-output "${1/#[!.]/.${1:0:1}} // empty"
}

get_ipv4_regex() { printf '%s\n' '([0-9]{1,3}\.){3}[0-9]{1,3}'; }
get_ipv6_regex() { printf '%s\n' '([0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}'; }

extract_directive_from_dockerfile() {
  # FILE DIRECTIVE: what the last such line says
  local line found=''
  while IFS= read -r line || [[ -n "$line" ]]; do
    [[ "${line%%[[:space:]]*}" != "$2" ]] || found="${line#"$2"}"
  done <"$1"
  found="${found#"${found%%[![:space:]]*}"}"
  printf '%s\n' "$found"
}

parse_args() {
  # the global flags among the arguments, exported as the `dokku` command does
  local word flags=()
  while [[ $# -gt 0 ]]; do
    word="$1"
    shift
    case "$word" in
      --quiet) export DOKKU_QUIET_OUTPUT=1 ;;
      --trace) export DOKKU_TRACE=1 ;;
      --force) export DOKKU_APPS_FORCE_DELETE=1 ;;
      --app)
        export DOKKU_APP_NAME="${1:-}"
        word="--app=${1:-}"
        shift || true
        ;;
      --app=*) export DOKKU_APP_NAME="${word#--app=}" ;;
    esac
    [[ "$word" != --?* ]] || flags+=("$word")
  done
  export DOKKU_GLOBAL_FLAGS="${DOKKU_GLOBAL_FLAGS:-${flags[*]}}"
}
