// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Philox4x32, the counter-based generator of Salmon, Moraes, Dror, Shaw,
// "Parallel random numbers: as easy as 1, 2, 3" (SC11). Seven rounds pass
// BigCrush and are what the simulator uses; ten are its authors' advice.
#ifndef CIM_RUNTIME_SIMULATOR_PHILOX_H
#define CIM_RUNTIME_SIMULATOR_PHILOX_H

#include <cstdint>

namespace cim::sim {

struct PhiloxKey {
  uint32_t k0, k1;
  uint32_t rounds = 7; // or 10
};

struct PhiloxBlock {
  uint32_t word[4];
};

inline constexpr uint32_t philoxM0 = 0xD2511F53, philoxM1 = 0xCD9E8D57;
inline constexpr uint32_t philoxW0 = 0x9E3779B9, philoxW1 = 0xBB67AE85;

template <int Rounds>
constexpr PhiloxBlock philox(PhiloxKey key, PhiloxBlock counter) {
  for (int round = 0; round < Rounds; ++round) {
    uint64_t p0 = uint64_t(philoxM0) * counter.word[0];
    uint64_t p1 = uint64_t(philoxM1) * counter.word[2];
    counter = {{uint32_t(p1 >> 32) ^ counter.word[1] ^ key.k0, uint32_t(p1),
                uint32_t(p0 >> 32) ^ counter.word[3] ^ key.k1, uint32_t(p0)}};
    key.k0 += philoxW0;
    key.k1 += philoxW1;
  }
  return counter;
}

/// With as many rounds as the key says.
constexpr PhiloxBlock philox(PhiloxKey key, PhiloxBlock counter) {
  return key.rounds == 10 ? philox<10>(key, counter) : philox<7>(key, counter);
}

/// What words 1 and 2 of a counter become in two rounds before they meet the
/// others: see KernelNoise.h.
struct PhiloxWindow {
  uint32_t word1;       // low half of round 0's product of word 2
  uint32_t high0, low0; // round 1's product of word 0
};

constexpr PhiloxWindow philoxWindow(PhiloxKey key, uint32_t word1,
                                    uint32_t word2) {
  uint64_t p1 = uint64_t(philoxM1) * word2;
  uint32_t word0 = uint32_t(p1 >> 32) ^ word1 ^ key.k0;
  uint64_t p0 = uint64_t(philoxM0) * word0;
  return {uint32_t(p1), uint32_t(p0 >> 32), uint32_t(p0)};
}

} // namespace cim::sim

#endif // CIM_RUNTIME_SIMULATOR_PHILOX_H
