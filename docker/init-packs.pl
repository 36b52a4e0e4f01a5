# Makes the packs volume hold exactly what ./packs holds. Usage: perl init-packs.pl SOURCE VOLUME
#
# Bytes, kinds and links are compared, so a second run writes nothing. A file is written beside its place
# and renamed into it: no reader sees half a file, and a running program can be replaced. Modes are 0755
# and 0644 whatever the host's umask was: the services that read are not the owner.
use strict;
use warnings;
use Errno qw(ENOENT);
use Fcntl qw(:DEFAULT :flock :mode);

my ($source, $volume) = @ARGV;
my %count = (added => 0, changed => 0, deleted => 0, unchanged => 0);
# Names at the top of the volume that belong to the tool, not to a pack.
my $reserved = qr/^\.attune-dev/;

sub fail { print STDERR "init-packs: @_\n"; exit 1 }
sub told { my ($what, $path) = @_; $count{$what}++; print "$what $path\n" }

sub names {
    my ($dir) = @_;
    opendir(my $handle, $dir) or fail("cannot read $dir: $!");
    my @names = sort grep { $_ ne '.' && $_ ne '..' } readdir $handle;
    return @names;
}

# The mode by lstat; undef where there is nothing.
sub mode {
    my ($path) = @_;
    my @stat = lstat $path;
    return $stat[2] if @stat;
    fail("cannot look at $path: $!") unless $! == ENOENT;
    return undef;
}

sub remove {
    my ($path) = @_;
    if (S_ISDIR(mode($path))) {
        remove("$path/$_") for names($path);
        rmdir $path or fail("cannot delete $path: $!");
    } else {
        unlink $path or fail("cannot delete $path: $!");
    }
}

sub chunks {
    my ($path) = @_;
    sysopen(my $in, $path, O_RDONLY) or fail("cannot read $path: $!");
    return sub {
        my $read = sysread($in, my $chunk, 1 << 20);
        fail("cannot read $path: $!") unless defined $read;
        return $chunk;
    };
}

sub same_bytes {
    my ($left, $right) = @_;
    return 0 if -s $left != -s $right;
    my ($of_left, $of_right) = (chunks($left), chunks($right));
    while (1) {
        my ($l, $r) = ($of_left->(), $of_right->());
        return 0 if $l ne $r;
        return 1 if $l eq '';
    }
}

sub put {
    my ($temporary, $to) = @_;
    rename $temporary, $to or fail("cannot place $to: $!");
}

sub copy_file {
    my ($from, $to, $mode, $was, $path) = @_;
    if (defined $was && S_ISREG($was) && same_bytes($from, $to)) {
        return $count{unchanged}++ if S_IMODE($was) == $mode;
        chmod $mode, $to or fail("cannot change the mode of $to: $!");
        return told('changed', $path);
    }
    my $temporary = "$to.attune-dev-new";
    sysopen(my $out, $temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600)
        or fail("cannot write $temporary: $!");
    my $chunk_of = chunks($from);
    while ((my $chunk = $chunk_of->()) ne '') {
        my $done = 0;
        while ($done < length $chunk) {
            my $wrote = syswrite($out, $chunk, length($chunk) - $done, $done);
            fail("cannot write $temporary: $!") unless defined $wrote;
            $done += $wrote;
        }
    }
    close $out or fail("cannot write $temporary: $!");
    chmod $mode, $temporary or fail("cannot change the mode of $temporary: $!");
    put($temporary, $to);
    told(defined $was ? 'changed' : 'added', $path);
}

# A link must stay in its pack: the volume has no other side.
sub copy_link {
    my ($from, $to, $was, $path) = @_;
    my $link = readlink $from;
    my @at = split m{/}, $path;
    pop @at;
    for my $part (split m{/+}, $link) {
        if ($part eq '..') { pop @at } elsif ($part ne '.') { push @at, $part }
        fail("$path leads out of its pack: $link") if !@at;
    }
    my ($pack) = split m{/}, $path;
    fail("$path leads out of its pack: $link") if $link =~ m{^/} || $at[0] ne $pack;
    if (defined $was && S_ISLNK($was) && readlink($to) eq $link) {
        return $count{unchanged}++;
    }
    my $temporary = "$to.attune-dev-new";
    remove($temporary) if defined mode($temporary);
    symlink $link, $temporary or fail("cannot write $temporary: $!");
    put($temporary, $to);
    told(defined $was ? 'changed' : 'added', $path);
}

sub mirror {
    my ($from, $to, $prefix) = @_;
    my %wanted = map { $_ => 1 } names($from);
    for my $name (names($to)) {
        next if $wanted{$name} || ($prefix eq '' && $name =~ $reserved);
        remove("$to/$name");
        told('deleted', "$prefix$name");
    }
    for my $name (sort keys %wanted) {
        my ($path, $source_mode, $was) = ("$prefix$name", mode("$from/$name"), mode("$to/$name"));
        fail("$path went away while it was read; run again") unless defined $source_mode;
        if (defined $was && S_ISDIR($was) != S_ISDIR($source_mode)) {
            remove("$to/$name");
            $was = undef;
        }
        if (S_ISDIR($source_mode)) {
            mkdir "$to/$name" or fail("cannot make $to/$name: $!") unless defined $was;
            chmod 0755, "$to/$name" or fail("cannot change the mode of $to/$name: $!");
            mirror("$from/$name", "$to/$name", "$path/");
        } elsif (S_ISLNK($source_mode)) {
            copy_link("$from/$name", "$to/$name", $was, $path);
        } elsif (S_ISREG($source_mode)) {
            my $mode = $source_mode & S_IXUSR ? 0755 : 0644;
            copy_file("$from/$name", "$to/$name", $mode, $was, $path);
        } else {
            fail("$path is neither a file, a folder nor a link");
        }
    }
}

$| = 1;
umask 022;
fail('usage: init-packs.pl SOURCE VOLUME') unless defined $volume;
# A bind mount of a folder that is missing is an empty one: that must not empty the volume.
fail("no pack in $source") unless grep { -f "$source/$_/pack.yaml" } names($source);
# The folder itself is the lock, so that none is left in it. Two runs take turns.
open(my $lock, '<', $volume) or fail("cannot open $volume: $!");
flock($lock, LOCK_EX) or fail("cannot lock $volume: $!");
chmod 0755, $volume or fail("cannot change the mode of $volume: $!");
mirror($source, $volume, '');
print join(', ', map { "$count{$_} $_" } qw(added changed deleted unchanged)), "\n";
