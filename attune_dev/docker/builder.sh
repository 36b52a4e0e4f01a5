# Runs in the builder container, once per compile:  sh -c "$(this)" builder
# It is started ahead of time and waits, for a start takes longer than all else here. Standard input is
# shell words (what to do) up to a line "attune-dev: go", then a tar of the sources that changed. Standard
# output tells "attune-dev: …" lines, each file's bytes behind its line; standard error is cargo's.

set -u
words=
while IFS= read -r line; do
    [ "$line" != "attune-dev: go" ] || break
    words="$words$line
"
done
[ -n "$words" ] || exit 0
early() { :; }
eval "$words"
directory=$1 number=$2 wants=$3 known=$4 packages=$5
shift 5
cd "$directory" || exit 120
state=$directory/target/.attune-dev
mkdir -p "$state" || exit 120
# The process group of this shell and all that it starts: what a cancel ends.
echo $$ >"/tmp/attune-dev-$number.pid"

# Cargo decides by times. Sources are written when their content changes, so their times grow with what
# was compiled from them, unless the clock was set back: then nothing that is newer than now may stay so.
: >"$state/now"
if [ -e "$state/last" ] && [ "$state/last" -nt "$state/now" ]; then
    echo "the clock was set back, the workspace's packages will be compiled again" >&2
    for package in $packages; do
        rm -rf target/*/.fingerprint/"$package"-* target/*/*/.fingerprint/"$package"-*
    done
    find . -newer "$state/now" -exec touch -c {} +
fi

# Twice, for a call that was killed in between has left its list: it must not reach what comes now.
drop_removed() {
    [ -s "$state/removed" ] || return 0
    xargs -0 rm -f -- <"$state/removed"
    xargs -0 -n 1 dirname -- <"$state/removed" | sort -u | while IFS= read -r folder; do
        while rmdir -- "$folder" 2>/dev/null; do folder=${folder%/*}; done
    done
    : >"$state/removed"
}
# What stands where a folder or a file is to be now goes first; a kill behind that leaves no record of it.
make_way() {
    rm -f -- "$state/record" "$@"
    for gone in "$@"; do
        folder=${gone%/*}
        while rmdir -- "$folder" 2>/dev/null; do folder=${folder%/*}; done
    done
}
drop_removed
early
tar -x -m -o -p -f - -C / || exit 121
drop_removed
echo "attune-dev: synced"

# A toolchain in the home of an image's own user finds itself by that.
case $(command -v "$1") in
"${HOME-}"/*) ;;
*/.cargo/bin/"$1") HOME=$(command -v "$1") HOME=${HOME%/.cargo/bin/*} && export HOME ;;
esac

"$@" >"$state/messages"
status=$?
: >"$state/last"
echo "attune-dev: exit $status"
[ "$status" = 0 ] || exit 0
# A program that cargo has just made is handed over as it is; whether the bytes of another one are known
# already is told by their sum.
sed -n -e 's/.*"executable":"\([^"]*\)","fresh":\([a-z]*\).*/\2 \1/p' -e t \
    -e 's/.*"executable":"\([^"]*\)".*/true \1/p' "$state/messages" | sort -u |
while IFS= read -r line; do
    fresh=${line%% *} file=${line#* }
    name=${file##*/}
    case " $wants " in *" $name "*) ;; *) continue ;; esac
    sum=-
    if [ "$fresh" = true ]; then
        sum=$(sha256sum <"$file")
        sum=${sum%% *}
    fi
    case " $known " in
    *" $sum "*) echo "attune-dev: program $name $sum 0" ;;
    *)
        echo "attune-dev: program $name - $(wc -c <"$file")"
        cat "$file"
        ;;
    esac
done
if [ -f Cargo.lock ]; then
    echo "attune-dev: lock - $(wc -c <Cargo.lock)"
    cat Cargo.lock
fi
