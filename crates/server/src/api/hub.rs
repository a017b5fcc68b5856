//! The Hub endpoints, one file each: read, check, command, answer.

pub mod execute;
pub mod lists;
pub mod real_name;
pub mod remain;
pub mod request;
pub mod result;
pub mod token;
