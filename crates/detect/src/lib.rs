//! Turns observations into signals: one module per detector, pure functions.
