//! The process whose disk fails: the fixed script of figure 9. It tells every acknowledged success on
//! stdout, one line each, because a sync that fails ends it on the spot.

use crate::disk::{Fault, Verdict, disk};
use crate::facts::{Fact, facts};
use crate::site::{Said, Site, bulk, claim, execute, fund, key, outcome, partner, request};
use crate::vfs;
use ichae_domain::code::Code;
use ichae_domain::command::{Action, Actor, Command, Order, Target};
use ichae_domain::ident::{GroupNo, KeyNo, PartnerNo, PayoutNo};
use ichae_domain::money::Won;
use ichae_domain::view::{Deposit, Reply};
use ichae_store::port::{Backend, Reader, StoreError, Work};
use ichae_store::sqlite::Opened;
use std::io::Write;
use std::path::PathBuf;

/// Rows of bulk calls that make the WAL long enough for SQLite to move it into the file on the way.
const LONG: [usize; 14] = [1_500; 14];

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: then there is nobody to tell.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Why the script could not be followed.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    #[error("{0}")]
    Store(#[from] StoreError),
    /// With room and without a fault.
    #[error("stuck: {0}")]
    Stuck(String),
    #[error("the VFS could not be installed")]
    NoVfs,
}

type Done<T> = Result<T, ChildError>;

/// What the process is told.
#[derive(Clone, Debug)]
pub struct Task {
    pub folder: PathBuf,
    pub keys: PathBuf,
    /// With so many rows that the WAL is moved into the file on the way.
    pub long: bool,
    /// Which call fails, and how; without one, every call is told.
    pub fault: Option<(u64, Fault)>,
}

pub fn run(task: &Task) -> Done<()> {
    let Task { folder, keys, long, fault } = task;
    if !vfs::install() {
        return Err(ChildError::NoVfs);
    }
    let site = Site::make(folder, keys)?;
    let trace = fault.is_none();
    let mut fell = false;
    {
        let mut disk = disk();
        disk.watch(folder);
        if let Some((call, fault)) = fault {
            disk.fail(*call, *fault);
        }
        disk.tell(Box::new(move |call, kind, path, verdict| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let failed = verdict != Verdict::Pass && !fell;
            if failed || trace {
                let word = if trace { "call" } else { "fault" };
                say(&format!("{word} {call} {} {name}", kind.name()));
            }
            fell |= failed;
        }));
    }
    Script::open(&site)?.first(&site, if *long { &LONG } else { &[] })?;
    Script::open(&site)?.second()?;
    say(&format!("calls {}", disk().calls()));
    Ok(())
}

struct Script {
    opened: Opened,
}

/// Tries until it is done: after the second failure with a disk that has room again.
fn until<T>(mut work: impl FnMut() -> Result<T, StoreError>, what: &str) -> Done<T> {
    for at in 0..3 {
        if at == 2 {
            disk().heal();
        }
        match work() {
            Ok(done) => return Ok(done),
            Err(error) => say(&format!("failed {what}: {error}")),
        }
    }
    Err(ChildError::Stuck(what.to_owned()))
}

impl Script {
    fn open(site: &Site) -> Done<Script> {
        say("opening");
        let opened = until(|| site.open(), "opening")?;
        if opened.rolled_back {
            return Err(ChildError::Stuck("the store is older than its witness".to_owned()));
        }
        say("opened");
        Ok(Script { opened })
    }

    /// One commit. What was refused is given again, later with room, and then it has to be taken.
    fn give(&mut self, commands: Vec<Command>) -> Done<Vec<Reply>> {
        let mut replies: Vec<Option<Reply>> = vec![None; commands.len()];
        for at in 0..3 {
            if at == 2 {
                disk().heal();
            }
            let open: Vec<usize> =
                (0..commands.len()).filter(|at| replies[*at].is_none()).collect();
            let order =
                |at: &usize| Order { actor: Actor::Partner, command: commands[*at].clone() };
            let orders: Vec<Order> = open.iter().map(order).collect();
            for (at, answer) in open.iter().zip(self.opened.backend.commit(&orders)) {
                match answer {
                    Ok(reply) => {
                        facts(&commands[*at], &reply)
                            .iter()
                            .for_each(|fact| say(&fact.to_string()));
                        replies[*at] = Some(reply);
                    }
                    Err(refusal) => {
                        say(&format!("refused {}", refusal.code.name()));
                        if !matches!(refusal.code, Code::T0503 | Code::T0999) {
                            return Err(ChildError::Stuck(format!("{refusal:?}")));
                        }
                    }
                }
            }
            if replies.iter().all(Option::is_some) {
                break;
            }
        }
        let all: Option<Vec<Reply>> = replies.into_iter().collect();
        let all = all.ok_or_else(|| ChildError::Stuck("refused with room".to_owned()))?;
        match all.iter().find(|reply| matches!(reply, Reply::Stale | Reply::Failed)) {
            // What was refused before had been written after all.
            Some(odd) => Err(ChildError::Stuck(format!("{odd:?}"))),
            None => Ok(all),
        }
    }

    fn read<T>(&self, read: impl Fn(&dyn Reader) -> Result<T, StoreError>) -> Done<T> {
        until(|| read(&self.opened.reader), "a look-up")
    }

    fn first(mut self, site: &Site, long: &[usize]) -> Done<()> {
        let replies = self.give(vec![partner("shop")])?;
        let [Reply::Partner(no)] = replies[..] else { return Err(odd(&replies)) };
        self.give(vec![fund(no, Won(1_000_000_000), "first")])?;
        let keys = (1..=3).map(|at| key(&site.sealer, no, at)).collect();
        let key_no = |reply: &Reply| match reply {
            Reply::Key(no, true) => Some(*no),
            _ => None,
        };
        let replies = self.give(keys)?;
        let keys: Vec<KeyNo> = replies.iter().filter_map(key_no).collect();
        if keys.len() != 3 {
            return Err(odd(&replies));
        }
        let group = self.requests(no, &keys, "a", 5)?;
        let rows = (0..20).map(|at| request(no, keys[at % 3], Won(70), &format!("b{at}")));
        self.give(vec![bulk(no, rows.collect())])?;
        self.give(vec![execute(no, group, Target::All, Action::Now)])?;
        self.pay(no)?;
        let group = self.requests(no, &keys, "c", 1)?;
        let waiting = self.read(|reader| reader.waiting_on_key(group, keys[0]))?;
        self.give(vec![execute(no, group, Target::Rows(waiting), Action::Cancel)])?;
        self.give(vec![execute(no, group, Target::All, Action::Cancel)])?;
        for (at, rows) in long.iter().copied().enumerate() {
            let row = |row| request(no, keys[row % 3], Won(5), &format!("long{at}-{row:040}"));
            self.give(vec![bulk(no, (0..rows).map(row).collect())])?;
        }
        self.requests(no, &keys, "d", 1)?;
        self.close();
        Ok(())
    }

    /// Batches of eight in the open group.
    fn requests(
        &mut self,
        partner: PartnerNo,
        keys: &[KeyNo],
        name: &str,
        batches: usize,
    ) -> Done<GroupNo> {
        let mut group = None;
        for batch in 0..batches {
            let row = |at: usize| {
                let distinct_key = format!("{name}{batch}-{at}");
                let row = request(partner, keys[at % 3], Won(100), &distinct_key);
                Command::Request(Box::new(row))
            };
            for reply in self.give((0..8).map(row).collect())? {
                if let Reply::Requested(told) = reply {
                    group = Some(told.group);
                }
            }
        }
        group.ok_or_else(|| ChildError::Stuck("no group".to_owned()))
    }

    /// Claims everything that is executed, and takes in what the bank said.
    fn pay(&mut self, partner: PartnerNo) -> Done<()> {
        let mut work: Vec<Work> =
            self.read(|reader| reader.executing_rows(partner, PayoutNo(0), 100))?;
        for group in self.read(|reader| reader.executing_groups(partner))? {
            work.extend(self.read(|reader| reader.unclaimed(group, PayoutNo(0), 100))?);
        }
        let claims = work.into_iter().map(|work| claim(partner, work)).collect();
        let sent = |reply| match reply {
            Reply::Send(deposit) => Some(deposit),
            _ => None,
        };
        let sent: Vec<Deposit> = self.give(claims)?.into_iter().filter_map(sent).collect();
        let said = [Said::Settled, Said::Settled, Said::Refused, Said::Unknown];
        let told =
            sent.iter().zip(said.iter().cycle()).map(|(deposit, said)| outcome(deposit, *said));
        self.give(told.collect())?;
        Ok(())
    }

    /// After a restart.
    fn second(mut self) -> Done<()> {
        let partners = self.read(|reader| reader.partners())?;
        let no = partners.first().map(|partner| partner.no);
        let no = no.ok_or_else(|| ChildError::Stuck("no partner".to_owned()))?;
        self.give(vec![fund(no, Won(1), "second")])?;
        let key = key_of(&self.opened.reader, no)?;
        self.requests(no, &[key; 3], "e", 1)?;
        self.close();
        Ok(())
    }

    fn close(self) {
        say("closing");
        // The writer last: it alone can move the WAL into the file.
        drop(self.opened.reader);
        drop(self.opened.backend);
        say("closed");
    }
}

/// The first key: numbers are given one after another, and it comes soon after its partner.
fn key_of(reader: &dyn Reader, partner: PartnerNo) -> Done<KeyNo> {
    for no in partner.0..partner.0 + 10 {
        if until(|| reader.key(KeyNo(no)), "a look-up")?.is_some() {
            return Ok(KeyNo(no));
        }
    }
    Err(ChildError::Stuck("no key".to_owned()))
}

fn odd(replies: &[Reply]) -> ChildError {
    ChildError::Stuck(format!("{replies:?}"))
}

/// The facts in what a child said.
pub fn acknowledged(lines: &[String]) -> Vec<Fact> {
    lines.iter().filter_map(|line| Fact::read(line)).collect()
}
