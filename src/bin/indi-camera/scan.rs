//! `indi-camera scan`: which cameras there are.

use std::fmt::Write as _;

use indi_camera::camera::answer::Found;
use indi_camera::client::Address;
use serde::Serialize;

use super::arguments::Reach;
use super::fault::Fault;
use super::outcome::{Outcome, tell};

/// What the command answers: as the call `scanning`, and where each camera is.
#[derive(Serialize)]
struct Scanned {
    camera: Vec<String>,
    cameras: Vec<There>,
    /// Servers that gave no answer, and why.
    unreachable: Vec<String>,
}

#[derive(Serialize)]
struct There {
    #[serde(flatten)]
    found: Found,
    server: String,
}

pub(super) async fn run(reach: &Reach) -> Result<Outcome, Fault> {
    let mut cameras = Vec::new();
    let mut faults = Vec::new();
    for address in reach.addresses()? {
        match look(reach, &address).await {
            Ok(found) => cameras.extend(found),
            Err(fault) => faults.push(fault),
        }
    }
    let all_failed = faults.len() == reach.server.len().max(1);
    match faults.pop() {
        Some(last) if all_failed => return Err(last),
        last => faults.extend(last),
    }

    for fault in &faults {
        tell(&format!("indi-camera: {fault}"));
    }
    let text = if cameras.is_empty() { "There is no camera.\n".to_owned() } else { table(&cameras) };
    let camera: Vec<String> = cameras.iter().map(|there| there.found.name.clone()).collect();
    let message = match camera.len() {
        1 => "1 camera".to_owned(),
        many => format!("{many} cameras"),
    };
    let unreachable = faults.into_iter().map(|fault| fault.sentence).collect();
    Ok(Outcome::done(message, &Scanned { camera, cameras, unreachable }, text))
}

async fn look(reach: &Reach, address: &Address) -> Result<Vec<There>, Fault> {
    let server = reach.connect(address).await?;
    let scan = server.scanning().await?;
    server.close().await;
    let there = |found| There { found, server: address.to_string() };
    Ok(scan.cameras.into_iter().map(there).collect())
}

/// Columns as wide as what stands in them.
fn table(cameras: &[There]) -> String {
    let row = |there: &There| {
        let found = &there.found;
        let connected = if found.in_use == Some(true) { "yes" } else { "no" };
        let sensor = found.sensor.clone().unwrap_or_else(|| "?".to_owned());
        [found.name.clone(), found.model.clone(), sensor, connected.to_owned(), there.server.clone()]
    };
    let head = ["CAMERA", "DRIVER", "SENSOR", "CONNECTED", "AT"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(cameras.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3, 4].map(width);
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}
