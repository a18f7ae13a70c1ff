//! One wish to a driver and its answer: checked against what the driver published, sent, and waited for.

use std::time::Duration;

use super::camera::Camera;
use super::error::{ClientError, Result};
use super::mirror::{Device, EXPOSURE};
use super::vector::{ElementValue, Vector};
use crate::wire::number::Decimal;
use crate::wire::{Kind, New, Perm, Request, Rule, State};

/// A value that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// For a number element.
    Number(f64),
    /// For a switch.
    On(bool),
    /// For a text element.
    Text(String),
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Any answer; Busy says that it is being done.
    Answered,
    /// It is done.
    Done,
}

impl Settled {
    /// What is worth waiting for: a temperature, and the cooler's way back, take their time, and everything else is done
    /// when it is done.
    #[must_use]
    pub fn of(vector: &str) -> Settled {
        if vector.starts_with("CCD_TEMPERATURE") || vector == "CCD_COOLER" {
            Settled::Answered
        } else {
            Settled::Done
        }
    }
}

/// How long a driver may take to say why, after it has refused something.
const EXPLANATION: Duration = Duration::from_millis(250);

impl Wish {
    fn text(&self) -> String {
        match self {
            Wish::Number(number) => Decimal(*number).to_string(),
            Wish::On(on) => if *on { "On" } else { "Off" }.to_owned(),
            Wish::Text(text) => text.clone(),
        }
    }
}

impl Camera {
    /// Asks for new values of some elements of a vector, and waits for the answer. What the driver's own limits forbid is
    /// not even sent. [`Patience::answer`](super::Patience::answer) is the limit; for the end of an exposure its time and
    /// that of its read-out, for each frame of a run.
    pub async fn ask(&self, vector: &str, wishes: &[(&str, Wish)], settled: Settled) -> Result<()> {
        let patience = self.server().patience();
        let limit = match wishes {
            [(_, Wish::Number(seconds)), ..] if vector == EXPOSURE && settled == Settled::Done => {
                let frames = self.look(|_, device| Ok(frames(device))).unwrap_or(1.0);
                let each = seconds + patience.read_out.as_secs_f64();
                Duration::try_from_secs_f64(each * frames).unwrap_or(patience.answer)
            }
            _ => patience.answer,
        };
        self.ask_within(vector, wishes, settled, limit).await
    }

    pub(super) async fn ask_within(
        &self,
        vector: &str,
        wishes: &[(&str, Wish)],
        settled: Settled,
        limit: Duration,
    ) -> Result<()> {
        let session = self.server().session().await?;
        let (request, sequence) = self.look(|mirror, device| {
            let kind = self.check(device, vector, wishes)?;
            let elements = wishes.iter().map(|(name, wish)| ((*name).to_owned(), wish.text())).collect();
            let device = Some(self.name().to_owned());
            let request = Request::New(New { device, name: vector.to_owned(), kind, elements });
            Ok((request, mirror.sequence()))
        })?;
        self.server().say(session, request);
        let what = format!("an answer of {} to {vector}", self.name());
        let state = self
            .until(session, limit, what, |device| {
                let vector = self.defined(device, vector);
                let answered = |vector: &&Vector| {
                    vector.set_sequence > sequence
                        && (settled == Settled::Answered || vector.state != State::Busy)
                };
                vector.map(|vector| Some(vector).filter(answered).map(|vector| vector.state)).transpose()
            })
            .await?;
        if state != State::Alert {
            return Ok(());
        }
        let accepted = self.look(|_, device| Ok(self.defined(device, vector)?.busy_sequence > sequence));
        let why = self.reason(session, sequence).await?;
        let (device, what) = (self.name().to_owned(), vector.to_owned());
        Err(match accepted {
            Ok(true) if vector == EXPOSURE => ClientError::ExposureFailed { device, why },
            Ok(true) => ClientError::Failed { device, what, why },
            _ => ClientError::Refused { device, what, why },
        })
    }

    /// Why the driver refused something or failed, in its own words, for which it gets a moment.
    pub(super) async fn reason(&self, session: u64, sequence: u64) -> Result<String> {
        let words = |device: &Device| device.complaint(sequence).map(Ok);
        match self.until(session, EXPLANATION, "a reason", words).await {
            Err(ClientError::Timeout { .. }) => Ok("it does not say why".to_owned()),
            words => words,
        }
    }

    /// The same as an error.
    pub(super) async fn failure(&self, session: u64, sequence: u64, what: &str) -> ClientError {
        match self.reason(session, sequence).await {
            Ok(why) => ClientError::Failed { device: self.name().to_owned(), what: what.to_owned(), why },
            Err(gone) => gone,
        }
    }

    /// The vector, or the reason why there is none.
    pub(super) fn defined<'d>(&self, device: &'d Device, vector: &str) -> Result<&'d Vector> {
        device.vector(vector).ok_or_else(|| self.lacks(device, vector))
    }

    pub(super) fn lacks(&self, device: &Device, what: &str) -> ClientError {
        if device.is_connected() {
            ClientError::not_supported(self.name(), format!("it has no {what}"))
        } else {
            ClientError::NotConnected { device: self.name().to_owned() }
        }
    }

    fn check(&self, device: &Device, name: &str, wishes: &[(&str, Wish)]) -> Result<Kind> {
        let vector = self.defined(device, name)?;
        if vector.perm == Perm::Ro {
            return Err(ClientError::not_supported(self.name(), format!("{name} is read-only")));
        }
        for (element, wish) in wishes {
            let Some(known) = vector.element(element) else {
                let names: Vec<&str> = vector.elements.iter().map(|element| element.name.as_str()).collect();
                let sentence = format!("{name} has no element {element}; it has {}", names.join(", "));
                return Err(ClientError::Invalid(sentence));
            };
            let fits = match (&known.value, wish) {
                (ElementValue::Number { .. }, Wish::Number(asked)) => {
                    within(&format!("{name}.{element}"), *asked, device.limits(name, element))?;
                    true
                }
                (ElementValue::Switch(_), Wish::On(_)) | (ElementValue::Text(_), Wish::Text(_)) => true,
                _ => false,
            };
            if !fits {
                return Err(ClientError::Invalid(format!("{name}.{element} takes {}", takes(vector.kind))));
            }
        }
        let on = wishes.iter().filter(|(_, wish)| *wish == Wish::On(true)).count();
        if matches!(vector.rule, Some(Rule::OneOfMany | Rule::AtMostOne)) && on > 1 {
            return Err(ClientError::Invalid(format!("{name} takes one switch that is on, not {on}")));
        }
        Ok(vector.kind)
    }
}

/// A number that is one, and that the limits allow, both ends included.
pub(super) fn within(what: &str, asked: f64, limits: Option<(f64, f64)>) -> Result<()> {
    if !asked.is_finite() {
        return Err(ClientError::Invalid(format!("{what} takes a finite number, not {asked}")));
    }
    match limits {
        Some((min, max)) if !(min..=max).contains(&asked) => {
            Err(ClientError::OutOfRange { what: what.to_owned(), asked, min, max })
        }
        _ => Ok(()),
    }
}

/// How many frames one request for an exposure is for.
fn frames(device: &Device) -> f64 {
    let fast = device.is_on("CCD_FAST_TOGGLE", "INDI_ENABLED") == Some(true);
    device.number("CCD_FAST_COUNT", "FRAMES").filter(|_| fast).unwrap_or(1.0)
}

fn takes(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a text",
        Kind::Number => "a number",
        Kind::Switch => "on or off",
        Kind::Light | Kind::Blob => "nothing",
    }
}
