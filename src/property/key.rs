//! Keys: a vector's name and the type of its value in one constant.
//!
//! A key is made from a [`Skeleton`] in `const` evaluation, which checks it against the file, and used with the
//! [`Store`](super::store::Store): `let [x, y, width, height] = store.get(&CCD_FRAME)`.

use std::marker::PhantomData;

use super::skeleton::Skeleton;
use crate::wire::{Kind, Rule, State};

/// A vector's values, by position.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the kinds that have values")]
pub enum Values {
    Numbers(Vec<f64>),
    Texts(Vec<String>),
    Switches(Vec<bool>),
    Lights(Vec<State>),
}

/// Something that names a vector and knows the type of its value.
pub trait Key: Copy + 'static {
    /// The value as the device uses it.
    type Value;

    /// The vector's name.
    fn vector(&self) -> &'static str;
    /// The typed value of a whole vector. `values` is of this key's kind and arity: the skeleton was checked.
    fn read(&self, values: &Values) -> Self::Value;
    /// The values of a whole vector.
    fn write(&self, value: Self::Value) -> Values;
}

/// The switches of a vector as an enum: made by `choices!`.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every variant, in the order of the skeleton.
    const ALL: &'static [Self];
    /// The element name of each.
    const ELEMENTS: &'static [&'static str];
}

/// Declares an enum whose variants are the elements of a switch vector.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $element:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "named after the elements")]
        pub enum $name { $($variant),+ }

        impl $crate::property::key::Choice for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            const ELEMENTS: &'static [&'static str] = &[$($element),+];
        }
    };
}
pub(crate) use choices;

/// A number vector of `N` elements.
#[derive(Clone, Copy, Debug)]
pub struct Number<const N: usize> {
    vector: &'static str,
}

/// A text vector of `N` elements.
#[derive(Clone, Copy, Debug)]
pub struct Text<const N: usize> {
    vector: &'static str,
}

/// A switch vector of which exactly one is on.
#[derive(Clone, Copy, Debug)]
pub struct OneOf<E> {
    vector: &'static str,
    choice: PhantomData<E>,
}

/// A switch vector of which any number may be on.
#[derive(Clone, Copy, Debug)]
pub struct AnyOf<E> {
    vector: &'static str,
    choice: PhantomData<E>,
}

/// A switch vector of which exactly one is on, and whose elements are the camera's
/// ([`Store::set_choices`](super::store::Store::set_choices)); the skeleton lists none.
#[derive(Clone, Copy, Debug)]
pub struct Menu {
    vector: &'static str,
}

/// A text vector whose elements are found out at run time
/// ([`Store::set_elements`](super::store::Store::set_elements)); the skeleton lists none.
#[derive(Clone, Copy, Debug)]
pub struct Texts {
    vector: &'static str,
}

/// A switch vector of buttons: a client presses one, the driver acts and shows all off again.
#[derive(Clone, Copy, Debug)]
pub struct Action<E> {
    vector: &'static str,
    choice: PhantomData<E>,
}

/// A light vector of `N` elements.
#[derive(Clone, Copy, Debug)]
pub struct Light<const N: usize> {
    vector: &'static str,
}

/// A BLOB vector of one element.
#[derive(Clone, Copy, Debug)]
pub struct Blob {
    /// The vector's name.
    pub vector: &'static str,
    /// Its element's name.
    pub element: &'static str,
}

impl Skeleton {
    /// Binds a number vector.
    #[must_use]
    pub const fn number<const N: usize>(
        &self,
        vector: &'static str,
        elements: [&'static str; N],
    ) -> Number<N> {
        self.bind(vector, Kind::Number, None, &elements);
        Number { vector }
    }

    /// Binds a text vector.
    #[must_use]
    pub const fn text<const N: usize>(&self, vector: &'static str, elements: [&'static str; N]) -> Text<N> {
        self.bind(vector, Kind::Text, None, &elements);
        Text { vector }
    }

    /// Binds a text vector without elements.
    #[must_use]
    pub const fn texts(&self, vector: &'static str) -> Texts {
        self.bind(vector, Kind::Text, None, &[]);
        Texts { vector }
    }

    /// Binds a one-of-many switch vector; the elements are those of the enum.
    #[must_use]
    pub const fn one_of<E: Choice>(&self, vector: &'static str) -> OneOf<E> {
        self.bind(vector, Kind::Switch, Some(Rule::OneOfMany), E::ELEMENTS);
        OneOf { vector, choice: PhantomData }
    }

    /// Binds an any-of-many switch vector; the elements are those of the enum.
    #[must_use]
    pub const fn any_of<E: Choice>(&self, vector: &'static str) -> AnyOf<E> {
        self.bind(vector, Kind::Switch, Some(Rule::AnyOfMany), E::ELEMENTS);
        AnyOf { vector, choice: PhantomData }
    }

    /// Binds a one-of-many switch vector without elements.
    #[must_use]
    pub const fn menu(&self, vector: &'static str) -> Menu {
        self.bind(vector, Kind::Switch, Some(Rule::OneOfMany), &[]);
        Menu { vector }
    }

    /// Binds a vector of buttons; the elements are those of the enum.
    #[must_use]
    pub const fn action<E: Choice>(&self, vector: &'static str) -> Action<E> {
        self.bind(vector, Kind::Switch, Some(Rule::AtMostOne), E::ELEMENTS);
        Action { vector, choice: PhantomData }
    }

    /// Binds a light vector.
    #[must_use]
    pub const fn light<const N: usize>(&self, vector: &'static str, elements: [&'static str; N]) -> Light<N> {
        self.bind(vector, Kind::Light, None, &elements);
        Light { vector }
    }

    /// Binds a BLOB vector.
    #[must_use]
    pub const fn blob(&self, vector: &'static str, element: &'static str) -> Blob {
        self.bind(vector, Kind::Blob, None, &[element]);
        Blob { vector, element }
    }
}

impl<const N: usize> Key for Number<N> {
    type Value = [f64; N];

    fn vector(&self) -> &'static str {
        self.vector
    }

    fn read(&self, values: &Values) -> [f64; N] {
        let mut out = [0.0; N];
        if let Values::Numbers(numbers) = values {
            out.iter_mut().zip(numbers).for_each(|(to, from)| *to = *from);
        }
        out
    }

    fn write(&self, value: [f64; N]) -> Values {
        Values::Numbers(value.to_vec())
    }
}

impl<const N: usize> Key for Text<N> {
    type Value = [String; N];

    fn vector(&self) -> &'static str {
        self.vector
    }

    fn read(&self, values: &Values) -> [String; N] {
        let Values::Texts(texts) = values else { return [const { String::new() }; N] };
        std::array::from_fn(|i| texts.get(i).cloned().unwrap_or_default())
    }

    fn write(&self, value: [String; N]) -> Values {
        Values::Texts(value.to_vec())
    }
}

impl<const N: usize> Key for Light<N> {
    type Value = [State; N];

    fn vector(&self) -> &'static str {
        self.vector
    }

    fn read(&self, values: &Values) -> [State; N] {
        let mut out = [State::Idle; N];
        if let Values::Lights(lights) = values {
            out.iter_mut().zip(lights).for_each(|(to, from)| *to = *from);
        }
        out
    }

    fn write(&self, value: [State; N]) -> Values {
        Values::Lights(value.to_vec())
    }
}

impl Key for Texts {
    /// One for each element, in order.
    type Value = Vec<String>;

    fn vector(&self) -> &'static str {
        self.vector
    }

    fn read(&self, values: &Values) -> Vec<String> {
        match values {
            Values::Texts(texts) => texts.clone(),
            Values::Numbers(_) | Values::Switches(_) | Values::Lights(_) => Vec::new(),
        }
    }

    fn write(&self, value: Vec<String>) -> Values {
        Values::Texts(value)
    }
}

impl<E: Choice> Key for OneOf<E> {
    type Value = E;

    fn vector(&self) -> &'static str {
        self.vector
    }

    fn read(&self, values: &Values) -> E {
        pressed(values).unwrap_or(E::ALL[0])
    }

    fn write(&self, value: E) -> Values {
        Values::Switches(E::ALL.iter().map(|choice| *choice == value).collect())
    }
}

impl<E: Choice> Key for AnyOf<E> {
    /// What is on.
    type Value = Vec<E>;

    fn vector(&self) -> &'static str {
        self.vector
    }

    fn read(&self, values: &Values) -> Vec<E> {
        let Values::Switches(switches) = values else { return Vec::new() };
        E::ALL.iter().zip(switches).filter(|(_, on)| **on).map(|(choice, _)| *choice).collect()
    }

    fn write(&self, value: Vec<E>) -> Values {
        Values::Switches(E::ALL.iter().map(|choice| value.contains(choice)).collect())
    }
}

impl Key for Menu {
    /// One for each element, in order.
    type Value = Vec<bool>;

    fn vector(&self) -> &'static str {
        self.vector
    }

    fn read(&self, values: &Values) -> Vec<bool> {
        match values {
            Values::Switches(switches) => switches.clone(),
            Values::Numbers(_) | Values::Texts(_) | Values::Lights(_) => Vec::new(),
        }
    }

    fn write(&self, value: Vec<bool>) -> Values {
        Values::Switches(value)
    }
}

impl<E: Choice> Key for Action<E> {
    type Value = Option<E>;

    fn vector(&self) -> &'static str {
        self.vector
    }

    fn read(&self, values: &Values) -> Option<E> {
        pressed(values)
    }

    fn write(&self, value: Option<E>) -> Values {
        Values::Switches(E::ALL.iter().map(|choice| Some(*choice) == value).collect())
    }
}

/// The first choice that is on.
fn pressed<E: Choice>(values: &Values) -> Option<E> {
    let Values::Switches(switches) = values else { return None };
    E::ALL.iter().zip(switches).find(|(_, on)| **on).map(|(choice, _)| *choice)
}
