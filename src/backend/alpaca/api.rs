//! One camera of an Alpaca server: its properties read and written by name.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::fault::{Fault, ascom};
use super::http::{Answer, Http, Method, Patience, Request};
use super::now;

/// A request that takes longer has failed, whatever time the call has left.
const REQUEST: Duration = Duration::from_secs(5);

/// A camera at a server. All requests of one call share the time that [`Api::begin`] gives them.
#[derive(Debug)]
pub(super) struct Api {
    http: Http,
    device: u32,
    transaction: u32,
    end: Instant,
}

impl Api {
    /// The camera number `device` of the server at `address`.
    pub(super) fn new(address: &str, device: u32) -> Self {
        Api::over(Http::new(address), device)
    }

    fn over(http: Http, device: u32) -> Self {
        Api { http, device, transaction: 0, end: now() + REQUEST }
    }

    /// The same camera over a connection of its own.
    pub(super) fn another(&self) -> Self {
        Api::over(self.http.another(), self.device)
    }

    /// Where the server is.
    pub(super) fn address(&self) -> &str {
        self.http.address()
    }

    /// Where the camera is, as [`CameraId::bus`](crate::camera::types::CameraId) tells it.
    pub(super) fn bus(&self) -> String {
        format!("{}/{}", self.address(), self.device)
    }

    /// Gives the requests that follow so much time altogether.
    pub(super) fn begin(&mut self, time: Duration) {
        self.end = now() + time;
    }

    fn limit(&self) -> Result<Duration, Fault> {
        self.within(REQUEST)
    }

    fn within(&self, most: Duration) -> Result<Duration, Fault> {
        let left = self.end.saturating_duration_since(now());
        if left.is_zero() { Err(Fault::Slow(most)) } else { Ok(left.min(most)) }
    }

    /// Any value.
    pub(super) fn get(&mut self, name: &str) -> Result<Value, Fault> {
        let path = self.path(name);
        let request = Request { method: Method::Get, path: &path, body: "", accept: "application/json" };
        let limit = self.limit()?;
        let answer = self.http.fetch(request, limit)?;
        value(&answer)
    }

    /// A number.
    pub(super) fn number(&mut self, name: &str) -> Result<f64, Fault> {
        let value = self.get(name)?;
        value.as_f64().ok_or_else(|| not(name, "a number", &value))
    }

    /// A whole number; some servers write it with a fraction of 0.
    pub(super) fn whole(&mut self, name: &str) -> Result<i64, Fault> {
        let value = self.get(name)?;
        #[expect(clippy::cast_possible_truncation, reason = "far inside what is checked")]
        let rounded = |number: f64| (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64);
        let whole = value.as_i64().or_else(|| value.as_f64().and_then(rounded));
        whole.ok_or_else(|| not(name, "a whole number", &value))
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Fault> {
        let value = self.get(name)?;
        value.as_bool().ok_or_else(|| not(name, "true or false", &value))
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str) -> Result<String, Fault> {
        let value = self.get(name)?;
        value.as_str().map(str::to_owned).ok_or_else(|| not(name, "a text", &value))
    }

    /// Several texts.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, Fault> {
        let value = self.get(name)?;
        let texts = value.as_array().and_then(|all| {
            all.iter().map(|each| each.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
        });
        texts.ok_or_else(|| not(name, "a list of texts", &value))
    }

    /// Writes a property, or calls a method; the answer's value, if it has one.
    pub(super) fn put(&mut self, name: &str, form: &[(&str, String)]) -> Result<Value, Fault> {
        self.put_within(name, form, REQUEST)
    }

    /// The same for what may take longer.
    pub(super) fn put_within(
        &mut self,
        name: &str,
        form: &[(&str, String)],
        most: Duration,
    ) -> Result<Value, Fault> {
        let path = format!("/api/v1/camera/{}/{name}", self.device);
        let fields = form.iter().map(|(key, value)| format!("{key}={}", escape(value)));
        let body = fields.chain([self.identity()]).collect::<Vec<_>>().join("&");
        let request = Request { method: Method::Put, path: &path, body: &body, accept: "application/json" };
        let limit = self.within(most)?;
        let answer = self.http.fetch(request, limit)?;
        match value(&answer) {
            // A method has no value.
            Err(Fault::Nonsense(_)) if answer.status == 200 && has_no_value(&answer) => Ok(Value::Null),
            result => result,
        }
    }

    /// The image of the last exposure, as the server sends it.
    pub(super) fn image(&mut self, patience: Patience) -> Result<Answer, Fault> {
        let path = self.path("imagearray");
        let accept = "application/imagebytes";
        let answer = self
            .http
            .fetch_patiently(Request { method: Method::Get, path: &path, body: "", accept }, patience)?;
        if answer.status == 200 { Ok(answer) } else { Err(Fault::http(answer.status, &answer.body)) }
    }

    fn path(&mut self, name: &str) -> String {
        let identity = self.identity();
        format!("/api/v1/camera/{}/{name}?{identity}", self.device)
    }

    fn identity(&mut self) -> String {
        self.transaction = self.transaction % i32::MAX.unsigned_abs() + 1;
        // Servers hold it in 16 bits, some of them signed.
        let client = std::process::id() % 32_767 + 1;
        format!("ClientID={client}&ClientTransactionID={}", self.transaction)
    }
}

/// A request that is not about a camera, such as what the server has.
pub(super) fn ask(http: &mut Http, path: &str, limit: Duration) -> Result<Value, Fault> {
    let request = Request { method: Method::Get, path, body: "", accept: "application/json" };
    value(&http.fetch(request, limit)?)
}

/// What is asked for, or nothing where the camera lacks it or refuses to tell.
pub(super) fn optional<T>(result: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Fault::Refused { number: ascom::NOT_CONNECTED, .. }) => Err(Fault::Closed),
        Err(fault) if fault.is_answer() => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The value in an answer, or the error.
pub(super) fn value(answer: &Answer) -> Result<Value, Fault> {
    if answer.status != 200 {
        return Err(Fault::http(answer.status, &answer.body));
    }
    let mut envelope = envelope(answer)?;
    check_envelope(&envelope)?;
    match envelope.get_mut("Value").map(Value::take) {
        Some(value) => Ok(value),
        None => Err(Fault::Nonsense("an answer without a value".to_owned())),
    }
}

fn envelope(answer: &Answer) -> Result<Value, Fault> {
    serde_json::from_slice(&answer.body)
        .map_err(|error| Fault::Nonsense(format!("{error} ({})", answer.content_type)))
}

/// The error that an answer tells, if it does.
pub(super) fn check_envelope(envelope: &Value) -> Result<(), Fault> {
    if !envelope.is_object() {
        return Err(Fault::Nonsense("an answer that is no object".to_owned()));
    }
    match envelope.get("ErrorNumber").and_then(Value::as_i64).unwrap_or(0) {
        0 => Ok(()),
        number => {
            let message = envelope.get("ErrorMessage").and_then(Value::as_str).unwrap_or_default();
            // Windows drivers' own numbers, where the server passes them on as they are.
            Err(Fault::refused(number & 0xFFFF, message))
        }
    }
}

fn has_no_value(answer: &Answer) -> bool {
    envelope(answer).is_ok_and(|envelope| envelope.is_object() && envelope.get("Value").is_none())
}

fn not(name: &str, wanted: &str, value: &Value) -> Fault {
    Fault::Nonsense(format!("{name} is {:.60}, which is not {wanted}", value.to_string()))
}

/// A text as it stands in a form.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    escaped
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Answer {
        Answer { status: 200, content_type: "application/json".to_owned(), body: body.as_bytes().to_vec() }
    }

    #[track_caller]
    fn says(body: &str, words: &str) {
        let error = value(&answer(body)).unwrap_err().of("connect", "a:1");
        assert_eq!(error.detail, words);
    }

    #[test]
    fn the_value_of_an_answer_is_found_wherever_it_stands() {
        let body = r#"{"ErrorMessage":"","ClientTransactionID":1,"Value":[1,2],"ErrorNumber":0}"#;
        assert_eq!(value(&answer(body)).unwrap(), serde_json::json!([1, 2]));
        assert_eq!(value(&answer(r#"{"Value":null}"#)).unwrap(), Value::Null);
    }

    #[test]
    fn an_answer_that_is_none_is_told_as_such() {
        let refused = "refused by the camera: no (ASCOM error 0x400)";
        says(r#"{"Value":1,"ErrorNumber":1024,"ErrorMessage":"no"}"#, refused);
        says(r#"{"Value":1,"ErrorNumber":-2147220480,"ErrorMessage":"no"}"#, refused);
        let nonsense = |why: &str| format!("the Alpaca server at a:1 answers with nonsense: {why}");
        says("{}", &nonsense("an answer without a value"));
        says("[]", &nonsense("an answer that is no object"));
        says("<html>", &nonsense("expected value at line 1 column 1 (application/json)"));
    }

    #[test]
    fn what_a_form_would_misread_is_escaped() {
        assert_eq!(escape("a b&c=d/é~1.5"), "a%20b%26c%3Dd%2F%C3%A9~1.5");
    }
}
