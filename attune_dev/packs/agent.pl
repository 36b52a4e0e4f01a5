#!/usr/bin/perl
# The packs agent: brings a volume of packs to a wanted state, one whole pack at a time.
#
#   agent.pl serve VOLUME                    framed requests on stdin, answers on stdout
#   agent.pl check VOLUME [deep] [entries]   the state of the volume, read-only
#   agent.pl apply --source DIR --volume DIR what `serve` does, from a folder beside it
#
# It runs where the volume is mounted and needs perl-base, coreutils and findutils alone.
#
# A volume holds its packs as folders and this agent's own folder, `.attune-dev`:
#   lock             held (flock) by whoever writes
#   packs/<name>     the manifest: what was written here, by whom
#   sources/<name>   digests of the sources that its compiled programs were made from
#   stats/<name>     inode, ctime, size and mtime of verified files, so that they need no reading
#   stage-<id>/      a pack being prepared; `ready` in it is the journal of its switch
#   old-<id>/        a replaced version, kept for a moment for readers that hold it open
#
# A pack is switched by one rename (renameat2 EXCHANGE). Killed before it, the volume is as it was;
# killed after it, `ready` tells the next run how to finish. What is not in the manifest belongs to
# someone else ("foreign"): it is carried over, never deleted, never overwritten.
#
# Frame: "VERB LENGTH\n" and LENGTH bytes. Entry: "KIND MODE SIZE DIGEST\0PATH\0LINK TARGET\0".
use strict;
use warnings;
use Errno qw(ENOSPC EDQUOT ENOENT ENOSYS EINVAL EXDEV EPERM EMLINK ENOTSUP EEXIST);
use Fcntl qw(:flock :mode O_WRONLY O_CREAT O_EXCL O_RDONLY O_NOFOLLOW O_NONBLOCK O_RDWR);
use IPC::Open2 qw(open2);
use POSIX ();

use constant { VERSION => 1, CHUNK => 262_144, STATE => '.attune-dev' };
use constant MUCH => 20_000_000;    # bytes that take longer to read than a replaced version is kept
use constant { READ_BYTES => 16_000_000, READ_FILES => 400 };    # a batch's digests fit into a pipe
use constant GRACE => $ENV{ATTUNE_AGENT_GRACE} // 0.3;    # seconds that readers keep a replaced version
my %RENAMEAT2 = (x86_64 => 316, aarch64 => 276, riscv64 => 276, armv7l => 382, armv6l => 382,
    i686 => 353, i386 => 353, ppc64le => 357, s390x => 347, loongarch64 => 276);

my ($VOLUME, $HOME, $LOCK, $TXN, $SERVING, $ANNOUNCE, $CAN_EXCHANGE);
my ($WRITER, $INPUT) = ('unknown', '');
my (%OLD, %SURE);    # replaced versions by the end of their time; verified files by pack
my %CALM;            # replaced versions whose folders tell whether anyone came in between
my %BYTES;           # size of the packs in %SURE
my %LOOKED;          # what `status` has just found under the lock: [time, manifest, files, …]
umask 0022;
$SIG{PIPE} = 'IGNORE';
$SIG{$_} = sub { POSIX::_exit(143) } for qw(TERM HUP);
$SIG{INT} = sub { POSIX::_exit(130) };

# ---- frames ------------------------------------------------------------------------------------

sub send_frame {
    my ($verb, @fields) = @_;
    my $payload = join "\0", @fields;
    my $frame = "$verb " . length($payload) . "\n$payload";
    my $done = 0;
    while ($done < length $frame) {
        my $wrote = syswrite STDOUT, $frame, length($frame) - $done, $done;
        POSIX::_exit(1) unless defined $wrote;    # nobody listens any more
        $done += $wrote;
    }
}

sub more_input { return sysread STDIN, $INPUT, CHUNK + 64, length $INPUT }

sub read_frame {
    my $end;
    while (($end = index $INPUT, "\n") < 0) { more_input() or return }
    my ($verb, $length) = split / /, substr($INPUT, 0, $end);
    substr($INPUT, 0, $end + 1) = '';
    while (length $INPUT < $length) { more_input() or return }
    my $payload = substr $INPUT, 0, $length;
    substr($INPUT, 0, $length) = '';
    return ($verb, $payload);
}

# A named point of the work: tests end the agent here, or act on the volume while it waits.
sub step {
    my ($name) = @_;
    POSIX::_exit(137) if ($ENV{ATTUNE_AGENT_STOP_AT} // '') eq $name;
    return unless $ANNOUNCE;
    send_frame('step', $name);
    my ($verb) = read_frame();
    POSIX::_exit(1) unless defined $verb;
}

# ---- file system -------------------------------------------------------------------------------

sub fail {
    my ($what) = @_;
    my $kind = ($!{ENOSPC} || $!{EDQUOT}) ? 'full' : 'failed';
    die { kind => $kind, text => "$what: $!" };
}

sub refuse { my ($text) = @_; die { kind => 'refused', text => $text } }

sub real_dir { my ($path) = @_; return (lstat $path) && -d _ }

sub parent { my ($path) = @_; return $path =~ s{/?[^/]*\z}{}r }

sub inode { my ($path) = @_; my @stat = lstat $path; return @stat ? $stat[1] : 0 }

sub make_dir { my ($path, $mode) = @_; mkdir $path, $mode or fail("mkdir $path") }

sub slurp {
    my ($path) = @_;
    sysopen my $file, $path, O_RDONLY | O_NOFOLLOW or return;
    local $/;
    return scalar <$file>;
}

# Writes beside and renames, so that a reader finds the old bytes or the new ones.
sub spew {
    my ($path, $text) = @_;
    my $fresh = "$path.new";
    unlink $fresh;
    sysopen my $file, $fresh, O_WRONLY | O_CREAT | O_EXCL, 0600 or fail("create $fresh");
    (print {$file} $text and close $file) or do { my $e = $!; unlink $fresh; $! = $e; fail("write $path") };
    rename $fresh, $path or fail("rename $path");
}

sub remove_tree { my ($path) = @_; system 'rm', '-rf', '--', $path; return }

sub now { chomp(my $now = `date +%s.%N`); return $now }

# Output of a program whose complaints nobody needs: a file may vanish at any time.
sub output_of {
    open my $saved, '>&', \*STDERR or fail('dup');
    open STDERR, '>', '/dev/null' or fail('open /dev/null');
    my $opened = open my $output, '-|', @_;
    open STDERR, '>&', $saved;
    $opened or fail("run $_[0]");
    return $output;
}

use constant { BELOW => '%P', WHOLE => '%p' };

# All below $root by path: [type, mode, size, inode, ctime, mtime, uid, gid, link target].
sub walk {
    my ($root, $strict) = @_;
    return {} unless real_dir($root);
    return found($strict, BELOW, $root, '-mindepth', 1, '-path', "$root/" . STATE, '-prune', '-o');
}

# The folders alone, the root as ''. It takes a fraction of a walk, for whoever adds, renames or
# deletes anything changes the time of its folder; what is written in place is shared with a new
# version by its hard link.
sub folders {
    my ($root) = @_;
    return real_dir($root) ? found(0, BELOW, $root, '-type', 'd') : {};
}

# Some paths below $root; those that are gone are missing.
sub some_of {
    my ($root, @paths) = @_;
    my %found;
    while (my @some = splice @paths, 0, 500) {
        my $here = found(0, WHOLE, (map { "$root/$_" } @some), '-maxdepth', 0);
        $found{ substr $_, length($root) + 1 } = $here->{$_} for keys %$here;
    }
    return \%found;
}

# What `find` finds, by path; nothing where not everything could be read and that matters.
sub found {
    my ($strict, $path, @where) = @_;
    my $find = output_of('find', @where, '-printf', "%y %m %s %i %C@ %T@ %U %G\\0$path\\0%l\\0");
    my %found;
    local $/ = "\0";
    while (defined(my $head = <$find>)) {
        my $path = <$find>;
        my $target = <$find>;
        last unless defined $target;
        chop($head, $path, $target);
        $found{$path} = [split(/ /, $head), $target];
    }
    my $complete = close $find;
    return $complete || !$strict ? \%found : undef;
}

use constant { TYPE => 0, MODE => 1, SIZE => 2, INO => 3, CTIME => 4, MTIME => 5, UID => 6, GID => 7, LINK => 8 };

# What tells one state of a file from another, but for the ctime, which our own links change.
sub identity { my ($s) = @_; return join ' ', @$s[TYPE, MODE, INO, SIZE, MTIME] }

# BLAKE2b-256 of files below $root by path; those that cannot be read are missing.
sub digests {
    my ($root, @paths) = @_;
    my %digest;
    while (@paths) {
        my ($bytes, @some) = (0);
        while (@paths && ($bytes += length($root) + length($paths[0]) + 10) < 100_000) {
            push @some, shift @paths;
        }
        read_sums(start_sums($root, @some), $root, \%digest);
    }
    return \%digest;
}

sub start_sums {
    my ($root, @paths) = @_;
    return output_of('b2sum', '-z', '-l', 256, '--', map { "$root/$_" } @paths);
}

sub read_sums {
    my ($sums, $root, $digest) = @_;
    local $/ = "\0";
    while (defined(my $line = <$sums>)) {
        chop $line;
        my ($sum, $path) = $line =~ /^([0-9a-f]{64})  (.*)\z/s or next;
        $digest->{ substr $path, length($root) + 1 } = $sum;
    }
    close $sums;
}

sub digest_of_text {
    my ($text) = @_;
    my $pid = open2(my $out, my $in, 'b2sum', '-l', 256);
    print {$in} $text;
    close $in;
    my $line = <$out> // '';
    waitpid $pid, 0;
    return substr $line, 0, 64;
}

sub rename2 {
    my ($from, $to, $flags) = @_;
    my $number = $RENAMEAT2{(POSIX::uname())[4]};
    if (!defined $number) { $! = ENOSYS; return 0 }
    my $fd = -100;    # AT_FDCWD; the paths are absolute
    return syscall($number, $fd, $from, $fd, $to, $flags) == 0;
}

# Whether two folders of this volume can change places in one step; tried, not guessed.
sub can_exchange {
    return $CAN_EXCHANGE if defined $CAN_EXCHANGE;
    return $CAN_EXCHANGE = 0 if $ENV{ATTUNE_AGENT_NO_EXCHANGE};
    my ($one, $two) = map { "$HOME/stage-probe-$$-$_" } 1, 2;
    mkdir $_ for $one, $two;
    $CAN_EXCHANGE = rename2($one, $two, 2) ? 1 : 0;
    rmdir $_ for $one, $two;
    return $CAN_EXCHANGE;
}

# ---- manifests ---------------------------------------------------------------------------------

sub escaped { my ($name) = @_; $name =~ s/([^A-Za-z0-9_-])/sprintf '%%%02X', ord $1/ge; return $name }

sub unescaped { my ($name) = @_; $name =~ s/%([0-9A-F]{2})/chr hex $1/ge; return $name }

sub parse_entries {
    my ($text) = @_;
    my @fields = split /\0/, $text, -1;
    pop @fields;
    my @entries;
    while (@fields >= 3) {
        my ($head, $path, $target) = splice @fields, 0, 3;
        my ($kind, $mode, $size, $digest) = split / /, $head;
        push @entries, { kind => $kind, mode => $mode, size => $size, digest => $digest,
            path => $path, target => $target };
    }
    return @entries;
}

# In the order in which they travel: by the bytes of their path.
sub entry_text {
    my @entries = sort { $a->{path} cmp $b->{path} } @_;
    return join '', map { "$_->{kind} $_->{mode} $_->{size} $_->{digest}\0$_->{path}\0$_->{target}\0" } @entries;
}

sub manifest_text {
    my ($wanted, $blocked, $entries) = @_;
    return join("\0", 'attune-packs ' . VERSION, $WRITER, $wanted, $blocked, time + 1, '') . $entries;
}

# -> { writer, wanted: digest of the tree it should equal, blocked, entries: {path => entry} }
sub load_manifest {
    my ($pack) = @_;
    my $text = slurp("$HOME/packs/" . escaped($pack));
    return unless defined $text;
    my ($version, $writer, $wanted, $blocked, $since, $rest) = split /\0/, $text, 6;
    return unless ($version // '') eq 'attune-packs ' . VERSION && defined $rest;
    my %entries = map { $_->{path} => $_ } parse_entries($rest);
    return { writer => $writer, wanted => $wanted, blocked => $blocked, since => $since,
        entries => \%entries };
}

sub load_stats {
    my ($pack) = @_;
    my @fields = split /\0/, slurp("$HOME/stats/" . escaped($pack)) // '', -1;
    pop @fields;
    return @fields % 2 ? {} : {@fields};
}

sub stat_key { my ($s) = @_; return join ' ', @$s[INO, CTIME, SIZE, MTIME] }

# Remembers verified files; one written a moment ago could change again within a clock tick.
sub save_stats {
    my ($pack, $seen, @paths) = @_;
    my $recent = now() - 0.03;
    my $text = join '', map { "$_\0" . stat_key($seen->{$_}) . "\0" }
        grep { $seen->{$_} && $seen->{$_}[MTIME] < $recent } sort @paths;
    my $file = "$HOME/stats/" . escaped($pack);
    spew($file, $text) unless $text eq (slurp($file) // '');
}

# Compares what is there with the manifest -> { path => 'missing' | 'altered' | 'mode' }, and the
# verified digests by path. Reads only files that changed since they were last verified.
sub drift {
    my ($root, $entries, $seen, $stats) = @_;
    my (%drift, %verified, @read);
    for my $path (keys %$entries) {
        my ($entry, $stat) = ($entries->{$path}, $seen->{$path});
        if (!$stat) { $drift{$path} = 'missing'; next }
        if ($stat->[TYPE] ne $entry->{kind}) { $drift{$path} = 'altered'; next }
        if ($entry->{kind} eq 'l') {
            $drift{$path} = 'altered' if $stat->[LINK] ne $entry->{target};
            next;
        }
        $drift{$path} = 'mode' if oct $stat->[MODE] != oct $entry->{mode};
        next if $entry->{kind} eq 'd';
        if ($stat->[SIZE] != $entry->{size}) { $drift{$path} = 'altered' }
        elsif (($stats->{$path} // '') eq stat_key($stat)) { $verified{$path} = $entry->{digest} }
        else { push @read, $path }
    }
    my $digests = digests($root, sort @read);
    for my $path (@read) {
        if (($digests->{$path} // '') eq $entries->{$path}{digest}) { $verified{$path} = $digests->{$path} }
        else { $drift{$path} = 'altered' }
    }
    return (\%drift, \%verified, scalar @read);
}

# ---- lock and repair ---------------------------------------------------------------------------

sub prepare_home {
    for my $dir ($HOME, "$HOME/packs", "$HOME/stats") {
        next if real_dir($dir);
        refuse("$dir is not a folder") if lstat $dir;
        mkdir $dir, 0700 or $!{EEXIST} or fail("mkdir $dir");
    }
    my @stat = lstat $HOME;
    refuse("$HOME belongs to user $stat[4]") if $stat[4] != $>;
}

sub take_lock {
    my ($on_wait) = @_;
    return if $LOCK;
    prepare_home();
    sysopen my $lock, "$HOME/lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600 or fail('open the lock');
    my $tries = 0;
    until (flock $lock, LOCK_EX | LOCK_NB) {
        $on_wait->(slurp("$HOME/lock") // '') if ++$tries == 4;    # a short wait is no news
        my $ready = '';
        vec($ready, fileno STDIN, 1) = 1 if $SERVING;
        POSIX::_exit(0) if select $ready, undef, undef, 0.05;    # the tool went away
    }
    truncate $lock, 0;
    syswrite $lock, $WRITER;
    $LOCK = $lock;
    step('locked');
    repair();
}

sub drop_lock { close $LOCK if $LOCK; undef $LOCK; %LOOKED = () }

# Finishes or drops what a killed run left.
sub repair {
    opendir my $dir, $HOME or fail("open $HOME");
    my @names = sort readdir $dir;
    closedir $dir;
    for my $name (grep { /^stage-/ } @names) {
        my $journal = load_journal("$HOME/$name");
        if (!$journal) { remove_tree("$HOME/$name"); told('dropped what an interrupted sync had prepared') }
        elsif ($journal->{how} eq 'files') { forget_half($name, $journal) }
        elsif (switched($name, $journal)) {
            finish($name, $journal);
            told("completed the interrupted switch of $journal->{pack}");
        }
        else { remove_tree("$HOME/$name"); told("dropped the interrupted sync of $journal->{pack}") }
        step('repaired');
    }
    unlink glob "$HOME/{packs,stats,sources}/*.new";
    for my $name (grep { /^old-/ } @names) { $OLD{$name} //= 0 }
}

sub told { my ($text) = @_; $SERVING ? send_frame('repaired', $text) : print "$text\n" }

sub load_journal {
    my ($stage) = @_;
    my $text = slurp("$stage/ready");
    return unless defined $text;
    my ($how, $pack, $new, $old, @known) = split /\0/, $text, -1;
    pop @known;
    my %known;
    while (my ($path, $owned, $identity) = splice @known, 0, 3) { $known{$path} = [$owned, $identity] }
    return { how => $how, pack => $pack, new => $new, old => $old, known => \%known };
}

sub switched {
    my ($name, $journal) = @_;
    return inode("$VOLUME/$journal->{pack}") == $journal->{new} if $journal->{new};
    return inode("$HOME/$name/tree") == $journal->{old};
}

# A pack that was switched file by file and not to the end: what has the new bytes is ours too, and
# the stats are void, so that the next comparison reads everything.
sub forget_half {
    my ($name, $journal) = @_;
    my $pack = $journal->{pack};
    my $manifest = load_manifest($pack) // { entries => {} };
    my $rest = (split /\0/, slurp("$HOME/$name/manifest") // '', 6)[5] // '';
    my %new = map { $_->{path} => $_ } parse_entries($rest);
    my ($drift) = drift("$VOLUME/$pack", \%new, walk("$VOLUME/$pack"), {});
    my %ours = (%{ $manifest->{entries} }, map { $_ => $new{$_} } grep { !$drift->{$_} } keys %new);
    spew("$HOME/packs/" . escaped($pack), manifest_text('-', 0, entry_text(values %ours))) if %ours;
    unlink "$HOME/stats/" . escaped($pack);
    remove_tree("$HOME/$name");
    told("an interrupted sync left $pack half written; comparing every file");
}

# After the switch: foreign files that came meanwhile move over, then the manifest becomes valid.
sub finish {
    my ($name, $journal, $calm) = @_;
    my ($stage, $pack) = ("$HOME/$name", $journal->{pack});
    my @late = rescue($stage, $journal, $calm);
    step('rescued');
    my $file = "$HOME/packs/" . escaped($pack);
    if (-e "$stage/manifest") { rename "$stage/manifest", $file or fail("rename $file") }
    elsif ($journal->{how} eq 'remove') { unlink $file, map { "$HOME/$_/" . escaped($pack) } qw(stats sources) }
    step('recorded');
    (my $old = $name) =~ s/^stage-/old-/;
    rename $stage, "$HOME/$old" or fail("rename $stage");
    $OLD{$old} = elapsed() + GRACE;
    $CALM{$old} = $calm;
    step('kept');
    return @late;
}

# Whatever is in the replaced version and was not there when it was planned belongs to someone else.
sub rescue {
    my ($stage, $journal, $calm) = @_;
    my ($live, $old, $known) = ("$VOLUME/$journal->{pack}", "$stage/tree", $journal->{known});
    return unless real_dir($old) && inode($old) == $journal->{old};
    return if $calm && only_known_folders($old, $known);
    my $seen = walk($old);
    my @late;
    for my $path (sort keys %$seen) {
        my ($stat, $before) = ($seen->{$path}, $known->{$path});
        next if $before && ($before->[0] || $before->[1] eq identity($stat));
        if ($stat->[TYPE] eq 'd') { bring_folder($live, $path, $stat); next }
        bring_parents($live, $path, $seen);
        my $to = real_dir("$live/$path") ? "$live/$path.foreign" : "$live/$path";
        rename "$old/$path", $to or fail("keep the foreign file $path");
        disown($stage, $journal->{pack}, $path);
        push @late, $path;
    }
    for my $path (grep { $_ ne '' && !$known->{$_}[0] && !$seen->{$_} } keys %$known) {
        my ($type, undef, $ino) = split / /, $known->{$path}[1];
        unlink "$live/$path" if $type ne 'd' && inode("$live/$path") == $ino;
    }
    return @late;
}

# Whether nobody added, renamed or deleted anything since the pack was looked at.
sub only_known_folders {
    my ($old, $known) = @_;
    my $now = folders($old);
    my $expected = grep { $_->[1] =~ /^d/ } values %$known;
    return keys %$now == $expected
        && !grep { !$known->{$_} || $known->{$_}[1] ne identity($now->{$_}) } keys %$now;
}

sub bring_folder {
    my ($live, $path, $stat) = @_;
    mkdir $live, 0755 unless lstat $live;
    return if lstat "$live/$path";
    make_dir("$live/$path", 0700);
    chown $stat->[UID], $stat->[GID], "$live/$path";
    chmod oct $stat->[MODE], "$live/$path";
}

sub bring_parents {
    my ($live, $path, $seen) = @_;
    mkdir $live, 0755 unless lstat $live;
    my $at = '';
    for my $part (split m{/}, parent($path)) {
        $at = $at eq '' ? $part : "$at/$part";
        bring_folder($live, $at, $seen->{$at}) if $seen->{$at};
    }
}

# Takes a path out of the manifest that waits in $stage, or of the valid one.
sub disown {
    my ($stage, $pack, $path) = @_;
    my ($file) = grep { -e } "$stage/manifest", "$HOME/packs/" . escaped($pack);
    return unless $file;
    my ($version, $writer, $wanted, $blocked, $time, $rest) = split /\0/, slurp($file), 6;
    my @entries = parse_entries($rest);
    my @left = grep { $_->{path} ne $path } @entries;
    return if @left == @entries;
    spew($file, join("\0", $version, $writer, $wanted, $blocked + 1, $time, '') . entry_text(@left));
}

sub elapsed { return (POSIX::times())[0] / POSIX::sysconf(POSIX::_SC_CLK_TCK()) }

# Deletes replaced versions whose moment is over; with $all waits for the others.
sub reap {
    my ($all) = @_;
    for my $name (sort keys %OLD) {
        my $left = $OLD{$name} ? $OLD{$name} - elapsed() : 0;
        if ($left > 0) { next unless $all; select undef, undef, undef, $left }
        delete $OLD{$name};
        my $journal = load_journal("$HOME/$name");
        rescue("$HOME/$name", $journal, delete $CALM{$name}) if $journal;
        remove_tree("$HOME/$name");
        refresh_stats($journal->{pack}) if $journal;
    }
}

# Deleting the replaced version changed the ctime of all files that both shared, and nothing else.
sub refresh_stats {
    my ($pack) = @_;
    delete $BYTES{$pack};
    my $known = delete $SURE{$pack} // return;
    my ($sure, $seen) = (sure_files(@$known), walk("$VOLUME/$pack"));
    save_stats($pack, $seen, grep { $seen->{$_} && identity($seen->{$_}) eq $sure->{$_} } keys %$sure);
}

# ---- status ------------------------------------------------------------------------------------

sub each_pack {
    my (%packs, %tops);
    my ($seen, @loose) = walk($VOLUME);
    for my $path (keys %$seen) {
        next if $path =~ m{^(\.|lost\+found)};
        my ($pack, $below) = split m{/}, $path, 2;
        if (defined $below) { $packs{$pack}{$below} = $seen->{$path} }
        elsif ($seen->{$path}[TYPE] eq 'd') { $packs{$pack} //= {}; $tops{$pack} = identity($seen->{$path}) }
        else { push @loose, $path }
    }
    if (opendir my $dir, "$HOME/packs") {
        $packs{ unescaped($_) } //= {} for grep { !/\./ } readdir $dir;
    }
    return (\%packs, \%tops, sort @loose);
}

# Per pack: state, wanted digest, number of entries, writer, time, then drifted and foreign paths;
# with `deep` every file is read, with `entries` the manifest follows.
sub status {
    my $at = time;
    my %asked = map { $_ => 1 } @_;
    my $deep = $asked{deep};
    # until a replaced version is gone, no stats are right: waiting is less work than much reading
    reap(1) if $LOCK && grep { $_ > MUCH } values %BYTES;
    my ($packs, $tops, @loose) = each_pack();
    send_frame('loose', @loose) if @loose;
    for my $pack (sort keys %$packs) {
        my ($seen, $manifest) = ($packs->{$pack}, load_manifest($pack));
        my $entries = $manifest ? $manifest->{entries} : {};
        my ($drift, $verified, $read) =
            drift("$VOLUME/$pack", $entries, $seen, $deep ? {} : load_stats($pack));
        save_stats($pack, $seen, keys %$verified) if $LOCK && $read;
        $LOOKED{$pack} = [$at, $manifest, $seen, $tops->{$pack}, $drift, $verified] if $LOCK;
        my $gone = $manifest && !real_dir("$VOLUME/$pack");
        my $state = !$manifest ? 'foreign' : $gone || %$drift ? 'differs'
            : $manifest->{blocked} ? 'blocked' : 'clean';
        my @drift = map { ($drift->{$_}, $_) } sort keys %$drift;
        my @foreign = $manifest ? foreign_paths($seen, $entries) : ();
        send_frame('pack', $pack, $state, $manifest ? $manifest->{wanted} : '-', scalar keys %$entries,
            $manifest ? @$manifest{qw(writer since)} : ('', 0), @drift / 2, @drift, @foreign);
        next unless $asked{entries};
        send_frame('entries', $pack, entry_text(values %$entries));
        my $sources = slurp("$HOME/sources/" . escaped($pack));
        send_frame('sources', $pack, $sources) if defined $sources;
    }
    my @left;
    if (opendir my $dir, $HOME) { @left = readdir $dir }
    send_frame('end', scalar(grep { /^stage-/ } @left), scalar grep { /^old-/ } @left);
}

# Files of others, and their folders where these are empty.
sub foreign_paths {
    my ($seen, $entries) = @_;
    my %parents;
    for my $path (keys %$seen) { $parents{ parent($path) }++ if $path =~ m{/} }
    return sort grep { !$entries->{$_} && !($seen->{$_}[TYPE] eq 'd' && $parents{$_}) } keys %$seen;
}

# ---- plan --------------------------------------------------------------------------------------

# The pack as it is: its files, its root (before them), what drifted and what is as it was written.
sub look {
    my ($pack) = @_;
    my ($at, $manifest) = (time, load_manifest($pack));
    my $owned = $manifest ? $manifest->{entries} : {};
    my $top = found(0, BELOW, "$VOLUME/$pack", '-maxdepth', 0)->{''} if real_dir("$VOLUME/$pack");
    my $seen = walk("$VOLUME/$pack");
    my ($drift, $verified) = drift("$VOLUME/$pack", $owned, $seen, load_stats($pack));
    return ($at, $manifest, $seen, $top ? identity($top) : undef, $drift, $verified);
}

# Compares the wanted entries with the volume and opens a transaction; answers what must be sent.
sub plan {
    my ($pack, $wanted, $remove, @entries) = @_;
    refuse("`$pack` is no name of a pack") if $pack =~ m{^\.|/|\0} || $pack eq '';
    my $live = "$VOLUME/$pack";
    refuse("something else than a folder is in the way at $live") if lstat $live and !-d _;
    my $looked = delete $LOOKED{$pack};
    my ($at, $manifest, $seen, $top, $drift, $verified) = $looked ? @$looked : look($pack);
    my $owned = $manifest ? $manifest->{entries} : {};
    my %want = map { $_->{path} => $_ } @entries;
    check_entries(\%want);
    my %came = $TXN && $TXN->{offered} ? map { $_ => $TXN->{$_} } qw(stage name sums fresh sum) : ();
    my $t = $TXN = { %came, pack => $pack, wanted => $wanted, remove => $remove, seen => $seen, owned => $owned,
        verified => $verified, top => $top, want => \%want, entries => \@entries, make => {}, new => {},
        existed => real_dir($live), manifest => $manifest, calm => calm($at, $seen, $top) };
    my @unknown = grep {
        my $s = $seen->{$_};
        $s && $s->[TYPE] eq 'f' && $want{$_}{kind} eq 'f' && !$verified->{$_} && $s->[SIZE] == $want{$_}{size}
    } sort keys %want;
    $t->{actual} = { %$verified, %{ digests($live, @unknown) } };
    decide($t);
    find_renamed($t);
    $t->{late} = [];
    my @new = grep { ($t->{make}{ $entries[$_]{path} } // '') eq 'new' } 0 .. $#entries;
    my @need = $t->{stage} ? not_there_yet($t, @new) : @new;
    $t->{need} = { map { $_ => 1 } @need };
    return @need;
}

# Of the wanted files those that did not come before the plan, as a pack does that the volume lacks.
sub not_there_yet {
    my ($t, @new) = @_;
    my (%spare, @missing);
    my $sums = sums_of_arrived($t);
    push @{ $spare{ $sums->{$_} } }, $_ for keys %$sums;
    for my $index (@new) {
        my $name = pop @{ $spare{ $t->{entries}[$index]{digest} } // [] };
        if (defined $name) { $t->{have}{$index} = $name } else { push @missing, $index }
    }
    return @missing;
}

# Whether the folders had been left alone for a while when they were looked at: a change within one
# tick of the clock would leave their times as they were.
sub calm {
    my ($at, $seen, $top) = @_;
    my @times = map { $_->[MTIME] } grep { $_->[TYPE] eq 'd' } values %$seen;
    push @times, (split / /, $top)[4] if defined $top;
    return !grep { $_ > $at - 1 } @times;
}

sub check_entries {
    my ($want) = @_;
    for my $path (keys %$want) {
        refuse("unsafe path `$path`") if $path =~ m{(^|/)(\.\.?)?(/|\z)};
        my $parent = parent($path);
        refuse("`$path` has no folder") if $parent ne '' && ($want->{$parent}{kind} // '') ne 'd';
        refuse("bad mode of `$path`") unless $want->{$path}{mode} =~ /^0(644|755|777)$/;
    }
}

# Per wanted path what to make: link (as it is), copy (other mode), new (sent), dir, symlink; and
# which paths were added, changed, deleted, are of another mode, or blocked by a foreign one.
sub decide {
    my ($t) = @_;
    my ($seen, $owned, $want) = @$t{qw(seen owned want)};
    my %holds_foreign;
    for my $path (grep { !$owned->{$_} && !$want->{$_} } keys %$seen) {
        for (my $at = parent($path); $at ne ''; $at = parent($at)) { $holds_foreign{$at} = 1 }
    }
    $t->{$_} = [] for qw(added changed deleted modes blocked foreign);
    for my $path (sort keys %$want) {
        my ($e, $s) = ($want->{$path}, $seen->{$path});
        my $parent = parent($path);
        my $same = $s && same_content($t, $path, $e, $s);
        if (($t->{make}{$parent} // '') eq 'blocked') { $t->{make}{$path} = 'blocked' }
        elsif (!$s) { put($t, $path, 'added') }
        elsif ($same) { keep($t, $path, $e, $s) }
        elsif (!$owned->{$path} || $holds_foreign{$path}) {
            $t->{make}{$path} = 'blocked';
            push @{ $t->{blocked} }, $path;
        }
        else { put($t, $path, 'changed') }
    }
    for my $path (grep { !$want->{$_} } sort keys %$seen) {
        if ($owned->{$path} && !$holds_foreign{$path}) { push @{ $t->{deleted} }, $path }
        else { $t->{make}{$path} = 'carry' }
    }
    my %others = map { $_ => $seen->{$_} } grep { ($t->{make}{$_} // '') =~ /^(carry|blocked)$/ } keys %$seen;
    $t->{foreign} = [foreign_paths(\%others, $owned)];
}

sub same_content {
    my ($t, $path, $e, $s) = @_;
    return 0 if $s->[TYPE] ne $e->{kind};
    return 1 if $e->{kind} eq 'd';
    return $s->[LINK] eq $e->{target} if $e->{kind} eq 'l';
    return ($t->{actual}{$path} // '') eq $e->{digest};
}

sub put {
    my ($t, $path, $list) = @_;
    push @{ $t->{$list} }, $path;
    $t->{make}{$path} = { f => 'new', d => 'dir', l => 'symlink' }->{ $t->{want}{$path}{kind} };
}

sub keep {
    my ($t, $path, $e, $s) = @_;
    my $mode_differs = $e->{kind} ne 'l' && oct $s->[MODE] != oct $e->{mode};
    push @{ $t->{modes} }, $path if $mode_differs;
    $t->{adopts} = 1 unless $t->{owned}{$path};
    $t->{make}{$path} = $e->{kind} eq 'd' ? 'dir' : $mode_differs ? 'copy' : 'link';
}

# A file that is only renamed need not travel: its bytes are in the volume under the old name.
sub find_renamed {
    my ($t) = @_;
    my %spare;
    for my $path (@{ $t->{deleted} }) { push @{ $spare{ $t->{verified}{$path} } }, $path if $t->{verified}{$path} }
    for my $path (grep { $t->{make}{$_} eq 'new' } sort keys %{ $t->{want} }) {
        my $e = $t->{want}{$path};
        my $from = pop @{ $spare{ $e->{digest} } // [] } // next;
        my $linkable = oct $t->{seen}{$from}[MODE] == oct $e->{mode};
        $t->{make}{$path} = $linkable ? 'link' : 'copy';
        $t->{from}{$path} = $from;
    }
}

# ---- commit ------------------------------------------------------------------------------------

sub stage_dir {
    my ($t) = @_;
    return $t->{stage} if $t->{stage};
    my $id = time . "-$$-" . int rand 1e9;
    $t->{name} = "stage-$id";
    make_dir("$HOME/$t->{name}", 0700);
    $t->{stage} = "$HOME/$t->{name}";
    make_dir("$t->{stage}/$_", 0755) for qw(new tree);
    step('staging');
    return $t->{stage};
}

# Verifies what came, builds the new version beside the old one and switches.
sub commit {
    my ($t) = @_;
    my @touched = map { @{ $t->{$_} } } qw(added changed deleted modes);
    my $blocked = @{ $t->{blocked} };
    if (!@touched && $t->{existed} && !$t->{remove}) {
        my $header = $t->{manifest} ? "$t->{manifest}{wanted} $t->{manifest}{blocked}" : '';
        my $dropped = grep { !$t->{want}{$_} } keys %{ $t->{owned} };
        remove_tree($t->{stage}) if $t->{stage};    # what came before the plan
        return 'same' if !$t->{adopts} && !$dropped && $header eq "$t->{wanted} $blocked";
        record($t);
        remember($t);
        return $t->{adopts} ? 'adopted' : 'same';
    }
    stage_dir($t);
    verify($t);
    step('verified');
    build($t);
    step('built');
    my $how = $t->{existed} && !can_exchange() ? 'files' : $t->{remove} ? 'remove' : 'folder';
    if (unchanged_since_plan($t)) {
        journal($t, $how);
        step('ready');
        return $how if $how eq 'files' ? switch_files($t) : switch_folder($t);
    }
    remove_tree($t->{stage});
    return 'moved';    # someone else wrote meanwhile: plan again
}

sub record {
    my ($t) = @_;
    spew("$HOME/packs/" . escaped($t->{pack}), new_manifest($t));
}

sub new_manifest {
    my ($t) = @_;
    my $entries = $t->{records};    # as they came, where all of them are written
    if (@{ $t->{blocked} } || !defined $entries) {
        $entries = entry_text(grep { $t->{make}{ $_->{path} } ne 'blocked' } values %{ $t->{want} });
    }
    return manifest_text($t->{wanted}, scalar @{ $t->{blocked} }, $entries);
}

# What has arrived is read again while the rest comes, some files at a time.
sub end_file {
    my ($t) = @_;
    my $out = delete $t->{out} // return;
    my $size = -s $out;
    close $out or fail("write to $HOME");
    arrived($t, $t->{arriving}, $size);
}

sub arrived {
    my ($t, $name, $size) = @_;
    push @{ $t->{fresh} }, $name;
    $t->{unread} += $size;
    read_arrived($t) if $t->{unread} > READ_BYTES || @{ $t->{fresh} } >= READ_FILES;
}

sub read_arrived {
    my ($t) = @_;
    read_sums(delete $t->{sums}, "$t->{stage}/new", $t->{sum} //= {}) if $t->{sums};
    $t->{sums} = start_sums("$t->{stage}/new", @{ $t->{fresh} }) if @{ $t->{fresh} // [] };
    @$t{qw(fresh unread)} = ([], 0);
}

# Digests of all files that have arrived, by name.
sub sums_of_arrived {
    my ($t) = @_;
    end_file($t);
    read_arrived($t) while $t->{sums} || @{ $t->{fresh} // [] };
    return $t->{sum} // {};
}

sub verify {
    my ($t) = @_;
    my $digests = sums_of_arrived($t);
    for my $index (sort keys %{ $t->{need} }) {
        my $e = $t->{entries}[$index];
        die { kind => 'corrupt', text => "`$e->{path}` did not arrive as it was sent" }
            if ($digests->{$index} // '') ne $e->{digest};
    }
}

sub build {
    my ($t) = @_;
    my ($live, $tree, $make) = ("$VOLUME/$t->{pack}", "$t->{stage}/tree", $t->{make});
    my %arrived = map { $_ => $_ } keys %{ $t->{need} };
    %arrived = (%arrived, %{ $t->{have} // {} });
    my %file = map { $t->{entries}[$_]{path} => "$t->{stage}/new/$arrived{$_}" } keys %arrived;
    my @folders;
    for my $path (sort keys %$make) {
        my ($how, $e, $s) = ($make->{$path}, $t->{want}{$path}, $t->{seen}{$path});
        next if $how eq 'blocked' && !$s;
        if ($how eq 'dir') { make_dir("$tree/$path", 0755) }
        elsif ($how eq 'symlink') { symlink $e->{target}, "$tree/$path" or fail("symlink $path") }
        elsif ($how eq 'new') {
            chmod oct $e->{mode}, $file{$path} or fail("chmod $path");
            rename $file{$path}, "$tree/$path" or fail("rename $path");
        }
        elsif ($how eq 'copy') { copy_file("$live/" . ($t->{from}{$path} // $path), "$tree/$path", oct $e->{mode}) }
        elsif ($how eq 'link') {
            my $from = "$live/" . ($t->{from}{$path} // $path);
            link_file($from, "$tree/$path", $e) or $make->{$path} = 'copy';
        }
        elsif ($s->[TYPE] eq 'd') {    # a folder of someone else
            make_dir("$tree/$path", 0700);
            push @folders, [$path, $s];
        }
        else { link "$live/$path", "$tree/$path" or fail("keep the foreign file $path") }
    }
    my @copies = grep { $make->{$_} eq 'copy' } keys %$make;
    my $digests = digests($tree, @copies);
    for my $path (grep { ($digests->{$_} // '') ne $t->{want}{$_}{digest} } @copies) {
        die { kind => 'failed', text => "`$path` changed in the volume while it was copied" };
    }
    for my $folder (reverse @folders) {
        my ($path, $s) = @$folder;
        chown $s->[UID], $s->[GID], "$tree/$path";
        chmod oct $s->[MODE], "$tree/$path";
    }
}

# Hard links cost nothing; where a file system has none, the bytes are copied -> whether it linked.
sub link_file {
    my ($from, $to, $e) = @_;
    return 1 if link $from, $to;
    $!{EPERM} || $!{ENOTSUP} || $!{EMLINK} || $!{ENOSYS} or fail("link $to");
    copy_file($from, $to, oct $e->{mode});
    return 0;
}

sub copy_file {
    my ($from, $to, $mode) = @_;
    sysopen my $in, $from, O_RDONLY | O_NOFOLLOW or fail("open $from");
    sysopen my $out, $to, O_WRONLY | O_CREAT | O_EXCL, 0600 or fail("create $to");
    while (1) {
        my $got = sysread $in, my $chunk, CHUNK;
        fail("read $from") unless defined $got;
        last unless $got;
        write_all($out, $chunk) or fail("write $to");
    }
    close $out or fail("write $to");
    chmod $mode, $to or fail("chmod $to");
}

sub write_all {
    my ($out, $chunk) = @_;
    my $done = 0;
    while ($done < length $chunk) {
        my $wrote = syswrite $out, $chunk, length($chunk) - $done, $done;
        return 0 unless defined $wrote;
        $done += $wrote;
    }
    return 1;
}

sub unchanged_since_plan {
    my ($t) = @_;
    my ($live, $seen) = ("$VOLUME/$t->{pack}", $t->{seen});
    return 0 unless same_folders(folders($live), $seen, $t->{top});
    return 1 if $t->{calm};
    my $now = walk($live);
    return keys %$now == keys %$seen
        && !grep { !$seen->{$_} || identity($seen->{$_}) ne identity($now->{$_}) } keys %$now;
}

# Whether folders are those that were seen: nothing was added, renamed or deleted in any.
sub same_folders {
    my ($now, $before, $top) = @_;
    my $root = delete $now->{''};
    return !%$before && !defined $top unless $root;
    return 0 if identity($root) ne ($top // '');
    return 0 if keys %$now != grep { $_->[TYPE] eq 'd' } values %$before;
    for my $path (keys %$now) {
        my $seen = $before->{$path} // return 0;
        return 0 if identity($seen) ne identity($now->{$path});
    }
    return 1;
}

sub journal {
    my ($t, $how) = @_;
    my $live = "$VOLUME/$t->{pack}";
    $t->{gone} = $t->{remove} && !grep { $_ eq 'carry' } values %{ $t->{make} };
    my $manifest = new_manifest($t);
    spew("$t->{stage}/manifest", $manifest) unless $t->{remove};
    my $new = $t->{gone} ? 0 : inode("$t->{stage}/tree");
    my @known = map { my $p = $_; ($p, ($t->{owned}{$p} ? 1 : 0), identity($t->{seen}{$p})) } sort keys %{ $t->{seen} };
    unshift @known, '', 1, $t->{top} if defined $t->{top};
    spew("$t->{stage}/ready", join "\0", $how, $t->{pack}, $new, inode($live), @known, '');
}

sub switch_folder {
    my ($t) = @_;
    my ($live, $tree) = ("$VOLUME/$t->{pack}", "$t->{stage}/tree");
    if ($t->{gone}) {
        rmdir $tree;
        rename $live, $tree or fail("remove $live") if $t->{existed};
    }
    elsif ($t->{existed}) { rename2($live, $tree, 2) or fail("exchange $live") }
    elsif (!rename $tree, $live) {
        return 0 if $!{EEXIST} || $!{ENOTEMPTY} || $!{ENOTDIR};
        fail("rename $live");
    }
    step('switched');
    $t->{late} = [finish($t->{name}, load_journal($t->{stage}), $t->{calm})];
    note_sure($t);
    return 1;
}

# Without an exchange: every file is whole at any time, the pack as a whole is not.
sub switch_files {
    my ($t) = @_;
    my ($live, $seen, $want) = ("$VOLUME/$t->{pack}", @$t{qw(seen want)});
    my %turned = map { $_ => 1 } grep { $seen->{$_}[TYPE] ne $want->{$_}{kind} } @{ $t->{changed} };
    my (@first, @last);    # what is in the way of another kind goes first, the rest last
    for my $path (reverse sort @{ $t->{deleted} }, keys %turned) {
        my $at = $path;
        $at = parent($at) until $at eq '' || $turned{$at};
        push @{ $at eq '' ? \@last : \@first }, $path;
    }
    take_away($live, $seen, @first);
    for my $path (sort map { @{ $t->{$_} } } qw(added changed modes)) {
        place_file($t, $path, $live);
        step('renamed');
    }
    take_away($live, $seen, @last);
    rmdir $live if $t->{gone};
    my $file = "$HOME/packs/" . escaped($t->{pack});
    if ($t->{remove}) { unlink $file } else { rename "$t->{stage}/manifest", $file or fail("rename $file") }
    remove_tree($t->{stage});
    remember($t);
    return 1;
}

sub take_away {
    my ($live, $seen, @paths) = @_;
    for my $path (@paths) {
        $seen->{$path}[TYPE] eq 'd' ? rmdir "$live/$path" : unlink "$live/$path";
        step('deleted');
    }
}

sub place_file {
    my ($t, $path, $live) = @_;
    my ($from, $to) = ("$t->{stage}/tree/$path", "$live/$path");
    if ($t->{make}{$path} eq 'dir') {
        mkdir $to, 0755;
        chmod 0755, $to or fail("mkdir $path");
    }
    elsif (!$t->{seen}{$path} && link $from, $to) { return }    # a link never replaces anything
    elsif (!$t->{seen}{$path} && $!{EEXIST}) {
        disown($t->{stage}, $t->{pack}, $path);
        push @{ $t->{late} }, $path;
    }
    else { rename $from, $to or fail("rename $path") }
}

# Stats of what was just verified; a file that was altered since is left out, so it will be read.
sub remember {
    my ($t) = @_;
    return if $t->{remove};
    my $seen = walk("$VOLUME/$t->{pack}");
    my @sure = grep {
        my ($how, $s, $before) = ($t->{make}{$_}, $seen->{$_}, $t->{seen}{ $t->{from}{$_} // $_ });
        $s && $s->[TYPE] eq 'f' && ($how eq 'new' || $how eq 'copy'
            || $how eq 'link' && $before && $before->[INO] == $s->[INO] && $before->[MTIME] eq $s->[MTIME])
    } keys %{ $t->{want} };
    save_stats($t->{pack}, $seen, @sure);
}

# The same without a walk, and later: deleting the replaced version changes the time stamps once
# more. What was written has to be looked at now, what was linked is as it was.
sub note_sure {
    my ($t) = @_;
    return delete $SURE{ $t->{pack} } if $t->{remove};
    my @made = grep { $t->{make}{$_} eq 'new' || $t->{make}{$_} eq 'copy' } keys %{ $t->{want} };
    my $stats = @made > 2000 ? walk("$VOLUME/$t->{pack}") : some_of("$VOLUME/$t->{pack}", @made);
    $SURE{ $t->{pack} } = [$t, { map { $_ => identity($stats->{$_}) } grep { $stats->{$_} } @made }];
    $BYTES{ $t->{pack} } = 0;
    $BYTES{ $t->{pack} } += $_->{size} for values %{ $t->{want} };
}

# The verified files of the last switch, with what they were like then.
sub sure_files {
    my ($t, $sure) = @_;
    for my $path (grep { $t->{make}{$_} eq 'link' } keys %{ $t->{want} }) {
        my $before = $t->{seen}{ $t->{from}{$path} // $path };
        $sure->{$path} = identity($before) if $before && $before->[TYPE] eq 'f';
    }
    return $sure;
}

sub abandon {
    my $t = $TXN;
    undef $TXN;
    close delete $t->{sums} if $t && $t->{sums};
    return unless $t && $t->{stage} && -d $t->{stage};
    -e "$t->{stage}/ready" ? repair() : remove_tree($t->{stage});
}

# ---- serve -------------------------------------------------------------------------------------

# A pack that the volume lacks comes while it is read: which files it has, the plan tells afterwards.
sub answer_offer {
    abandon();
    $TXN = { pack => $_[0], offered => 1, need => {} };
    stage_dir($TXN);
    send_frame('offered');
}

# Files are named by their place in the plan, or, before there is one, by any number after an `o`.
sub begin_file {
    my ($name) = @_;
    my $t = $TXN // refuse('no transaction');
    refuse("file $name was not asked for") unless $t->{need}{$name} || $t->{offered} && $name =~ /^o\d+\z/;
    end_file($t);
    return if $t->{trouble};
    sysopen $t->{out}, stage_dir($t) . "/new/$name", O_WRONLY | O_CREAT | O_EXCL, 0600
        or fail("create a file in $HOME");
    $t->{arriving} = $name;
}

# Trouble with one file is told at the commit: nobody listens while files are being sent.
sub take_data {
    my ($verb, $payload) = @_;
    my $t = $TXN // return;
    return if $t->{trouble};
    eval {
        if ($verb eq 'file') { begin_file($payload) }
        else { write_all($t->{out}, $payload) or fail("write to $HOME") }
        1;
    } or $t->{trouble} = $@;
}

sub answer_plan {
    my ($pack, $wanted, $remove, $records) = split /\0/, $_[0], 4;
    if ($TXN && $TXN->{offered} && $TXN->{pack} eq $pack) {
        end_file($TXN);
        die $TXN->{trouble} if $TXN->{trouble};
    }
    else { abandon() }
    my @need = plan($pack, $wanted, $remove, parse_entries($records));
    $TXN->{records} = $records;
    for my $list (qw(added changed deleted modes blocked foreign)) {
        send_frame('delta', $list, @{ $TXN->{$list} }) if @{ $TXN->{$list} };
    }
    step('planned');
    stage_dir($TXN) if @need;    # now, for nobody can be told of a step while files come in
    send_frame('need', @need);
}

sub answer_commit {
    my $t = $TXN // refuse('no transaction');
    end_file($t);
    die $t->{trouble} if $t->{trouble};
    my $how = commit($t);
    undef $TXN;
    send_frame('committed', $how, time + 1, @{ $t->{late} });
}

# A file of the volume, in pieces; what is no plain file has none.
sub read_out {
    my ($pack, $path) = @_;
    refuse("unsafe path `$pack/$path`") if "$pack/$path" =~ m{(^|/)(\.\.?)?(/|\z)};
    if (sysopen my $file, "$VOLUME/$pack/$path", O_RDONLY | O_NOFOLLOW | O_NONBLOCK) {
        while (-f $file && sysread $file, my $chunk, CHUNK) { send_frame('data', $chunk) }
    }
    send_frame('end');
}

sub keep_sources {
    my ($pack, $text) = @_;
    my $dir = "$HOME/sources";
    real_dir($dir) or mkdir $dir, 0700 or fail("mkdir $dir");
    spew("$dir/" . escaped($pack), $text);
    send_frame('kept');
}

sub handle {
    my ($verb, $payload) = @_;
    if ($verb eq 'file' || $verb eq 'data') { take_data($verb, $payload) }
    elsif ($verb eq 'lock') {
        $WRITER = $payload;
        take_lock(sub { send_frame('waiting', @_) });
        send_frame('locked');
    }
    elsif ($verb eq 'status') { status(split /\0/, $payload) }
    elsif ($verb eq 'sources') { $LOCK or refuse('not locked'); keep_sources(split /\0/, $payload, 2) }
    elsif ($verb eq 'read') { read_out(split /\0/, $payload) }
    elsif ($verb eq 'offer') { $LOCK or refuse('not locked'); answer_offer($payload) }
    elsif ($verb eq 'plan') { $LOCK or refuse('not locked'); answer_plan($payload) }
    elsif ($verb eq 'commit') { answer_commit() }
    elsif ($verb eq 'abort') { abandon(); send_frame('aborted') }
    elsif ($verb eq 'unlock') { abandon(); drop_lock(); send_frame('unlocked') }
    elsif ($verb eq 'announce') { $ANNOUNCE = 1 }
    else { refuse("unknown request `$verb`") }
}

sub trouble {
    my ($problem) = @_;
    return ref $problem ? ($problem->{kind}, $problem->{text}) : ('failed', $problem =~ s/\s+\z//r);
}

# Waits for the next request; in the meantime replaced versions are deleted when their time is over.
sub wait_for_request {
    while (index($INPUT, "\n") < 0) {
        my $ready = '';
        vec($ready, fileno STDIN, 1) = 1;
        if (select $ready, undef, undef, %OLD && !$TXN ? 0.1 : undef) { more_input() or return 0; next }
        my $lock = $LOCK;
        $lock || sysopen $lock, "$HOME/lock", O_RDWR or %OLD = (), next;    # the volume was emptied
        eval { reap() } if $LOCK || flock $lock, LOCK_EX | LOCK_NB;
    }
    return 1;
}

sub serve {
    $SERVING = 1;
    send_frame('hello', VERSION);
    while (wait_for_request()) {
        my ($verb, $payload) = read_frame() or last;
        next if eval { handle($verb, $payload); 1 };
        my @problem = trouble($@);
        eval { abandon() };
        send_frame('error', @problem);
    }
    abandon();
    return unless %OLD;
    $ANNOUNCE = 0;
    eval { take_lock(sub { }); reap(1) };    # what it cannot do, the next run will
}

# ---- apply -------------------------------------------------------------------------------------

# Names that are left out: what editors, version control, Python and we make. The Python package has
# the same lists, and a test compares them.
my @TEMPORARY_FILES = split ' ', '4913 *~ .#* #*# .*.swp .*.swo .*.swn .*.swx *___jb_tmp___
    *___jb_old___ .*.kate-swp *-go-tmp-umask .goutputstream-* *.vsctmp .DS_Store .attune-dev*';
my @LEFT_OUT_FOLDERS = split ' ', '.idea .vscode .fleet .zed .git __pycache__';
my $TEMPORARY = join '|', map { s/\\\*/.*/gr } map { quotemeta } @TEMPORARY_FILES;

sub left_out {
    my ($name, $folder) = @_;
    return $folder ? grep { $name eq $_ } @LEFT_OUT_FOLDERS : $name =~ /^(?:$TEMPORARY)\z/s;
}

# Whether a link stays in its pack, followed as the kernel follows it.
sub stays_inside {
    my ($seen, $path, $target) = @_;
    return 0 if $target =~ m{^/};
    my @at = split m{/}, parent($path);
    my @todo = split m{/}, $target;
    for (my $hops = 0; @todo && $hops < 400; $hops++) {
        my $part = shift @todo;
        next if $part eq '' || $part eq '.';
        if ($part eq '..') { return 0 unless @at; pop @at; next }
        my $s = $seen->{ join '/', @at, $part };
        if ($s && $s->[TYPE] eq 'l') {
            return 0 if $s->[LINK] =~ m{^/};
            unshift @todo, split m{/}, $s->[LINK];
        }
        else { push @at, $part }
    }
    return 1;
}

sub scan_source {
    my ($root) = @_;
    my (@entries, @refused, @skipped);
    my $seen = walk($root, 1) // return ([], ['not all of it can be read']);
    for my $path (sort keys %$seen) {
        my ($kind, $s, @folders) = ($seen->{$path}[TYPE], $seen->{$path}, split m{/}, parent($path));
        next if left_out($path =~ m{([^/]*)\z}, $kind eq 'd') || grep { left_out($_, 1) } @folders;
        if ($kind eq 'l' && !stays_inside($seen, $path, $s->[LINK])) {
            push @refused, "$path: the link leaves the pack ($s->[LINK])";
        }
        elsif ($kind !~ /^[fdl]$/) { push @skipped, "$path: neither file, folder nor link" }
        else {
            my $mode = $kind eq 'l' ? '0777' : $kind eq 'd' || oct($s->[MODE]) & 0100 ? '0755' : '0644';
            push @entries, { kind => $kind, mode => $mode, size => $kind eq 'f' ? $s->[SIZE] : 0,
                digest => '-', path => $path, target => $kind eq 'l' ? $s->[LINK] : '' };
        }
    }
    my @files = grep { $_->{kind} eq 'f' } @entries;
    my $digests = digests($root, map { $_->{path} } @files);
    for my $e (@files) {
        $e->{digest} = $digests->{ $e->{path} } // '-';
        push @refused, "$e->{path}: cannot be read" if $e->{digest} eq '-';
    }
    return (\@entries, \@refused, \@skipped);
}

sub apply_pack {
    my ($source, $pack) = @_;
    for my $attempt (1 .. 3) {
        my ($entries, $refused, $skipped) = scan_source("$source/$pack");
        print STDERR "$pack/$_\n" for @$refused, $attempt == 1 ? @{ $skipped // [] } : ();
        return 0 if @$refused;
        my $text = entry_text(@$entries);
        my @need = plan($pack, digest_of_text($text), 0, @$entries);
        my $how = eval {
            for my $index (@need) {
                my $e = $entries->[$index];
                copy_file("$source/$pack/$e->{path}", stage_dir($TXN) . "/new/$index", 0600);
                arrived($TXN, $index, $e->{size});
            }
            commit($TXN);
        };
        if (!defined $how) {
            my ($kind, $why) = trouble($@);
            abandon();
            next if $kind eq 'corrupt' && $attempt < 3;    # it changed while it was copied
            print STDERR "$pack: $why\n";
            return 0;
        }
        next if $how eq 'moved';
        tell_pack($pack, $TXN, $how);
        my $blocked = @{ $TXN->{blocked} } + @{ $TXN->{late} };
        undef $TXN;
        return !$blocked;
    }
    print STDERR "$pack: it keeps changing\n";
    return 0;
}

sub tell_pack {
    my ($pack, $t, $how) = @_;
    my @told = map { @{ $t->{$_} } ? scalar(@{ $t->{$_} }) . " $_" : () } qw(added changed deleted modes);
    print "$pack: ", (@told ? join ', ', @told : $t->{remove} ? 'removed' : 'nothing to do'), "\n";
    print "$pack: switched file by file, the file system cannot exchange folders\n" if $how eq 'files';
    print STDERR "$pack/$_: in the way, and not written here: left as it is\n" for @{ $t->{blocked} };
    print "$pack/$_: foreign, left as it is\n" for @{ $t->{foreign} }, @{ $t->{late} };
}

sub apply {
    my %option = @_;
    my $source = $option{'--source'} // die "usage: agent.pl apply --source DIR --volume DIR\n";
    $WRITER = $option{'--writer'} // 'init-packs';
    opendir my $dir, $source or die "$source: $!\n";
    my @packs = sort grep { !/^\./ && (lstat "$source/$_") && (-d _ || -l _) } readdir $dir;
    take_lock(sub { print "waiting for $_[0]\n" });
    my $ok = 1;
    for my $pack (@packs) {
        if (-l "$source/$pack") { print STDERR "$pack: a pack cannot be a link\n"; $ok = 0; next }
        $ok = 0 unless eval { apply_pack($source, $pack) // 0 };
        if ($@) { print STDERR "$pack: ", (trouble($@))[1], "\n"; abandon(); $ok = 0 }
    }
    my ($there) = each_pack();
    my %wanted = map { $_ => 1 } @packs;
    for my $pack (grep { !$wanted{$_} } sort keys %$there) {
        if (!load_manifest($pack)) { print "$pack: foreign, left as it is\n"; next }
        plan($pack, '-', 1);
        tell_pack($pack, $TXN, commit($TXN));
        undef $TXN;
    }
    reap(1);
    return $ok;
}

# ---- main --------------------------------------------------------------------------------------

my $mode = shift @ARGV // '';
my %option = $mode eq 'apply' ? @ARGV : ('--volume' => shift @ARGV);
$VOLUME = $option{'--volume'} // die "usage: agent.pl serve|check|apply …\n";
$HOME = "$VOLUME/" . STATE;
$| = 1;
if ($mode eq 'serve') { serve() }
elsif ($mode eq 'check') { status(@ARGV) }
elsif ($mode eq 'apply') {
    my $ok = eval { apply(%option) };
    print STDERR +(trouble($@))[1], "\n" if $@;
    exit($ok ? 0 : 1);
}
else { die "usage: agent.pl serve|check|apply …\n" }
exit 0;
