// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// docs/Runtime.md, "Random numbers": normal deviates from counters.
#ifndef CIM_REFERENCE_RANDOM_H
#define CIM_REFERENCE_RANDOM_H

#include <cstdint>

namespace cim::reference {

struct Key {
  uint32_t word[2];
  uint32_t rounds; // 7 or 10
  Key(uint64_t seed, uint32_t trial, uint32_t rounds);
};

struct Counter {
  uint32_t word[4];
};

/// Philox4x32.
Counter philox(Key key, Counter counter);

/// The normal deviate that 32 bits stand for.
float normal(uint32_t bits);

/// What a random number is for: the table of that page.
enum class Draw : uint32_t {
  Read,
  Convert,
  Cell,
  Gain,
  Offset,
  Program,
  Drift,
  Fault,
  Line,
  Capacitor,
  Jitter,
  Calibrate
};

/// 32 random bits of a column (or converter); words 1 to 3 are what the table
/// lists.
uint32_t randomBits(Key key, Draw draw, uint32_t column, uint32_t word1,
                    uint32_t word2, uint32_t word3);

} // namespace cim::reference

#endif // CIM_REFERENCE_RANDOM_H
