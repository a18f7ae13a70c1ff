//! From the arguments to a line: to a server, to a driver, or to the simulated camera that comes with this tool.

use std::iter;
use std::path::PathBuf;
use std::time::Duration;

use indi_camera::client::{Address, Camera, ClientError, Launch, Mirror, Patience, Server};

use super::arguments::Reach;
use super::fault::{Exit, Fault};

/// The driver that comes with this tool; it lies beside it.
const DRIVER: &str = "indi_camera_ccd";
/// The least time that a camera has to connect: some need their firmware first.
const CONNECTING: Duration = Duration::from_secs(60);

impl Reach {
    /// Where to go; the servers in the order given.
    pub(super) fn addresses(&self) -> Result<Vec<Address>, Fault> {
        if let Some(program) = &self.driver {
            return Ok(vec![Address::driver(program)]);
        }
        if self.server.is_empty() {
            return simulator().map(|address| vec![address]);
        }
        let addresses = self.server.iter().map(|text| text.parse::<Address>());
        addresses.map(|address| address.map_err(|error| Fault::usage(error.to_string()))).collect()
    }

    /// A line to the one place that is meant.
    pub(super) async fn server(&self) -> Result<Server, Fault> {
        match self.addresses()?.as_slice() {
            [address] => self.connect(address).await,
            _ => Err(Fault::usage("--server may be given once here; only scan takes several")),
        }
    }

    /// A line to that place.
    pub(super) async fn connect(&self, address: &Address) -> Result<Server, Fault> {
        let patience = Patience {
            answer: self.timeout,
            appear: self.timeout,
            connect: self.timeout.max(CONNECTING),
            ..Patience::default()
        };
        Server::connect(address.clone(), patience).await.map_err(|error| unreachable(address, error))
    }

    /// The camera that is meant: the one that was named, or the only one.
    pub(super) async fn camera(&self, server: &Server) -> Result<Camera, Fault> {
        let wanted = match &self.camera {
            Some(name) => name.clone(),
            None => only(server.scanning().await?.camera)?,
        };
        let found = server.until(self.timeout, format!("the camera {wanted}"), |mirror| {
            mirror.device(&wanted).filter(|device| device.vector("CONNECTION").is_some()).map(|_| ())
        });
        match found.await {
            Err(ClientError::Timeout { .. }) => {
                let known = server.look(names);
                Err(Fault::from(ClientError::NoSuchDevice { device: wanted, known }))
            }
            Err(error) => Err(error.into()),
            Ok(()) => Ok(server.camera(wanted)),
        }
    }

    /// What to type in a shell to give this command to the same camera.
    pub(super) fn to_type(&self, command: &str) -> String {
        let servers = self.server.iter().map(|server| ("--server", server.clone()));
        let driver = self.driver.iter().map(|program| ("--driver", program.display().to_string()));
        let camera = self.camera.iter().map(|name| ("--camera", name.clone()));
        let options = servers.chain(driver).chain(camera);
        let options = options.map(|(option, value)| format!("{option} {}", quoted(&value)));
        let words: Vec<String> =
            iter::once("indi-camera".to_owned()).chain(options).chain([command.to_owned()]).collect();
        words.join(" ")
    }

    /// Whether the other end is the simulated camera that comes and goes with this tool.
    pub(super) fn is_simulator(&self) -> bool {
        self.server.is_empty() && self.driver.is_none()
    }

    /// Whether the driver at the other end is ours alone.
    pub(super) fn is_own_driver(&self) -> bool {
        self.server.is_empty()
    }

    /// Connects the cameras of a driver that is ours alone: nobody else does, and most properties come with that.
    pub(super) async fn connect_own_cameras(&self, server: &Server) -> Result<(), Fault> {
        if self.is_own_driver() {
            for name in server.scanning().await?.camera {
                server.camera(name).connect().await?;
            }
        }
        Ok(())
    }
}

/// One word of a shell.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@%+:,./_-".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Names of all devices, in the order in which they are said each time.
fn names(mirror: &Mirror) -> Vec<String> {
    let mut names: Vec<String> = mirror.devices().iter().map(|device| device.name().to_owned()).collect();
    names.sort();
    names
}

fn only(mut cameras: Vec<String>) -> Result<String, Fault> {
    match (cameras.pop(), cameras.as_slice()) {
        (Some(camera), []) => Ok(camera),
        (Some(last), others) => {
            let names = format!("{} and {last}", others.join(", "));
            Err(Fault::usage(format!("there are several cameras: {names}"))
                .advise(format!("Say which one: --camera '{last}'")))
        }
        (None, _) => Err(Fault::unknown("there is no camera").advise(
            "A camera's driver has to run in the server: indiserver indi_camera_simulator_ccd, for example.",
        )),
    }
}

fn simulator() -> Result<Address, Fault> {
    let beside = std::env::current_exe().ok().map(|tool| tool.with_file_name(DRIVER));
    let program: PathBuf = beside.filter(|program| program.is_file()).ok_or_else(|| {
        Fault::new(
            Exit::Unreachable,
            indi_camera::camera::answer::Code::Io,
            format!("the simulated camera is not there: no {DRIVER} beside this program"),
        )
        .advise("Install or build both (cargo build), or name a server (--server) or a driver (--driver).")
    })?;
    Ok(Address::Driver(Launch::new(program).env("INDI_CAMERA_BACKENDS", "simulator")))
}

/// What to do next depends on what was tried.
fn unreachable(address: &Address, error: ClientError) -> Fault {
    let fault = Fault::from(error);
    let advice = match address {
        Address::Tcp { host, port } if host == "localhost" || host.starts_with("127.") => format!(
            "Start a server (indiserver -p {port} indi_camera_simulator_ccd), or leave --server away to use the \
             simulated camera without one."
        ),
        Address::Tcp { host, port } => {
            format!("Does indiserver run on {host}, and does a firewall let port {port} through?")
        }
        Address::Local(name) => format!("Start a server (indiserver -u {name} …), or name its port."),
        Address::Driver(_) => {
            "Is it an INDI driver? Started by hand in a terminal, it would wait for input without a word."
                .to_owned()
        }
    };
    if fault.exit == Exit::Unreachable { fault.advise(advice) } else { fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_typed_reaches_the_same_camera_through_a_shell() {
        let reach = Reach {
            server: vec!["@/tmp/indi".to_owned()],
            driver: None,
            camera: Some("Bob's $CCD".to_owned()),
            timeout: CONNECTING,
        };
        let line = reach.to_type("scan");
        assert_eq!(line, r"indi-camera --server @/tmp/indi --camera 'Bob'\''s $CCD' scan");
        let reach = Reach { server: Vec::new(), driver: Some("./my driver".into()), camera: None, ..reach };
        assert_eq!(reach.to_type("scan"), "indi-camera --driver './my driver' scan");
    }
}
