#!/usr/bin/env bash
# The most frequent words of a file.
set -euo pipefail

file=${1:?"usage: bash words.sh FILE"}
most=${2:-5}

echo "The $most most frequent words of $file:"
tr -cs '[:alpha:]' '\n' < "$file" | tr '[:upper:]' '[:lower:]' | sed '/^$/d' \
  | sort | uniq -c | sort -k1,1nr -k2 | head -n "$most" \
  | while read -r count word; do
      printf '%-10s %s\n' "$word" "$(printf '█%.0s' $(seq "$count"))"
    done
