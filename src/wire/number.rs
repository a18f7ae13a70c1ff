//! TEMP
/// T
#[derive(Debug, thiserror::Error)]
#[error("not a number")]
pub struct NumberError;
/// T
pub fn parse(t: &str) -> Result<f64, NumberError> { t.trim().parse::<f64>().map_err(|_e| NumberError).and_then(|v| if v.is_finite() {Ok(v)} else {Err(NumberError)}) }
