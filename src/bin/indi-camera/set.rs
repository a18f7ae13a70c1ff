//! `indi-camera set`: values of properties, and their effect, for scripts.

use indi_camera::client::{Camera, ElementValue, Mirror, Server, Settled, Wish};
use indi_camera::wire::number;
use serde::Serialize;

use super::arguments::{Reach, Set};
use super::fault::Fault;
use super::get::{appear, nothing};
use super::names::Assignment;
use super::outcome::Outcome;
use super::values::state;

#[derive(Serialize)]
struct Done {
    set: Vec<Reached>,
}

#[derive(Serialize)]
struct Reached {
    property: String,
    state: String,
}

pub(super) async fn run(reach: &Reach, server: &Server, asked: &Set) -> Result<Outcome, Fault> {
    // All of them are looked at before the first is sent.
    let assignments: Result<Vec<Assignment>, Fault> =
        asked.assignments.iter().map(|text| Assignment::parse(text)).collect();
    let mut set = Vec::new();
    for assignment in assignments? {
        let settled = if asked.no_wait { Settled::Answered } else { Settled::of(&assignment.property) };
        let reached = one(reach, server, &assignment, settled).await?;
        set.push(Reached {
            property: format!("{}.{}", assignment.device, assignment.property),
            state: reached,
        });
    }
    let text = set
        .iter()
        .fold(String::new(), |text, reached| text + &reached.property + " " + &reached.state + "\n");
    Ok(Outcome::done("set", &Done { set }, text))
}

/// The state that the property has in the end.
async fn one(reach: &Reach, server: &Server, to: &Assignment, settled: Settled) -> Result<String, Fault> {
    let Assignment { device, property, values } = to;
    let full = format!("{device}.{property}");
    let is_there =
        |mirror: &Mirror| mirror.device(device).is_some_and(|device| device.vector(property).is_some());
    appear(server, reach.timeout, is_there).await?;
    if !server.look(is_there) {
        return Err(server.look(|mirror| nothing(mirror, &full)));
    }
    let wishes: Result<Vec<(&str, Wish)>, Fault> =
        values.iter().map(|(element, value)| Ok((&**element, wish(server, to, element, value)?))).collect();
    let camera: Camera = server.camera(device.clone());
    camera.ask(property, &wishes?, settled).await?;
    let now = server.look(|mirror| Some(mirror.device(device)?.vector(property)?.state));
    // A property may be gone after it has done what it was there for: CONNECTION of an unplugged camera.
    Ok(now.map_or("gone", state).to_owned())
}

/// The value in the kind that the element has.
fn wish(server: &Server, to: &Assignment, element: &str, value: &str) -> Result<Wish, Fault> {
    let full = format!("{}.{}.{element}", to.device, to.property);
    let known = server.look(|mirror| {
        let vector = mirror.device(&to.device)?.vector(&to.property)?;
        Some(vector.element(element)?.value.clone())
    });
    let Some(known) = known else { return Err(server.look(|mirror| nothing(mirror, &full))) };
    let wrong = |takes: &str| Fault::usage(format!("{full} takes {takes}, not {value:?}"));
    match known {
        ElementValue::Text(_) => Ok(Wish::Text(value.to_owned())),
        ElementValue::Number { .. } => {
            let number = number::parse(value);
            number.map(Wish::Number).map_err(|why| wrong("a number").advise(format!("It is {why}.")))
        }
        ElementValue::Switch(_) => match value.trim().to_ascii_lowercase().as_str() {
            "on" => Ok(Wish::On(true)),
            "off" => Ok(Wish::On(false)),
            _ => Err(wrong("On or Off")),
        },
        ElementValue::Light(_) | ElementValue::Blob { .. } => Err(wrong("nothing: it cannot be set")),
    }
}
