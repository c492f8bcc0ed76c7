//! A scripted DNS world on loopback: authoritative servers that can misbehave, events in time.
