//! The documents' own examples, and what follows from them.

#[cfg(test)]
mod dnsmon;
#[cfg(test)]
mod kindns;
#[cfg(test)]
mod rssac002;
#[cfg(test)]
mod rssac047;
#[cfg(test)]
mod score;
#[cfg(test)]
mod specification10;
#[cfg(test)]
mod story;
