//! Measures what the machine itself can do, in the same run and on the same disk as the servers: limits that no store
//! can pass.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};
use countersign_sys::{Md5, RsaMd5Key};
use rustix::fs::FallocateFlags;
use serde_json::{Value, json};

use crate::percentiles::Percentiles;
use crate::reference::large_file::LargeFile;

/// One append of a small object.
const APPEND_BYTES: usize = 4096;
/// Space that is taken before the appends into preallocated space.
const PREALLOCATED_BYTES: u64 = 64 << 20;
/// The blocks that MD5 is fed with, by `openssl speed` as well.
const BLOCK_BYTES: usize = 16 * 1024;
/// Each stream of the disk's measurement writes this much.
const STREAM_BYTES: u64 = 1 << 30;
const STREAMS: usize = 4;

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Limit {
    /// 4 KiB appended and synced, one after the other.
    Append,
    /// MD5 on one core.
    Md5,
    /// RSA-2048 signatures over MD5, on one core and on all.
    Rsa,
    /// Large files written and synced.
    Disk,
}

/// The flags of `limits`.
#[derive(Args)]
pub(crate) struct LimitsOptions {
    /// What to measure.
    #[arg(long, value_enum)]
    measure: Limit,
    /// A folder on the disk to measure.
    #[arg(long)]
    data: PathBuf,
    /// How long each part takes, but the disk's.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
}

/// Measures and prints one line of JSON.
pub(crate) fn run(options: &LimitsOptions) -> anyhow::Result<()> {
    let patience = Duration::from_secs_f64(options.seconds);
    let figures = match options.measure {
        Limit::Append => append(&options.data, patience)?,
        Limit::Md5 => json!({
            "openssl_bytes_per_second": openssl_md5(options.seconds),
            "own_bytes_per_second": own_md5(patience),
        }),
        Limit::Rsa => rsa(patience)?,
        Limit::Disk => disk(&options.data)?,
    };
    println!("{figures}");
    Ok(())
}

/// Into a file that grows, and into space that was taken before.
fn append(data: &Path, patience: Duration) -> anyhow::Result<Value> {
    let path = data.join("append");
    let growing = append_p50_ms(&path, patience, false)?;
    let preallocated = append_p50_ms(&path, patience, true)?;
    std::fs::remove_file(&path)?;
    Ok(json!({ "growing_p50_ms": growing, "preallocated_p50_ms": preallocated }))
}

fn append_p50_ms(path: &Path, patience: Duration, preallocated: bool) -> anyhow::Result<f64> {
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(path)?;
    if preallocated {
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, PREALLOCATED_BYTES)?;
        file.sync_all()?;
    }
    let bytes = [7; APPEND_BYTES];
    let (started, mut measured, mut offset) = (Instant::now(), Vec::new(), 0);
    while started.elapsed() < patience {
        let began = Instant::now();
        file.write_all_at(&bytes, offset)?;
        file.sync_data()?;
        measured.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
        offset += APPEND_BYTES as u64;
    }
    Ok(Percentiles::of(measured).milliseconds(0.5))
}

/// What `openssl speed` says, if it is there.
fn openssl_md5(seconds: f64) -> Option<f64> {
    let seconds = format!("{:.0}", seconds.max(1.0));
    let block = BLOCK_BYTES.to_string();
    let arguments = ["speed", "-seconds", &seconds, "-bytes", &block, "-evp", "md5"];
    let output = Command::new("openssl").args(arguments).output().ok()?;
    openssl_rate(&String::from_utf8_lossy(&output.stdout))
}

/// The rate in the last line, as in `md5   727503.32k`: thousands of bytes per second.
fn openssl_rate(printed: &str) -> Option<f64> {
    let line = printed.lines().rfind(|line| line.to_ascii_lowercase().starts_with("md5"))?;
    let thousands: f64 = line.split_whitespace().nth(1)?.strip_suffix('k')?.parse().ok()?;
    Some(thousands * 1000.0)
}

fn own_md5(patience: Duration) -> f64 {
    let block = vec![7; BLOCK_BYTES];
    let (started, mut md5, mut bytes) = (Instant::now(), Md5::new(), 0u64);
    while started.elapsed() < patience {
        for _ in 0..64 {
            md5.update(&block);
        }
        bytes += 64 * BLOCK_BYTES as u64;
    }
    std::hint::black_box(md5.finish());
    bytes as f64 / started.elapsed().as_secs_f64()
}

fn rsa(patience: Duration) -> anyhow::Result<Value> {
    let key = RsaMd5Key::generate_2048()?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let of_threads = |threads: usize| -> anyhow::Result<f64> {
        thread::scope(|scope| {
            let running: Vec<_> =
                (0..threads).map(|_| scope.spawn(|| signatures_per_second(&key, patience))).collect();
            let rates =
                running.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a signer ended"))?);
            rates.sum()
        })
    };
    Ok(json!({ "one_core_per_second": of_threads(1)?, "all_cores_per_second": of_threads(cores)? }))
}

fn signatures_per_second(key: &RsaMd5Key, patience: Duration) -> anyhow::Result<f64> {
    let (started, mut signed) = (Instant::now(), 0u64);
    while started.elapsed() < patience {
        std::hint::black_box(key.sign(b"/callback\nfilename=a&size=4096")?);
        signed += 1;
    }
    Ok(signed as f64 / started.elapsed().as_secs_f64())
}

/// One stream and four, through the page cache (with write-back started on the way) and past it; each ends in a
/// sync. The larger figure of each pair is the disk's.
fn disk(data: &Path) -> anyhow::Result<Value> {
    let rate = |streams, direct| written_per_second(data, streams, direct);
    Ok(json!({
        "one_cached_bytes_per_second": rate(1, false)?,
        "one_direct_bytes_per_second": rate(1, true)?,
        "four_cached_bytes_per_second": rate(STREAMS, false)?,
        "four_direct_bytes_per_second": rate(STREAMS, true)?,
    }))
}

fn written_per_second(data: &Path, streams: usize, direct: bool) -> anyhow::Result<f64> {
    let paths: Vec<PathBuf> = (0..streams).map(|stream| data.join(format!("disk-{stream}"))).collect();
    let started = Instant::now();
    thread::scope(|scope| -> anyhow::Result<()> {
        let running: Vec<_> = paths.iter().map(|path| scope.spawn(|| write_stream(path, direct))).collect();
        for thread in running {
            thread.join().map_err(|_| anyhow!("a writer ended"))??;
        }
        Ok(())
    })?;
    let seconds = started.elapsed().as_secs_f64();
    for path in paths {
        std::fs::remove_file(path)?;
    }
    File::open(data)?.sync_all().context("the folder cannot be synced")?;
    Ok(streams as f64 * STREAM_BYTES as f64 / seconds)
}

fn write_stream(path: &Path, direct: bool) -> anyhow::Result<()> {
    let block: Vec<u8> = (0..1u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut file = LargeFile::create(path, STREAM_BYTES, direct)?;
    for _ in 0..STREAM_BYTES / block.len() as u64 {
        file.append(&block)?;
    }
    file.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_rate_that_openssl_prints() {
        let printed = "OpenSSL 3.0.17\ntype          16384 bytes\nmd5             727503.32k\n";
        assert_eq!(openssl_rate(printed), Some(727_503_320.0));
        assert_eq!(openssl_rate("MD5    1000.00k"), Some(1_000_000.0));
        assert_eq!(openssl_rate("speed: unknown option"), None);
    }

    #[test]
    fn appends_and_signatures_take_time() {
        let folder = tempfile::tempdir().unwrap();
        let figures = append(folder.path(), Duration::from_millis(20)).unwrap();
        assert!(figures["growing_p50_ms"].as_f64().unwrap() > 0.0);
        assert!(own_md5(Duration::from_millis(5)) > 1e6);
    }
}
