//! Finds the address of this machine in the local network, past the interfaces of containers, virtual machines and
//! VPNs.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use anyhow::{Context as _, bail};

/// Whether and where to be reached in the local network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lan {
    /// On the one address that is plainly the local network's.
    Find,
    /// On this one.
    At(IpAddr),
}

impl FromStr for Lan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "find" {
            return Ok(Lan::Find);
        }
        text.parse()
            .map(Lan::At)
            .map_err(|_| "write --lan, or --lan=ADDRESS with an address of this machine".into())
    }
}

/// How the names of interfaces begin that no phone is behind.
const SKIPPED_PREFIXES: &[&str] = &[
    "docker",
    "br-",
    "veth",
    "virbr",
    "vmnet",
    "vboxnet",
    "vnet",
    "lxc",
    "lxd",
    "podman",
    "cni",
    "flannel",
    "cali",
    "kube",
    "tun",
    "tap",
    "utun",
    "wg",
    "tailscale",
    "zt",
    "ppp",
    "ipsec",
    "nordlynx",
    "proton",
    "vethernet",
    "wsl",
    "awdl",
    "llw",
    "anpi",
    "dummy",
    "ifb",
];

/// An address of this machine with the interface that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    interface: String,
    address: Ipv4Addr,
}

/// The address to be reached at in the local network.
pub(crate) fn lan_address(lan: Lan) -> anyhow::Result<IpAddr> {
    if let Lan::At(address) = lan {
        return Ok(address);
    }
    if is_wsl() {
        bail!(
            "inside WSL2 a phone reaches Windows, not this system: name the Windows address with --public-app-url \
             and --public-store-url, and forward both ports there with netsh interface portproxy"
        );
    }
    let all = if_addrs::get_if_addrs().context("the network interfaces cannot be listed")?;
    let all = all.into_iter().filter_map(|interface| match interface.ip() {
        IpAddr::V4(address) => Some(Candidate { interface: interface.name, address }),
        IpAddr::V6(_) => None,
    });
    choose(all.collect())
}

/// Every address of this machine.
pub(crate) fn own_addresses() -> Vec<IpAddr> {
    let all = if_addrs::get_if_addrs().unwrap_or_default();
    all.into_iter().map(|interface| interface.ip()).collect()
}

/// The one candidate that is left, or a sentence with the choices.
fn choose(all: Vec<Candidate>) -> anyhow::Result<IpAddr> {
    let outside = all.into_iter().filter(|candidate| !candidate.address.is_loopback());
    let (skipped, left): (Vec<Candidate>, Vec<Candidate>) = outside.partition(is_skipped);
    match left.as_slice() {
        [only] => Ok(only.address.into()),
        [] if skipped.is_empty() => bail!("there is no network interface besides loopback"),
        [] => bail!(
            "no interface looks like the local network; if one of these is it, say so: {}",
            choices(&skipped)
        ),
        several => bail!("more than one interface could be the local network; choose: {}", choices(several)),
    }
}

fn is_skipped(candidate: &Candidate) -> bool {
    let name = candidate.interface.to_ascii_lowercase();
    candidate.address.is_link_local() || SKIPPED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn choices(candidates: &[Candidate]) -> String {
    let choices =
        candidates.iter().map(|candidate| format!("--lan={} ({})", candidate.address, candidate.interface));
    choices.collect::<Vec<_>>().join(", ")
}

/// Windows' own Linux says so in its kernel's name.
fn is_wsl() -> bool {
    let release =
        std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().to_ascii_lowercase();
    release.contains("microsoft")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose_from(list: &[(&str, &str)]) -> Result<String, String> {
        let candidates = list.iter().map(|(interface, address)| Candidate {
            interface: (*interface).to_owned(),
            address: address.parse().unwrap(),
        });
        choose(candidates.collect()).map(|address| address.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn chooses_the_only_address_left() {
        let all = [
            ("lo", "127.0.0.1"),
            ("docker0", "172.17.0.1"),
            ("br-3f1c", "172.18.0.1"),
            ("tailscale0", "100.101.1.2"),
            ("wg0", "10.8.0.2"),
            ("zt5u4", "10.147.1.1"),
            ("wlan0", "192.168.1.5"),
        ];
        assert_eq!(choose_from(&all).unwrap(), "192.168.1.5");
    }

    #[test]
    fn lists_the_choices_where_there_are_several() {
        let error = choose_from(&[("eth0", "10.0.0.3"), ("wlan0", "192.168.1.5")]).unwrap_err();
        assert!(error.ends_with("choose: --lan=10.0.0.3 (eth0), --lan=192.168.1.5 (wlan0)"), "{error}");
    }

    #[test]
    fn lists_what_was_skipped_where_nothing_is_left() {
        let error = choose_from(&[("lo", "127.0.0.1"), ("tun0", "10.8.0.2")]).unwrap_err();
        assert!(error.ends_with("say so: --lan=10.8.0.2 (tun0)"), "{error}");
    }

    #[test]
    fn says_when_there_is_only_loopback() {
        assert!(choose_from(&[("lo", "127.0.0.1")]).unwrap_err().contains("besides loopback"));
    }

    #[test]
    fn skips_link_local_addresses() {
        assert_eq!(choose_from(&[("eth0", "169.254.7.7"), ("en0", "10.1.1.1")]).unwrap(), "10.1.1.1");
    }
}
