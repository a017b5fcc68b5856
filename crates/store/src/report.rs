//! What a check of a whole store saw.

use ichae_domain::audit::Finding;

#[derive(Debug)]
pub struct Report {
    pub postings: u64,
    pub payouts: u64,
    pub partners: usize,
    pub findings: Vec<Finding>,
}
