#!/usr/bin/env bash
# greet.sh TRIGGER ARGS... or greet.sh COMMAND ARGS...: all that this plugin does. A command has a colon in its name.
set -eo pipefail
[[ -z "${DOKKU_TRACE:-}" ]] || set -x
source "$PLUGIN_CORE_AVAILABLE_PATH/common/property-functions"

hello() {
  # APP
  verify_app_name "$1"
  dokku_log_info1 "$(fn-plugin-property-get greet "$1" greeting hello), $1"
}

set_greeting() {
  # APP GREETING: without one, back to the usual
  verify_app_name "$1"
  if [[ -n "${2:-}" ]]; then
    fn-plugin-property-write greet "$1" greeting "$2"
    dokku_log_info2_quiet "Setting greeting to $2"
  else
    fn-plugin-property-delete greet "$1" greeting
    dokku_log_info2_quiet "Unsetting greeting"
  fi
}

case "$1" in
  greet:hello) hello "${2:-}" ;;
  greet:set) set_greeting "${2:-}" "${3:-}" ;;
  post-deploy) hello "$2" ;;
  post-delete) fn-plugin-property-destroy greet "$2" ;;
esac
