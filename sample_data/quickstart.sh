#!/usr/bin/env bash
# From raw photographs to a name: the whole chain on the synthetic people in raw/.
#
#   bash sample_data/quickstart.sh [FOLDER]
#
# Works in FOLDER; by default in a fresh one here.
set -euo pipefail
raw=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/raw
folder=${1:-$(mktemp -d fr3d-quickstart.XXXXXX)}
mkdir -p "$folder"
cd "$folder"

run() { # show each command as a user would type it
  printf '\n$ %s\n' "$*" >&2
  "$@"
}

run fr3d ps-reconstruct "$raw" -o maps.h5 --keep-raw  # photographs -> normals, albedo, depth
run fr3d align                                        # maps.h5 -> faces.h5, one face frame
run fr3d show maps.h5 faces.h5 -o sheet.png           # look at them
run fr3d split                                        # faces.h5 -> split.csv, who is in which partition
run fr3d train --modality concat3                     # three networks and their fusion -> runs/
run fr3d export                                       # the newest run -> model.onnx
run fr3d embed                                        # faces.h5 -> embeddings.h5
run fr3d enroll --fpir 0.1                            # the test people's first sessions -> gallery.faiss
run fr3d select --role probe -o probe.h5              # their other sessions, and strangers
run fr3d benchmark                                    # -> report.json, report.html, report.thresholds.csv
run fr3d identify probe.h5 --gallery gallery.faiss    # who is it, or is it nobody known?

printf '\nEverything is in %s; open report.html and sheet.png.\n' "$PWD" >&2
