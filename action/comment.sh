#!/usr/bin/env bash
# Writes the report as the comment of a pull request, or replaces the one that an earlier run wrote: it
# is found by a hidden marker in its first line, and comments of other jobs stay as they are.
set -euo pipefail

if [ -z "${NUMBER:-}" ]; then
  exit 0
fi
if [ "${IS_FORK:-}" = true ]; then
  echo "::notice::This pull request comes from a fork, whose token may not write comments; the report is in the summary of the job."
  exit 0
fi
marker=$(head -n 1 "$REPORT")
comments="repos/$REPOSITORY/issues/$NUMBER/comments"
id=$(gh api --paginate "$comments" --jq ".[] | select(.body | startswith(\"$marker\")) | .id" | head -n 1)
if [ -n "$id" ]; then
  gh api --method PATCH "repos/$REPOSITORY/issues/comments/$id" --field "body=@$REPORT" --silent
else
  gh api --method POST "$comments" --field "body=@$REPORT" --silent
fi
