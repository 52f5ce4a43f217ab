#!/usr/bin/env bash
# The lock of an app's deploys, shared with the core: a flock on a file that holds its owner's name while it is held.
# An empty file is the operator's own lock. DOKKU_LOCKED_APPS tells nested calls what their caller holds.

_dokku_lock_file() { printf '%s' "$DOKKU_LIB_ROOT/data/apps/$1/.deploy.lock"; }

acquire_app_deploy_lock() {
  # APP [exclusive|waiting]: a lock that somebody else holds is an error, or is waited for
  local file REPLY=''
  file="$(_dokku_lock_file "$1")"
  _dokku_slurp "$file" || true
  [[ -z "$REPLY" || " ${DOKKU_LOCKED_APPS:-} " != *" $1=$REPLY "* ]] || return 0
  mkdir -p "${file%/*}"
  until _dokku_lock_whole "$file" || _dokku_lock_existing "$1" "$file" "${2:-exclusive}"; do :; done
  export DOKKU_LOCKED_APPS="${DOKKU_LOCKED_APPS:-} $1=$$"
}

_dokku_lock_whole() {
  # FILE: appears with owner and lock, or not at all
  local fresh="$1.$BASHPID"
  printf '%s' "$$" >"$fresh"
  exec 200<>"$fresh"
  flock 200
  if ln "$fresh" "$1" 2>/dev/null; then
    rm -f "$fresh"
    return 0
  fi
  rm -f "$fresh"
  exec 200>&-
  return 1
}

_dokku_lock_existing() {
  # APP FILE MODE
  [[ -e "$2" ]] || return 1
  exec 200<>"$2"
  if ! flock -w 0.1 200; then
    [[ "$3" == waiting ]] || dokku_log_fail "$1 currently has a deploy lock in place. Exiting..."
    dokku_log_exclaim "$1 currently has a deploy lock in place. Waiting..."
    flock 200
  fi
  [[ "$2" -ef "/proc/$BASHPID/fd/200" ]] || return 1
  [[ -s "$2" ]] || dokku_log_fail "$1 is locked, unlock it with: dokku apps:unlock $1"
  printf '%s' "$$" >"$2"
}

release_app_deploy_lock() {
  # APP
  local word held=()
  for word in ${DOKKU_LOCKED_APPS:-}; do
    [[ "$word" == "$1=$$" ]] || held+=("$word")
  done
  [[ " ${DOKKU_LOCKED_APPS:-} " == *" $1=$$ "* ]] || return 0
  rm -f "$(_dokku_lock_file "$1")"
  exec 200>&-
  export DOKKU_LOCKED_APPS="${held[*]}"
}

acquire_advisory_lock() {
  # FILE [exclusive|waiting] [MESSAGE]
  exec 201>>"$1"
  flock -n 201 && return 0
  [[ "${2:-exclusive}" == waiting ]] || dokku_log_fail "${3:-$1 is locked by another process}"
  flock 201
}

release_advisory_lock() {
  # FILE
  exec 201>&-
  rm -f "$1"
}
