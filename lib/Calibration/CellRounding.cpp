// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cells become integers one after another, while the others make up for it.
#include "CellRounding.h"
#include <cmath>

using namespace mlir;

namespace cim {

/// The part of the cells that is round; docs/Accuracy.md, "Tuning".
static double getRoundPart(double done) {
  constexpr double allReal = 0.1;
  double left = std::clamp((1 - done) / (1 - allReal), 0.0, 1.0);
  return 1 - left * left * left;
}

void CellRounding::round(double done, MutableArrayRef<double> parameters) {
  double *cells = parameters.data() + tables;
  char *round = isRound.data();
  for (const TunedMatrix &matrix : network.matrices) {
    size_t size = matrix.cells.size();
    std::vector<std::pair<double, size_t>> open; // distance, cell
    for (size_t i = 0; i < size; ++i)
      if (!round[i])
        open.emplace_back(std::abs(cells[i] - std::rint(cells[i])), i);
    auto wanted = static_cast<size_t>(getRoundPart(done) * double(size));
    size_t already = size - open.size();
    if (wanted > already) {
      std::nth_element(open.begin(), open.begin() + (wanted - already - 1),
                       open.end());
      open.resize(wanted - already);
      for (auto [distance, i] : open) {
        round[i] = 1;
        cells[i] = std::rint(cells[i]);
      }
    }
    cells += size;
    round += size;
  }
}

void CellRounding::settle(MutableArrayRef<double> parameters) const {
  double *cells = parameters.data() + tables;
  const char *round = isRound.data();
  for (const TunedMatrix &matrix : network.matrices)
    for (size_t i = 0; i < matrix.cells.size(); ++i, ++cells, ++round)
      *cells = *round ? std::rint(*cells)
                      : std::clamp(*cells, -matrix.limit, matrix.limit);
}

} // namespace cim
