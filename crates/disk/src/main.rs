#![allow(clippy::print_stdout)]
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let o = ichae_disk::power::Options {
        cycles: args[1].parse().unwrap_or(1), seed: args[2].parse().unwrap_or(0),
        lying: args.len() > 3, ..Default::default() };
    let dir = std::env::temp_dir().join(format!("ichae-disk-{}", std::process::id()));
    println!("{:?}", ichae_disk::power::cycles(&o, &dir));
}
