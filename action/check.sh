#!/usr/bin/env bash
# Checks designs against a budget: annotations, a report for the job summary and the comment, SARIF.
# All of these are written, whatever the answer is. Paths are relative to the repository.
set -euo pipefail

cd "$GITHUB_WORKSPACE"
folder=${WORKING_DIRECTORY:-.}
in_folder() {
  case "$folder/$1" in
    ./*) echo "$1" ;;
    *) echo "$folder/$1" ;;
  esac
}

# One workload or pattern a line; words in one line are separated by spaces.
workloads=()
if [[ "$WORKLOADS" == *$'\n'* ]]; then
  while IFS= read -r line; do
    if [ -n "$line" ]; then workloads+=("$(in_folder "$line")"); fi
  done <<< "$WORKLOADS"
else
  read -ra words <<< "$WORKLOADS"
  for word in "${words[@]}"; do workloads+=("$(in_folder "$word")"); done
fi

arguments=(check "${workloads[@]}" --source "$folder")
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
rm -f "$report"
echo "<!-- dynameter ${COMMENT_KEY:-} -->" > "$report"
if ! dynameter "${arguments[@]}" --format markdown --quiet >> "$report" 2> /dev/null && [ "$(wc -l < "$report")" -le 1 ]; then
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
