#!/usr/bin/env bash
# Counts, slowly enough to watch.
for n in $(seq 1 15); do
    word=""
    ((n % 3 == 0)) && word+="fizz"
    ((n % 5 == 0)) && word+="buzz"
    printf '\e[2m%2d\e[0m  %s\n' "$n" "${word:-$n}"
    sleep 0.1
done
