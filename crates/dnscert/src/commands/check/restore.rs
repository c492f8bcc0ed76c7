//! `--restore FILE`: whether the command line fits what the file was kept with. What was not asked then cannot be judged now.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use measure::{CheckPlan, Inquiry};
use model::Name;

use super::{read_anchors, read_hints};
use crate::cli::CheckArgs;

/// Takes into `plan` what the file was kept with. Fails where the command line says otherwise. A file from before this was
/// noted fits everything but other hints, anchors and families.
pub fn settle(arguments: &CheckArgs, inquiry: &Inquiry, plan: &mut CheckPlan) -> anyhow::Result<()> {
    let Some(file) = &arguments.restore else { return Ok(()) };
    let file = file.display();
    let fits = |is_so: bool, option: &str| {
        anyhow::ensure!(
            is_so,
            "`{file}` was not kept with this {option}; leave it out, or check anew without --restore"
        );
        Ok(())
    };
    if let Some(kept) = inquiry.saved_check() {
        anyhow::ensure!(
            kept.zone == plan.zone,
            "`{file}` keeps a check of {}, not of {}",
            kept.zone,
            plan.zone
        );
        let kept_ns = kept.undelegated.as_ref().map_or(&[][..], |kept| &kept.ns[..]);
        let kept_ds = kept.undelegated.as_ref().map_or(&[][..], |kept| &kept.ds[..]);
        if let Some(given) = &plan.undelegated {
            fits(given.ns.is_empty() || given.ns == kept_ns, "--ns")?;
            fits(given.ds.is_empty() || given.ds == kept_ds, "--ds")?;
        }
        plan.undelegated = kept.undelegated.clone();
        fits(arguments.port.is_none_or(|port| port == kept.port), "--port")?;
    }
    let from = arguments.from.as_deref();
    fits(from.is_none() || from == inquiry.vantage_point(), "--from")?;
    if let Some(hints) = &arguments.hints {
        fits(
            sorted(read_hints(hints)?) == sorted(inquiry.hints().to_vec()),
            "--hints",
        )?;
    }
    if let Some(anchors) = &arguments.anchor {
        let (mut given, mut kept) = (read_anchors(anchors)?, inquiry.anchors().to_vec());
        given.sort();
        kept.sort();
        fits(given == kept, "--anchor")?;
    }
    let was_asked = |address: IpAddr| inquiry.is_enabled(address);
    fits(
        !arguments.no_ipv4 || !was_asked(Ipv4Addr::LOCALHOST.into()),
        "--no-ipv4",
    )?;
    fits(
        !arguments.no_ipv6 || !was_asked(Ipv6Addr::LOCALHOST.into()),
        "--no-ipv6",
    )
}

fn sorted(mut hints: Vec<(Name, Vec<IpAddr>)>) -> Vec<(Name, Vec<IpAddr>)> {
    hints.iter_mut().for_each(|(_, addresses)| addresses.sort());
    hints.sort();
    hints
}
