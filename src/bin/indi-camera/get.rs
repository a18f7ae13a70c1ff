//! `indi-camera get`: values of properties, for scripts.

use std::fmt::Write as _;
use std::time::Duration;

use indi_camera::client::{ClientError, Device, Mirror, Server};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::arguments::{Get, Reach};
use super::fault::Fault;
use super::outcome::Outcome;
use super::reach::quoted;
use super::values::{Named, find};

/// So long after the last new property nobody expects more of them.
const QUIET: Duration = Duration::from_millis(500);
/// The same for who waits for one that has not come: a server starts its drivers one after the other.
const PATIENT: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct Values {
    values: Map<String, Json>,
}

pub(super) async fn run(reach: &Reach, server: &Server, asked: &Get) -> Result<Outcome, Fault> {
    let found = values(server, reach.timeout, &asked.patterns).await?;
    let mut text = String::new();
    for Named { name, text: value, .. } in &found {
        let _ = if asked.values { writeln!(text, "{value}") } else { writeln!(text, "{name}={value}") };
    }
    let message = if found.len() == 1 { "1 value".to_owned() } else { format!("{} values", found.len()) };
    let values = found.into_iter().map(|value| (value.name, value.json)).collect();
    Ok(Outcome::done(message, &Values { values }, text))
}

/// What the patterns mean, each of which has to mean something.
async fn values(server: &Server, limit: Duration, patterns: &[String]) -> Result<Vec<Named>, Fault> {
    let each = |mirror: &Mirror| patterns.iter().map(|pattern| find(mirror, pattern)).collect::<Vec<_>>();
    let exact = |mirror: &Mirror| {
        let mut found = each(mirror).into_iter().zip(patterns);
        found.all(|(found, pattern)| matches!(&found[..], [only] if only.name == *pattern))
    };
    let all = |mirror: &Mirror| each(mirror).iter().all(|found| !found.is_empty());

    appear(server, limit, all).await?;
    if !server.look(exact) {
        settle(server, limit, QUIET, exact).await?;
    }
    let missing = |(found, pattern): (Vec<Named>, &String)| found.is_empty().then(|| pattern.clone());
    match server.look(|mirror| each(mirror).into_iter().zip(patterns).find_map(missing)) {
        Some(pattern) => Err(server.look(|mirror| nothing(mirror, &pattern))),
        None => Ok(server.look(each).into_iter().flatten().collect()),
    }
}

/// Waits until everything is there that is waited for, but not much longer than for everything that there is.
pub(super) async fn appear(
    server: &Server,
    limit: Duration,
    enough: impl Fn(&Mirror) -> bool,
) -> Result<(), Fault> {
    settle(server, limit, PATIENT.min(limit), enough).await
}

/// Waits until `enough`, or until no property has been defined for that long.
async fn settle(
    server: &Server,
    limit: Duration,
    quiet: Duration,
    enough: impl Fn(&Mirror) -> bool,
) -> Result<(), Fault> {
    let vectors =
        |mirror: &Mirror| mirror.devices().iter().map(|device| device.vectors().len()).sum::<usize>();
    let mut seen = 0;
    loop {
        let patience = if seen == 0 { limit } else { quiet };
        let news = server.until(patience, "a property", |mirror| {
            (enough(mirror) || vectors(mirror) != seen).then(|| (enough(mirror), vectors(mirror)))
        });
        match news.await {
            Ok((true, _)) | Err(ClientError::Timeout { .. }) => return Ok(()),
            Ok((false, now)) => seen = now,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Why a pattern means nothing, as well as that can be told.
pub(super) fn nothing(mirror: &Mirror, pattern: &str) -> Fault {
    let fault = Fault::unknown(format!("there is nothing by the name of {pattern}"));
    let names: Vec<&str> = mirror.devices().iter().map(Device::name).collect();
    let inside = |name: &&str| pattern.strip_prefix(*name).is_some_and(|rest| rest.starts_with('.'));
    let Some(device) = names.iter().copied().find(inside).and_then(|name| mirror.device(name)) else {
        return fault.advise(match names.as_slice() {
            [] => "There is no device at all: does a driver run?".to_owned(),
            names => format!("The devices are: {}. A name is Device.PROPERTY.ELEMENT.", names.join(", ")),
        });
    };
    let name = device.name();
    if device.vector("CONNECTION").is_some() && !device.is_connected() {
        return fault.advise(format!(
            "{name} is not connected, and has most of its properties only then: indi-camera … set {}",
            quoted(&format!("{name}.CONNECTION.CONNECT=On"))
        ));
    }
    let property = pattern[name.len() + 1..].split('.').next().unwrap_or_default();
    fault.advise(match device.vector(property) {
        Some(vector) => {
            let elements: Vec<&str> = vector.elements.iter().map(|element| &*element.name).collect();
            format!("The elements of {property} are: {}.", elements.join(", "))
        }
        None => format!("To list what there is: indi-camera … get {}", quoted(name)),
    })
}
