#!/usr/bin/env bash
# Lines for the user (commands-a.md 1.3). The words of one call are joined by blanks, whatever IFS is.

_dokku_line() {
  # FORMAT WORD...
  local IFS=' ' format="$1"
  shift
  # shellcheck disable=SC2059 # the format is ours
  printf -- "$format\n" "$*"
}

_dokku_loud() { [[ -z "${DOKKU_QUIET_OUTPUT:-}" ]]; }

dokku_log_plain() { _dokku_line '%s' "$@"; }
dokku_log_info1() { _dokku_line '-----> %s' "$@"; }
dokku_log_info2() { _dokku_line '=====> %s' "$@"; }
dokku_log_verbose() { _dokku_line '       %s' "$@"; }
dokku_log_exclaim() { _dokku_line ' !     %s' "$@"; }
dokku_log_warn() { _dokku_line ' !     %s' "$@" >&2; }
dokku_log_stderr() { _dokku_line '%s' "$@" >&2; }

dokku_log_quiet() { ! _dokku_loud || dokku_log_plain "$@"; }
dokku_log_plain_quiet() { ! _dokku_loud || dokku_log_plain "$@"; }
dokku_log_info1_quiet() { ! _dokku_loud || dokku_log_info1 "$@"; }
dokku_log_info2_quiet() { ! _dokku_loud || dokku_log_info2 "$@"; }
dokku_log_verbose_quiet() { ! _dokku_loud || dokku_log_verbose "$@"; }
dokku_log_exclaim_quiet() { ! _dokku_loud || dokku_log_exclaim "$@"; }
dokku_log_warn_quiet() { ! _dokku_loud || dokku_log_warn "$@"; }
dokku_log_stderr_quiet() { ! _dokku_loud || dokku_log_stderr "$@"; }

dokku_log_debug() { [[ "${DOKKU_TRACE:-}" != 1 ]] || _dokku_line ' ?     %s' "$@" >&2; }
dokku_log_event() { logger -t dokku-event -i -- "$*"; }

# These end the shell that calls them.
dokku_log_fail() {
  dokku_log_warn "$@"
  exit "${DOKKU_FAIL_EXIT_CODE:-1}"
}
dokku_log_fail_quiet() {
  dokku_log_warn_quiet "$@"
  exit "${DOKKU_FAIL_EXIT_CODE:-1}"
}
dokku_log_exit() {
  dokku_log_stderr "$@"
  exit 0
}
dokku_log_exit_quiet() {
  dokku_log_stderr_quiet "$@"
  exit 0
}

_dokku_columns() { printf '%-6s %-18s %-25s %-25s %-25s\n' "$1" "${@:2:4}"; }

dokku_col_log_msg() { _dokku_columns '' "$@"; }
dokku_col_log_info1() { _dokku_columns '----->' "$@"; }
dokku_col_log_info2() { _dokku_columns '=====>' "$@"; }
dokku_col_log_msg_quiet() { ! _dokku_loud || dokku_col_log_msg "$@"; }
dokku_col_log_info1_quiet() { ! _dokku_loud || dokku_col_log_info1 "$@"; }
dokku_col_log_info2_quiet() { ! _dokku_loud || dokku_col_log_info2 "$@"; }

dokku_container_log_verbose_quiet() {
  # CID: both streams of its log, a line each
  local line
  "${DOCKER_BIN:-docker}" logs "$1" 2>&1 | while IFS= read -r line || [[ -n "$line" ]]; do
    dokku_log_verbose_quiet "$line"
  done
}

has_tty() {
  # it is stdin that counts
  [[ "${DOKKU_FORCE_TTY:-}" != true ]] || return 0
  [[ "${DOKKU_DISABLE_TTY:-}" != true ]] || return 1
  [[ -t 0 ]]
}

suppress_output() {
  # COMMAND ARGS...: a program or function, silent unless it fails
  local output status=0
  output="$("$@" 2>&1)" || status=$?
  [[ "$status" -eq 0 ]] || dokku_log_plain "$output"
  return "$status"
}
