// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arithmetic of cim-split-weights.
#include "cim/Dialect/CIM/Transforms/SplitWeights.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace cim;

/// The digit of the next cell; `rest` becomes what is left for those behind it.
static int8_t takeDigit(Split split, int64_t &rest, int64_t limit) {
  int64_t base = getSplitBase(split, limit), digit;
  if (split == Split::Radix) // the remainder in [-limit, limit]
    digit = ((rest % base) + base + limit) % base - limit;
  else if (split == Split::Magnitude)
    digit = rest % base;
  else
    digit = std::clamp(rest, -limit, limit);
  rest = (rest - digit) / base;
  return static_cast<int8_t>(digit);
}

Planes cim::splitExactly(Split split, llvm::ArrayRef<int8_t> weights,
                         int64_t groupRows, int64_t columns, int64_t levels,
                         int64_t limit) {
  Planes planes;
  planes.cells = countCells(split, levels, limit);
  int64_t results = split == Split::Unary ? 1 : planes.cells, power = 1;
  for (int64_t p = 0; p < results; ++p, power *= getSplitBase(split, limit))
    planes.significance.insert(planes.significance.end(), columns,
                               static_cast<float>(power));
  planes.digits.resize(planes.cells * weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    int64_t rest = weights[i], row = static_cast<int64_t>(i) / columns;
    // Equal planes take turns, so that none has more to read than the others.
    int64_t first = split == Split::Equal ? row % groupRows % planes.cells : 0;
    for (int64_t p = 0; p < planes.cells; ++p)
      planes.digits[(first + p) % planes.cells * weights.size() + i] =
          takeDigit(split, rest, limit);
  }
  return planes;
}

/// The size of the support that minimises the squared error of a ternary
/// approximation, and its scale. `magnitudes` falls. With the m largest as
/// support the best scale is their mean, and the error falls by (sum)^2 / m.
static std::pair<size_t, float> bestSupport(llvm::ArrayRef<double> magnitudes) {
  size_t support = 0;
  double sum = 0, bestSum = 0, bestGain = 0;
  for (auto [i, magnitude] : llvm::enumerate(magnitudes)) {
    sum += magnitude;
    double gain = sum * sum / static_cast<double>(i + 1);
    if (gain <= bestGain)
      continue;
    bestGain = gain;
    bestSum = sum;
    support = i + 1;
  }
  if (support == 0)
    return {0, 0.0f};
  return {support, static_cast<float>(bestSum / static_cast<double>(support))};
}

Planes cim::splitResidual(llvm::ArrayRef<int8_t> weights, int64_t columns,
                          int64_t cells) {
  Planes planes;
  planes.cells = cells;
  planes.digits.resize(cells * weights.size());
  planes.significance.resize(cells * columns);
  int64_t rows = columns ? weights.size() / columns : 0;
  std::vector<double> rest(rows), magnitudes(rows);
  std::vector<int64_t> order(rows);
  for (int64_t n = 0; n < columns; ++n) {
    for (int64_t k = 0; k < rows; ++k)
      rest[k] = weights[k * columns + n];
    for (int64_t p = 0; p < cells; ++p) {
      for (int64_t k = 0; k < rows; ++k)
        order[k] = k;
      // A total order, so that every sort gives the same result.
      llvm::sort(order, [&](int64_t a, int64_t b) {
        return std::pair(-std::abs(rest[a]), a) <
               std::pair(-std::abs(rest[b]), b);
      });
      for (int64_t k = 0; k < rows; ++k)
        magnitudes[k] = std::abs(rest[order[k]]);
      auto [support, scale] = bestSupport(magnitudes);
      planes.significance[p * columns + n] = scale;
      for (size_t i = 0; i < support; ++i) {
        int64_t k = order[i];
        int digit = rest[k] < 0 ? -1 : 1;
        planes.digits[p * weights.size() + k * columns + n] =
            static_cast<int8_t>(digit);
        rest[k] -= digit * static_cast<double>(scale);
      }
    }
  }
  return planes;
}
