//! Describes the machine of a run in words, for the document.

use std::path::Path;
use std::process::Command;

/// One line for each thing that matters.
pub(super) fn describe(data: &Path) -> Vec<String> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = value_of(&cpu, "model name").unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kibibytes: u64 =
        value_of(&memory, "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(0);
    let virtual_machine = if cpu.contains(" hypervisor") { ", virtual machine" } else { "" };
    vec![
        format!("{model}, {cores} cores{virtual_machine}, {} GiB of memory", kibibytes >> 20),
        format!("Linux {}, {}", printed("uname", &["-r"]), printed("rustc", &["--version"])),
        format!("data on {}", file_system(data)),
        format!("measured on {}", printed("date", &["-u", "+%Y-%m-%d"])),
    ]
}

/// Type and device of the file system that this folder is on.
fn file_system(data: &Path) -> String {
    let columns = ["--noheadings", "--output", "FSTYPE,SOURCE,OPTIONS", "--target"];
    let data = data.display().to_string();
    let arguments: Vec<&str> = columns.into_iter().chain([data.as_str()]).collect();
    let words = printed("findmnt", &arguments);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn value_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
