//! A process group of its own for each script, so that nothing of it outlives it.

/// Kills the whole group when dropped.
pub struct Group(libc::pid_t);

impl Group {
    /// `leader` is a child that was started as the leader of a new group.
    pub fn led_by(leader: u32) -> Self {
        Self(libc::pid_t::try_from(leader).expect("a process id"))
    }

    pub fn kill(&self) {
        // SAFETY: takes plain integers. The group's id can't belong to another one while this process
        // has not reaped all of it; a group that is gone gives ESRCH.
        unsafe { libc::kill(-self.0, libc::SIGKILL) };
    }

    /// Kills and reaps what the leader, which must have been waited for, left behind: as process 1 of
    /// a container the worker is the parent of every orphan.
    pub fn sweep(self) {
        self.kill();
        // SAFETY: takes plain integers; none of the group left gives ECHILD.
        while unsafe { libc::waitpid(-self.0, std::ptr::null_mut(), libc::WNOHANG) } > 0 {}
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
