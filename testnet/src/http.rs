//! Asking the replicas over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::join_all;
use serde::de::DeserializeOwned;
use ureq::Agent;

/// Far longer than an answer takes, so that a stuck replica is noticed.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// Asks the replicas of a network over HTTP. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Http {
    agent: Agent,
    addresses: Vec<SocketAddr>,
}

impl Http {
    /// Asks replicas at these addresses, in the order of the committee.
    #[must_use]
    pub fn new(addresses: Vec<SocketAddr>) -> Self {
        let agent = Agent::config_builder().timeout_global(Some(TIMEOUT)).proxy(None).build().into();
        Http { agent, addresses }
    }

    /// How many replicas there are.
    #[must_use]
    pub fn replicas(&self) -> usize {
        self.addresses.len()
    }

    /// What all replicas answer, or why one does not.
    pub async fn get_all<T: DeserializeOwned + Send + 'static>(&self, path: &str) -> Vec<Result<T, String>> {
        join_all((0..self.replicas()).map(|index| self.get(index, path, Vec::new()))).await
    }

    /// What one replica answers to a path with a query, or why it does not.
    ///
    /// # Errors
    /// Why there is no answer, in words.
    pub async fn get<T: DeserializeOwned + Send + 'static>(
        &self,
        index: usize,
        path: &str,
        query: Vec<(&'static str, String)>,
    ) -> Result<T, String> {
        let text = self.get_text(index, path, query).await?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    /// The same as text.
    async fn get_text(&self, index: usize, path: &str, query: Vec<(&'static str, String)>) -> Result<String, String> {
        let Some(address) = self.addresses.get(index) else { return Err(format!("there is no replica {index}")) };
        let (agent, url) = (self.agent.clone(), format!("http://{address}{path}"));
        let asked = tokio::task::spawn_blocking(move || {
            let mut answer = agent.get(&url).query_pairs(query).call()?;
            answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string()
        });
        match asked.await {
            Ok(answer) => answer.map_err(|error: ureq::Error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// What one replica has counted since its start, by the names of `/metrics`; 0 for what it does not count.
    ///
    /// # Errors
    /// Why there is no answer, in words.
    pub async fn counters<const N: usize>(&self, index: usize, names: [&str; N]) -> Result<[u64; N], String> {
        let text = self.get_text(index, "/metrics", Vec::new()).await?;
        Ok(names.map(|name| counter(&text, name).unwrap_or_default()))
    }
}

/// The value of a metric without labels.
fn counter(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_found_by_its_whole_name() {
        let text = "# HELP a_total x\na_total_more 1\na_total 7\na_total{peer=\"0\"} 9\n";
        assert_eq!(counter(text, "a_total"), Some(7));
        assert_eq!(counter(text, "a"), None);
    }
}
