//! The lake as its callers see it.

#[cfg(test)]
mod beside;
#[cfg(test)]
mod compaction_crash;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod observed;
#[cfg(test)]
mod other_readers;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod passive;
#[cfg(test)]
mod passive_crash;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod roll_up;
#[cfg(test)]
mod sample_file;
#[cfg(test)]
mod store;
#[cfg(test)]
mod story;
#[cfg(test)]
mod upkeep;
