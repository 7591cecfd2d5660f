// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See MergePlanes.h.

#include "Simulator/MergePlanes.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

using namespace cim;
using namespace cim::sim;

/// Whether every partial sum of every column is an integer that a float holds.
static bool sumsAreExact(const Plan &plan, const Config &config) {
  constexpr double most = 1 << 24;
  std::vector<double> reach(plan.layer->out_c);
  double input = double((1 << config.inputBits) - 1);
  for (const PlannedBlock &block : plan.blocks)
    for (uint32_t n = 0; n < block.nCount; ++n) {
      double significance = block.coefficient[n];
      if (significance != std::floor(significance))
        return false;
      double sum = 0;
      for (uint32_t k = 0; k < block.kCount; ++k)
        sum += std::abs(block.weights[size_t(k) * block.nCount + n]);
      reach[block.n + n] += sum * input * std::abs(significance);
      if (reach[block.n + n] > most)
        return false;
    }
  return true;
}

/// Adds `block` times its significance to `sum`, whose own significance is 1;
/// false, and nothing changed, when a weight would not fit.
static bool addTo(PlannedBlock &sum, const PlannedBlock &block) {
  std::vector<int8_t> weights(sum.weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    double weight = sum.weights[i] + double(block.weights[i]) *
                                         block.coefficient[i % block.nCount];
    if (weight < -127 || weight > 127)
      return false;
    weights[i] = int8_t(weight);
  }
  sum.weights = std::move(weights);
  return true;
}

static bool sameRectangle(const PlannedBlock &a, const PlannedBlock &b) {
  return a.k == b.k && a.kCount == b.kCount && a.n == b.n &&
         a.nCount == b.nCount;
}

void cim::sim::mergePlanes(Plan &plan, const Config &config) {
  if (plan.mode != Mode::Ideal || !sumsAreExact(plan, config))
    return;
  std::vector<PlannedBlock> sums, rest; // rest: with a significance of its own
  for (PlannedBlock &block : plan.blocks) {
    // Planes of one rectangle stand close together in the list.
    bool added = false;
    for (size_t back = sums.size(); back-- > 0 && !added;) {
      if (sums[back].k != block.k)
        break;
      added = sameRectangle(sums[back], block) && addTo(sums[back], block);
    }
    if (added)
      continue;
    PlannedBlock sum = block;
    std::fill(sum.weights.begin(), sum.weights.end(), int8_t(0));
    std::fill(sum.coefficient.begin(), sum.coefficient.end(), 1.0f);
    if (addTo(sum, block))
      sums.push_back(std::move(sum));
    else
      rest.push_back(std::move(block));
  }
  plan.blocks = std::move(sums);
  for (PlannedBlock &block : rest)
    plan.blocks.push_back(std::move(block));
}
