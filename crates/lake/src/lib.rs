//! Keeps observations: Delta tables of Parquet, look-ups, retention; knows no cases or people.
