//! `pilothouse catalog`: the embedded catalogue in a process of its own.

use std::io;

use super::exit::ExitCode;
use super::invocation::CatalogOptions;
use super::run::Console;
use crate::catalog::{self, Catalog, Settings};
use crate::events::Signal;
use crate::supervisor::Signals;

/// Serves until TERM, INT or the hang-up of its terminal, and answers 0 then. Other signals change nothing.
pub(super) fn serve(
    options: CatalogOptions,
    signals: Signals,
    console: &mut Console<'_>,
) -> ExitCode {
    let catalog = match catalog::bind(settings(options)) {
        Ok(catalog) => catalog,
        Err(error) => return console.refuse(&error.to_string(), ExitCode::Failure),
    };
    let address = catalog.local_addr();
    if !address.ip().is_loopback() {
        let warning = format!(
            "warning: {address} is not a loopback address, and the catalogue has no access control: \
             whoever reaches it can read and change everything in it"
        );
        console.refuse(&warning, ExitCode::Success);
    }
    let line = format!(
        "serving Consul's HTTP API at http://{address}, for development, tests and one host: nothing is kept\n"
    );
    let said = console.print(line.as_bytes());
    if said != ExitCode::Success {
        return said;
    }
    match until_signalled(catalog, signals) {
        Ok(()) => ExitCode::Success,
        Err(error) => console.refuse(&format!("cannot serve: {error}"), ExitCode::Failure),
    }
}

fn settings(options: CatalogOptions) -> Settings {
    let default = Settings::default();
    Settings {
        bind: options.bind.unwrap_or(default.bind),
        datacenter: options.datacenter.unwrap_or(default.datacenter),
        node: options.node.or_else(host_name).unwrap_or(default.node),
    }
}

/// The machine's name as far as it can be a node's.
fn host_name() -> Option<String> {
    let name = nix::unistd::gethostname().ok()?.into_string().ok()?;
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = name.chars().filter(fits).take(64).collect();
    Some(name).filter(|name| !name.is_empty())
}

fn until_signalled(catalog: Catalog, mut signals: Signals) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        signals.attach()?;
        let handle = catalog.serve().map_err(io::Error::other)?;
        let mut received = Vec::new();
        loop {
            signals.recv(&mut received).await?;
            let ends = received.drain(..).any(|it| match it.signal {
                Signal::TERM | Signal::INT => true,
                Signal::HUP => it.by_kernel,
                _ => false,
            });
            if ends {
                break;
            }
        }
        handle.close().await;
        Ok(())
    })
}
