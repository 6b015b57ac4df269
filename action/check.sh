#!/usr/bin/env bash
# Checks designs against a budget: annotations, a report for the job summary and the comment, SARIF.
# All of these are written, whatever the answer is. Paths are relative to the working directory, and
# annotations to the repository.
set -euo pipefail

cd "$GITHUB_WORKSPACE"
folder=${WORKING_DIRECTORY:-.}
while [[ "$folder" == ./* ]]; do folder=${folder#./}; done
while [[ "$folder" == */ && "$folder" != / ]]; do folder=${folder%/}; done
in_folder() {
  case "$1" in
    /* | git:* | *://*) echo "$1" ;;
    *) if [ "$folder" = . ] || [ -z "$folder" ]; then echo "$1"; else echo "$folder/$1"; fi ;;
  esac
}

# One workload or pattern a line; in a single line, they are separated by spaces.
lines=()
while IFS= read -r line; do
  line="${line#"${line%%[![:space:]]*}"}"
  line="${line%"${line##*[![:space:]]}"}"
  if [ -n "$line" ]; then lines+=("$line"); fi
done <<< "$WORKLOADS"
if [ "${#lines[@]}" -eq 1 ]; then read -ra lines <<< "${lines[0]}"; fi
workloads=()
for line in "${lines[@]}"; do workloads+=("$(in_folder "$line")"); done

arguments=(check "${workloads[@]}" --source "${folder:-.}")
if [ -n "${BUDGET:-}" ]; then arguments+=(--budget "$(in_folder "$BUDGET")"); fi
if [ -n "${USAGE:-}" ]; then arguments+=(--usage "$(in_folder "$USAGE")"); fi
if [ -n "${COMMITMENTS:-}" ]; then arguments+=(--commitments "$(in_folder "$COMMITMENTS")"); fi
if [ -n "${REGION:-}" ]; then arguments+=(--region "$REGION"); fi
if [ "${PARTIAL:-}" = true ]; then arguments+=(--partial); fi
for kind in ${ALLOW_UNREAD:-}; do arguments+=(--allow-unread "$kind"); done
if [ -n "${BASELINE:-}" ]; then arguments+=(--baseline "git:$BASELINE:"); fi

# The answer, as annotations.
code=0
errors="$RUNNER_TEMP/dynameter-errors.txt"
dynameter "${arguments[@]}" --format github 2> "$errors" || code=$?
cat "$errors" >&2

# The report: of a run that answers nothing, why.
report="$RUNNER_TEMP/dynameter.md"
answer="$RUNNER_TEMP/dynameter-answer.md"
rm -f "$answer"
echo "<!-- dynameter ${COMMENT_KEY:-} -->" > "$report"
dynameter "${arguments[@]}" --format markdown --quiet --output "$answer" 2> /dev/null || true
if [ -s "$answer" ]; then
  cat "$answer" >> "$report"
else
  { echo '### ❓ DynamoDB: no answer'; echo; echo '```'; cat "$errors"; echo '```'; } >> "$report"
fi
cat "$report" >> "$GITHUB_STEP_SUMMARY"
if [ -n "${SARIF:-}" ]; then
  dynameter "${arguments[@]}" --format sarif --quiet --output "$(in_folder "$SARIF")" 2> /dev/null || true
fi

{
  echo "code=$code"
  echo "report=$report"
} >> "$GITHUB_OUTPUT"
