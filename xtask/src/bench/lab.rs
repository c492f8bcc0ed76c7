//! A world of the lab, served while a benchmark runs.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::pause;

/// A lab that runs until dropped.
pub struct Lab(Child);

impl Lab {
    /// Serves the world on port 53.
    pub fn start(ours: &Path, world: &Path) -> Result<Self, String> {
        let child = Command::new(ours)
            .args(["lab", "run"])
            .arg(world)
            .args(["--port", "53"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("could not start the lab: {error}"))?;
        let mut lab = Lab(child);
        let until = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(("127.0.0.1", 5399)).is_err() {
            if Instant::now() > until || !matches!(lab.0.try_wait(), Ok(None)) {
                return Err(format!("the lab did not start with `{}`", world.display()));
            }
            pause();
        }
        Ok(lab)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // It has nothing to keep.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
