#!/usr/bin/env bash
# Writes the report as the comment of a pull request, or replaces the one that an earlier run wrote: it
# is found by its author and by a hidden marker in its first line. Comments of other jobs and of people
# stay as they are. Without the permission to write, the report is only in the summary of the job.
set -euo pipefail

if [ -z "${NUMBER:-}" ]; then
  exit 0
fi
if [ "${IS_FORK:-}" = true ]; then
  echo "::notice::This pull request comes from a fork, whose token may not write comments; the report is in the summary of the job."
  exit 0
fi

# GitHub takes at most 65,536 characters.
limit=60000
body="$RUNNER_TEMP/dynameter-comment.md"
cp "$REPORT" "$body"
if [ "$(wc -c < "$body")" -gt "$limit" ]; then
  head -c "$limit" "$REPORT" | sed '$d' > "$body"
  printf '\n\n</details>\n\nThe report is longer; all of it is in the summary of the job.\n' >> "$body"
fi

failed() {
  echo "::warning::The comment cannot be written: does the job have the permission pull-requests: write? The report is in the summary of the job."
  exit 0
}
author=$(gh api user --jq .login 2> /dev/null) || author='github-actions[bot]'
marker=$(head -n 1 "$REPORT")
comments="repos/$REPOSITORY/issues/$NUMBER/comments"
found=$(gh api --paginate "$comments" --jq ".[] | select(.user.login == \"$author\") | select(.body | startswith(\"$marker\")) | .id") || failed
id=$(echo "$found" | head -n 1)
if [ -n "$id" ]; then
  gh api --method PATCH "repos/$REPOSITORY/issues/comments/$id" --field "body=@$body" --silent || failed
else
  gh api --method POST "$comments" --field "body=@$body" --silent || failed
fi
