//! `quorate status`: asks the replicas.

use std::thread;
use std::time::Duration;

use super::arguments::StatusArguments;
use super::status_report::{Answer, ReplicaStatus, Report};
use crate::exit::Exit;
use crate::home::{ClientHome, HomeError};

/// How long a replica may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

pub(super) fn run(arguments: &StatusArguments) -> Exit {
    let (urls, members) = match addresses(arguments) {
        Ok(addresses) => addresses,
        Err(error) => {
            eprintln!("error: {error}");
            return error.exit();
        }
    };
    let report = Report::new(ask_all(&urls), members);
    print!("{report}");
    if report.can_order() { Exit::Success } else { Exit::Incomplete }
}

/// Whom to ask, and whether these are all members of a network, in their order.
fn addresses(arguments: &StatusArguments) -> Result<(Vec<String>, bool), HomeError> {
    let Some(home) = &arguments.client else { return Ok((arguments.urls.clone(), false)) };
    let (_, settings) = ClientHome::read_network(home)?;
    let url = |http: Option<std::net::SocketAddr>| http.map(|address| format!("http://{address}")).unwrap_or_default();
    Ok((settings.replicas.iter().map(|replica| url(replica.http)).collect(), true))
}

/// Asks all at once: one that does not answer holds up no other.
fn ask_all(urls: &[String]) -> Vec<Answer> {
    thread::scope(|scope| {
        let asking: Vec<_> = urls.iter().map(|url| scope.spawn(|| ask(url))).collect();
        let answers = asking.into_iter().zip(urls).map(|(thread, url)| {
            let status = thread.join().unwrap_or_else(|_| Err("asking it broke".to_owned()));
            Answer { url: url.clone(), status }
        });
        answers.collect()
    })
}

fn ask(url: &str) -> Result<ReplicaStatus, String> {
    if url.is_empty() {
        return Err("network.toml names no HTTP address of it".to_owned());
    }
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
    let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    let mut response =
        agent.get(format!("{}/status", url.trim_end_matches('/'))).call().map_err(|error| error.to_string())?;
    let body =
        response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec().map_err(|error| error.to_string())?;
    serde_json::from_slice(&body).map_err(|error| format!("its answer is no status: {error}"))
}
