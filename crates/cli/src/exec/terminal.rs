//! Finds out whether this process is in the foreground of a terminal. Then the command stays in its process group, so
//! that it may read from the terminal, and Ctrl-C reaches it without this process.

/// Whether this process is in the foreground of its terminal; not where it has none, as in most of CI.
#[cfg(target_os = "linux")]
pub(super) fn has_the_foreground() -> bool {
    std::fs::read_to_string("/proc/self/stat").is_ok_and(|stat| is_foreground(&stat))
}

/// Elsewhere the command gets a group of its own, by which it is ended.
#[cfg(not(target_os = "linux"))]
pub(super) fn has_the_foreground() -> bool {
    false
}

/// Behind the name, which may hold anything: state, parent, group, session, terminal, and the terminal's group.
#[cfg(target_os = "linux")]
fn is_foreground(stat: &str) -> bool {
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    matches!((fields.get(2), fields.get(5)), (Some(own), Some(foreground)) if own == foreground)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn reads_the_foreground_group_after_any_process_name() {
        assert!(is_foreground("7 (a) b (c)) S 6 7 5 34816 7 4194304 0"));
        assert!(!is_foreground("7 (sh) S 6 7 5 34816 9 4194304 0"), "in the background");
        assert!(!is_foreground("7 (sh) S 6 7 5 0 -1 4194304 0"), "without a terminal");
        assert!(!is_foreground(""));
    }
}
