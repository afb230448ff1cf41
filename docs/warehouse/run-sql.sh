#!/usr/bin/env bash
# run-sql.sh FILE: sends a file's statements to the warehouse through the Data API, as whoever signs, in
# one transaction, and waits for the end. A statement ends with a semicolon at the end of a line; a line
# that begins with -- is a comment. Forty statements are the Data API's limit.
# Needs WAREHOUSE_WORKGROUP and WAREHOUSE_DATABASE.
set -euo pipefail

: "${WAREHOUSE_WORKGROUP:?name the workgroup}" "${WAREHOUSE_DATABASE:?name the database}"
[ "$#" -eq 1 ] || { printf 'run-sql.sh FILE\n' >&2; exit 2; }
export AWS_PAGER=""

statements=()
statement=""
while IFS= read -r line || [ -n "$line" ]; do
  [[ "$line" =~ ^[[:space:]]*(--.*)?$ ]] && continue
  statement+="$line"$'\n'
  if [[ "$line" == *\; ]]; then
    statements+=("${statement%;*}")
    statement=""
  fi
done <"$1"
[ -z "$statement" ] || { printf '%s: the last statement has no semicolon\n' "$1" >&2; exit 2; }

# Statements may hold a password: they go through a file that only we can read, not a command line.
scratch="$(umask 077; mktemp)"
trap 'rm -f "$scratch"' EXIT
json() {
  local text="${1//\\/\\\\}"
  text="${text//\"/\\\"}"
  text="${text//$'\n'/\\n}"
  printf '"%s"' "${text//$'\t'/\\t}"
}
{
  printf '{"WorkgroupName":%s,"Database":%s,"Sqls":[' "$(json "$WAREHOUSE_WORKGROUP")" "$(json "$WAREHOUSE_DATABASE")"
  comma=""
  for statement in "${statements[@]}"; do
    printf '%s%s' "$comma" "$(json "$statement")"
    comma=","
  done
  printf ']}'
} >"$scratch"
id="$(aws redshift-data batch-execute-statement --cli-input-json "file://$scratch" --query Id --output text)"
while :; do
  status="$(aws redshift-data describe-statement --id "$id" --query Status --output text)"
  case "$status" in
    FINISHED) printf '%s: %s statements\n' "$1" "${#statements[@]}"; exit 0 ;;
    FAILED | ABORTED)
      aws redshift-data describe-statement --id "$id" --query Error --output text >&2
      exit 1
      ;;
  esac
  sleep 1
done
