#!/usr/bin/env bash
# Gets the records of a version out of a folder store, without uttr: docs/format.md, section 13.
#
#   bash docs/recover.sh <store> <dataset> <folder to write> [version or branch, main by default]
#
# Writes <folder>/<place>.jsonl, one for each side and one for the records without a label. Needs od, zstd,
# sha256sum, jq and the usual tools. Every chunk is compared with its name; the script stops at the first that differs.
set -euo pipefail
export LC_ALL=C

fail() {
  echo "recover.sh: $*" >&2
  exit 1
}

[ $# -ge 3 ] || fail "usage: recover.sh <store> <dataset> <folder to write> [version or branch]"
store=$1 dataset=$2 out=$3 wanted=${4:-main}
for tool in od zstd sha256sum jq head tail cut sort; do
  command -v "$tool" >/dev/null || fail "needs $tool"
done
[ -d "$store/packs" ] || fail "$store holds no packs"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/chunks" "$out"
out=$(cd "$out" && pwd)
# Names of packs without the path above them: that might hold blanks.
cd "$store"

digest_of() { sha256sum | cut -d' ' -f1; }

# slice FILE OFFSET LENGTH (the last tool reads a file: a pipe into head could end with SIGPIPE)
slice() { tail -c "+$(($2 + 1))" "$1" 2>/dev/null | head -c "$3" || true; }

# Section 7. Reads the next varint of the footer in bytes[] from $at into $value.
varint() {
  local scale=1 byte
  value=0
  while byte=${bytes[at]} && at=$((at + 1)); do
    value=$((value + (byte & 127) * scale))
    [ "$byte" -ge 128 ] || return 0
    scale=$((scale * 128))
  done
}

# Prints a line for each chunk of a pack:
# short-name depth pack frame-offset frame-length frame-raw-length offset length [dictionary…]
list_pack() {
  local pack=$1 size footer_length at=0 value frames chunks outside i j frame
  size=$(wc -c <"$pack")
  footer_length=$((16#$(slice "$pack" $((size - 12)) 4 | od -An -v -tx1 | tr -d ' \n')))
  slice "$pack" $((size - 44 - footer_length)) "$footer_length" >"$work/footer"
  [ "$(digest_of <"$work/footer")" = "$(slice "$pack" $((size - 44)) 32 | od -An -v -tx1 | tr -d ' \n')" ] ||
    fail "the footer of $pack is damaged"
  local -a bytes=() stored=() counts=() depths=() references=() lengths=() listed=() others=()
  read -r -d '' -a bytes < <(od -An -v -tu1 "$work/footer" && printf '\0')
  varint && frames=$value
  varint && chunks=$value
  varint && outside=$value
  at=$((at + 32))
  for ((i = 0; i < frames; i++)); do
    varint && stored[i]=$value
    varint && counts[i]=$((value / 2)) depths[i]=0 references[i]=''
    if ((value % 2 == 1)); then
      varint
      depths[i]=$((value % 16 + 1))
      for ((j = value / 16; j >= 0; j--)); do varint && references[i]+="$value "; done
    fi
  done
  for ((i = 0; i < chunks; i++)); do varint && lengths[i]=$value; done
  # The short names that are left, one a line: 16 bytes each.
  mapfile -t listed < <(tail -c "+$((at + 1))" "$work/footer" | od -An -v -tx1 -w16 | tr -d ' ')
  others=("${listed[@]:chunks:outside}")
  local offset=8 first=0 next=0 raw place dictionary reference
  for ((frame = 0; frame < frames; frame++)); do
    dictionary=''
    for reference in ${references[frame]}; do
      if ((reference == 0)); then
        dictionary+=" ${others[next]}"
        next=$((next + 1))
      elif ((reference % 2 == 1)); then
        dictionary+=" ${others[reference / 2]}"
      else
        dictionary+=" ${listed[first - reference / 2]}"
      fi
    done
    raw=0 place=0
    for ((i = first; i < first + counts[frame]; i++)); do raw=$((raw + lengths[i])); done
    for ((i = first; i < first + counts[frame]; i++)); do
      echo "${listed[i]} ${depths[frame]} $pack $offset ${stored[frame]} $raw $place ${lengths[i]}$dictionary"
      place=$((place + lengths[i]))
    done
    first=$((first + counts[frame]))
    offset=$((offset + stored[frame]))
  done
}

# Section 6. Prints the header that a delta of so many raw bytes is stored without; octal is what every printf knows.
delta_header() {
  local raw=$1 descriptor value width i bytes='\050\265\057\375'
  if ((raw < 256)); then
    descriptor=040 value=$raw width=1
  elif ((raw < 65792)); then
    descriptor=140 value=$((raw - 256)) width=2
  else
    descriptor=240 value=$raw width=4
  fi
  bytes+="\\$descriptor"
  for ((i = 0; i < width; i++)); do bytes+=$(printf '\\%03o' $(((value >> (8 * i)) & 255))); done
  printf "$bytes"
}

# Opens the frame of a chunk, given by its short name: all chunks in it come into $work/chunks, and their whole names
# into names[].
open_frame() {
  local depth pack offset length raw dictionary part frame entry digest file
  [ -z "${names[$1]:-}" ] || return 0
  entry=${where[$1]:-}
  [ -n "$entry" ] || fail "no pack holds the chunk $1"
  read -r depth pack offset length raw _ _ dictionary <<<"$entry"
  local -a decompress=(zstd -dcq --memory=256MB) short=() files=() lengths=()
  frame="$work/frame-$1"
  if ((depth > 0)); then
    for part in $dictionary; do
      open_frame "$part"
      files+=("$work/chunks/$part")
    done
    cat "${files[@]}" >"$frame.dictionary"
    decompress+=(-D "$frame.dictionary")
    delta_header "$raw" >"$frame.zst"
  fi
  slice "$pack" "$offset" "$length" >>"$frame.zst"
  "${decompress[@]}" "$frame.zst" >"$frame"
  files=()
  while read -r part _ _ _ _ _ _ length _; do
    short+=("$part") lengths+=("$length") files+=("$work/chunks/$part")
  done < <(grep -F " $pack $offset " "$work/index")
  for part in "${!short[@]}"; do head -c "${lengths[part]}" >"${files[part]}"; done <"$frame"
  while read -r digest file; do
    part=${file##*/}
    [[ $digest == "$part"* ]] || fail "the chunk $part is damaged"
    names[$part]=$digest
  done < <(sha256sum "${files[@]}")
  rm -f "$frame" "$frame.zst" "$frame.dictionary"
}

# Sets $chunk to the file of the chunk of a whole name.
get_chunk() {
  open_frame "${1:0:32}"
  chunk="$work/chunks/${1:0:32}"
  [ "${names[${1:0:32}]}" = "$1" ] || fail "the chunk $1 is damaged"
}

# Prints the lines of all leaves of a tree, in order.
walk() {
  local child chunk first
  get_chunk "$1"
  # A key may begin with "node ", but its line has a TAB.
  IFS= read -r first <"$chunk"
  if [[ $first != *$'\t'* ]]; then
    for child in $(tail -n +2 "$chunk" | jq -r '.[1]'); do walk "$child"; done
  else
    cat "$chunk"
  fi
}

declare -A where=() names=()
for pack in packs/[dm]/*; do
  [ -f "$pack" ] && list_pack "$pack"
done >"$work/index"
# A chunk may lie in several frames: the one of the least depth.
while read -r name entry; do
  where[$name]=${where[$name]:-$entry}
done < <(sort -k1,1 -k2,2n "$work/index")
echo "$(wc -l <"$work/index") chunks found" >&2

if [[ ! $wanted =~ ^[0-9a-f]{64}$ ]]; then
  head="heads/$dataset/$wanted"
  [ -f "$head" ] || fail "there is no $head in $store: name a version"
  wanted=$(jq -r .version "$head")
fi
get_chunk "$wanted"
manifest=$chunk
[ "$(jq -r .dataset "$manifest")" = "$dataset" ] || fail "$wanted is no version of $dataset"
columns=$(jq '.identity | if length == 0 then 3 else 4 end' "$manifest")
for place in $(jq -r '.sides | keys[]' "$manifest") unlabelled; do
  root=$(jq -r --arg place "$place" '.sides[$place].root // (if $place == "unlabelled" then .unlabelled.root else null end) // ""' "$manifest")
  : >"$out/$place.jsonl"
  [ -z "$root" ] || walk "$root" >"$work/lines"
  [ -z "$root" ] || cut -f"$columns"- "$work/lines" >"$out/$place.jsonl"
  records=$(jq -r --arg place "$place" '(.sides + {unlabelled})[$place].records' "$manifest")
  [ "$(wc -l <"$out/$place.jsonl")" -eq "$records" ] || fail "$place has other than $records records"
  echo "$records records in $out/$place.jsonl" >&2
done
