//! Reads from `/proc` what the processes under load cost: processor time, resident memory, and what the rest of the
//! machine did meanwhile. Children count with their parents.

use std::fs;

/// How long the kernel's unit of processor time is: `USER_HZ` is 100 on every Linux that this runs on.
const TICK_SECONDS: f64 = 0.01;

/// Processes to be watched over one run.
pub(crate) struct ProcessWatch {
    roots: Vec<u32>,
    server_seconds: f64,
    own_seconds: f64,
    machine_seconds: f64,
}

/// What a run cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ProcessCost {
    /// Processor time of the watched processes.
    pub(crate) server_cpu_seconds: f64,
    /// Processor time of the generator itself.
    pub(crate) generator_cpu_seconds: f64,
    /// Processor time of everybody else, stolen time included.
    pub(crate) other_cpu_seconds: f64,
    /// The most memory the watched processes had resident during the run.
    pub(crate) peak_resident_bytes: u64,
}

impl ProcessWatch {
    /// Begins to watch, and forgets earlier peaks of memory.
    pub(crate) fn start(roots: &[u32]) -> ProcessWatch {
        for process in tree(roots) {
            // Ours to reset, because we started it; where it is not, the peak is the process's own.
            let _ = fs::write(format!("/proc/{process}/clear_refs"), "5");
        }
        ProcessWatch {
            roots: roots.to_vec(),
            server_seconds: seconds_of_all(roots),
            own_seconds: seconds("self"),
            machine_seconds: machine_busy_seconds(),
        }
    }

    /// What happened since the start.
    pub(crate) fn finish(&self) -> ProcessCost {
        let server = (seconds_of_all(&self.roots) - self.server_seconds).max(0.0);
        let generator = seconds("self") - self.own_seconds;
        let machine = machine_busy_seconds() - self.machine_seconds;
        ProcessCost {
            server_cpu_seconds: server,
            generator_cpu_seconds: generator,
            other_cpu_seconds: (machine - server - generator).max(0.0),
            peak_resident_bytes: tree(&self.roots).iter().map(|process| peak_resident_bytes(*process)).sum(),
        }
    }
}

fn seconds_of_all(roots: &[u32]) -> f64 {
    tree(roots).iter().map(|process| seconds(&process.to_string())).sum()
}

/// User and system time, threads that have ended included.
fn seconds(process: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let ticks = |index| stat_field(&text, index).unwrap_or(0);
    (ticks(11) + ticks(12)) as f64 * TICK_SECONDS
}

/// A field of `/proc/PID/stat`, counted behind the name, which may hold spaces and brackets itself.
fn stat_field(text: &str, index: usize) -> Option<u64> {
    text.rsplit_once(") ")?.1.split(' ').nth(index)?.parse().ok()
}

fn peak_resident_bytes(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// User, nice, system, interrupts and stolen time of all processors.
fn machine_busy_seconds() -> f64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = text.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let busy = |(index, field): (usize, &str)| {
        if matches!(index, 0..=2 | 5..=7) { field.parse().unwrap_or(0) } else { 0 }
    };
    fields.enumerate().map(busy).sum::<u64>() as f64 * TICK_SECONDS
}

/// The processes and all their descendants.
fn tree(roots: &[u32]) -> Vec<u32> {
    let parents = parents();
    let mut found = roots.to_vec();
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(process, _)| *process));
        next += 1;
    }
    found
}

/// Every process of the machine with its parent.
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let processes = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes
        .filter_map(|process: u32| {
            let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            Some((process, u32::try_from(stat_field(&text, 1)?).ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let text = "12 (a) b (c)) S 7 0 0 0 0 0 0 0 0 0 150 50 0";
        assert_eq!(stat_field(text, 1), Some(7));
        assert_eq!((stat_field(text, 11), stat_field(text, 12)), (Some(150), Some(50)));
    }

    #[test]
    fn this_process_has_memory_and_is_found_below_its_parent() {
        assert!(peak_resident_bytes(std::process::id()) > 100_000);
        let parent = parents().into_iter().find(|(process, _)| *process == std::process::id()).unwrap().1;
        assert!(tree(&[parent]).contains(&std::process::id()));
    }
}
