//! The local networks, as the kernel's table of routes tells them: where to ask everybody for cameras.

use std::net::Ipv4Addr;

/// The broadcast addresses of the networks of this machine.
pub(super) fn broadcasts() -> Vec<Ipv4Addr> {
    read(&std::fs::read_to_string("/proc/net/route").unwrap_or_default())
}

fn read(routes: &str) -> Vec<Ipv4Addr> {
    let address =
        |word: &str| u32::from_str_radix(word, 16).ok().map(u32::to_ne_bytes).map(u32::from_be_bytes);
    let networks = routes.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, to, gateway, _, _, _, _, mask, ..] = words[..] else { return None };
        let (to, gateway, mask) = (address(to)?, address(gateway)?, address(mask)?);
        // A network of its own, wide enough to have a broadcast address.
        (gateway == 0 && mask != 0 && mask.count_zeros() > 1).then(|| Ipv4Addr::from(to | !mask))
    });
    let mut networks: Vec<Ipv4Addr> = networks.collect();
    networks.sort_unstable();
    networks.dedup();
    networks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_networks_of_this_machine_are_those_without_a_gateway() {
        // As the kernel of a little-endian machine writes it.
        let routes = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
             eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
             eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
             wlan0\t0000010A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n\
             tun0\t0100000A\t00000000\t0001\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n";
        let expected = [Ipv4Addr::new(10, 1, 255, 255), Ipv4Addr::new(192, 0, 2, 255)];
        if cfg!(target_endian = "little") {
            assert_eq!(read(routes), expected);
        }
        assert!(read("").is_empty());
    }
}
