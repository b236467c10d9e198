use std::path::{Path, PathBuf};

use crate::core::Sample;

/// Measures how this process is, by files of Linux, which may be missing.
pub(crate) struct Sampler {
    root: PathBuf,
}

impl Sampler {
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    fn read(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(self.root.join(file)).ok()
    }

    /// What the files say, and how much of the time some task waited for IO, per mille.
    pub fn sample(&self) -> (Sample, u32) {
        let (psi_mem_some_pm, psi_mem_full_pm) = self.stalled("memory");
        let (psi_io_some_pm, psi_io_full_pm) = self.stalled("io");
        let sample = Sample {
            mem_pm: self.memory().unwrap_or(0),
            psi_mem_some_pm,
            psi_mem_full_pm,
            psi_io_full_pm,
            ..Sample::default()
        };
        (sample, psi_io_some_pm)
    }

    /// What is resident of the limit of the cgroup.
    fn memory(&self) -> Option<u32> {
        let limit: u64 = self
            .read("sys/fs/cgroup/memory.max")?
            .trim()
            .parse()
            .ok()
            .filter(|limit| *limit > 0)?; // "max" is none
        let status = self.read("proc/self/status")?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some((kib * 1_024 * 1_000 / limit).min(1_000) as u32)
    }

    /// The shares of the last 10 s in which some, and all, tasks of the machine waited for a resource.
    fn stalled(&self, resource: &str) -> (u32, u32) {
        let text = self
            .read(&format!("proc/pressure/{resource}"))
            .unwrap_or_default();
        let share = |kind: &str| {
            let words = text.lines().find_map(|line| line.strip_prefix(kind))?;
            let percent = words.split_whitespace().next()?.strip_prefix("avg10=")?;
            let percent: f64 = percent.parse().ok()?;
            Some((percent * 10.0).clamp(0.0, 1_000.0) as u32)
        };
        (share("some").unwrap_or(0), share("full").unwrap_or(0))
    }
}
