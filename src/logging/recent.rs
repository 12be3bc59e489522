//! The last that each job has written, as it was read. It becomes lines when somebody asks, so that a flood costs one copy
//! of the end of each read and no look at its bytes.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

/// What is kept of all jobs together, in bytes.
const TOTAL: usize = 2 * 1024 * 1024;

/// What is kept of one job at most, in bytes; with more than 128 jobs each has its share of the total.
const MOST: usize = 16 * 1024;

/// Who follows a job's output: whose run it is (a number), and what was read. `false`: nothing more. What is empty asks only
/// that.
pub type Follower = Box<dyn FnMut(u64, &[u8]) -> bool + Send>;

/// All of it.
#[derive(Default)]
pub(super) struct Recent {
    jobs: HashMap<Arc<str>, Job>,
}

#[derive(Default)]
struct Job {
    bytes: VecDeque<u8>,
    /// Something before these bytes was not kept: the first line may be half of one.
    is_cut: bool,
    /// The server bounds their number.
    followers: Vec<Follower>,
}

impl fmt::Debug for Recent {
    /// Without what jobs have written: it may be secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Recent").finish_non_exhaustive()
    }
}

impl Recent {
    /// A run of a job has written something.
    pub(super) fn push(&mut self, name: &Arc<str>, run: u64, new: &[u8]) {
        let known = self.jobs.len();
        if let Some(job) = self.jobs.get_mut(name) {
            return job.push(run, new, share(known));
        }
        let job = self.add(Arc::clone(name));
        job.push(run, new, share(known + 1));
    }

    /// The job of that name; a new one takes its share from the others.
    fn add(&mut self, name: Arc<str>) -> &mut Job {
        let share = share(self.jobs.len() + 1);
        if !self.jobs.contains_key(&name) {
            for job in self.jobs.values_mut() {
                job.shrink(share);
            }
        }
        self.jobs.entry(name).or_default()
    }

    /// The lines that are kept of a job, oldest first. `follower` is told what follows.
    pub(super) fn lines(&mut self, name: &str, follower: Option<Follower>) -> Vec<String> {
        if let Some(follower) = follower {
            let job = self.add(Arc::from(name));
            // Without output nobody hears that a follower has gone.
            job.followers.retain_mut(|follower| follower(0, &[]));
            job.followers.push(follower);
        }
        self.jobs.get(name).map(Job::lines).unwrap_or_default()
    }

    /// Forgets all jobs but these.
    pub(super) fn keep(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.jobs.retain(|name, _| is_kept(name));
    }
}

/// What each of so many jobs may have.
fn share(jobs: usize) -> usize {
    (TOTAL / jobs.max(1)).min(MOST)
}

impl Job {
    fn push(&mut self, run: u64, new: &[u8], share: usize) {
        self.followers.retain_mut(|follower| follower(run, new));
        let end = &new[new.len().saturating_sub(share)..];
        self.is_cut |= end.len() < new.len();
        self.make_room(share - end.len());
        self.bytes.extend(end);
    }

    fn make_room(&mut self, left: usize) {
        if self.bytes.len() > left {
            self.bytes.drain(..self.bytes.len() - left);
            self.is_cut = true;
        }
    }

    fn shrink(&mut self, share: usize) {
        if self.bytes.len() > share {
            self.make_room(share);
            self.bytes.shrink_to(share);
        }
    }

    fn lines(&self) -> Vec<String> {
        let (front, back) = self.bytes.as_slices();
        let bytes = [front, back].concat();
        let text = String::from_utf8_lossy(&bytes);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if self.is_cut && !lines.is_empty() {
            lines.remove(0);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn name(number: usize) -> Arc<str> {
        Arc::from(format!("job {number}"))
    }

    fn kept(recent: &Recent) -> usize {
        recent.jobs.values().map(|job| job.bytes.capacity()).sum()
    }

    #[test]
    fn the_last_lines_are_kept_whole() {
        let mut recent = Recent::default();
        recent.push(&name(0), 1, b"one\ntwo\nthr");
        assert_eq!(recent.lines("job 0", None), ["one", "two", "thr"]);
        recent.push(&name(0), 1, b"ee\n");
        assert_eq!(recent.lines("job 0", None), ["one", "two", "three"]);
        let flood: Vec<String> = (0..10_000)
            .map(|number| format!("line {number}\n"))
            .collect();
        let flood = flood.concat();
        recent.push(&name(0), 1, flood.as_bytes());
        let lines = recent.lines("job 0", None);
        assert_eq!(lines.last().map(String::as_str), Some("line 9999"));
        assert!(lines.iter().all(|line| line.starts_with("line ")));
        assert!(lines.len() > 1_000, "{}", lines.len());
        assert!(recent.lines("job 1", None).is_empty());
    }

    #[test]
    fn all_jobs_together_stay_within_the_bound() {
        let mut recent = Recent::default();
        let block = vec![b'x'; 64 * 1024];
        for number in 0..3_000 {
            recent.push(&name(number), 1, &block);
        }
        // A ring that grows by doubling may have twice what it needs.
        assert!(kept(&recent) <= 2 * TOTAL, "{}", kept(&recent));
        let all: usize = recent.jobs.values().map(|job| job.bytes.len()).sum();
        assert!(all <= TOTAL, "{all}");
        recent.keep(|name| name == "job 7");
        assert_eq!(recent.jobs.len(), 1);
    }

    #[test]
    fn followers_that_have_gone_make_room_for_the_next() {
        let mut recent = Recent::default();
        for _ in 0..3 {
            recent.lines("job 0", Some(Box::new(|_, bytes| !bytes.is_empty())));
        }
        assert_eq!(recent.jobs["job 0"].followers.len(), 1);
    }

    #[test]
    fn a_follower_hears_all_that_follows_until_it_has_enough() {
        let mut recent = Recent::default();
        recent.push(&name(0), 1, b"before\n");
        let (told, heard) = mpsc::channel();
        let follower: Follower = Box::new(move |run, bytes| {
            let _ = told.send((run, bytes.to_vec()));
            bytes != b"enough"
        });
        assert_eq!(recent.lines("job 0", Some(follower)), ["before"]);
        for text in [b"a".as_slice(), b"enough", b"more"] {
            recent.push(&name(0), 2, text);
        }
        recent.push(&name(1), 3, b"of another");
        let heard: Vec<(u64, Vec<u8>)> = heard.iter().collect();
        assert_eq!(heard, [(2, b"a".to_vec()), (2, b"enough".to_vec())]);
    }
}
