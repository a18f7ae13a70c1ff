//! Names of properties as people write them: `Device.PROPERTY.ELEMENT`, with `*` for anything.

use super::fault::Fault;

/// Whether a pattern means a name. What is left out at the end means all: `Device` is `Device.*.*`.
pub(super) fn means(pattern: &str, name: &str) -> bool {
    matches(pattern.as_bytes(), name.as_bytes())
        || name.match_indices('.').any(|(at, _)| matches(pattern.as_bytes(), &name.as_bytes()[..at]))
}

/// `*` is any number of characters, dots included.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where to go on when it was too early to end the last star.
    let mut star = None;
    while from < name.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at + 1, from));
            at += 1;
        } else if pattern.get(at) == Some(&name[from]) {
            at += 1;
            from += 1;
        } else if let Some((after, taken)) = star {
            star = Some((after, taken + 1));
            (at, from) = (after, taken + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

/// What a vector is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) device: String,
    pub(super) property: String,
    /// Element and value, in the order given.
    pub(super) values: Vec<(String, String)>,
}

impl Assignment {
    /// `Device.PROPERTY.ELEMENT=value`, with `;ELEMENT=value` for more elements. A semicolon that is not followed by
    /// a name and an equals sign belongs to the value, and so does all behind the first equals sign.
    pub(super) fn parse(text: &str) -> Result<Assignment, Fault> {
        let wrong = || {
            Fault::usage(format!("{text:?} is no assignment"))
                .advise("Write Device.PROPERTY.ELEMENT=value, and ;ELEMENT=value for more of its elements.")
        };
        let (name, rest) = text.split_once('=').ok_or_else(wrong)?;
        // Names of devices may have dots in them, those of properties and elements have none.
        let mut parts = name.rsplitn(3, '.');
        let (element, property, device) = (parts.next(), parts.next(), parts.next());
        let (Some(element), Some(property), Some(device)) = (element, property, device) else {
            return Err(wrong());
        };
        if [element, property, device].iter().any(|part| part.is_empty() || part.contains('*')) {
            return Err(wrong());
        }
        let mut values = vec![(element.to_owned(), String::new())];
        for (n, part) in rest.split(';').enumerate() {
            let next = part.split_once('=').filter(|(name, _)| n > 0 && is_name(name));
            match (next, values.last_mut()) {
                (Some((name, value)), _) => values.push((name.trim().to_owned(), value.to_owned())),
                (None, Some((_, value))) => {
                    value.push_str(if n > 0 { ";" } else { "" });
                    value.push_str(part);
                }
                (None, None) => {}
            }
        }
        Ok(Assignment { device: device.to_owned(), property: property.to_owned(), values })
    }
}

fn is_name(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-' || c == ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_look_like() {
        let name = "CCD Simulator.CCD_FRAME.WIDTH";
        for pattern in [
            "CCD Simulator.CCD_FRAME.WIDTH",
            "CCD Simulator.CCD_FRAME",
            "CCD Simulator",
            "*",
            "*.*.*",
            "*.WIDTH",
            "*.CCD_FRAME",
            "CCD*.CCD_*",
            "CCD Simulator.*.W*H",
        ] {
            assert!(means(pattern, name), "{pattern}");
        }
        for pattern in ["", "CCD", "CCD Simulator.CCD", "*.HEIGHT", "CCD_FRAME", "*WIDTH.", "ccd*"] {
            assert!(!means(pattern, name), "{pattern}");
        }
    }

    #[test]
    fn assignments_are_taken_apart() {
        let check = |text: &str, property: &str, values: &[(&str, &str)]| {
            let found = Assignment::parse(text).unwrap();
            assert_eq!((&*found.device, &*found.property), ("Cam 2.0", property), "{text}");
            let owned: Vec<_> = values.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            assert_eq!(found.values, owned, "{text}");
        };
        check("Cam 2.0.CONNECTION.CONNECT=On", "CONNECTION", &[("CONNECT", "On")]);
        check(
            "Cam 2.0.CCD_FRAME.X=0;Y=-1.5;WIDTH=",
            "CCD_FRAME",
            &[("X", "0"), ("Y", "-1.5"), ("WIDTH", "")],
        );
        check("Cam 2.0.T.A=a=b;c;d e=f", "T", &[("A", "a=b;c"), ("d e", "f")]);
        check("Cam 2.0.T.A=x;/y=z", "T", &[("A", "x;/y=z")]);
        for nonsense in ["", "a.b.c", "b.c=1", "=1", "a..c=1", "a.b.=1", "*.b.c=1"] {
            assert!(Assignment::parse(nonsense).is_err(), "{nonsense}");
        }
    }
}
