//! The controls of a camera: which of them are exposure, gain and black level, and the rest under names of their own.

use std::os::fd::BorrowedFd;

use rustix::io::Errno;

use super::abi;
use crate::camera::types::{CONTROL_VALUE, Control, ControlKind, Range, Value};

const GAIN: u32 = 0x0098_0913;
const AUTOGAIN: u32 = 0x0098_0912;
const BLACK_LEVEL: u32 = 0x0098_090b;
const BRIGHTNESS: u32 = 0x0098_0900;
const EXPOSURE_AUTO: u32 = 0x009a_0901;
const EXPOSURE_ABSOLUTE: u32 = 0x009a_0902;
const ANALOGUE_GAIN: u32 = 0x009e_0903;
/// A place in the menu of [`EXPOSURE_AUTO`].
const EXPOSURE_MANUAL: i32 = 1;

/// Kinds of control in the kernel's numbers.
const INTEGER: u32 = 1;
const BOOLEAN: u32 = 2;
const MENU: u32 = 3;
const INTEGER_MENU: u32 = 9;

/// One control.
#[derive(Clone, Debug)]
pub(super) struct Knob {
    id: u32,
    range: Range<i32>,
    control: Control,
}

/// All controls of a camera that is open.
#[derive(Debug, Default)]
pub(super) struct Controls {
    exposure: Option<Knob>,
    gain: Option<Knob>,
    offset: Option<Knob>,
    automatic: Vec<u32>,
    others: Vec<Knob>,
}

impl Controls {
    /// Lists them. Exposure and gain become manual: a picture is what was asked for.
    pub(super) fn read(node: BorrowedFd<'_>) -> Self {
        let mut controls = Controls::default();
        let mut after = 0;
        // The kernel never names the same number twice, but a broken driver might.
        while let Ok(query) = abi::query_control(node, after | abi::CTRL_FLAG_NEXT)
            && query.id > after
        {
            after = query.id;
            controls.add(node, &query);
        }
        // A brightness control is the black level where there is no other.
        if controls.offset.is_none()
            && let Some(at) = controls.others.iter().position(|knob| knob.id == BRIGHTNESS)
        {
            controls.offset = Some(controls.others.remove(at));
        }
        for id in &controls.automatic {
            let manual = if *id == EXPOSURE_AUTO { EXPOSURE_MANUAL } else { 0 };
            if let Err(error) = abi::set_control(node, *id, manual) {
                tracing::warn!(%error, "exposure or gain stays automatic");
            }
        }
        controls
    }

    fn add(&mut self, node: BorrowedFd<'_>, query: &abi::QueryControl) {
        let unusable = abi::CTRL_FLAG_DISABLED | abi::CTRL_FLAG_READ_ONLY | abi::CTRL_FLAG_WRITE_ONLY;
        let (Ok(min), Ok(max)) = (i32::try_from(query.min), i32::try_from(query.max)) else { return };
        if query.flags & unusable != 0 {
            return;
        }
        if matches!(query.id, EXPOSURE_AUTO | AUTOGAIN) {
            return self.automatic.push(query.id);
        }
        let step = i32::try_from(query.step).unwrap_or(1);
        let Some(kind) = kind(node, query, min, max) else { return };
        let label = abi::text(&query.name);
        let control = Control { name: property(&label), label, kind };
        let knob = Knob { id: query.id, range: Range { min, max, step }, control };
        match query.id {
            EXPOSURE_ABSOLUTE => self.exposure = Some(knob),
            GAIN => self.gain = Some(knob),
            ANALOGUE_GAIN if self.gain.is_none() => self.gain = Some(knob),
            BLACK_LEVEL => self.offset = Some(knob),
            _ => self.others.push(knob),
        }
    }

    /// Exposure times in units of 100 µs, if they can be set.
    pub(super) fn exposures(&self) -> Option<Range<i32>> {
        self.exposure.as_ref().map(|knob| knob.range)
    }

    pub(super) fn gains(&self) -> Option<Range<i32>> {
        self.gain.as_ref().map(|knob| knob.range)
    }

    pub(super) fn offsets(&self) -> Option<Range<i32>> {
        self.offset.as_ref().map(|knob| knob.range)
    }

    /// What is left for properties of their own.
    pub(super) fn others(&self) -> Vec<Control> {
        self.others.iter().map(|knob| knob.control.clone()).collect()
    }

    pub(super) fn set_exposure(&self, node: BorrowedFd<'_>, units: i32) -> Result<i32, Errno> {
        set(node, self.exposure.as_ref(), units)
    }

    pub(super) fn gain(&self, node: BorrowedFd<'_>) -> Result<i32, Errno> {
        get(node, self.gain.as_ref())
    }

    pub(super) fn set_gain(&self, node: BorrowedFd<'_>, gain: i32) -> Result<i32, Errno> {
        set(node, self.gain.as_ref(), gain)
    }

    pub(super) fn offset(&self, node: BorrowedFd<'_>) -> Result<i32, Errno> {
        get(node, self.offset.as_ref())
    }

    pub(super) fn set_offset(&self, node: BorrowedFd<'_>, offset: i32) -> Result<i32, Errno> {
        set(node, self.offset.as_ref(), offset)
    }

    /// One of the others by the name of its property.
    pub(super) fn find(&self, name: &str) -> Option<&Knob> {
        self.others.iter().find(|knob| knob.control.name == name)
    }
}

impl Knob {
    pub(super) fn get(&self, node: BorrowedFd<'_>) -> Result<Value, Errno> {
        abi::control(node, self.id).map(|number| self.value(number))
    }

    /// Sets it and tells what it is then.
    pub(super) fn set(&self, node: BorrowedFd<'_>, number: i32) -> Result<Value, Errno> {
        abi::set_control(node, self.id, number).map(|number| self.value(number))
    }

    /// In the words of [`crate::camera::Camera::get_parameter`].
    fn value(&self, number: i32) -> Value {
        match &self.control.kind {
            ControlKind::Number(_) | ControlKind::Reading => {
                Value::Record(vec![(CONTROL_VALUE.to_owned(), Value::Number(f64::from(number)))])
            }
            ControlKind::Choice(_) => Value::Text(choice(number)),
        }
    }

    /// The kernel's number for a value; `None` if it does not take such a one.
    pub(super) fn number(&self, value: &Value) -> Option<i32> {
        match (&self.control.kind, value) {
            (ControlKind::Number(range), Value::Record(fields)) => {
                let Some((_, Value::Number(number))) = fields.iter().find(|(name, _)| name == CONTROL_VALUE)
                else {
                    return None;
                };
                let allowed = (range.min..=range.max).contains(number) && number.fract() == 0.0;
                #[allow(clippy::cast_possible_truncation, reason = "a whole number between two of 32 bits")]
                let number = *number as i32;
                allowed.then_some(number)
            }
            (ControlKind::Choice(choices), Value::Text(text)) => {
                let (name, _) = choices.iter().find(|(name, _)| name == text)?;
                name.strip_prefix(CHOICE)?.parse().ok()
            }
            _ => None,
        }
    }
}

/// A choice is named after its number, which is all of it that the kernel promises to be different for each.
const CHOICE: &str = "CHOICE_";

fn choice(number: i32) -> String {
    format!("{CHOICE}{number}")
}

fn kind(node: BorrowedFd<'_>, query: &abi::QueryControl, min: i32, max: i32) -> Option<ControlKind> {
    let number =
        |step: u64| ControlKind::Number(Range { min: min.into(), max: max.into(), step: step as f64 });
    match query.kind {
        INTEGER if min < max => Some(number(query.step)),
        BOOLEAN => {
            Some(ControlKind::Choice(vec![(choice(0), "Off".to_owned()), (choice(1), "On".to_owned())]))
        }
        MENU | INTEGER_MENU => {
            let item = |index: i32| {
                let place = u32::try_from(index).ok()?;
                let name = abi::menu_item(node, query.id, place).ok()?;
                let label = match query.kind {
                    MENU => abi::text(&name),
                    _ => i64::from_ne_bytes(name[..8].try_into().ok()?).to_string(),
                };
                Some((choice(index), label))
            };
            let choices: Vec<_> = (min..=max).filter_map(item).collect();
            (!choices.is_empty()).then_some(ControlKind::Choice(choices))
        }
        _ => None,
    }
}

/// `Power Line Frequency` becomes `V4L2_POWER_LINE_FREQUENCY`.
fn property(label: &str) -> String {
    let words = label.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_ascii_uppercase).collect();
    format!("V4L2_{}", words.join("_"))
}

fn get(node: BorrowedFd<'_>, knob: Option<&Knob>) -> Result<i32, Errno> {
    abi::control(node, knob.ok_or(Errno::NOTSUP)?.id)
}

fn set(node: BorrowedFd<'_>, knob: Option<&Knob>, value: i32) -> Result<i32, Errno> {
    abi::set_control(node, knob.ok_or(Errno::NOTSUP)?.id, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_named_after_the_kernels_labels() {
        assert_eq!(property("Power Line Frequency"), "V4L2_POWER_LINE_FREQUENCY");
        assert_eq!(property("White Balance, Automatic"), "V4L2_WHITE_BALANCE_AUTOMATIC");
    }

    #[test]
    fn what_a_control_does_not_take_is_refused() {
        let control = |kind| Control { name: "V4L2_X".to_owned(), label: "X".to_owned(), kind };
        let range = Range { min: -5, max: 5, step: 1 };
        let kind = ControlKind::Number(Range { min: -5.0, max: 5.0, step: 1.0 });
        let knob = Knob { id: 1, range, control: control(kind) };
        let number = |n: f64| knob.number(&Value::Record(vec![(CONTROL_VALUE.to_owned(), Value::Number(n))]));
        assert_eq!([number(-5.0), number(5.0), number(6.0), number(0.5)], [Some(-5), Some(5), None, None]);
        assert_eq!([number(f64::NAN), knob.number(&Value::Bool(true))], [None, None]);
        let kind = ControlKind::Choice(vec![(choice(0), "Off".to_owned()), (choice(2), "Fast".to_owned())]);
        let knob = Knob { id: 1, range, control: control(kind) };
        let chosen = |text: &str| knob.number(&Value::Text(text.to_owned()));
        assert_eq!([chosen("CHOICE_2"), chosen("CHOICE_1"), chosen("Fast")], [Some(2), None, None]);
    }
}
