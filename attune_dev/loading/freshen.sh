# Sourced in a build's RUN, in the workspace's root, before cargo:  . /freshen.sh; cargo …
#
# Cargo decides by modification times, BuildKit by content: a cached layer brings a file back with an
# old time, and cargo then takes the compiled code of another content for current. Here content decides.
# The target folder, which outlives builds, keeps a record "sha256 time path" of the sources that cargo
# last saw. A source with the recorded content gets its recorded time. Any other gets the present time,
# which is later than the time of everything compiled so far. What was compiled from other bytes is
# therefore older than the source, and what was compiled from these bytes is not.
#
# The record is written before cargo starts: after a build killed at any point it may name content that
# was not compiled yet, whose time is later than that of all compiled code, so it will be.
#
# A folder gets its time by the names in it, in the same way: a build script may ask for one, and a cached
# layer brings it back as it was before a file came and went. A link counts as what it leads to.
#
# absent="FOLDER…", set before, names packages of which this build has the manifest alone: what the record
# holds of their sources stays as it is. Other builds in the same target folder compile them.
#
# The lock is held until the shell that sourced this file, and cargo, end: the record, cargo's run and
# the copying of its results belong together where several builds may use a target folder at once.
#
# Cargo guards its registry by lock files in its home, of which each container has its own: with a
# registry that builds share they have to be in it, or two builds at once unpack into each other.

set -eu
if [ -n "${CARGO_HOME-}" ]; then
    mkdir -p "$CARGO_HOME/registry"
    for lock in .package-cache .package-cache-mutate; do
        ln -sfn "registry/$lock" "$CARGO_HOME/$lock"
    done
fi
freshness=target/.freshness
mkdir -p "$freshness"
exec 9>>"$freshness/lock"
flock 9
for record in record folders; do
    [ -e "$freshness/$record" ] || : >"$freshness/$record"
done

now=$(date +%s.%N)
touch -d "@$now" "$freshness/now"

# Compiled code from the future: the clock was set back, and times say nothing about order any more.
# Forget the record and what was compiled from this workspace; the dependencies, which never change
# under their name, stay. The record itself counts too, it is as old as the last build.
if [ -n "$(find target -type f -newer "$freshness/now" -print -quit)" ]; then
    echo "freshen: the clock was set back, the workspace's packages will be compiled again"
    find . -path ./target -prune -o -name Cargo.toml -exec awk '
        /^[ \t]*\[/ { section = $1 }
        section == "[package]" && $1 ~ /^name/ { split($0, part, "\""); print part[2] }' {} + |
        while read -r package; do
            find target -type d -path "*/.fingerprint/$package-*" -prune -exec rm -rf {} +
        done
    : >"$freshness/record"
    : >"$freshness/folders"
    find target -type f -newer "$freshness/now" -exec touch -c -r "$freshness/now" {} +
fi

# Names that sha256sum has to escape stay out of the record and keep the present time.
find . -path ./target -prune -o -type f -exec touch -d "@$now" {} +
is_absent='
    function is_absent(path,    i) {
        for (i = 1; i <= count; i++)
            if (path == "./" folder[i] || index(path, "./" folder[i] "/") == 1) return 1
        return 0
    }
    BEGIN { count = split(absent, folder, " ") }'
{
    find . -path ./target -prune -o -type f -exec sha256sum {} +
    find . -path ./target -prune -o -type l -exec test -f {} \; -exec sha256sum {} +
} |
    awk -v now="$now" -v absent="${absent-}" "$is_absent"'
        FILENAME != "-" {
            rest = substr($0, 66)
            space = index(rest, " ")
            path = substr(rest, space + 1)
            if (is_absent(path)) print
            else time[substr($0, 1, 64) path] = substr(rest, 1, space - 1)
            next
        }
        /^\\/ || is_absent(substr($0, 67)) { next }
        {
            key = substr($0, 1, 64) substr($0, 67)
            print substr($0, 1, 64), (key in time ? time[key] : now ""), substr($0, 67)
        }' "$freshness/record" - >"$freshness/record.new"
{
    find . -path ./target -prune -o -type d ! -path . -print
    echo
    find . -path ./target -prune -o ! -path . -print | LC_ALL=C sort
} |
    awk -v now="$now" -v absent="${absent-}" "$is_absent"'
        FILENAME != "-" {
            space = index($0, " ")
            tab = index($0, "\t")
            path = substr($0, space + 1, tab - space - 1)
            if (is_absent(path)) print
            else time[substr($0, space + 1)] = substr($0, 1, space - 1)
            next
        }
        $0 == "" { named = 1; next }
        is_absent($0) { next }
        !named { names[$0] = ""; next }
        match($0, /\/[^\/]*$/) {
            path = substr($0, 1, RSTART - 1)
            if (path in names) names[path] = names[path] substr($0, RSTART)
        }
        END {
            for (path in names) {
                key = path "\t" names[path]
                print (key in time ? time[key] : now ""), key
            }
        }' "$freshness/folders" - >"$freshness/folders.new"
mv -f "$freshness/folders.new" "$freshness/folders"
mv -f "$freshness/record.new" "$freshness/record"

# One touch for many files of one time; a subshell, for the arguments are the caller's. The latest comes
# last, for a link and what it leads to.
{
    cat "$freshness/record"
    sed 's/\t.*//; s/^/- /' "$freshness/folders"
} | sort -k 2,2 | (
    set --
    last=
    while IFS=' ' read -r _ time path; do
        if [ "$time" != "$last" ] || [ $# -ge 200 ]; then
            [ $# -eq 0 ] || touch -c -d "@$last" -- "$@"
            set --
            last=$time
        fi
        set -- "$@" "$path"
    done
    [ $# -eq 0 ] || touch -c -d "@$last" -- "$@"
)
echo "freshen: $(awk -v now="$now" '$2 == now ""' "$freshness/record" | wc -l) of" \
    "$(wc -l <"$freshness/record") sources are new to this target folder"
