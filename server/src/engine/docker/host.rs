//! What the engine's machine has, as far as an engine refuses a whole request for what it can't do. What it merely leaves
//! out is `findings`' to tell.

use std::collections::BTreeSet;

use bollard::models::SystemInfo;

/// The least share of a processor that engines take.
const LEAST_CPUS: f64 = 0.01;

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Host {
    /// Processors; `None` where the engine does not know.
    cpus: Option<f64>,
    /// Whether it can share processors out (CFS).
    shares_cpus: bool,
    /// What it can run containers with, besides its default.
    runtimes: BTreeSet<String>,
}

impl Host {
    pub(super) fn of(info: &SystemInfo) -> Self {
        Self {
            cpus: info.ncpu.filter(|count| *count > 0).map(|count| count as f64),
            shares_cpus: info.cpu_cfs_quota == Some(true) && info.cpu_cfs_period != Some(false),
            runtimes: info.runtimes.iter().flatten().map(|(name, _)| name.clone()).collect(),
        }
    }

    /// As many processors as can be asked for, where a space wants `wanted`; `None` where none can be asked for.
    pub(super) fn cpus(&self, wanted: f64) -> Option<f64> {
        self.shares_cpus.then(|| wanted.min(self.cpus.unwrap_or(wanted)).max(LEAST_CPUS))
    }

    /// Whether it runs containers with this. Names of shims (`io.containerd.runsc.v1`) are looked up when they are used.
    pub(super) fn knows(&self, runtime: &str) -> bool {
        self.runtimes.contains(runtime) || runtime.matches('.').count() >= 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_processors_are_asked_for_than_there_are_and_none_where_none_can_be_had() {
        let info = |ncpu, cfs| SystemInfo { ncpu, cpu_cfs_quota: cfs, ..SystemInfo::default() };
        let cpus = |ncpu, cfs, wanted| Host::of(&info(ncpu, cfs)).cpus(wanted);
        assert_eq!(cpus(Some(1), Some(true), 2.0), Some(1.0));
        assert_eq!(cpus(Some(4), Some(true), 0.5), Some(0.5));
        assert_eq!(cpus(None, Some(true), 2.0), Some(2.0));
        assert_eq!(cpus(Some(4), Some(false), 2.0), None);
        assert_eq!(cpus(Some(4), None, 2.0), None);
    }

    #[test]
    fn runtimes_are_known_by_their_name_or_as_shims() {
        let runtimes = Some([("runsc".to_owned(), bollard::models::Runtime::default())].into());
        let host = Host::of(&SystemInfo { runtimes, ..SystemInfo::default() });
        assert!(host.knows("runsc") && host.knows("io.containerd.kata.v2") && !host.knows("runcs"));
    }
}
